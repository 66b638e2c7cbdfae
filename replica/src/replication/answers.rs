//! Answers to the questions of peers. A process that has not recovered does not know what earlier ones of its node have told. So it
//! answers once it has.

use std::collections::{BTreeMap, BTreeSet};

use super::Replication;
use super::peer::{Answer, States};
use crate::config::MOST_TOLD;
use crate::context::Context;
use crate::frame::{Frame, Inquiry};
use crate::identity::{NodeId, ReplicaId};
use crate::tally::RowDelta;

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Replica,
    Survey,
}

impl Replication {
    /// This process has recovered: it answers the questions that came before, and those that come. True if it tells any peer
    /// what it holds of a replica.
    pub(crate) fn recovered(&mut self, cx: &mut Context<'_>) -> bool {
        self.has_recovered = true;
        let unanswered = std::mem::take(&mut self.unanswered);
        for ((from, _), (id, question)) in &unanswered {
            let says = self.answer_to(question, from);
            let (refused, states) = (BTreeSet::new(), States::Nothing);
            let answer = Answer { id: *id, refused, doubts: false, says, states };
            self.peers.confirm(from, answer, &self.state, cx);
        }
        unanswered.keys().any(|(_, kind)| *kind == Kind::Replica)
    }

    /// Whether questions wait for this process to recover.
    pub(crate) fn owes_answers(&self) -> bool {
        !self.unanswered.is_empty()
    }

    /// The answer to a peer's frame, if it asks about its node. Before the recovery that must wait.
    pub(super) fn answer_inquiry(&mut self, from: &NodeId, frame: &Frame) -> Option<Inquiry> {
        let question = frame.inquiry.as_ref()?;
        let (replica, kind) = match question {
            Inquiry::Asks(replica, _) => (replica, Kind::Replica),
            Inquiry::Surveys(replica) => (replica, Kind::Survey),
            Inquiry::Holds(_) | Inquiry::Shows(_) => return None,
        };
        if replica.node() != from.as_str() {
            return None;
        }
        if !self.has_recovered {
            let asked = frame.id.map(|id| ((from.clone(), kind), (id, question.clone())));
            self.unanswered.extend(asked);
            return None;
        }
        self.answer_to(question, from)
    }

    /// The answer to a question of this peer.
    fn answer_to(&mut self, question: &Inquiry, from: &NodeId) -> Option<Inquiry> {
        match question {
            Inquiry::Asks(replica, above) => Some(self.holding(replica, *above)),
            Inquiry::Surveys(replica) => Some(Inquiry::Shows(self.shown_to(from, replica))),
            Inquiry::Holds(_) | Inquiry::Shows(_) => None,
        }
    }

    /// The versions of the rows that a peer may not have, and of the replica that it counts under.
    fn shown_to(&mut self, peer: &NodeId, replica: &ReplicaId) -> BTreeMap<ReplicaId, u64> {
        let versions = self.state.rows().versions();
        let newer = match self.peers.peer(peer) {
            Some(peer) => versions.delta_since(&peer.known),
            None => versions.clone(),
        };
        let newer = newer.counter().iter().map(|(replica, version)| (replica.clone(), version));
        newer.chain([(replica.clone(), versions.counter().get(replica))]).collect()
    }

    /// Up to which version a replica is known to have counted. A baseline can know of more than its row here has: then that is
    /// not known, and any version may be.
    pub(super) fn known_version(&self, replica: &ReplicaId) -> u64 {
        let rows = self.state.rows();
        if rows.lags_behind_resets(replica) { u64::MAX } else { rows.version(replica) }
    }

    /// The row of a replica above this version, unless that is too much.
    fn holding(&self, replica: &ReplicaId, above: u64) -> Inquiry {
        let rows = self.state.rows();
        let version = self.known_version(replica);
        let row = rows.row_since(replica, above).filter(|row| row.upto() == version);
        let row = row.filter(|row| row.items().len() <= MOST_TOLD);
        Inquiry::Holds(row.unwrap_or_else(|| RowDelta::new(replica.clone(), version, version)))
    }
}

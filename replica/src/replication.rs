//! Replication: the counts that this node holds, and gossip with its peers.
//!
//! [`peers`] decides which counts to tell which peer, and when. [`admission`] decides which claims are merged. [`answers`] answers peers' questions. [`inquiry`]
//! asks all peers about a replica. [`survey`] asks them what they show. [`importing`] checks rows that were exported. [`members`] knows who the peers are, and whose records are read.

mod admission;
mod answers;
mod contacts;
mod importing;
mod inquiry;
mod links;
mod long;
mod members;
mod peer;
mod peers;
mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::Rng;
use tracing::warn;

use crate::config::{Config, MAX_COUNTERS};
use crate::context::Context;
use crate::frame::{Claim, Frame, FrameId, Inquiry};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::machine::PeerStatus;
use crate::own::Own;
use crate::seam::{Name, Refusal};
use crate::state::State;
use crate::store::Seal;
use crate::tally::RowDelta;
use admission::{Admitted, Source, admit};
use answers::Kind;
pub(crate) use importing::check_import;
use inquiry::Question;
use members::Members;
use peer::{Answer, Confirmation, States};
use peers::{Peers, Rush};
use survey::Survey;

/// The counts that this node holds, and its peers.
#[derive(Debug, Clone)]
pub(crate) struct Replication {
    members: Members,
    /// What is shown to clients and told to peers.
    state: State,
    peers: Peers,
    /// Whether this process knows what its predecessors have told and stored. Only then it answers inquiries.
    has_recovered: bool,
    question: Option<Question>,
    ask_again_after: Duration,
    survey: Survey,
    /// The last question of each kind that came from a peer before this process had recovered, with the frame that asked.
    unanswered: BTreeMap<(NodeId, Kind), (FrameId, Inquiry)>,
}

/// The result of merging a claim.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Merged {
    /// Whether the claim brought something new.
    pub is_news: bool,
    /// Whether some of that must get into this node's record.
    pub touches_record: bool,
    /// Whether the peer was told what this node holds of a replica.
    pub told_holding: bool,
}

/// What clients wait for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Awaits {
    /// That a peer has their changes.
    pub confirmation: bool,
    /// That several peers have the changes up to this number.
    pub held: Option<u64>,
    /// Anything that a peer may answer.
    pub anything: bool,
}

impl Replication {
    pub(crate) fn new(config: &Config, me: NodeId, incarnation: Incarnation, rng: &mut dyn Rng) -> Self {
        Self {
            members: Members::new(me.clone()),
            state: State::default(),
            peers: Peers::new(config, me, incarnation, rng),
            has_recovered: false,
            question: None,
            ask_again_after: config.peer_timeout / 4,
            survey: Survey::new(config.survey_interval, config.peer_timeout),
            unanswered: BTreeMap::new(),
        }
    }

    /// Sets the nodes of the cluster.
    pub(crate) fn set_roster(&mut self, nodes: BTreeSet<NodeId>) {
        self.members.set_roster(nodes);
        self.set_peers();
    }

    fn set_peers(&mut self) {
        let peers = self.members.peers();
        self.survey.set(&peers);
        self.peers.set(peers);
    }

    /// The store lists these nodes.
    pub(crate) fn list(&mut self, names: BTreeSet<NodeId>) {
        self.members.list(names);
    }

    /// A record says whether its node is forgotten. `is_fresh`: it was read after this node knew that.
    pub(crate) fn learn_seal(&mut self, node: &NodeId, seal: Option<Seal>, is_fresh: bool) {
        if self.members.learn_seal(node, seal, is_fresh) {
            self.set_peers();
        }
    }

    /// This node.
    pub(crate) fn me(&self) -> &NodeId {
        self.members.me()
    }

    /// Whether there is such a node.
    pub(crate) fn knows(&self, node: &NodeId) -> bool {
        self.members.knows(node)
    }

    pub(crate) fn has_roster(&self) -> bool {
        self.members.has_roster()
    }

    /// What this node holds and shows.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Asks all peers what they hold of a replica of this node. It replaces an earlier question.
    pub(crate) fn ask_about(&mut self, replica: ReplicaId) {
        let above = self.state.rows().version(&replica);
        self.question = Some(Question::about(replica, above, self.ask_again_after));
    }

    /// Asks no more.
    pub(crate) fn stop_asking(&mut self) {
        self.question = None;
    }

    /// Whether all peers have answered the question.
    pub(crate) fn have_answered(&self) -> bool {
        self.question.as_ref().is_some_and(|question| question.is_answered(self.peers.names()))
    }

    /// A node that may know something, and that can't be asked: it is not on the roster, and is not forgotten.
    pub(crate) fn any_stranger(&self) -> Option<&NodeId> {
        self.members.strangers().first()
    }

    /// The nodes that may have counted something, and that can't be asked: those that are neither on the roster nor forgotten, and
    /// forgotten ones that have perhaps returned.
    pub(crate) fn unasked(&self) -> impl Iterator<Item = &NodeId> {
        self.members.only_read()
    }

    /// The peers: all nodes on the roster that are not forgotten.
    pub(crate) fn peers(&self) -> BTreeSet<NodeId> {
        self.peers.names().cloned().collect()
    }

    /// What is known of each peer, about the replica of this process.
    pub(crate) fn statuses(&self, own: &ReplicaId) -> impl Iterator<Item = PeerStatus> {
        self.peers.names().map(|name| PeerStatus {
            node: name.clone(),
            covers: self.survey.covers(name).max(self.peers.covers(name, own)),
            told: self.survey.told_as_of(name),
        })
    }

    /// What peers are asked, and have answered.
    pub(crate) fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The same, to ask them.
    pub(crate) fn survey_mut(&mut self) -> &mut Survey {
        &mut self.survey
    }

    /// Finds out which peers have told all that they showed.
    pub(crate) fn settle_survey(&mut self) {
        self.survey.settle(self.state.rows());
    }

    /// The nodes whose records are to be read, for they can't tell what they have: peers that have left a frame unconfirmed
    /// for longer than the timeout, and nodes that are no peers. If a peer can't be reached, this node's own record is among
    /// them: perhaps this node was forgotten.
    pub(crate) fn silent(&self) -> BTreeSet<NodeId> {
        let mut silent: BTreeSet<NodeId> = self.peers.unreachable().cloned().collect();
        if !silent.is_empty() {
            silent.insert(self.members.me().clone());
        }
        silent.extend(self.members.only_read().cloned());
        silent
    }

    /// Whether [`silent`](Self::silent) has any node.
    pub(crate) fn is_anybody_silent(&self) -> bool {
        self.peers.unreachable().chain(self.members.only_read()).next().is_some()
    }

    /// A forgotten node of which this node holds counts that are not known to be stored.
    pub(crate) fn forgotten_with_unstored(&self) -> Option<&NodeId> {
        if !self.members.has_forgotten_any() {
            return None;
        }
        let mut unstored = self.state.unstored();
        unstored.find_map(|replica| self.members.forgotten(replica.node()))
    }

    /// The highest version of a replica's row that a peer is known to have covered.
    pub(crate) fn covered_by_a_peer(&self, replica: &ReplicaId) -> u64 {
        self.peers.most_covered(replica)
    }

    /// The highest version of a replica's row that this node holds, or that a peer has said it holds.
    pub(crate) fn heard_of(&self, replica: &ReplicaId) -> u64 {
        let said = self.question.as_ref().map_or(0, Question::most);
        self.known_version(replica).max(said)
    }

    /// Merges a peer's frame and confirms it.
    pub(crate) fn receive(
        &mut self,
        from: &NodeId,
        mut frame: Frame,
        own: &Own,
        cx: &mut Context<'_>,
    ) -> Merged {
        // The frame itself may establish its sender, so it is heard before its counts are admitted.
        let Some(peer) = self.peers.hear(from, &frame, cx.now) else {
            if self.members.forgotten(from.as_str()).is_some() {
                // Perhaps it has returned: its record is read.
                self.members.may_have_returned(from);
            } else {
                warn!(%from, "a frame from a stranger is ignored");
            }
            return Merged::default();
        };
        let states = states(&frame);
        if let Some(row) = frame.claim.part.take().and_then(|part| peer.collect(*part)) {
            frame.claim.rows.push(row);
        }
        let source = if peer.is_established() { Source::Peer(from) } else { Source::PerhapsDead(from) };
        let admitted = admit(std::mem::take(&mut frame.claim), source, own, self.state.rows());
        let Admitted { mut claim, doubts, refused } = admitted;
        if let Some(peer) = self.peers.peer(from) {
            peer.holds(&claim.rows);
        }
        // Of its own row this process knows more than any peer. What is not shown yet must not come in that way.
        claim.rows.retain(|row| row.actor() != own.replica());
        let claim = with_holding(claim, self.hear_holding(from, &frame));
        let says = self.answer_inquiry(from, &frame);
        let told_holding = matches!(says, Some(Inquiry::Holds(_)));
        let merged = Merged { told_holding, ..self.merge(&claim, false) };
        self.survey.hear(from, &frame, (own.replica(), self.state.rows()), cx.now);
        match (frame.id, frame.answers, self.peers.peer(from)) {
            // The answer says what was not merged, for the peer must not count that as known.
            (Some(id), None, _) => {
                self.peers.confirm(from, Answer { id, refused, doubts, says, states }, &self.state, cx);
            }
            // The next frame to that peer confirms an answer. A frame of its own would be answered too, for ever.
            (Some(id), Some(_), Some(peer)) if !doubts => {
                peer.to_confirm = Some(Confirmation { id, refused });
            }
            (Some(_), Some(_), _) | (None, _, _) => {}
        }
        merged
    }

    /// What a peer's frame says that it holds, if it answers the question.
    fn hear_holding(&mut self, from: &NodeId, frame: &Frame) -> Option<RowDelta> {
        let Some(Inquiry::Holds(row)) = &frame.inquiry else { return None };
        let question = self.question.as_mut()?;
        question.hear(from, frame.answers, row).then(|| row.clone())
    }

    /// Merges the admitted part of a claim that was read from the store.
    pub(crate) fn merge_found(&mut self, claim: Claim, own: &Own) -> Merged {
        let Admitted { claim, .. } = admit(claim, Source::Store, own, self.state.rows());
        self.merge(&claim, true)
    }

    /// Adds to a counter in the own row. Returns the number of the change. `None`: there may be no room for the counter.
    pub(crate) fn add(
        &mut self,
        own: &ReplicaId,
        counter: &Name,
        delta: i64,
    ) -> Option<Result<u64, Refusal>> {
        if self.state.rows().len() >= MAX_COUNTERS {
            return None;
        }
        self.peers.counts_changed();
        Some(self.state.add(own, counter, delta))
    }

    /// Merges rows that were exported, as rows that are not known to be stored. They were [checked](check_import).
    pub(crate) fn import(&mut self, mut rows: Vec<RowDelta>, own: &ReplicaId) {
        // Of the own row everything is here, and some of it may not be shown yet.
        rows.retain(|row| row.actor() != own);
        let unstored = rows.iter().map(RowDelta::actor).cloned().collect();
        self.merge(&Claim { rows, part: None, unstored }, true);
    }

    fn merge(&mut self, claim: &Claim, is_record: bool) -> Merged {
        let (is_news, has_hints) = self.state.merge(claim, is_record);
        if is_news {
            self.peers.counts_changed();
        }
        let me = self.members.me();
        let is_own = |replica: &ReplicaId| replica.node() == me.as_str();
        let touches_record = is_news && (has_hints || claim.rows.iter().map(RowDelta::actor).any(is_own));
        Merged { is_news, touches_record, told_holding: false }
    }

    /// Lets clients and peers see this much of the own row. `stored` is the version that the store has, if peers are to keep
    /// what is above it as a hint.
    pub(crate) fn show(&mut self, row: &RowDelta, stored: Option<u64>) {
        if self.state.merge_row(row, stored.is_none()) {
            self.peers.counts_changed();
        }
        if let Some(stored) = stored {
            self.state.note_unstored(row.actor(), stored);
        }
    }

    /// Notes which versions the own record has.
    pub(crate) fn note_stored(&mut self, rows: &BTreeMap<ReplicaId, u64>) {
        for (replica, version) in rows {
            self.state.note_stored(replica, *version);
        }
    }

    /// Sends the frames that are due. `awaits` says what clients wait for.
    pub(crate) fn poll(&mut self, awaits: Awaits, own: &ReplicaId, cx: &mut Context<'_>) {
        let Awaits { confirmation, held, anything } = awaits;
        let rush = match (held, confirmation) {
            (Some(_), _) => Rush::ToAll,
            (None, true) => Rush::ToSome,
            (None, false) => Rush::Not,
        };
        self.peers.poll(&self.state, rush, cx);
        self.peers.survey(&mut self.survey, anything, own, cx);
        if let Some(number) = held {
            for name in self.peers.names() {
                if self.survey.covers(name).max(self.peers.covers(name, own)) < Some(number)
                    && !self.peers.is_link(name)
                {
                    self.survey.want_more(name, cx.now);
                }
            }
        }
        if let Some(question) = &mut self.question {
            self.peers.ask(question, cx);
        }
    }

    /// When a frame is due, if no input comes before.
    pub(crate) fn next_tick(&self) -> Option<Duration> {
        let asks_at = self.question.as_ref().map(Question::next_tick);
        [self.peers.next_tick(), asks_at, self.survey.next_tick()].into_iter().flatten().min()
    }
}

/// The claim, and what its sender holds of a replica of this node. It is not known to be stored.
fn with_holding(mut claim: Claim, holding: Option<RowDelta>) -> Claim {
    if let Some(row) = holding {
        claim.unstored.insert(row.actor().clone());
        claim.rows.push(row);
    }
    claim
}

/// The rows of which the answer to this frame says which version this node has.
fn states(frame: &Frame) -> States {
    let Claim { rows, part, .. } = &frame.claim;
    match part {
        Some(part) => States::Row(part.delta().actor().clone()),
        None if rows.is_empty() && frame.inquiry.is_none() => States::All,
        None => States::Nothing,
    }
}

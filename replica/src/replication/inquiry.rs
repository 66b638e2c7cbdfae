//! An inquiry: every peer is asked what it holds of a replica of this node. It is asked again until it answers.
//!
//! A peer answers once it has recovered. If it has not yet, it remembers the question, and answers then.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::context::Context;
use crate::frame::{Claim, Frame, FrameId, Inquiry};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::seam::Effect;
use crate::tally::RowDelta;

/// The question, and who has answered it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    replica: ReplicaId,
    /// The version of its row that this node has.
    above: u64,
    asked: BTreeMap<NodeId, Asked>,
    ask_again_at: Duration,
    /// The pause until then. It doubles each time.
    pause: Duration,
}

#[derive(Debug, Clone)]
struct Asked {
    id: FrameId,
    /// The version of the replica's row that it holds.
    holds: Option<u64>,
}

impl Question {
    pub(super) fn about(replica: ReplicaId, above: u64, pause: Duration) -> Self {
        Self { replica, above, asked: BTreeMap::new(), ask_again_at: Duration::ZERO, pause }
    }

    /// Asks the peers that have not answered, if it is time.
    pub(super) fn poll<'a>(
        &mut self,
        peers: impl Iterator<Item = &'a NodeId>,
        incarnation: Incarnation,
        mut new_id: impl FnMut() -> FrameId,
        cx: &mut Context<'_>,
    ) {
        if cx.now < self.ask_again_at {
            return;
        }
        self.ask_again_at = cx.now + cx.jittered(self.pause);
        self.pause = self.pause.saturating_mul(2);
        for name in peers {
            let asked = self.asked.entry(name.clone()).or_insert_with(|| Asked { id: new_id(), holds: None });
            if asked.holds.is_none() {
                let inquiry = Some(Inquiry::Asks(self.replica.clone(), self.above));
                let frame =
                    Frame { id: Some(asked.id), inquiry, ..Frame::new(incarnation, Claim::default()) };
                cx.effects.push_back(Effect::Send { peer: name.clone(), frame });
            }
        }
    }

    /// A peer says up to which version it holds the row. True if that answers this question.
    pub(super) fn hear(&mut self, from: &NodeId, answers: Option<FrameId>, holds: &RowDelta) -> bool {
        let asked = self.asked.get_mut(from).filter(|asked| answers == Some(asked.id));
        match asked.filter(|_| *holds.actor() == self.replica) {
            Some(asked) => {
                asked.holds = Some(holds.upto());
                true
            }
            None => false,
        }
    }

    /// The highest version of the row that a peer has said it holds.
    pub(super) fn most(&self) -> u64 {
        self.asked.values().filter_map(|asked| asked.holds).max().unwrap_or_default()
    }

    /// Whether all of these peers have answered.
    pub(super) fn is_answered<'a>(&self, mut peers: impl Iterator<Item = &'a NodeId>) -> bool {
        peers.all(|name| self.asked.get(name).is_some_and(|asked| asked.holds.is_some()))
    }

    /// When [`poll`](Self::poll) is due again.
    pub(super) fn next_tick(&self) -> Duration {
        self.ask_again_at
    }
}

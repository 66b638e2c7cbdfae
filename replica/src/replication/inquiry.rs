//! An inquiry: every peer is asked what it holds of a replica of this node. It is asked again until it answers.
//!
//! A peer answers once it has recovered. If it has not yet, it remembers the question, and answers then.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::context::Context;
use crate::frame::{Claim, Frame, FrameId, Inquiry};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::seam::Effect;
use crate::tally::Tally;

/// The question, and who has answered it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    replica: ReplicaId,
    asked: BTreeMap<NodeId, Asked>,
    ask_again_at: Duration,
    /// The pause until then. It doubles each time.
    pause: Duration,
}

#[derive(Debug, Clone)]
struct Asked {
    id: FrameId,
    holds: Option<Tally>,
}

impl Question {
    pub(super) fn about(replica: ReplicaId, pause: Duration) -> Self {
        Self { replica, asked: BTreeMap::new(), ask_again_at: Duration::ZERO, pause }
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
                let inquiry = Some(Inquiry::Asks(self.replica.clone()));
                let frame =
                    Frame { id: Some(asked.id), inquiry, ..Frame::new(incarnation, Claim::default()) };
                cx.effects.push_back(Effect::Send { peer: name.clone(), frame });
            }
        }
    }

    /// A peer says what it holds. True if it answers this question.
    pub(super) fn hear(
        &mut self,
        from: &NodeId,
        answers: Option<FrameId>,
        holds: (&ReplicaId, Tally),
    ) -> bool {
        let asked = self.asked.get_mut(from).filter(|asked| answers == Some(asked.id));
        match asked.filter(|_| *holds.0 == self.replica) {
            Some(asked) => {
                asked.holds = Some(holds.1);
                true
            }
            None => false,
        }
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

//! The knowledge about one peer.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::frame::{Claim, Frame, FrameId, Inquiry};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::state::State;
use crate::tally::{Vector, filtered};

/// The knowledge about one peer.
#[derive(Debug, Clone, Default)]
pub(super) struct Peer {
    /// The peer's present incarnation, by its last frame.
    heard: Option<Incarnation>,
    /// That incarnation has confirmed a frame that this process sent after it first heard of it, or before it had heard of any.
    /// So it ran then, and `known` speaks of it.
    is_established: bool,
    /// The counts that the peer holds at least.
    pub known: Vector,
    /// The frame that the peer has yet to confirm.
    pub in_flight: Option<InFlight>,
    /// The rows that the peer has no room for. They are not offered to that incarnation again.
    refused: BTreeSet<ReplicaId>,
    /// The last of its answers that brought counts, until the peer is known to have heard that. Each frame to the peer
    /// confirms it.
    pub to_confirm: Option<Confirmation>,
}

/// The confirmation of an answer.
#[derive(Debug, Clone)]
pub(super) struct Confirmation {
    pub id: FrameId,
    /// But for these rows, for which there is no room.
    pub refused: BTreeSet<ReplicaId>,
}

/// The answer to a frame, which confirms it.
#[derive(Debug)]
pub(super) struct Answer {
    pub id: FrameId,
    /// But for these rows, for which there is no room.
    pub refused: BTreeSet<ReplicaId>,
    /// But for the rows of its sender's own node.
    pub doubts: bool,
    /// The answer to the inquiry of that frame.
    pub holds: Option<Inquiry>,
}

/// A frame that is not confirmed: it is on its way, or lost.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    pub id: FrameId,
    /// The counts that the peer holds once it has confirmed this id, whichever transmission it got.
    credit: Vector,
    /// The frame of the peer that its first transmission confirms.
    confirms: Option<FrameId>,
    pub transmissions: u32,
    pub resend_at: Duration,
}

impl Peer {
    /// Learns from a frame of the peer which frames it confirms. `me` is this node.
    pub(super) fn hear(&mut self, frame: &Frame, me: &NodeId) {
        if self.heard.is_some_and(|heard| heard != frame.incarnation) {
            *self = Self::default();
        }
        self.heard = Some(frame.incarnation);
        let confirmed = [frame.answers, frame.confirms];
        let Some(sent) = self.in_flight.take_if(|sent| confirmed.contains(&Some(sent.id))) else { return };
        self.is_established = true;
        self.to_confirm.take_if(|confirmation| sent.confirms == Some(confirmation.id));
        let is_merged = |replica: &ReplicaId| {
            let is_doubted = frame.doubts && replica.node() == me.as_str();
            !is_doubted && !frame.refused.contains(replica)
        };
        if frame.refused.is_empty() && !frame.doubts {
            self.known.merge(&sent.credit);
        } else {
            self.known.merge(&filtered(&sent.credit, is_merged));
            let refused = frame.refused.iter().filter(|replica| sent.credit.contains(*replica));
            self.refused.extend(refused.cloned());
        }
    }

    /// Learns that the peer holds these counts: its last frame says so.
    pub(super) fn holds(&mut self, counts: &Vector) {
        if self.is_established {
            self.known.merge(counts);
        }
    }

    /// Whether the incarnation last heard is known to have run after it was first heard, or after this process began.
    pub(super) fn is_established(&self) -> bool {
        self.is_established
    }

    /// The counts to send with a confirmation, and the id to send them under. An overdue frame keeps its id, so that a late
    /// confirmation of it still counts. So does one that is not overdue yet, if the peer `must_confirm` for this process to know
    /// that it runs. Then an id is sent even without counts.
    pub(super) fn answer(
        &mut self,
        state: &State,
        (now, resend_at): (Duration, Duration),
        must_confirm: bool,
        new_id: impl FnOnce() -> FrameId,
    ) -> Option<(FrameId, Claim)> {
        let must_confirm = must_confirm && !self.is_established;
        if !must_confirm && self.in_flight.as_ref().is_some_and(|sent| !sent.is_overdue(now)) {
            return None;
        }
        let claim = self.claim(state);
        if claim.counts.is_empty() && !must_confirm {
            return None;
        }
        let confirms = self.confirms();
        let new = || InFlight::new(new_id(), claim.counts.clone(), confirms, resend_at);
        let sent = self.in_flight.get_or_insert_with(new);
        // The peer has just sent a frame, so it is reachable. It confirms this with its next frame, which may take a while.
        (sent.transmissions, sent.resend_at) = (0, resend_at);
        Some((sent.id, claim))
    }

    /// The frame of the peer that the next frame to it confirms.
    pub(super) fn confirms(&self) -> Option<FrameId> {
        self.to_confirm.as_ref().map(|confirmation| confirmation.id)
    }

    /// The counts that the peer may lack and has room for.
    pub(super) fn claim(&self, state: &State) -> Claim {
        let claim = state.claim_since(&self.known);
        if self.refused.is_empty() {
            return claim;
        }
        let has_room = |replica: &ReplicaId| !self.refused.contains(replica);
        let unstored = claim.unstored.into_iter().filter(has_room).collect();
        Claim { counts: filtered(&claim.counts, has_room), unstored }
    }

    /// Whether the peer may lack something that it has room for.
    pub(super) fn lacks(&self, state: &State) -> bool {
        let holds_all =
            || matches!(state.counts().partial_cmp(&self.known), Some(Ordering::Less | Ordering::Equal));
        let has_room_for_all = || self.refused.is_empty() || !self.claim(state).counts.is_empty();
        !self.is_established || !holds_all() && has_room_for_all()
    }

    /// Whether the peer has left a frame unconfirmed for longer than the timeout.
    pub(super) fn is_unreachable(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|sent| sent.transmissions > 1)
    }
}

impl InFlight {
    pub(super) fn new(id: FrameId, credit: Vector, confirms: Option<FrameId>, resend_at: Duration) -> Self {
        Self { id, credit, confirms, transmissions: 1, resend_at }
    }

    fn is_overdue(&self, now: Duration) -> bool {
        self.transmissions > 1 || self.resend_at <= now
    }
}

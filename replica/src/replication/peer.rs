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
    /// That incarnation has confirmed a frame that was sent after another one was last heard, or ever, if none was:
    /// `known` speaks of it. A frame that it confirms, it has merged.
    is_established: bool,
    /// The counts that the peer holds at least.
    pub known: Vector,
    /// The frame that the peer has yet to confirm.
    pub in_flight: Option<InFlight>,
    /// The rows that the peer has no room for. They are not offered to that incarnation again.
    refused: BTreeSet<ReplicaId>,
    /// The last of its answers that brought counts, if not confirmed yet. The next frame to the peer confirms it.
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
    /// confirmation of it still counts. `even_empty`: also without counts, so that the peer's confirmation establishes it.
    pub(super) fn answer(
        &mut self,
        state: &State,
        (now, resend_at): (Duration, Duration),
        even_empty: bool,
        new_id: impl FnOnce() -> FrameId,
    ) -> Option<(FrameId, Claim)> {
        if self.in_flight.as_ref().is_some_and(|sent| !sent.is_overdue(now)) {
            return None;
        }
        let claim = self.claim(state);
        let must_be_confirmed = even_empty && !self.is_established;
        if claim.counts.is_empty() && !must_be_confirmed {
            return None;
        }
        let sent =
            self.in_flight.get_or_insert_with(|| InFlight::new(new_id(), claim.counts.clone(), resend_at));
        // The peer has just sent a frame, so it is reachable. It confirms this with its next frame, which may take a while.
        (sent.transmissions, sent.resend_at) = (0, resend_at);
        Some((sent.id, claim))
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
    pub(super) fn new(id: FrameId, credit: Vector, resend_at: Duration) -> Self {
        Self { id, credit, transmissions: 1, resend_at }
    }

    fn is_overdue(&self, now: Duration) -> bool {
        self.transmissions > 1 || self.resend_at <= now
    }
}

//! What is known of one peer.

use std::cmp::Ordering;
use std::time::Duration;

use crate::frame::{Claim, FrameId};
use crate::identity::Incarnation;
use crate::state::State;
use crate::tally::Vector;

/// What is known of one peer.
#[derive(Debug, Clone, Default)]
pub(super) struct Peer {
    /// The incarnation last heard.
    heard: Option<Incarnation>,
    /// That incarnation has confirmed a frame that was sent after another one was last heard, or ever, if none was:
    /// `known` speaks of it. A frame that it confirms, it has merged.
    is_established: bool,
    /// What the peer holds at least.
    pub known: Vector,
    /// The frame that it has yet to confirm.
    pub in_flight: Option<InFlight>,
    /// The last of its answers with counts that we have merged, to be confirmed with the next frame that goes there.
    pub to_confirm: Option<FrameId>,
}

/// A frame on its way, or lost.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    pub id: FrameId,
    /// What the peer holds once it has confirmed this id, whichever of its transmissions it heard.
    credit: Vector,
    pub transmissions: u32,
    pub resend_at: Duration,
}

impl Peer {
    /// Takes note of a frame: what it confirms, and what its sender holds.
    pub(super) fn hear(
        &mut self,
        incarnation: Incarnation,
        confirmed: [Option<FrameId>; 2],
        counts: &Vector,
    ) {
        if self.heard.is_some_and(|heard| heard != incarnation) {
            *self = Self::default();
        }
        self.heard = Some(incarnation);
        if let Some(sent) = self.in_flight.take_if(|sent| confirmed.contains(&Some(sent.id))) {
            self.is_established = true;
            self.known.merge(&sent.credit);
        }
        if self.is_established {
            self.known.merge(counts);
        }
    }

    /// What to tell the peer with a confirmation, and under which id. A frame that is overdue is told again under its own
    /// id, so that a late confirmation of it still counts.
    pub(super) fn answer(
        &mut self,
        state: &State,
        now: Duration,
        resend_at: Duration,
        new_id: impl FnOnce() -> FrameId,
    ) -> Option<(FrameId, Claim)> {
        if self.in_flight.as_ref().is_some_and(|sent| !sent.is_overdue(now)) {
            return None;
        }
        let claim = state.claim_since(&self.known);
        if claim.counts.is_empty() {
            return None;
        }
        let sent =
            self.in_flight.get_or_insert_with(|| InFlight::new(new_id(), claim.counts.clone(), resend_at));
        // The peer is there, and confirms this only with its next frame, if it has one: no cause for alarm.
        (sent.transmissions, sent.resend_at) = (0, resend_at);
        Some((sent.id, claim))
    }

    /// Whether the peer lacks something, as far as is known.
    pub(super) fn lacks(&self, state: &State) -> bool {
        !self.is_established
            || !matches!(state.counts().partial_cmp(&self.known), Some(Ordering::Less | Ordering::Equal))
    }

    /// It has left a frame unconfirmed for longer than the timeout.
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

//! The knowledge about one peer.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use super::links::Reach;
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
    /// Whether the peer lacks something, as far as that was compared since the counts here, or what is known of it, have changed.
    compared: Option<bool>,
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
    id: FrameId,
    /// The counts that the peer holds once it has confirmed this id, whichever transmission it got.
    credit: Vector,
    /// The frame of the peer that its first transmission confirms.
    confirms: Option<FrameId>,
    transmissions: u32,
    pub resend_at: Duration,
    /// The id under which it is sent again without counts, for there are many.
    probe: Option<FrameId>,
}

/// How many rows are sent to a peer that may not be there. It is sent more once it has confirmed a frame.
const MOST_ROWS_UNHEARD: usize = 8;

impl Peer {
    /// Learns from a frame of the peer which frames it confirms. `me` is this node.
    pub(super) fn hear(&mut self, frame: &Frame, me: &NodeId) {
        if self.heard.is_some_and(|heard| heard != frame.incarnation) {
            *self = Self::default();
        }
        self.heard = Some(frame.incarnation);
        let confirmed = [frame.answers, frame.confirms];
        if let Some(sent) = &mut self.in_flight
            && sent.probe.take_if(|probe| confirmed.contains(&Some(*probe))).is_some()
        {
            // The peer is there, and has yet to get the counts.
            self.is_established = true;
            (sent.transmissions, sent.resend_at) = (0, Duration::ZERO);
        }
        let Some(sent) = self.in_flight.take_if(|sent| confirmed.contains(&Some(sent.id))) else { return };
        self.is_established = true;
        self.compared = None;
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
            self.compared = None;
        }
    }

    /// The same knowledge of a peer that is linked now. Changes were not noted before.
    pub(super) fn linked(mut self) -> Self {
        self.compared = None;
        self
    }

    /// The counts here have changed.
    pub(super) fn counts_changed(&mut self) {
        self.compared = None;
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
        match &mut self.in_flight {
            // The peer has just sent a frame, so it is reachable. It confirms this with its next frame, which may take a while.
            Some(sent) => {
                (sent.transmissions, sent.resend_at) = (0, resend_at);
                Some((sent.id, claim))
            }
            None => Some(self.send(claim, new_id(), resend_at)),
        }
    }

    /// The counts that the peer lacks go out under a new id. A peer that was not heard yet may not be there: it is greeted.
    pub(super) fn tell(&mut self, state: &State, id: FrameId, resend_at: Duration) -> (FrameId, Claim) {
        let claim = self.claim(state);
        let is_short = claim.counts.len() <= MOST_ROWS_UNHEARD;
        self.send(if self.is_established || is_short { claim } else { Claim::default() }, id, resend_at)
    }

    fn send(&mut self, claim: Claim, id: FrameId, resend_at: Duration) -> (FrameId, Claim) {
        let (credit, confirms) = (claim.counts.clone(), self.confirms());
        let sent = InFlight { id, credit, confirms, transmissions: 1, resend_at, probe: None };
        self.in_flight = Some(sent);
        (id, claim)
    }

    /// The frame in flight goes out again, if that is due. If it would be long, only a probe goes out.
    pub(super) fn resend(
        &mut self,
        state: &State,
        now: Duration,
        pause: impl FnOnce(u32) -> Duration,
        new_id: impl FnOnce() -> FrameId,
    ) -> Option<(FrameId, Claim)> {
        let claim =
            self.in_flight.as_ref().filter(|sent| sent.resend_at <= now).map(|_| self.claim(state))?;
        let sent = self.in_flight.as_mut()?;
        sent.resend_at = now + pause(sent.transmissions);
        sent.transmissions += 1;
        if sent.transmissions > 1 && claim.counts.len() > MOST_ROWS_UNHEARD {
            return Some((*sent.probe.get_or_insert_with(new_id), Claim::default()));
        }
        Some((sent.id, claim))
    }

    /// The frame of the peer that the next frame to it confirms.
    fn confirms(&self) -> Option<FrameId> {
        self.to_confirm.as_ref().map(|confirmation| confirmation.id)
    }

    /// The counts that the peer may lack and has room for.
    fn claim(&self, state: &State) -> Claim {
        let claim = state.claim_since(&self.known);
        if self.refused.is_empty() {
            return claim;
        }
        let has_room = |replica: &ReplicaId| !self.refused.contains(replica);
        let unstored = claim.unstored.into_iter().filter(has_room).collect();
        Claim { counts: filtered(&claim.counts, has_room), unstored }
    }

    /// Finds out whether the peer may lack something that it has room for. One pass over the counts, if they have changed.
    pub(super) fn compare(&mut self, state: &State) {
        if self.compared.is_none() {
            // With a common table of replicas, comparing and merging take one pass over the counts.
            self.known.share_ids(state.counts());
            let holds_all =
                matches!(state.counts().partial_cmp(&self.known), Some(Ordering::Less | Ordering::Equal));
            let has_room = || self.refused.is_empty() || !self.claim(state).counts.is_empty();
            self.compared = Some(!holds_all && has_room());
        }
    }

    /// Whether the peer may lack something that it has room for, as of the last [comparison](Self::compare), or is to be greeted.
    pub(super) fn lacks(&self) -> bool {
        !self.is_established || self.compared != Some(false)
    }

    /// How far the peer is known to be there.
    pub(super) fn reach(&self) -> Reach {
        match (self.is_unreachable(), self.is_established) {
            (true, _) => Reach::Silent,
            (false, true) => Reach::Reachable,
            (false, false) => Reach::Untried,
        }
    }

    /// Whether the peer has left a frame unconfirmed for longer than the timeout.
    fn is_unreachable(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|sent| sent.transmissions > 1)
    }
}

impl InFlight {
    fn is_overdue(&self, now: Duration) -> bool {
        self.transmissions > 1 || self.resend_at <= now
    }
}

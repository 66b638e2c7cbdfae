//! The knowledge about one peer.

use std::collections::BTreeSet;
use std::time::Duration;

use crdt::VersionVector;

use super::links::Reach;
use super::long::{Incoming, Outgoing};
use crate::frame::{Claim, Frame, FrameId, Inquiry};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::state::State;
use crate::tally::{Part, RowDelta};

/// The knowledge about one peer.
#[derive(Debug, Clone, Default)]
pub(super) struct Peer {
    /// The peer's present incarnation, by its last frame.
    heard: Option<Incarnation>,
    /// That incarnation has confirmed a frame that this process sent after it first heard of it, or before it had heard of any.
    /// So it ran then, and `known` speaks of it.
    is_established: bool,
    /// The version of each row that the peer has covered at least.
    pub known: VersionVector<ReplicaId>,
    /// The frame that the peer has yet to confirm.
    pub in_flight: Option<InFlight>,
    /// Whether the peer lacks something, as far as that was compared since the counts here, or what is known of it, have changed.
    compared: Option<bool>,
    /// The row on its way to the peer that is too long for one frame, and the one on its way here.
    outgoing: Outgoing,
    incoming: Incoming,
    /// The rows that the peer has no room for. They are not offered to that incarnation again.
    refused: BTreeSet<ReplicaId>,
    /// The last of its answers that brought counts, until the peer is known to have heard that. Each frame to the peer
    /// confirms it.
    pub to_confirm: Option<Confirmation>,
    turns: Turns,
}

/// Two processes of one node may run at once, against all advice, and each hears what is sent to the node. Their frames come by turns, and
/// each resets what is known of the peer. If it were greeted anew each time at once, both would answer, and so on without end.
#[derive(Debug, Clone, Default)]
struct Turns {
    /// When another incarnation was heard the last time.
    changed_at: Option<Duration>,
    /// That was soon after the time before. From then on the peer is greeted once a round at most.
    are_taken: bool,
    told_at: Option<Duration>,
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
    /// The answer to the question in that frame.
    pub says: Option<Inquiry>,
    /// The rows of which it says which version this node has.
    pub states: States,
}

/// Why counts are sent with a confirmation though a frame is on its way to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urge {
    None,
    /// Somebody there waits for them.
    ToTell,
    /// The peer must confirm a frame for this process to know that it runs: one is sent even without counts.
    ToConfirm,
}

/// The rows of which an answer says which version this node has.
#[derive(Debug)]
pub(super) enum States {
    Nothing,
    /// This one: the frame had a part of it.
    Row(ReplicaId),
    /// All: the frame was a greeting, so its sender may know nothing of this process.
    All,
}

/// A frame that is not confirmed: it is on its way, or lost.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    id: FrameId,
    /// The versions that the peer has covered once it has confirmed this id, whichever transmission it got.
    credit: VersionVector<ReplicaId>,
    /// The frame of the peer that its first transmission confirms.
    confirms: Option<FrameId>,
    transmissions: u32,
    pub resend_at: Duration,
    /// The id under which it is sent again without counts, for there are many.
    probe: Option<FrameId>,
    part: Option<Box<Part>>,
}

/// How many rows are sent to a peer that may not be there. It is sent more once it has confirmed a frame.
const MOST_ROWS_UNHEARD: usize = 8;

/// The same in bytes.
const MOST_BYTES_UNHEARD: usize = 4096;

impl Peer {
    /// Learns from a frame of the peer which frames it confirms. `me` is this node. If the incarnation changes twice within `soon`, two
    /// of them take turns.
    pub(super) fn hear(&mut self, frame: &Frame, me: &NodeId, (now, soon): (Duration, Duration)) {
        if self.heard.is_some_and(|heard| heard != frame.incarnation) {
            let Turns { changed_at, told_at, .. } = self.turns;
            let are_taken = changed_at.is_some_and(|at| now < at + soon);
            let turns = Turns { changed_at: Some(now), are_taken, told_at };
            *self = Self { turns, ..Self::default() };
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
        if let Some(part) = &sent.part {
            self.outgoing.confirmed(part);
            let replica = part.delta().actor();
            if frame.refused.contains(replica) {
                self.refused.insert(replica.clone());
            }
        }
        if frame.refused.is_empty() && !frame.doubts {
            self.known.merge(&sent.credit);
        } else {
            let credit = sent.credit.counter();
            let merged = credit.iter().filter(|(replica, _)| is_merged(replica));
            self.known.merge(&merged.map(|(replica, version)| (replica.clone(), version)).collect());
            let refused = frame.refused.iter().filter(|replica| credit.contains(*replica));
            self.refused.extend(refused.cloned());
        }
    }

    /// Learns that the peer holds these rows: its last frame says so.
    pub(super) fn holds(&mut self, rows: &[RowDelta]) {
        if self.is_established {
            self.known.merge(&versions(rows));
            self.compared = None;
        }
    }

    /// Takes in a part of a row. Returns the row with the last part.
    pub(super) fn collect(&mut self, part: Part) -> Option<RowDelta> {
        self.incoming.take(part)
    }

    /// The counts here have changed, or may have.
    pub(super) fn counts_changed(&mut self) {
        self.compared = None;
    }

    /// Whether the incarnation last heard is known to have run after it was first heard, or after this process began.
    pub(super) fn is_established(&self) -> bool {
        self.is_established
    }

    /// Whether the peer may be sent a frame now that it must confirm, if nothing waits for that. `round` is how long a round takes.
    pub(super) fn may_be_told(&self, (now, round): (Duration, Duration)) -> bool {
        let Turns { are_taken, told_at, .. } = self.turns;
        self.is_established || !are_taken || told_at.is_none_or(|at| now >= at + round)
    }

    /// The counts to send with a confirmation, and the id to send them under. An overdue frame keeps its id, so that a late
    /// confirmation of it still counts. So does one that is not overdue yet, if there is an `urge` to send it.
    pub(super) fn answer(
        &mut self,
        (state, max_frame): (&State, usize),
        (now, resend_at): (Duration, Duration),
        urge: Urge,
        new_id: impl FnOnce() -> FrameId,
    ) -> Option<(FrameId, Claim)> {
        let must_confirm = urge == Urge::ToConfirm && !self.is_established;
        let must_send = must_confirm || urge == Urge::ToTell;
        if !must_send && self.in_flight.as_ref().is_some_and(|sent| !sent.is_overdue(now)) {
            return None;
        }
        if urge == Urge::ToTell && !self.is_established {
            // It is not known what the peer has. All would be much, and it asks again and again.
            return None;
        }
        let rows = self.rows(state, max_frame);
        if rows.is_empty() && !must_confirm {
            return None;
        }
        let claim = state.claim(rows, None);
        match &mut self.in_flight {
            // The peer has just sent a frame, so it is reachable. It confirms this with its next frame, which may take a while.
            Some(sent) => {
                (sent.transmissions, sent.resend_at) = (0, resend_at);
                sent.is_sent_again_with(&claim.rows);
                Some((sent.id, claim))
            }
            None => Some(self.send(claim, new_id(), (now, resend_at))),
        }
    }

    /// The counts that the peer lacks go out under a new id. A peer that was not heard yet may not be there: it is greeted.
    pub(super) fn tell(
        &mut self,
        (state, max_frame): (&State, usize),
        id: FrameId,
        times: (Duration, Duration),
    ) -> (FrameId, Claim) {
        let rows = self.rows(state, max_frame);
        let part = self.outgoing.next().filter(|_| self.is_established).cloned();
        let claim = state.claim(rows, part.map(Box::new));
        let is_greeting = !self.is_established && is_long(&claim);
        self.send(if is_greeting { Claim::default() } else { claim }, id, times)
    }

    fn send(
        &mut self,
        claim: Claim,
        id: FrameId,
        (now, resend_at): (Duration, Duration),
    ) -> (FrameId, Claim) {
        self.turns.told_at = self.turns.are_taken.then_some(now);
        let (credit, confirms) = (versions(&claim.rows), self.confirms());
        let part = claim.part.clone();
        let sent = InFlight { id, credit, confirms, transmissions: 1, resend_at, probe: None, part };
        self.in_flight = Some(sent);
        (id, claim)
    }

    /// Whether the next part of a long row can go out.
    pub(super) fn has_part_to_send(&self) -> bool {
        self.in_flight.is_none() && self.is_established && self.outgoing.next().is_some()
    }

    /// Whether the frame in flight is to go out again.
    pub(super) fn must_resend(&self, now: Duration) -> bool {
        self.in_flight.as_ref().is_some_and(|sent| sent.resend_at <= now)
    }

    /// The frame in flight goes out again, if that is due. If it would be long, only a probe goes out.
    pub(super) fn resend(
        &mut self,
        (state, max_frame): (&State, usize),
        now: Duration,
        pause: impl FnOnce(u32) -> Duration,
        new_id: impl FnOnce() -> FrameId,
    ) -> Option<(FrameId, Claim)> {
        if !self.must_resend(now) {
            return None;
        }
        let rows = self.rows(state, max_frame);
        let sent = self.in_flight.as_mut()?;
        sent.is_sent_again_with(&rows);
        let claim = state.claim(rows, sent.part.clone());
        sent.resend_at = now + pause(sent.transmissions);
        sent.transmissions += 1;
        if sent.transmissions > 1 && is_long(&claim) {
            return Some((*sent.probe.get_or_insert_with(new_id), Claim::default()));
        }
        Some((sent.id, claim))
    }

    /// The frame of the peer that the next frame to it confirms.
    fn confirms(&self) -> Option<FrameId> {
        self.to_confirm.as_ref().map(|confirmation| confirmation.id)
    }

    /// The rows that the peer may lack and has room for, as many as fit into a frame.
    fn rows(&mut self, state: &State, max_frame: usize) -> Vec<RowDelta> {
        let Self { known, refused, outgoing, .. } = self;
        outgoing.end_if(|row| known.contains(row.actor(), row.upto()));
        let wanted = |replica: &ReplicaId| !refused.contains(replica) && outgoing.replica() != Some(replica);
        let mut rows = state.rows_since(known, wanted);
        if max_frame < usize::MAX {
            outgoing.fit(&mut rows, max_frame);
        }
        rows
    }

    /// Finds out whether the peer may lack something that it has room for. One pass over the counts, if they have changed.
    pub(super) fn compare(&mut self, state: &State) {
        if self.compared.is_none() {
            // With a common table of replicas, comparing and merging take one pass over the counts.
            let held = state.rows().versions();
            self.known.share_ids(held);
            let lacks = |(replica, version): (&ReplicaId, u64)| {
                !self.known.contains(replica, version) && !self.refused.contains(replica)
            };
            let holds_all = *held <= self.known;
            self.compared = Some(!holds_all && (self.refused.is_empty() || held.counter().iter().any(lacks)));
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
    /// The frame goes out again. A row that was short enough before may be too long now. Then the peer's confirmation does not say
    /// that it has that row.
    fn is_sent_again_with(&mut self, rows: &[RowDelta]) {
        self.credit = self.credit.meet(&versions(rows));
    }

    fn is_overdue(&self, now: Duration) -> bool {
        self.transmissions > 1 || self.resend_at <= now
    }
}

/// Whether a claim is too long for a peer that may not be there.
fn is_long(claim: &Claim) -> bool {
    let size = || claim.rows.iter().map(RowDelta::size).fold(0, usize::saturating_add);
    claim.part.is_some() || claim.rows.len() > MOST_ROWS_UNHEARD || size() > MOST_BYTES_UNHEARD
}

/// The versions up to which these rows go.
fn versions(rows: &[RowDelta]) -> VersionVector<ReplicaId> {
    rows.iter().map(|row| (row.actor().clone(), row.upto())).collect()
}

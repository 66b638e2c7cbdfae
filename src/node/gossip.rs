//! Who has what: the matrix clock, and which peer to tell what when.
//!
//! # What is known of a peer
//!
//! Per peer the node keeps `known`, a lower bound of what that peer holds *in its present life*. It grows by
//! what the peer confirms and by what it sends, never by what is merely sent to it. A peer that crashes has
//! lost its memory, so `known` is bound to a life: it is empty until that life has answered a message of
//! ours, and emptied as soon as another epoch is heard. A delayed message of an earlier life can therefore
//! cost a message more, but can't make the node believe that a peer holds what it does not.
//!
//! # When to tell
//!
//! Every round the node picks random peers that lack something. A peer's confirmation brings what *it* has in
//! return (push-pull), and counts as its own turn, once in a row: so each message does double work, and a
//! converged cluster is silent. A confirmation that brings counts is itself confirmed by the next message
//! that goes that way.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::config::{Config, PEER_BACKOFF_MAX};
use crate::message::{Claim, Gossip, MsgId, Name, Outgoing, Say};
use crate::node::msg_ids::MsgIds;
use crate::node::state::State;
use crate::replica::{Epoch, Replica};
use crate::vector::{Tally, Vector};

/// The peers of a node and what it knows of each.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    by_name: BTreeMap<Name, Peer>,
    epoch: Epoch,
    interval: Duration,
    fanout: usize,
    timeout: Duration,
    next_round: Duration,
    /// A confirmation that brought counts may stand in for the next round.
    had_turn: bool,
    /// One has stood in for the last round: the next one takes place.
    skipped: bool,
}

/// What is known of one peer.
#[derive(Debug, Clone, Default)]
struct Peer {
    /// The epoch last heard.
    heard: Option<Epoch>,
    /// That epoch has answered a message that was sent after it was first heard: `known` speaks of it.
    established: bool,
    /// What the peer holds at least.
    known: Vector,
    /// The message that it has yet to confirm.
    in_flight: Option<InFlight>,
    /// The last of its messages with counts that we have merged, to be told with the next one to it.
    owed: Option<MsgId>,
}

/// A message on its way, or lost.
#[derive(Debug, Clone)]
struct InFlight {
    msg_id: MsgId,
    /// What the peer holds once it has confirmed this id, whichever of its transmissions it heard.
    credit: Vector,
    transmissions: u32,
    resend_at: Duration,
}

impl Peers {
    pub(super) fn new(names: impl Iterator<Item = Name>, epoch: Epoch, config: &Config) -> Self {
        Self {
            by_name: names.map(|name| (name, Peer::default())).collect(),
            epoch,
            interval: config.gossip_interval,
            fanout: config.fanout,
            timeout: config.peer_timeout,
            next_round: Duration::ZERO,
            had_turn: false,
            skipped: false,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.by_name.keys()
    }

    /// The name as the node keeps it, if it is a peer's.
    pub(super) fn name(&self, name: &str) -> Option<&Name> {
        self.by_name.get_key_value(name).map(|(name, _)| name)
    }

    /// Takes note of a message from a peer: what it confirms, and what its sender holds.
    pub(super) fn heard(&mut self, peer: &str, epoch: Epoch, acks: &[Option<MsgId>], counts: &Vector) {
        if let Some(peer) = self.by_name.get_mut(peer) {
            peer.hear(epoch, acks, counts);
        }
    }

    /// The confirmation of a peer's message, with what the peer lacks as far as we know.
    pub(super) fn confirm(
        &mut self,
        (name, msg_id): (&Name, MsgId),
        state: &State,
        now: Duration,
        new_id: MsgId,
        rng: &mut dyn Rng,
    ) -> Outgoing {
        let resend_at = now + jittered(self.timeout, rng);
        let mut answer = Gossip { epoch: self.epoch, ack: None, claim: Claim::default() };
        let mut own_id = None;
        if let Some(peer) = self.by_name.get_mut(name) {
            answer.ack = peer.owed;
            if let Some((id, claim)) = peer.answer(state, now, new_id, resend_at) {
                (own_id, answer.claim) = (Some(id), claim);
                self.had_turn = true;
            }
        }
        Outgoing {
            dest: name.clone(),
            msg_id: own_id,
            in_reply_to: Some(msg_id),
            say: Say::GossipOk(answer),
            by: None,
        }
    }

    /// Remembers to confirm a message of a peer's with the next one that goes there.
    pub(super) fn owe(&mut self, peer: &str, msg_id: Option<MsgId>) {
        if let (Some(peer), Some(msg_id)) = (self.by_name.get_mut(peer), msg_id) {
            peer.owed = Some(msg_id);
        }
    }

    /// The messages that are due: those that were not confirmed in time, and, once a round, new ones.
    /// `hurry` brings the round forward: a client waits for a peer to confirm.
    pub(super) fn poll(
        &mut self,
        state: &State,
        now: Duration,
        hurry: bool,
        ids: &mut MsgIds,
        rng: &mut dyn Rng,
        out: &mut Vec<Outgoing>,
    ) {
        for (name, peer) in &mut self.by_name {
            // On one table of replicas, to compare and to merge is one pass over the counts.
            peer.known.share_ids(state.counts());
            if let Some(sent) = peer.in_flight.as_mut().filter(|sent| sent.resend_at <= now) {
                let pause = backoff(self.timeout, sent.transmissions);
                sent.transmissions += 1;
                sent.resend_at = now + jittered(pause, rng);
                let msg_id = sent.msg_id;
                out.push(peer.message(name, msg_id, self.epoch, state.claim_since(&peer.known)));
            }
        }
        if now >= self.next_round || hurry {
            self.skipped = std::mem::take(&mut self.had_turn) && !self.skipped && !hurry;
            if !self.skipped {
                self.round(state, now, ids, rng, out);
            }
            self.next_round = now + jittered(self.interval, rng);
        }
    }

    fn round(
        &mut self,
        state: &State,
        now: Duration,
        ids: &mut MsgIds,
        rng: &mut dyn Rng,
        out: &mut Vec<Outgoing>,
    ) {
        let mut idle: Vec<_> = self.by_name.iter_mut().filter(|(_, peer)| peer.in_flight.is_none()).collect();
        idle.shuffle(rng);
        for (name, peer) in idle.into_iter().filter(|(_, peer)| peer.lacks(state)).take(self.fanout) {
            let claim = state.claim_since(&peer.known);
            let msg_id = ids.next();
            let resend_at = now + jittered(self.timeout, rng);
            peer.in_flight = Some(InFlight::new(msg_id, claim.counts.clone(), resend_at));
            out.push(peer.message(name, msg_id, self.epoch, claim));
        }
    }

    /// When [`poll`](Self::poll) is due again, if nothing is heard until then.
    pub(super) fn next_wake(&self, state: &State) -> Option<Duration> {
        let resend =
            self.by_name.values().filter_map(|peer| peer.in_flight.as_ref()).map(|sent| sent.resend_at);
        let round = self.by_name.values().any(|peer| peer.in_flight.is_none() && peer.lacks(state));
        resend.chain(round.then_some(self.next_round)).min()
    }

    /// The furthest [progress](Tally::progress) of `replica` that some peer is known to hold.
    pub(super) fn most_held(&self, replica: &Replica) -> u128 {
        let held = |peer: &Peer| Tally::of(&peer.known, replica).progress();
        self.by_name.values().map(held).max().unwrap_or(0)
    }

    /// The peers that have left a message unconfirmed for longer than the timeout.
    pub(super) fn unreachable(&self) -> impl Iterator<Item = &Name> {
        let silent = |peer: &Peer| peer.in_flight.as_ref().is_some_and(|sent| sent.transmissions > 1);
        self.by_name.iter().filter(move |(_, peer)| silent(peer)).map(|(name, _)| name)
    }
}

impl Peer {
    fn hear(&mut self, epoch: Epoch, acks: &[Option<MsgId>], counts: &Vector) {
        if self.heard.is_some_and(|heard| heard != epoch) {
            *self = Self::default();
        }
        self.heard = Some(epoch);
        if let Some(sent) = self.in_flight.take_if(|sent| acks.contains(&Some(sent.msg_id))) {
            self.established = true;
            self.known.merge(&sent.credit);
        }
        if self.established {
            self.known.merge(counts);
        }
    }

    /// What to tell the peer with a confirmation, and under which id: a message that is overdue is told again
    /// under its own, so that a late confirmation of it still counts.
    fn answer(
        &mut self,
        state: &State,
        now: Duration,
        new_id: MsgId,
        resend_at: Duration,
    ) -> Option<(MsgId, Claim)> {
        if self.in_flight.as_ref().is_some_and(|sent| !sent.is_overdue(now)) {
            return None;
        }
        let claim = state.claim_since(&self.known);
        if claim.counts.is_empty() {
            return None;
        }
        let credit = || claim.counts.clone();
        let sent = self.in_flight.get_or_insert_with(|| InFlight::new(new_id, credit(), resend_at));
        // The peer is there, and confirms this only with its next message, if it has one: no cause for alarm.
        (sent.transmissions, sent.resend_at) = (0, resend_at);
        Some((sent.msg_id, claim))
    }

    fn lacks(&self, state: &State) -> bool {
        !self.established
            || !matches!(state.counts().partial_cmp(&self.known), Some(Ordering::Less | Ordering::Equal))
    }

    fn message(&self, name: &Name, msg_id: MsgId, epoch: Epoch, claim: Claim) -> Outgoing {
        let say = Say::Gossip(Gossip { epoch, ack: self.owed, claim });
        Outgoing::request(name.clone(), msg_id, say)
    }
}

impl InFlight {
    fn new(msg_id: MsgId, credit: Vector, resend_at: Duration) -> Self {
        Self { msg_id, credit, transmissions: 1, resend_at }
    }

    fn is_overdue(&self, now: Duration) -> bool {
        self.transmissions > 1 || self.resend_at <= now
    }
}

/// The pause after so many transmissions: doubled each time, up to [`PEER_BACKOFF_MAX`].
fn backoff(timeout: Duration, transmissions: u32) -> Duration {
    timeout.saturating_mul(1 << transmissions.min(16)).min(PEER_BACKOFF_MAX.max(timeout))
}

/// A duration up to a quarter shorter or longer.
fn jittered(duration: Duration, rng: &mut dyn Rng) -> Duration {
    duration.mul_f64(rng.random_range(0.75..1.25))
}

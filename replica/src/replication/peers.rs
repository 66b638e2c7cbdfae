//! Gossip: which counts to send to which peer, and when.
//!
//! # Known counts
//!
//! For each peer the node keeps `known`, a lower bound on the counts that the peer holds *in its present incarnation*. All
//! of them together are a matrix clock. `known` grows by the counts that the peer confirms or sends. It does not grow when
//! the node sends something, for that may be lost. A peer that crashes has lost its memory, so `known` belongs to one
//! incarnation. It is empty until that incarnation has answered a frame, and it is emptied when another incarnation
//! appears. So a delayed frame of an earlier incarnation can cost one more frame. But it can't make the node count as known
//! what the peer does not hold.
//!
//! # Rounds
//!
//! Every round the node picks random peers that lack something. A peer's confirmation brings what *it* has in return
//! (push-pull). A node whose confirmation has carried counts skips its next round, but never two rounds running. So each
//! frame does double work, and a converged cluster is silent. A confirmation that brings counts is itself confirmed by the
//! next frame that goes that way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::inquiry::Question;
use super::peer::{Answer, InFlight, Peer};
use crate::config::{Config, PEER_BACKOFF_MAX};
use crate::context::Context;
use crate::frame::{Claim, Frame, FrameId};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::seam::Effect;
use crate::state::State;
use crate::tally::Tally;

/// The peers of a node, with the knowledge about each.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    by_name: BTreeMap<NodeId, Peer>,
    incarnation: Incarnation,
    ids: FrameIds,
    interval: Duration,
    fanout: usize,
    timeout: Duration,
    next_round: Duration,
    /// A confirmation of ours has carried counts since the last round.
    had_turn: bool,
    /// The last round was skipped for that: the next one takes place.
    skipped: bool,
}

/// Gives out the ids of this process's frames, each once.
#[derive(Debug, Clone)]
struct FrameIds(i64);

impl FrameIds {
    fn random(rng: &mut dyn Rng) -> Self {
        Self(rng.random_range(1 << 20..1 << 48))
    }

    fn next(&mut self) -> FrameId {
        self.0 += 1;
        FrameId(self.0)
    }
}

impl Peers {
    pub(super) fn new(config: &Config, incarnation: Incarnation, rng: &mut dyn Rng) -> Self {
        Self {
            by_name: BTreeMap::new(),
            incarnation,
            ids: FrameIds::random(rng),
            interval: config.gossip_interval,
            fanout: config.fanout,
            timeout: config.peer_timeout,
            next_round: Duration::ZERO,
            had_turn: false,
            skipped: false,
        }
    }

    /// Sets the peers. The knowledge about those that stay is kept.
    pub(super) fn set(&mut self, names: BTreeSet<NodeId>) {
        self.by_name.retain(|name, _| names.contains(name));
        for name in names {
            self.by_name.entry(name).or_default();
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &NodeId> {
        self.by_name.keys()
    }

    pub(super) fn peer(&mut self, name: &NodeId) -> Option<&mut Peer> {
        self.by_name.get_mut(name)
    }

    /// Confirms a peer's frame, answers its inquiry, and sends the counts that the peer may lack.
    pub(super) fn confirm(
        &mut self,
        name: &NodeId,
        Answer { id, mut refused, holds, doubts }: Answer,
        state: &State,
        cx: &mut Context<'_>,
    ) {
        let times = (cx.now, cx.now + cx.jittered(self.timeout));
        let Some(peer) = self.by_name.get_mut(name) else { return };
        let (own_id, claim) = match peer.answer(state, times, doubts || holds.is_some(), || self.ids.next()) {
            Some((own_id, claim)) => {
                self.had_turn = true;
                (Some(own_id), claim)
            }
            None => (None, Claim::default()),
        };
        let also = peer.to_confirm.as_ref();
        refused.extend(also.iter().flat_map(|also| also.refused.iter().cloned()));
        let frame = Frame {
            id: own_id,
            answers: Some(id),
            confirms: also.map(|also| also.id),
            inquiry: holds,
            refused,
            doubts,
            ..Frame::new(self.incarnation, claim)
        };
        cx.effects.push_back(Effect::Send { peer: name.clone(), frame });
    }

    /// Asks the peers that have not answered the question, if it is time.
    pub(super) fn ask(&mut self, question: &mut Question, cx: &mut Context<'_>) {
        let Self { by_name, incarnation, ids, .. } = self;
        question.poll(by_name.keys(), *incarnation, || ids.next(), cx);
    }

    /// Sends the frames that are due: those that were not confirmed in time, and once a round new ones. `hurry` says that a
    /// client waits for a peer to confirm, and starts the round at once.
    pub(super) fn poll(&mut self, state: &State, hurry: bool, cx: &mut Context<'_>) {
        for (name, peer) in &mut self.by_name {
            // With a common table of replicas, comparing and merging take one pass over the counts.
            peer.known.share_ids(state.counts());
            if let Some(sent) = peer.in_flight.as_mut().filter(|sent| sent.resend_at <= cx.now) {
                let pause = backoff(self.timeout, sent.transmissions);
                sent.transmissions += 1;
                sent.resend_at = cx.now + cx.jittered(pause);
                let id = sent.id;
                let claim = peer.claim(state);
                tell((name, peer), self.incarnation, id, claim, cx);
            }
        }
        if cx.now >= self.next_round || hurry {
            self.skipped = std::mem::take(&mut self.had_turn) && !self.skipped && !hurry;
            if !self.skipped {
                self.round(state, cx);
            }
            self.next_round = cx.now + cx.jittered(self.interval);
        }
    }

    fn round(&mut self, state: &State, cx: &mut Context<'_>) {
        let mut idle: Vec<_> = self.by_name.iter_mut().filter(|(_, peer)| peer.in_flight.is_none()).collect();
        idle.shuffle(&mut cx.rng);
        for (name, peer) in idle.into_iter().filter(|(_, peer)| peer.lacks(state)).take(self.fanout) {
            let claim = peer.claim(state);
            let id = self.ids.next();
            let resend_at = cx.now + cx.jittered(self.timeout);
            peer.in_flight = Some(InFlight::new(id, claim.counts.clone(), peer.confirms(), resend_at));
            tell((name, peer), self.incarnation, id, claim, cx);
        }
    }

    /// When [`poll`](Self::poll) is due again, if no frame comes before.
    pub(super) fn next_tick(&self, state: &State) -> Option<Duration> {
        let sent = self.by_name.values().filter_map(|peer| peer.in_flight.as_ref());
        let has_round = self.by_name.values().any(|peer| peer.in_flight.is_none() && peer.lacks(state));
        sent.map(|sent| sent.resend_at).chain(has_round.then_some(self.next_round)).min()
    }

    /// How much of `replica` peers are known to hold. Each tally is one peer's, and none is within another. A delta may carry
    /// one direction of a row alone, so a peer can hold more increments and fewer decrements than another.
    pub(super) fn held(&self, replica: &ReplicaId) -> Vec<Tally> {
        let mut most: Vec<Tally> = Vec::new();
        for tally in self.by_name.values().map(|peer| Tally::of(&peer.known, replica)) {
            if !most.iter().any(|other| tally.is_within(*other)) {
                most.retain(|other| !other.is_within(tally));
                most.push(tally);
            }
        }
        most
    }

    /// The peers that have left a frame unconfirmed for longer than the timeout.
    pub(super) fn unreachable(&self) -> impl Iterator<Item = &NodeId> {
        self.by_name.iter().filter(|(_, peer)| peer.is_unreachable()).map(|(name, _)| name)
    }
}

/// Sends a frame that the peer must confirm.
fn tell(
    (name, peer): (&NodeId, &Peer),
    incarnation: Incarnation,
    id: FrameId,
    claim: Claim,
    cx: &mut Context<'_>,
) {
    let also = peer.to_confirm.as_ref();
    let frame = Frame {
        id: Some(id),
        confirms: also.map(|also| also.id),
        refused: also.map(|also| also.refused.clone()).unwrap_or_default(),
        ..Frame::new(incarnation, claim)
    };
    cx.effects.push_back(Effect::Send { peer: name.clone(), frame });
}

/// The pause after that many transmissions. It doubles each time, up to [`PEER_BACKOFF_MAX`].
fn backoff(timeout: Duration, transmissions: u32) -> Duration {
    timeout.saturating_mul(1 << transmissions.min(16)).min(PEER_BACKOFF_MAX.max(timeout))
}

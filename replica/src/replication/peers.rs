//! Gossip: which counts to send to which peer, and when.
//!
//! The node gossips with its [`links`](super::links). It also answers all other peers, and remembers the last few as
//! [`contacts`](super::contacts). So memory and work follow the number of links, not the number of nodes.
//!
//! # Known counts
//!
//! For each link and contact the node keeps `known`, a lower bound on the counts that the peer holds *in its present
//! incarnation*. `known` grows by the counts that the peer confirms or sends. It does not grow when the node sends something,
//! for that may be lost. A peer that crashes has lost its memory, so `known` belongs to one incarnation. It is empty until
//! that incarnation has answered a frame, and it is emptied when another incarnation appears. So a delayed frame of an earlier
//! incarnation can cost one more frame. But it can't make the node count as known what the peer does not hold.
//!
//! Whether a link lacks something is worked out once after each change, not in each tick.
//!
//! # Rounds
//!
//! Every round the node picks random links that lack something. A peer's confirmation brings what *it* has in return
//! (push-pull). A node whose confirmation has carried counts skips its next round, but never two rounds running. So each
//! frame does double work, and a converged cluster is silent. A confirmation that brings counts is itself confirmed by the
//! next frame that goes that way.
//!
//! A peer that may not be there is not sent many counts. It is greeted, or probed, and gets them once it has answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::contacts::Contacts;
use super::inquiry::Question;
use super::links::{Reach, Sides};
use super::peer::{Answer, Peer, States, Urge};
use super::survey::Survey;
use crate::config::{Config, PEER_BACKOFF_MAX};
use crate::context::Context;
use crate::frame::{Claim, Frame, FrameId, Inquiry};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::seam::Effect;
use crate::state::State;
use crate::tally::RowDelta;

/// The peers of a node, with the knowledge about some of them.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    me: NodeId,
    names: BTreeSet<NodeId>,
    sides: Sides,
    /// The peers to gossip with, silent ones included.
    links: BTreeMap<NodeId, Peer>,
    contacts: Contacts,
    /// A peer was found silent or reachable, so others may have to be linked.
    reach_changed: bool,
    incarnation: Incarnation,
    ids: FrameIds,
    interval: Duration,
    fanout: usize,
    max_frame: usize,
    timeout: Duration,
    next_round: Duration,
    /// A confirmation of ours has carried counts since the last round.
    had_turn: bool,
    /// The last round was skipped for that: the next one takes place.
    skipped: bool,
}

/// Whether clients wait for peers to confirm what they are told. Then a round begins at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rush {
    Not,
    /// As many peers as in any round are told.
    ToSome,
    /// All links are told.
    ToAll,
}

/// Gives out the ids of this process's frames, each once. They start at one of as many numbers as there are incarnations, and
/// are written in each frame twice, so they are not longer.
#[derive(Debug, Clone)]
struct FrameIds(i64);

impl FrameIds {
    fn random(rng: &mut dyn Rng) -> Self {
        Self(rng.random_range(1 << 20..1 << 32))
    }

    fn next(&mut self) -> FrameId {
        self.0 += 1;
        FrameId(self.0)
    }
}

impl Peers {
    pub(super) fn new(config: &Config, me: NodeId, incarnation: Incarnation, rng: &mut dyn Rng) -> Self {
        Self {
            me,
            names: BTreeSet::new(),
            sides: Sides::default(),
            links: BTreeMap::new(),
            contacts: Contacts::default(),
            reach_changed: false,
            incarnation,
            ids: FrameIds::random(rng),
            interval: config.gossip_interval,
            fanout: config.fanout,
            max_frame: config.max_frame,
            timeout: config.peer_timeout,
            next_round: Duration::ZERO,
            had_turn: false,
            skipped: false,
        }
    }

    /// Sets the peers. The knowledge about those that stay is kept.
    pub(super) fn set(&mut self, names: BTreeSet<NodeId>) {
        self.links.retain(|name, _| names.contains(name));
        self.contacts.retain(&names);
        self.sides = Sides::new(&self.me, &names);
        self.names = names;
        self.link();
    }

    /// Links the peers that are to be linked. A former link becomes a contact.
    fn link(&mut self) {
        let Self { sides, links, contacts, .. } = self;
        let linked = sides
            .links(|name| links.get(name).or_else(|| contacts.get(name)).map_or(Reach::Untried, Peer::reach));
        let mut former = std::mem::take(links);
        for name in linked {
            let mut peer = former.remove(&name).or_else(|| contacts.remove(&name)).unwrap_or_default();
            // Changes are noted for links alone.
            peer.counts_changed();
            links.insert(name, peer);
        }
        for (name, peer) in former.into_iter().filter(|(_, peer)| peer.reach() == Reach::Reachable) {
            contacts.put(name, peer);
        }
        self.reach_changed = false;
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &NodeId> {
        self.names.iter()
    }

    /// Learns from a peer's frame which frames it confirms. `None`: there is no such peer.
    pub(super) fn hear(&mut self, name: &NodeId, frame: &Frame, now: Duration) -> Option<&mut Peer> {
        if !self.links.contains_key(name) {
            if !self.names.contains(name) {
                return None;
            }
            let peer = self.contacts.remove(name).unwrap_or_default();
            self.contacts.put(name.clone(), peer);
        }
        let peer = self.links.get_mut(name).or_else(|| self.contacts.get_mut(name))?;
        let before = peer.reach();
        peer.hear(frame, &self.me, (now, self.timeout));
        self.reach_changed |= peer.reach() != before;
        Some(peer)
    }

    /// A peer that was heard.
    pub(super) fn peer(&mut self, name: &NodeId) -> Option<&mut Peer> {
        self.links.get_mut(name).or_else(|| self.contacts.get_mut(name))
    }

    /// The counts here have changed.
    pub(super) fn counts_changed(&mut self) {
        self.links.values_mut().for_each(Peer::counts_changed);
    }

    /// Confirms a peer's frame, answers its inquiry, and sends the counts that the peer may lack.
    pub(super) fn confirm(
        &mut self,
        name: &NodeId,
        Answer { id, mut refused, says, doubts, states }: Answer,
        state: &State,
        cx: &mut Context<'_>,
    ) {
        let times = (cx.now, cx.now + cx.jittered(self.timeout));
        let Some(peer) = self.links.get_mut(name).or_else(|| self.contacts.get_mut(name)) else { return };
        let urge = match &says {
            Some(Inquiry::Holds(_)) => Urge::ToConfirm,
            _ if doubts => Urge::ToConfirm,
            Some(Inquiry::Shows(_)) => Urge::ToTell,
            Some(Inquiry::Asks(..) | Inquiry::Surveys(_)) | None => Urge::None,
        };
        let counts = if urge == Urge::ToConfirm || peer.may_be_told((cx.now, self.interval)) {
            peer.answer((state, self.max_frame), times, urge, || self.ids.next())
        } else {
            None
        };
        self.had_turn |= counts.is_some();
        let (own_id, mut claim) = counts.map_or((None, Claim::default()), |(id, claim)| (Some(id), claim));
        claim.rows.extend(stated(states, state));
        let also = peer.to_confirm.as_ref();
        refused.extend(also.iter().flat_map(|also| also.refused.iter().cloned()));
        let frame = Frame {
            id: own_id,
            answers: Some(id),
            confirms: also.map(|also| also.id),
            inquiry: says,
            refused,
            doubts,
            ..Frame::new(self.incarnation, claim)
        };
        cx.effects.push_back(Effect::Send { peer: name.clone(), frame });
    }

    /// Asks the peers that have not answered the question, if it is time.
    pub(super) fn ask(&mut self, question: &mut Question, cx: &mut Context<'_>) {
        let Self { names, incarnation, ids, .. } = self;
        question.poll(names.iter(), *incarnation, || ids.next(), cx);
    }

    /// Asks the peers what they show, if it is time.
    pub(super) fn survey(
        &mut self,
        survey: &mut Survey,
        is_awaited: bool,
        own: &ReplicaId,
        cx: &mut Context<'_>,
    ) {
        let Self { ids, incarnation, .. } = self;
        survey.poll(is_awaited, (own, *incarnation), || ids.next(), cx);
    }

    /// Sends the frames that are due: those that were not confirmed in time, and once a round new ones.
    pub(super) fn poll(&mut self, state: &State, rush: Rush, cx: &mut Context<'_>) {
        self.resend(state, cx);
        let are_all_linked = self.links.len() == self.names.len();
        if std::mem::take(&mut self.reach_changed) && !are_all_linked {
            self.link();
        }
        self.links.values_mut().filter(|peer| peer.in_flight.is_none()).for_each(|peer| peer.compare(state));
        if cx.now >= self.next_round || rush != Rush::Not {
            self.skipped = std::mem::take(&mut self.had_turn) && !self.skipped && rush == Rush::Not;
            if !self.skipped {
                self.round(state, rush, cx);
            }
            self.next_round = cx.now + cx.jittered(self.interval);
        }
        self.send_parts(state, cx);
    }

    /// Sends the next part of each long row whose last part was confirmed. These wait for no round: there may be many.
    fn send_parts(&mut self, state: &State, cx: &mut Context<'_>) {
        let Self { links, ids, timeout, incarnation, max_frame, .. } = self;
        for (name, peer) in links.iter_mut().filter(|(_, peer)| peer.has_part_to_send()) {
            let times = (cx.now, cx.now + cx.jittered(*timeout));
            let (id, claim) = peer.tell((state, *max_frame), ids.next(), times);
            tell((name, peer), *incarnation, id, claim, cx);
        }
    }

    /// Sends the frames again that were not confirmed in time.
    fn resend(&mut self, state: &State, cx: &mut Context<'_>) {
        if !self.links.values().any(|peer| peer.must_resend(cx.now)) {
            return;
        }
        let shortest =
            self.interval.saturating_mul(self.unreachable().count().try_into().unwrap_or(u32::MAX)) / 8;
        let Self { links, ids, timeout, incarnation, max_frame, .. } = self;
        let now = cx.now;
        for (name, peer) in links {
            let before = peer.reach();
            let pause = |transmissions| cx.jittered(backoff(*timeout, transmissions).max(shortest));
            if let Some((id, claim)) = peer.resend((state, *max_frame), now, pause, || ids.next()) {
                tell((name, peer), *incarnation, id, claim, cx);
                self.reach_changed |= peer.reach() != before;
            }
        }
    }

    fn round(&mut self, state: &State, rush: Rush, cx: &mut Context<'_>) {
        let most = match rush {
            // Among many that are silent the few that run are to be found soon.
            Rush::Not | Rush::ToSome => self.fanout.max(self.unreachable().count() / 16),
            Rush::ToAll => usize::MAX,
        };
        let times = (cx.now, self.interval);
        let is_idle = |peer: &Peer| peer.in_flight.is_none() && peer.lacks() && peer.may_be_told(times);
        let mut idle: Vec<_> = self.links.iter_mut().filter(|(_, peer)| is_idle(peer)).collect();
        idle.shuffle(&mut cx.rng);
        for (name, peer) in idle.into_iter().take(most) {
            let times = (cx.now, cx.now + cx.jittered(self.timeout));
            let (id, claim) = peer.tell((state, self.max_frame), self.ids.next(), times);
            tell((name, peer), self.incarnation, id, claim, cx);
        }
    }

    /// When [`poll`](Self::poll) is due again, if no frame comes before.
    pub(super) fn next_tick(&self) -> Option<Duration> {
        let sent = self.links.values().filter_map(|peer| peer.in_flight.as_ref());
        let has_round = self.links.values().any(|peer| peer.in_flight.is_none() && peer.lacks());
        sent.map(|sent| sent.resend_at).chain(has_round.then_some(self.next_round)).min()
    }

    /// The highest version of a replica's row that a peer is known to have covered.
    pub(super) fn most_covered(&self, replica: &ReplicaId) -> u64 {
        let peers = self.links.values().chain(self.contacts.iter());
        let covered = peers.map(|peer| peer.known.counter().get(replica));
        covered.max().unwrap_or_default()
    }

    /// The version of a replica's row that a peer is known to have covered. `None`: nothing is known of that peer.
    pub(super) fn covers(&self, name: &NodeId, replica: &ReplicaId) -> Option<u64> {
        let peer = self.links.get(name).or_else(|| self.contacts.get(name))?;
        peer.is_established().then(|| peer.known.counter().get(replica))
    }

    /// Whether this node gossips with the peer.
    pub(super) fn is_link(&self, name: &NodeId) -> bool {
        self.links.contains_key(name)
    }

    /// The peers that have left a frame unconfirmed for longer than the timeout.
    pub(super) fn unreachable(&self) -> impl Iterator<Item = &NodeId> {
        self.links.iter().filter(|(_, peer)| peer.reach() == Reach::Silent).map(|(name, _)| name)
    }
}

/// Says of these rows which version this node has.
fn stated(states: States, state: &State) -> Vec<RowDelta> {
    let rows = state.rows();
    let covers = |replica: &ReplicaId, version| RowDelta::new(replica.clone(), version, version);
    match states {
        States::Nothing => Vec::new(),
        States::Row(replica) => vec![covers(&replica, rows.version(&replica))],
        States::All => {
            rows.versions().counter().iter().map(|(replica, version)| covers(replica, version)).collect()
        }
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

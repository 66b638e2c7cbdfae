//! Replication: the counts that this node holds, and gossip with its peers.
//!
//! [`peers`] decides which counts to tell which peer, and when. [`admission`] decides which claims are merged.

mod admission;
mod peer;
mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;

use rand::Rng;
use tracing::warn;

use crate::config::Config;
use crate::context::Context;
use crate::frame::{Claim, Frame};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::own::Own;
use crate::state::State;
use crate::tally::Tally;
use admission::{Admitted, admit};
use peers::Peers;

/// The counts that this node holds, and its peers.
#[derive(Debug, Clone)]
pub(crate) struct Replication {
    me: NodeId,
    has_roster: bool,
    /// What is shown to clients and told to peers.
    state: State,
    peers: Peers,
}

/// The result of merging a claim.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Merged {
    /// Whether the claim brought something new.
    pub is_news: bool,
    /// Whether some of that must get into this node's record.
    pub touches_record: bool,
}

impl Replication {
    pub(crate) fn new(config: &Config, me: NodeId, incarnation: Incarnation, rng: &mut dyn Rng) -> Self {
        Self { me, has_roster: false, state: State::default(), peers: Peers::new(config, incarnation, rng) }
    }

    /// Sets the nodes of the cluster.
    pub(crate) fn set_roster(&mut self, mut nodes: BTreeSet<NodeId>) {
        self.has_roster = true;
        nodes.remove(&self.me);
        self.peers.set(nodes);
    }

    pub(crate) fn has_roster(&self) -> bool {
        self.has_roster
    }

    /// What this node holds and shows.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// All other nodes of the cluster.
    pub(crate) fn peers(&self) -> Vec<NodeId> {
        self.peers.names().cloned().collect()
    }

    /// The peers that have left a frame unconfirmed for longer than the timeout.
    pub(crate) fn unreachable(&self) -> Vec<NodeId> {
        self.peers.unreachable().cloned().collect()
    }

    /// Whether there is such a peer.
    pub(crate) fn is_anybody_unreachable(&self) -> bool {
        self.peers.unreachable().next().is_some()
    }

    /// The highest sequence number of `replica` that some peer is known to hold.
    pub(crate) fn most_held(&self, replica: &ReplicaId) -> u128 {
        self.peers.most_held(replica)
    }

    /// Merges a peer's frame and confirms it.
    pub(crate) fn receive(&mut self, from: &NodeId, frame: Frame, own: &Own, cx: &mut Context<'_>) -> Merged {
        if !self.peers.contains(from.as_str()) {
            warn!(%from, "a frame from a stranger is ignored");
            return Merged::default();
        }
        let Admitted { claim, is_cut } = self.admit(frame.claim, from, own);
        if let Some(peer) = self.peers.peer(from) {
            peer.hear(frame.incarnation, [frame.answers, frame.confirms], &claim.counts);
        }
        let merged = self.merge(&claim);
        // A frame that was cut is not confirmed, for its sender must not count all of it as known.
        if let Some(id) = frame.id.filter(|_| !is_cut) {
            match (frame.answers, self.peers.peer(from)) {
                // The next frame to that peer confirms an answer. A frame of its own would be answered too, for ever.
                (Some(_), Some(peer)) => peer.to_confirm = Some(id),
                (Some(_), None) => {}
                (None, _) => self.peers.confirm(from, id, &self.state, cx),
            }
        }
        merged
    }

    /// Merges the admitted part of a claim that was read from the store.
    pub(crate) fn merge_found(&mut self, claim: Claim, own: &Own) -> Merged {
        let Admitted { claim, .. } = self.admit(claim, "the store", own);
        self.merge(&claim)
    }

    fn admit(&self, claim: Claim, from: impl Display + Copy, own: &Own) -> Admitted {
        let is_member = |node: &str| node == self.me.as_str() || self.peers.contains(node);
        admit(claim, from, own, (self.state.counts(), is_member))
    }

    fn merge(&mut self, claim: &Claim) -> Merged {
        let is_news = self.state.merge(claim);
        let is_own = |replica: &ReplicaId| replica.node() == self.me.as_str();
        let touches_record = is_news && (!claim.unstored.is_empty() || claim.counts.keys().any(is_own));
        Merged { is_news, touches_record }
    }

    /// Lets clients and peers see so much of the own count.
    pub(crate) fn show(&mut self, own: &ReplicaId, tally: Tally, needs_hint: bool) {
        self.state.raise(own, tally, !needs_hint);
    }

    /// Notes which counts the own record holds.
    pub(crate) fn note_stored(&mut self, rows: Option<&BTreeMap<ReplicaId, Tally>>) {
        self.state.note_recorded(rows);
    }

    /// Sends the frames that are due. `hurry` says that a client waits for a peer to confirm.
    pub(crate) fn poll(&mut self, hurry: bool, cx: &mut Context<'_>) {
        self.peers.poll(&self.state, hurry, cx);
    }

    /// When a frame is due, if no input comes before.
    pub(crate) fn next_tick(&self) -> Option<Duration> {
        self.peers.next_tick(&self.state)
    }
}

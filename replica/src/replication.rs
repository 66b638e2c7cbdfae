//! Replication: the counts that this node holds, and gossip with its peers.
//!
//! [`peers`] decides which counts to tell which peer, and when. [`admission`] decides which claims are merged. [`inquiry`]
//! asks all peers about a replica.

mod admission;
mod inquiry;
mod peer;
mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::Rng;
use tracing::warn;

use crate::config::Config;
use crate::context::Context;
use crate::frame::{Claim, Frame, FrameId, Inquiry};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::own::Own;
use crate::state::State;
use crate::tally::Tally;
use admission::{Admitted, Source, admit};
use inquiry::Question;
use peers::Peers;

/// The counts that this node holds, and its peers.
#[derive(Debug, Clone)]
pub(crate) struct Replication {
    me: NodeId,
    has_roster: bool,
    /// What is shown to clients and told to peers.
    state: State,
    peers: Peers,
    /// Whether this process knows what its predecessors have told and taken.
    has_recovered: bool,
    /// Nodes that were told what this node holds of their replicas, or that have handed a replica on. What such a node
    /// says of its own counts is taken only from a process that is known to run.
    wary_of: BTreeSet<NodeId>,
    question: Option<Question>,
    pause: Duration,
}

/// The result of merging a claim.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Merged {
    /// Whether the claim brought something new.
    pub is_news: bool,
    /// Whether some of that must get into this node's record.
    pub touches_record: bool,
}

impl Merged {
    /// The result of merging both.
    fn and(self, other: Self) -> Self {
        Self {
            is_news: self.is_news | other.is_news,
            touches_record: self.touches_record | other.touches_record,
        }
    }
}

impl Replication {
    pub(crate) fn new(config: &Config, me: NodeId, incarnation: Incarnation, rng: &mut dyn Rng) -> Self {
        Self {
            me,
            has_roster: false,
            state: State::default(),
            peers: Peers::new(config, incarnation, rng),
            has_recovered: false,
            wary_of: BTreeSet::new(),
            question: None,
            pause: config.peer_timeout / 2,
        }
    }

    /// Sets the nodes of the cluster.
    pub(crate) fn set_roster(&mut self, mut nodes: BTreeSet<NodeId>) {
        self.has_roster = true;
        nodes.remove(&self.me);
        self.peers.set(nodes);
    }

    /// This node.
    pub(crate) fn me(&self) -> &NodeId {
        &self.me
    }

    pub(crate) fn has_roster(&self) -> bool {
        self.has_roster
    }

    /// What this node holds and shows.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// This process has recovered: it may answer inquiries.
    pub(crate) fn recovered(&mut self) {
        self.has_recovered = true;
    }

    /// A node has handed a replica on.
    pub(crate) fn be_wary_of(&mut self, node: NodeId) {
        if node != self.me {
            self.wary_of.insert(node);
        }
    }

    /// Asks all peers what they hold of a replica of this node. It replaces an earlier question.
    pub(crate) fn ask_about(&mut self, replica: ReplicaId) {
        self.question = Some(Question::about(replica));
    }

    /// Asks no more.
    pub(crate) fn stop_asking(&mut self) {
        self.question = None;
    }

    /// Whether all of these nodes, and all peers, have answered the question.
    pub(crate) fn have_answered<'a>(&'a self, listed: impl IntoIterator<Item = &'a NodeId>) -> bool {
        let names = self.peers.names().chain(listed);
        self.question.as_ref().is_some_and(|question| question.is_answered(names))
    }

    /// All other nodes of the cluster.
    pub(crate) fn peers(&self) -> BTreeSet<NodeId> {
        self.peers.names().cloned().collect()
    }

    /// The peers that have left a frame unconfirmed for longer than the timeout.
    pub(crate) fn unreachable(&self) -> BTreeSet<NodeId> {
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
        let Some(peer) = self.peers.peer(from) else { return Merged::default() };
        peer.hear(frame.incarnation, [frame.answers, frame.confirms]);
        let is_sure = peer.is_established() || self.has_recovered && !self.wary_of.contains(from);
        let source = if is_sure { Source::Peer(from) } else { Source::PerhapsDead(from) };
        let Admitted { claim, is_cut } = admit(frame.claim, source, own, self.state.counts());
        if let Some(peer) = self.peers.peer(from) {
            peer.holds(&claim.counts);
        }
        let mut merged = self.merge(&claim);
        let holds = match frame.inquiry {
            Some(Inquiry::Asks(replica)) => self.tell_what_it_holds(from, replica),
            Some(Inquiry::Holds(replica, tally)) => {
                merged = merged.and(self.hear_what_it_holds(from, frame.answers, (&replica, tally)));
                None
            }
            None => None,
        };
        // A frame that was cut is not confirmed, for its sender must not count all of it as known.
        if let Some(id) = frame.id.filter(|_| !is_cut) {
            match (frame.answers, self.peers.peer(from)) {
                // The next frame to that peer confirms an answer. A frame of its own would be answered too, for ever.
                (Some(_), Some(peer)) => peer.to_confirm = Some(id),
                (Some(_), None) => {}
                (None, _) => self.peers.confirm((from, id), holds, &self.state, cx),
            }
        }
        merged
    }

    /// The answer to a peer's inquiry. From then on a late frame of an earlier process must not raise that replica.
    fn tell_what_it_holds(&mut self, from: &NodeId, replica: ReplicaId) -> Option<Inquiry> {
        if !self.has_recovered || replica.node() != from.as_str() {
            return None;
        }
        self.wary_of.insert(from.clone());
        let tally = Tally::of(self.state.counts(), &replica);
        Some(Inquiry::Holds(replica, tally))
    }

    /// A peer has answered the inquiry.
    fn hear_what_it_holds(
        &mut self,
        from: &NodeId,
        answers: Option<FrameId>,
        holds: (&ReplicaId, Tally),
    ) -> Merged {
        if !self.question.as_mut().is_some_and(|question| question.hear(from, answers, holds)) {
            return Merged::default();
        }
        let counts = [(holds.0.clone(), (holds.1.up, holds.1.down))].into_iter().collect();
        self.merge(&Claim { counts, unstored: [holds.0.clone()].into() })
    }

    /// Merges the admitted part of a claim that was read from the store.
    pub(crate) fn merge_found(&mut self, claim: Claim, own: &Own) -> Merged {
        let Admitted { claim, .. } = admit(claim, Source::Store, own, self.state.counts());
        self.merge(&claim)
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
        if let Some(question) = &mut self.question {
            self.peers.ask(question, self.pause, cx);
        }
    }

    /// When a frame is due, if no input comes before.
    pub(crate) fn next_tick(&self) -> Option<Duration> {
        let asks_at = self.question.as_ref().map(Question::next_tick);
        self.peers.next_tick(&self.state).into_iter().chain(asks_at).min()
    }
}

//! A node that has been initialised: a member of its cluster.

mod duties;

use std::collections::BTreeSet;
use std::time::Duration;

use rand::{Rng, RngExt};
use tracing::{debug, error, info, warn};

use crate::config::{
    AckPolicy, Config, CounterKind, MAX_REPLICAS, ON_THE_WAY_MAX, REPLY_WITHIN, SETTLE_FOR, SHUT_DOWN_WITHIN,
};
use crate::message::{Body, ErrorCode, Gossip, Message, MsgId, Name, Outgoing, Reply, Request, Say};
use crate::node::gossip::Peers;
use crate::node::punctuality::Punctuality;
use crate::node::slot::Slot;
use crate::node::sweep::Sweep;
use crate::node::waiting::{Client, Queue};
use crate::node::{Event, STORE};
use crate::replica::{Epoch, Replica};
use crate::vector::{Tally, Vector, filtered, has_room_for, knows, replicas};

#[derive(Debug, Clone)]
pub(super) struct Member {
    name: Name,
    /// This process's life: the one entry that it adds to.
    own: Replica,
    ack: AckPolicy,
    counter: CounterKind,
    store: Name,
    state: Vector,
    slot: Slot,
    peers: Peers,
    sweep: Sweep,
    punctuality: Punctuality,
    ids: MsgIds,
    /// Adds that are counted, each with the own progress that must be safe before it is acknowledged.
    adds: Queue<u128>,
    /// Adds that are not counted, since the store is down and they may be acknowledged only by it.
    parked: Queue<i64>,
    reads: Queue<()>,
    recovery: Recovery,
    /// Everybody's slot has been read since the own slot was found to have been there before.
    has_swept: bool,
    /// Until when nothing is sent unasked, if nothing comes before.
    settle_until: Option<Duration>,
    shut_down_by: Option<Duration>,
}

/// Whether this life knows what earlier lives of the node knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recovery {
    /// The node has not begun to talk.
    Ahead,
    /// The slot is being read and written.
    Slot { by: Duration },
    /// The node has lived before: everybody's slot is being read.
    Sweep { by: Duration },
    /// Reads are served.
    Over,
}

/// What is taken in of what others claim.
struct Taken {
    counts: Vector,
    /// Something was left out for want of room: whoever sent it must not believe that it is held here.
    refused: bool,
}

/// The ids of our messages. They start at random: a delayed answer meant for an earlier life of this node
/// must not be taken for one of ours.
#[derive(Debug, Clone)]
struct MsgIds(MsgId);

impl MsgIds {
    fn next(&mut self) -> MsgId {
        self.0 += 1;
        self.0
    }
}

impl Member {
    pub(super) fn new(
        id: Name,
        ids: &BTreeSet<&str>,
        config: &Config,
        punctuality: Punctuality,
        now: Duration,
        rng: &mut dyn Rng,
    ) -> Self {
        let epoch = Epoch::random(rng);
        let own = Replica::new(&id, epoch);
        let store: Name = STORE.into();
        let peers = ids.iter().filter(|&&peer| peer != &*id).map(|&peer| peer.into());
        let spacing = match config.ack {
            AckPolicy::Memory => config.gossip_interval,
            AckPolicy::Store | AckPolicy::Durable => Duration::ZERO,
        };
        Self {
            peers: Peers::new(peers, epoch, config),
            slot: Slot::new(id.clone(), own.clone(), config, spacing),
            sweep: Sweep::new(store.clone(), own.clone()),
            punctuality,
            ids: MsgIds(rng.random_range(1 << 20..1 << 48)),
            name: id,
            own,
            ack: config.ack,
            counter: config.counter,
            store,
            state: Vector::default(),
            adds: Queue::default(),
            parked: Queue::default(),
            reads: Queue::default(),
            recovery: Recovery::Ahead,
            has_swept: false,
            settle_until: Some(now + SETTLE_FOR),
            shut_down_by: None,
        }
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn replica(&self) -> &Replica {
        &self.own
    }

    pub(super) fn state(&self) -> &Vector {
        &self.state
    }

    /// Handles one event; true if the node is done.
    pub(super) fn handle(
        &mut self,
        now: Duration,
        event: Event<'_>,
        rng: &mut dyn Rng,
        out: &mut Vec<Outgoing>,
    ) -> bool {
        if let Some(gap) = self.punctuality.look(now) {
            self.did_not_run_for(gap);
        }
        match event {
            Event::Message(Message { src, body: Body::Request(msg_id, request) }) => {
                self.request(&src, msg_id, request, now, rng, out);
            }
            Event::Message(Message { src, body: Body::Reply(msg_id, reply) }) => {
                self.reply(&src, msg_id, reply, now, out);
            }
            Event::Refuse { src, msg_id, code, text } => {
                if let Some(client) = self.client(&src, Some(msg_id), now) {
                    client.answer(Say::Error(code, text.into()), now, out);
                }
            }
            Event::Wake => return self.wake(now, rng, out),
            Event::Terminate => {
                info!("shutting down");
                self.shut_down_by.get_or_insert(now + SHUT_DOWN_WITHIN);
                self.slot.hurry();
            }
            Event::InputClosed => {
                self.slot.hurry();
                self.poll_slot(now, out);
                self.finish(now, out);
                return true;
            }
        }
        false
    }

    fn request(
        &mut self,
        src: &str,
        msg_id: Option<MsgId>,
        request: Request,
        now: Duration,
        rng: &mut dyn Rng,
        out: &mut Vec<Outgoing>,
    ) {
        if let Request::Gossip(gossip) = request {
            return self.gossip(src, msg_id, gossip, now, rng, out);
        }
        let Some(client) = self.client(src, msg_id, now) else { return };
        match request {
            Request::Add { delta } => {
                self.settle_until = None;
                self.add(delta, client, now, out);
            }
            Request::Read => {
                self.settle_until = None;
                self.read(client, now, out);
            }
            Request::Init { node_id, node_ids } if self.was_told(&node_id, &node_ids) => {
                client.answer(Say::InitOk, now, out);
            }
            Request::Init { .. } => {
                client.refuse(ErrorCode::MalformedRequest, "already initialised otherwise", now, out);
            }
            Request::Gossip(_) => {}
        }
    }

    /// Whether this is what the node was initialised with.
    fn was_told(&self, id: &str, ids: &[String]) -> bool {
        let told: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        *id == *self.name && told.into_iter().eq(self.members())
    }

    /// All nodes of the cluster, in the order of their names.
    fn members(&self) -> BTreeSet<&str> {
        self.peers.names().chain([&self.name]).map(|name| &**name).collect()
    }

    /// Who is to be answered, and until when; `None` if it is too late for any answer.
    fn client(&self, src: &str, msg_id: Option<MsgId>, now: Duration) -> Option<Client> {
        let on_the_way = self.slot.round_trip().saturating_mul(2).min(ON_THE_WAY_MAX);
        let answer_by = self.punctuality.earliest_arrival() + REPLY_WITHIN.saturating_sub(on_the_way);
        if answer_by < now {
            debug!(src, "a request that waited too long is dropped: its client may be gone");
            return None;
        }
        Some(Client { name: src.into(), msg_id, answer_by })
    }

    fn add(&mut self, delta: i64, client: Client, now: Duration, out: &mut Vec<Outgoing>) {
        if delta < 0 && self.counter == CounterKind::G {
            return client.refuse(ErrorCode::MalformedRequest, "this counter only grows", now, out);
        }
        if self.shut_down_by.is_some() {
            return client.refuse(ErrorCode::TemporarilyUnavailable, "shutting down", now, out);
        }
        if self.adds.is_full() || self.parked.is_full() {
            return client.refuse(ErrorCode::TemporarilyUnavailable, "too many adds are waiting", now, out);
        }
        if self.ack == AckPolicy::Store && self.slot.is_down() {
            return self.parked.push(delta, client);
        }
        self.count(delta, client, now, out);
    }

    fn count(&mut self, delta: i64, client: Client, now: Duration, out: &mut Vec<Outgoing>) {
        match self.state.add(&self.own, delta) {
            Ok(_) => {
                self.slot.touch();
                match self.ack {
                    AckPolicy::Memory => client.answer(Say::AddOk, now, out),
                    AckPolicy::Store | AckPolicy::Durable => {
                        self.adds.push(Tally::of(&self.state, &self.own).progress(), client);
                    }
                }
            }
            Err(overflow) => {
                warn!(delta, %overflow, "an add is refused");
                client.refuse(ErrorCode::Abort, "the count would overflow", now, out);
            }
        }
    }

    fn read(&mut self, client: Client, now: Duration, out: &mut Vec<Outgoing>) {
        if self.holds_reads() && self.reads.is_full() {
            client.refuse(ErrorCode::TemporarilyUnavailable, "too many reads are waiting", now, out);
        } else if self.holds_reads() {
            self.reads.push((), client);
        } else {
            client.answer(Say::ReadOk(self.state.value()), now, out);
        }
    }

    /// Reads wait until the node knows again what earlier lives of it may have shown. With `--ack memory`
    /// nothing of that kind is promised.
    fn holds_reads(&self) -> bool {
        self.recovery != Recovery::Over && self.ack != AckPolicy::Memory
    }

    fn gossip(
        &mut self,
        src: &str,
        msg_id: Option<MsgId>,
        gossip: Gossip,
        now: Duration,
        rng: &mut dyn Rng,
        out: &mut Vec<Outgoing>,
    ) {
        let Some(peer) = self.peers.name(src).cloned() else {
            return warn!(src, "gossip from a stranger is ignored");
        };
        self.settle_until = None;
        let Taken { counts, refused } = self.take(gossip.counts, src);
        self.peers.heard(&peer, gossip.epoch, &[gossip.ack], &counts);
        self.merge(&counts);
        if let Some(msg_id) = msg_id.filter(|_| !refused) {
            let own_id = self.ids.next();
            out.push(self.peers.confirm((&peer, msg_id), &self.state, now, own_id, rng));
        }
    }

    fn reply(&mut self, src: &str, msg_id: MsgId, reply: Reply<'_>, now: Duration, out: &mut Vec<Outgoing>) {
        match reply {
            Reply::GossipOk(own_id, gossip) => {
                if self.peers.name(src).is_some() {
                    let Taken { counts, refused } = self.take(gossip.counts, src);
                    self.peers.heard(src, gossip.epoch, &[Some(msg_id), gossip.ack], &counts);
                    self.merge(&counts);
                    self.peers.owe(src, own_id.filter(|_| !refused));
                }
            }
            Reply::ReadOk { .. } | Reply::CasOk | Reply::WriteOk | Reply::Error { .. }
                if *src == *self.store =>
            {
                if let Some(counts) = self.slot.answer(msg_id, &reply, &self.state, now) {
                    self.merge(&counts);
                }
                self.sweep_answer(msg_id, &reply, now, out);
            }
            Reply::Error { code, text } => debug!(src, code, text, "an error that nothing here waits for"),
            Reply::ReadOk { .. } | Reply::CasOk | Reply::WriteOk => debug!(src, "an answer from a stranger"),
        }
    }

    fn sweep_answer(&mut self, msg_id: MsgId, reply: &Reply<'_>, now: Duration, out: &mut Vec<Outgoing>) {
        let Self { sweep, ids, .. } = self;
        if let Some(counts) = sweep.answer(msg_id, reply, now, &mut || ids.next(), out) {
            let Taken { counts, .. } = self.take(counts, STORE);
            if self.merge(&counts) {
                self.sweep.brought_news(now);
            }
        }
    }

    /// Merges what was found plausible; true if it was news.
    fn merge(&mut self, counts: &Vector) -> bool {
        let news = self.state.merge(counts);
        if news && replicas(counts).any(|replica| replica.node() == &*self.name) {
            self.slot.touch();
        }
        news
    }

    /// What of the others' claims is taken in: what is plausible and, if there is no room for all of it, known here.
    fn take(&self, counts: Vector, from: &str) -> Taken {
        let counts = self.plausible(counts, from);
        if has_room_for(&self.state, &counts) {
            return Taken { counts, refused: false };
        }
        error!(from, most = MAX_REPLICAS, "replicas that are not known here are refused: there are too many");
        Taken { counts: filtered(&counts, |replica| knows(&self.state, replica)), refused: true }
    }

    /// What of the others' claims can be believed: of this very life no more than it has counted, and nothing of
    /// nodes that are not in the cluster.
    fn plausible(&self, counts: Vector, from: &str) -> Vector {
        let is_member = |node: &str| node == &*self.name || self.peers.name(node).is_some();
        let (claimed, counted) = (Tally::of(&counts, &self.own), Tally::of(&self.state, &self.own));
        let own_is_true = claimed.up <= counted.up && claimed.down <= counted.down;
        let is_plausible =
            |replica: &Replica| is_member(replica.node()) && (own_is_true || *replica != self.own);
        if let Some(replica) = replicas(&counts).find(|replica| !is_plausible(replica)) {
            error!(from, %replica, ?claimed, ?counted, "a claim that can't be true is ignored");
            return filtered(&counts, is_plausible);
        }
        counts
    }
}

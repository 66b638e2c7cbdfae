//! A node that has been initialised: a member of its cluster.

mod belief;
mod duties;

use std::collections::BTreeSet;
use std::time::Duration;

use rand::Rng;
use tracing::{debug, info, warn};

use crate::config::{AckPolicy, Config, CounterKind, ON_THE_WAY_MAX, REPLY_WITHIN, SETTLE_FOR};
use crate::message::{Body, Claim, ErrorCode, Gossip, Message, MsgId, Name, Outgoing, Reply, Request, Say};
use crate::node::arrivals::Arrivals;
use crate::node::gossip::Peers;
use crate::node::msg_ids::MsgIds;
use crate::node::own::Own;
use crate::node::slot::{News, Slot};
use crate::node::state::State;
use crate::node::sweep::Sweep;
use crate::node::waiting::{Client, Queue};
use crate::node::{Event, STORE};
use crate::replica::{Epoch, Replica};
use crate::vector::{Tally, replicas};
use belief::Taken;

#[derive(Debug, Clone)]
pub(super) struct Member {
    name: Name,
    own: Own,
    ack: AckPolicy,
    counter: CounterKind,
    store: Name,
    /// What is shown to clients and told to peers: of the own replica only what is stored, while the store answers.
    state: State,
    slot: Slot,
    peers: Peers,
    sweep: Sweep,
    arrivals: Arrivals,
    ids: MsgIds,
    /// Adds that are counted, each with the own progress that must be safe before it is acknowledged.
    adds: Queue<u128>,
    /// Adds that are not counted: it is not settled under which replica, or the store is down and they may be
    /// acknowledged only by it.
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

impl Member {
    pub(super) fn new(
        id: Name,
        ids: &BTreeSet<&str>,
        config: &Config,
        arrivals: Arrivals,
        now: Duration,
        rng: &mut dyn Rng,
    ) -> Self {
        let own = Own::new(&id, Epoch::random(rng));
        let store: Name = STORE.into();
        let peers = ids.iter().filter(|&&peer| peer != &*id).map(|&peer| peer.into());
        let spacing = match config.ack {
            AckPolicy::Memory => config.gossip_interval,
            AckPolicy::Store | AckPolicy::Durable => Duration::ZERO,
        };
        Self {
            peers: Peers::new(peers, own.life(), config),
            slot: Slot::new(id.clone(), config, spacing),
            sweep: Sweep::new(store.clone(), own.replica().clone()),
            arrivals,
            ids: MsgIds::random(rng),
            name: id,
            own,
            ack: config.ack,
            counter: config.counter,
            store,
            state: State::default(),
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

    pub(super) fn own(&self) -> &Own {
        &self.own
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// The input was looked at: see [`Node::looked`](super::Node::looked).
    pub(super) fn looked(&mut self, at: Duration, bytes: usize) {
        self.arrivals.looked(at, bytes);
    }

    /// Handles one event; true if the node is done.
    pub(super) fn handle(
        &mut self,
        now: Duration,
        event: Event<'_>,
        rng: &mut dyn Rng,
        out: &mut Vec<Outgoing>,
    ) -> bool {
        self.arrivals.event(now);
        match event {
            Event::Message(Message { src, body: Body::Request(msg_id, request) }) => {
                self.request(&src, msg_id, request, now, out);
            }
            Event::Message(Message { src, body: Body::Gossip(msg_id, gossip) }) => {
                self.gossip(&src, msg_id, gossip, now, rng, out);
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
            Event::Terminate => self.shut_down(now, out),
            Event::InputClosed => {
                self.shut_down(now, out);
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
        out: &mut Vec<Outgoing>,
    ) {
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
        let answer_by = self.arrivals.earliest() + REPLY_WITHIN.saturating_sub(on_the_way);
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
        if self.ack == AckPolicy::Memory {
            self.own.settle();
        }
        if !self.may_count() {
            return self.parked.push(delta, client);
        }
        self.count(delta, client, now, out);
    }

    fn may_count(&self) -> bool {
        self.own.is_settled() && !(self.ack == AckPolicy::Store && self.slot.is_down())
    }

    fn count(&mut self, delta: i64, client: Client, now: Duration, out: &mut Vec<Outgoing>) {
        match self.own.add(delta) {
            Ok(()) => {
                self.slot.touch();
                match self.ack {
                    AckPolicy::Memory => {
                        self.show();
                        client.answer(Say::AddOk, now, out);
                    }
                    AckPolicy::Store | AckPolicy::Durable => {
                        self.adds.push(self.own.counted().progress(), client);
                    }
                }
            }
            Err(overflow) => {
                warn!(delta, %overflow, "an add is refused");
                client.refuse(ErrorCode::Abort, "the count would overflow", now, out);
            }
        }
    }

    /// Lets clients and peers see what they may of the own counts. What is not stored yet could be lost in a crash, and
    /// reads would go back: it is shown only where no more can be had, with `--ack memory` or while the store is down.
    fn show(&mut self) {
        let all = match self.ack {
            AckPolicy::Memory => true,
            AckPolicy::Durable => self.slot.is_down(),
            AckPolicy::Store => false,
        };
        let stored = self.slot.stored();
        let shown = if all { self.own.counted() } else { stored };
        let is_stored = self.ack == AckPolicy::Memory || shown.is_within(stored);
        self.state.raise(self.own.replica(), shown, is_stored);
    }

    fn read(&mut self, client: Client, now: Duration, out: &mut Vec<Outgoing>) {
        if self.holds_reads() && self.reads.is_full() {
            client.refuse(ErrorCode::TemporarilyUnavailable, "too many reads are waiting", now, out);
        } else if self.holds_reads() {
            self.reads.push((), client);
        } else {
            client.answer(Say::ReadOk(self.state.counts().value()), now, out);
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
        let Taken { claim, refused } = self.take(gossip.claim, src);
        self.peers.heard(&peer, gossip.epoch, &[gossip.ack], &claim.counts);
        self.merge(&claim);
        if let Some(msg_id) = msg_id.filter(|_| !refused) {
            let own_id = self.ids.next();
            out.push(self.peers.confirm((&peer, msg_id), &self.state, now, own_id, rng));
        }
    }

    fn reply(&mut self, src: &str, msg_id: MsgId, reply: Reply<'_>, now: Duration, out: &mut Vec<Outgoing>) {
        match reply {
            Reply::GossipOk(own_id, gossip) => {
                if self.peers.name(src).is_some() {
                    let Taken { claim, refused } = self.take(gossip.claim, src);
                    self.peers.heard(src, gossip.epoch, &[Some(msg_id), gossip.ack], &claim.counts);
                    self.merge(&claim);
                    self.peers.owe(src, own_id.filter(|_| !refused));
                }
            }
            Reply::ReadOk { .. } | Reply::CasOk | Reply::WriteOk | Reply::Error { .. }
                if *src == *self.store =>
            {
                if let Some(news) =
                    self.slot.answer(msg_id, &reply, &self.own, &self.state, (now, &self.arrivals))
                {
                    self.slot_news(news);
                }
                self.state.are_stored(self.slot.entries());
                self.show();
                self.sweep_answer(msg_id, &reply, now, out);
            }
            Reply::Error { code, text } => debug!(src, code, text, "an error that nothing here waits for"),
            Reply::ReadOk { .. } | Reply::CasOk | Reply::WriteOk => debug!(src, "an answer from a stranger"),
        }
    }

    fn slot_news(&mut self, news: News) {
        match news {
            News::Nothing => self.own.settle(),
            News::Found { claim, has_free } => {
                let claim = self.plausible(claim, STORE);
                self.merge(&claim);
                if !has_free {
                    self.own.settle();
                }
            }
            News::Inherited(replica, counted) => self.inherit(replica, counted),
        }
    }

    /// Goes on under a predecessor's replica. What is known to have been counted under it was: whoever says that it was
    /// more from now on is not believed.
    fn inherit(&mut self, replica: Replica, stored: Tally) {
        info!(%replica, %stored, "goes on where its predecessor ended");
        let mut counted = Tally::of(self.state.counts(), &replica);
        counted.raise(stored);
        self.own.inherit(replica, counted);
        self.slot.touch();
    }

    fn sweep_answer(&mut self, msg_id: MsgId, reply: &Reply<'_>, now: Duration, out: &mut Vec<Outgoing>) {
        if let Some(claim) = self.sweep.answer(msg_id, reply, now, &mut self.ids, out) {
            let Taken { claim, .. } = self.take(claim, STORE);
            if self.merge(&claim) {
                self.sweep.brought_news(now);
            }
        }
    }

    /// Merges what was found plausible; true if it was news. What of it belongs into the own slot gets there.
    fn merge(&mut self, claim: &Claim) -> bool {
        let news = self.state.merge(claim);
        let is_own = |replica: &Replica| replica.node() == &*self.name;
        if news && (!claim.unstored.is_empty() || replicas(&claim.counts).any(is_own)) {
            self.slot.touch();
        }
        news
    }
}

//! A node that has been initialised: a replica among its store, its peers and its clients.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::Rng;
use replica::{Effect, Frame, Input, NodeId, Replica, Ticket};
use tracing::{debug, warn};

use super::{Event, Outlet};
use crate::clients::{Client, Waiting, worded};
use crate::config::{Config, CounterKind, ON_THE_WAY_MAX, QUIET_FOR, REPLY_WITHIN};
use crate::message::{Body, ErrorCode, Message, MsgId, Outgoing, Reply, Request, Say};
use crate::seq_kv::{STORE, SeqKv};
use crate::stall_detector::StallDetector;

/// A replica among its store, its peers and its clients.
#[derive(Debug, Clone)]
pub(super) struct Member<R> {
    name: NodeId,
    roster: BTreeSet<NodeId>,
    counter: CounterKind,
    replica: Replica<R>,
    store: SeqKv,
    stalls: StallDetector,
    waiting: Waiting,
    /// Until when the node sends nothing unasked. `None` once the first message came.
    quiet_until: Option<Duration>,
}

impl<R: Rng> Member<R> {
    pub(super) fn new(
        (name, roster): (NodeId, BTreeSet<NodeId>),
        config: &Config,
        stalls: StallDetector,
        (now, mut rng): (Duration, R),
    ) -> Self {
        let ids = crate::msg_ids::MsgIds::random(&mut rng);
        let mut replica = Replica::with_generator(&config.replica(), name.clone(), rng);
        replica.handle(now, Input::Roster(roster.clone()));
        Self {
            store: SeqKv::new(
                (name.clone(), roster.clone()),
                replica.incarnation(),
                config.store_timeout,
                ids,
            ),
            name,
            roster,
            counter: config.counter,
            replica,
            stalls,
            waiting: Waiting::default(),
            quiet_until: Some(now + QUIET_FOR),
        }
    }

    pub(super) fn name(&self) -> &NodeId {
        &self.name
    }

    pub(super) fn machine(&self) -> &Replica<R> {
        &self.replica
    }

    /// Reports a look at the input: see [`Node::looked`](super::Node::looked).
    pub(super) fn looked(&mut self, at: Duration, bytes: usize) {
        self.stalls.looked(at, bytes);
    }

    /// Handles one event. True if the node is done.
    pub(super) fn handle(&mut self, now: Duration, event: Event<'_>, say: &mut Outlet<'_>) -> bool {
        self.stalls.event(now);
        match event {
            Event::Message(Message { src, body: Body::Request(msg_id, request) }) => {
                if let Some(client) = self.client(&src, msg_id, now) {
                    self.request(client, &request, now, say);
                }
            }
            Event::Message(Message { src, body: Body::Frame(frame) }) => self.frame(&src, *frame, now, say),
            Event::Message(Message { src, body: Body::Reply(msg_id, reply) }) => {
                self.reply(&src, (msg_id, &reply), now, say);
            }
            Event::Refuse { src, msg_id, code, text } => {
                if let Some(client) = self.client(&src, Some(msg_id), now) {
                    client.answer(Say::Error(code, text.into()), now, say);
                }
            }
            Event::Wake => return self.wake(now, say),
            Event::Terminate => {
                self.quiet_until = None;
                return self.give(now, Input::Shutdown, say);
            }
            Event::InputClosed => return self.give(now, Input::Closed, say),
        }
        false
    }

    /// The client to answer, and until when. `None` if it is too late for any answer.
    fn client<'a>(&self, name: &'a str, msg_id: Option<MsgId>, now: Duration) -> Option<Client<'a>> {
        let on_the_way = self.store.round_trip().saturating_mul(2).min(ON_THE_WAY_MAX);
        let answer_by = self.stalls.earliest() + REPLY_WITHIN.saturating_sub(on_the_way);
        if answer_by < now {
            debug!(src = name, "a request that waited too long is dropped: its client may be gone");
            return None;
        }
        Some(Client { name, msg_id, answer_by })
    }

    fn request(&mut self, client: Client<'_>, request: &Request, now: Duration, say: &mut Outlet<'_>) {
        let refuse = |text: &'static str| Say::Error(ErrorCode::MalformedRequest, text.into());
        let request = match request {
            Request::Init { node_id, node_ids } => {
                let was_told = self.was_told(node_id, node_ids);
                let answer = if was_told { Say::InitOk } else { refuse("already initialised otherwise") };
                return client.answer(answer, now, say);
            }
            Request::Add { delta } if *delta < 0 && self.counter == CounterKind::G => {
                self.quiet_until = None;
                return client.answer(refuse("this counter only grows"), now, say);
            }
            Request::Add { delta } => replica::Request::add(*delta),
            Request::Read => replica::Request::read(),
        };
        self.quiet_until = None;
        let ticket = self.waiting.next_ticket();
        self.replica.handle(now, Input::Client { ticket, answer_by: client.answer_by, request });
        self.act(now, Some((ticket, client)), say);
    }

    /// Whether the node was initialised with this name and cluster.
    fn was_told(&self, id: &str, ids: &[String]) -> bool {
        let told: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        id == self.name.as_str() && told.into_iter().eq(self.roster.iter().map(NodeId::as_str))
    }

    fn frame(&mut self, src: &str, frame: Frame, now: Duration, say: &mut Outlet<'_>) {
        let Some(from) = self.roster.get(src).filter(|from| **from != self.name).cloned() else {
            return warn!(src, "gossip from a stranger is ignored");
        };
        // An answer tells nothing of the present: it may have been sent to an earlier process.
        if frame.answers.is_none() {
            self.quiet_until = None;
        }
        self.give(now, Input::Peer { from, frame }, say);
    }

    fn reply(
        &mut self,
        src: &str,
        (msg_id, reply): (MsgId, &Reply<'_>),
        now: Duration,
        say: &mut Outlet<'_>,
    ) {
        if src != STORE {
            return debug!(src, %reply, "an answer that nothing here waits for");
        }
        self.store.reply(msg_id, reply, now, &self.stalls);
        self.act(now, None, say);
    }

    fn wake(&mut self, now: Duration, say: &mut Outlet<'_>) -> bool {
        if self.quiet_until.is_some_and(|until| now < until) {
            return false;
        }
        self.quiet_until = None;
        let heard = self.stalls.earliest();
        self.store.tick(now, heard);
        self.ask_store(say);
        let was_done = self.act(now, None, say);
        let is_done = self.give(now, Input::Tick { heard }, say);
        was_done || is_done
    }

    /// Gives the replica an input and does what it wants. True if the replica is done.
    fn give(&mut self, now: Duration, input: Input, say: &mut Outlet<'_>) -> bool {
        self.replica.handle(now, input);
        self.act(now, None, say)
    }

    /// Does what the replica wants, and gives it the store's outcomes. True if the replica is done.
    ///
    /// `asking` is the client that has just asked. It gets its answer at once, or it waits.
    fn act(&mut self, now: Duration, mut asking: Option<(Ticket, Client<'_>)>, say: &mut Outlet<'_>) -> bool {
        let mut is_done = false;
        loop {
            while let Some(effect) = self.replica.poll_effect() {
                match effect {
                    Effect::Reply { ticket, result } => match asking.take_if(|(asked, _)| *asked == ticket) {
                        Some((_, client)) => client.answer(worded(&result), now, say),
                        None => self.waiting.answer(ticket, worded(&result), now, say),
                    },
                    Effect::Send { peer, frame } => say(Outgoing::frame(peer.as_str(), frame)),
                    Effect::Store { token, request } => self.store.request(token, request, now),
                    Effect::Done => is_done = true,
                }
                self.ask_store(say);
            }
            let Some((token, outcome)) = self.store.poll_outcome() else { break };
            self.replica.handle(now, Input::Store { token, outcome });
        }
        if let Some((ticket, client)) = asking {
            self.waiting.push(ticket, client);
        }
        is_done
    }

    fn ask_store(&mut self, say: &mut Outlet<'_>) {
        while let Some((msg_id, message)) = self.store.poll_message() {
            say(Outgoing::request(STORE, msg_id, message));
        }
    }

    pub(super) fn next_wake(&self) -> Duration {
        let look = self.stalls.next_look();
        if let Some(until) = self.quiet_until {
            return until.min(look);
        }
        let parts =
            [self.replica.poll_timeout(), self.store.next_tick(&self.stalls), self.stalls.refilled_at()];
        parts.into_iter().flatten().fold(look, Duration::min)
    }
}

//! The engine: a replica, the clients that wait for it, and its requests to the store. It does no I/O.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crdt::VersionVector;
use replica::store::{Outcome, StoreRequest, Token};
use replica::{
    AckPolicy, Config, Effect, Frame, Input, NodeId, Refusal, Replica, ReplicaId, Reply, Rows, Ticket,
};
use slab::Slab;

use crate::clock::Clock;
use crate::group::{Answer, Done, Waiting};
use crate::index::Index;
use crate::keys::Keys;
use crate::peers::Heard;
use crate::shared::Calls;
use crate::stalls::Stalls;
use crate::status::StoreStatus;
use crate::{MAX_GROUP, Options, Peer, Refused, Seen, Status, Version};

/// How many bits of a ticket are the place in its group.
const PLACE_BITS: u32 = 16;

/// How many frames may wait to be sent. Further ones are lost, as any frame may be: the replica sends them again.
const MAX_FRAMES: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) replica: Replica,
    pub(crate) options: Options,
    pub(crate) index: Index,
    pub(crate) keys: Keys,
    pub(crate) status: Status,
    clock: Clock,
    now: Duration,
    stalls: Stalls,
    /// The groups that wait for answers. A ticket is the number of its group here, and the place in it.
    waiting: Slab<Arc<Waiting>>,
    /// The group that is being submitted, which is not among those that wait yet.
    submitted: Vec<Option<Answer>>,
    submitting: Option<usize>,
    /// What the store is to be asked.
    requests: VecDeque<(Token, StoreRequest)>,
    /// What peers are to be told. Alone there are none.
    frames: VecDeque<(NodeId, Frame)>,
    /// When each peer was heard last.
    heard: Heard,
    /// What does the requests and sends the frames, if it is no thread.
    pub(crate) outside: Option<Waker>,
    calls: Calls,
    /// Those that wait for counters to change.
    pub(crate) watchers: Vec<Waker>,
    /// What watchers were told of.
    told: VersionVector<ReplicaId>,
    failure: Option<String>,
    /// When the timer comes next.
    timer_at: Option<Duration>,
    is_done: bool,
    /// Whether no change is counted while the store is down.
    needs_store: bool,
    /// Whether another process runs under the name of this node.
    pub(crate) is_name_shared: bool,
}

impl Engine {
    /// An engine of the only node.
    pub(crate) fn alone(options: Options, node: NodeId, keys: Keys) -> Self {
        // No peer could acknowledge anything. So `Durable` is `Store`, which refuses while the store is down, and counts nothing.
        let ack = match options.ack {
            AckPolicy::Memory => AckPolicy::Memory,
            AckPolicy::Store | AckPolicy::Durable => AckPolicy::Store,
        };
        Self::new(options, node, keys, &Config { ack, ..Config::default() })
    }

    /// An engine that has just begun. Its clock stands still until [`look_at_clock`](Self::look_at_clock). So the store has as much
    /// time as it needs to read its record.
    pub(crate) fn new(options: Options, node: NodeId, keys: Keys, config: &Config) -> Self {
        let status = Status { node: node.to_string(), ..Status::default() };
        let mut engine = Self {
            replica: Replica::new(config, node.clone(), rand::random()),
            options,
            index: Index::default(),
            keys,
            status,
            clock: Clock::start(),
            now: Duration::ZERO,
            stalls: Stalls::new(config.store_timeout),
            waiting: Slab::new(),
            submitted: Vec::new(),
            submitting: None,
            requests: VecDeque::new(),
            frames: VecDeque::new(),
            heard: Heard::default(),
            outside: None,
            calls: Calls::default(),
            watchers: Vec::new(),
            told: VersionVector::default(),
            failure: None,
            timer_at: None,
            is_done: false,
            needs_store: config.ack == AckPolicy::Store,
            is_name_shared: false,
        };
        engine.handle(Input::Roster([node].into()));
        engine.tick();
        engine
    }

    /// The time on the replica's clock, when it was read last.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    pub(crate) fn rows(&self) -> &Rows {
        self.replica.state()
    }

    /// Whether the replica has ended: nothing is answered or stored any more.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Hands an input to the replica, and does what it wants done.
    pub(crate) fn handle(&mut self, input: Input) {
        match &input {
            Input::Roster(nodes) => self.heard.list(nodes),
            Input::Peer { from, .. } => self.heard.hear(from, self.now),
            Input::Client { .. }
            | Input::Forget { .. }
            | Input::Import { .. }
            | Input::Store { .. }
            | Input::Tick { .. }
            | Input::Shutdown
            | Input::Closed => {}
        }
        self.replica.handle(self.now, input);
        while let Some(effect) = self.replica.poll_effect() {
            match effect {
                Effect::Reply { ticket, result } => self.answer(ticket, result),
                Effect::Store { token, request } => {
                    if let StoreRequest::Commit { changes, .. } = &request {
                        changes.notes.iter().for_each(|noted| self.keys.note_counted(noted));
                    }
                    self.requests.push_back((token, request));
                    self.call_for_work();
                }
                Effect::Send { peer, frame } if self.frames.len() < MAX_FRAMES => {
                    self.frames.push_back((peer, frame));
                    self.call_for_work();
                }
                Effect::Send { .. } => self.status.lost_frames += 1,
                Effect::Done => self.end_all(),
            }
        }
    }

    /// Wakes what does the requests and sends the frames.
    fn call_for_work(&mut self) {
        self.calls.work = true;
        self.calls.wakers.extend(self.outside.take());
    }

    fn end_all(&mut self) {
        self.is_done = true;
        self.calls.time = true;
        self.call_for_work();
    }

    /// Lets the replica do what is due, once all inputs at hand are handled.
    pub(crate) fn tick(&mut self) {
        self.handle(Input::Tick { heard: self.stalls.heard() });
        let due = self.replica.poll_timeout();
        if due.is_some_and(|due| self.timer_at.is_none_or(|at| due < at)) {
            self.timer_at = due;
            self.calls.time = true;
        }
    }

    /// Whether the group that was submitted needs a tick: an answer is missing, a change is not shown yet, or the timer does not know
    /// when to tick.
    pub(crate) fn needs_tick(&self) -> bool {
        self.timer_at.is_none_or(|at| at <= self.now)
            || self.submitted.iter().any(Option::is_none)
            || self.replica.number() > self.rows().version(self.replica.id())
    }

    /// Reads the clock. All that is handled together happens at one time.
    pub(crate) fn look_at_clock(&mut self) {
        self.look(self.clock.now());
    }

    fn look(&mut self, now: Duration) {
        self.now = now;
        self.stalls.look(now, self.timer_at);
    }

    /// How long the timer may sleep. It calls this, ticks and sleeps.
    pub(crate) fn sleep_for(&mut self) -> Option<Duration> {
        let times = [self.replica.poll_timeout(), self.stalls.catches_up_until()];
        self.timer_at = times.into_iter().flatten().min();
        self.timer_at.map(|at| at.saturating_sub(self.now))
    }

    /// The next request to the store.
    pub(crate) fn next_request(&mut self) -> Option<(Token, StoreRequest)> {
        self.requests.pop_front()
    }

    /// The next frame to a peer.
    pub(crate) fn next_frame(&mut self) -> Option<(NodeId, Frame)> {
        self.frames.pop_front()
    }

    /// The store has answered.
    pub(crate) fn outcome(&mut self, token: Token, outcome: Outcome) {
        self.handle(Input::Store { token, outcome });
        self.tick();
    }

    /// Whether requests are answered at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.replica.is_ready()
    }

    /// Whether changes would be held uncounted for now.
    pub(crate) fn holds_changes(&self) -> bool {
        !self.replica.has_chosen() || self.needs_store && self.replica.is_store_down()
    }

    /// The database has failed. Whoever waits learns that; nothing is answered or stored any more.
    pub(crate) fn fail(&mut self, failure: String) {
        self.failure = Some(failure);
        self.requests.clear();
        for waiting in self.waiting.drain() {
            self.calls.wakers.extend(waiting.fail());
        }
        self.end_all();
    }

    pub(crate) fn take_calls(&mut self) -> Calls {
        std::mem::take(&mut self.calls)
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    pub(crate) fn has_watchers(&self) -> bool {
        !self.watchers.is_empty()
    }

    /// Wakes the watchers if a counter has changed since they were woken last.
    pub(crate) fn tell_watchers(&mut self) {
        if self.has_watchers() && self.told != *self.replica.state().versions() {
            self.told = self.replica.state().versions().clone();
            self.tell_all_watchers();
        }
    }

    pub(crate) fn tell_all_watchers(&mut self) {
        self.calls.wakers.append(&mut self.watchers);
    }

    /// Enters new names into the index.
    pub(crate) fn catch_up(&mut self) {
        self.index.catch_up(self.replica.state());
    }

    pub(crate) fn status(&self) -> Status {
        let rows = self.rows();
        Status {
            ack: Some(self.options.ack),
            is_ready: self.replica.is_ready() && !self.is_done,
            has_recovered: self.replica.has_recovered(),
            is_store_down: self.replica.is_store_down(),
            has_failed: self.failure.is_some(),
            counters: rows.len(),
            replicas: rows.versions().counter().len(),
            unstored: self.replica.number().saturating_sub(self.replica.stored()),
            keys: self.keys.len(),
            store: StoreStatus { committed: self.replica.stored(), ..self.status.store },
            ..self.status.clone()
        }
    }

    /// What this node shows, of all counters or of one, and how fresh it is.
    pub(crate) fn seen(&self, counter: Option<&str>) -> Seen {
        let rows = self.rows();
        let version = match counter {
            Some(counter) => {
                rows.changes(counter).map(|(replica, number)| (replica.clone(), number)).collect()
            }
            None => {
                rows.versions().counter().iter().map(|(replica, number)| (replica.clone(), number)).collect()
            }
        };
        let complete = self.replica.complete_as_of();
        Seen { version, complete: complete.map(|at| self.clock.now().saturating_sub(at)) }
    }

    /// What a client has seen that was told of a change that was made here.
    pub(crate) fn written(&self, done: &Done) -> Version {
        if done.is_replayed {
            // It may have counted under an earlier replica of this node.
            return self.seen(None).version;
        }
        let mut seen = Version::default();
        seen.see(self.replica.id(), done.number);
        seen
    }

    /// What is known of the peers.
    pub(crate) fn peers(&self) -> Vec<Peer> {
        self.heard.peers(&self.replica, self.now)
    }

    /// Begins a group.
    pub(crate) fn begin(&mut self) {
        self.look_at_clock();
        self.submitting = Some(self.waiting.vacant_key());
        debug_assert!(self.submitted.is_empty(), "one group is submitted after the other");
    }

    /// Makes a place for an answer in the group. `None`: the group is too long, and the answer says so.
    pub(crate) fn place(&mut self) -> Option<Ticket> {
        let place = self.submitted.len();
        if place >= MAX_GROUP {
            self.submitted.push(Some(Err(Refused::GroupTooLong)));
            return None;
        }
        self.submitted.push(None);
        let group = self.submitting.unwrap_or_default();
        Some(Ticket((group << PLACE_BITS | place) as u64))
    }

    /// Ends a group. If answers are missing, it waits.
    pub(crate) fn end(&mut self) -> crate::Group {
        self.submitting = None;
        let answers = std::mem::take(&mut self.submitted);
        let missing = answers.iter().filter(|answer| answer.is_none()).count();
        if missing == 0 {
            return crate::Group::ready(answers.into_iter().flatten().collect());
        }
        let waiting = Arc::new(Waiting::new(answers, missing));
        if self.is_done {
            waiting.fail();
        } else {
            self.waiting.insert(waiting.clone());
        }
        crate::Group::waiting(waiting)
    }

    fn answer(&mut self, ticket: Ticket, result: Result<Reply, Refusal>) {
        self.keys.note_answer(ticket, &result);
        let answer = result.map(|reply| Done::new(reply, false)).map_err(Refused::from);
        self.settle(ticket, answer);
    }

    /// Puts an answer into its place.
    pub(crate) fn settle(&mut self, ticket: Ticket, answer: Answer) {
        self.status.note(&answer);
        let mut answer = self.keys.replay(ticket, answer);
        if let Ok(done) = &mut answer {
            done.number = self.replica.safe();
        }
        let ticket = usize::try_from(ticket.0).unwrap_or(usize::MAX);
        let (group, place) = (ticket >> PLACE_BITS, ticket & ((1 << PLACE_BITS) - 1));
        if self.submitting == Some(group) {
            if let Some(slot) = self.submitted.get_mut(place) {
                *slot = Some(answer);
            }
            return;
        }
        let Some(waiting) = self.waiting.get(group) else { return };
        let (waker, is_complete) = waiting.answer(place, answer);
        self.calls.wakers.extend(waker);
        if is_complete {
            self.waiting.remove(group);
        }
    }
}

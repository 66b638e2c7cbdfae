//! A model of JetStream: servers that replicate one stream, and the calls of its clients.
//!
//! One server leads. It checks the condition of an append, and proposes the change. A change is *committed* once a majority has it, and
//! then each server applies it, sooner or later. A leader that is lost leaves proposals behind: the next one keeps a prefix of them, and
//! nobody has the others. A read is served by any server, by what that one has applied.
//!
//! It runs on virtual time, and draws all from one seed.

mod calls;
mod copy;
mod engine;
mod faults;
mod storage;
mod tally;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::world::plan::{Outage, Plan, ms};
use crate::world::storage::within;
use calls::{Call, Reading};
use cluster::store::{Appended, Interrupted};
use copy::{Change, Copy};

pub(crate) use storage::{Left, OverJetStream};
pub(crate) use tally::{Met, Tally};

/// After so long without a message a reader gives up.
const NEXT_WITHIN: Duration = ms(2500);

/// Names a call of a client.
type CallId = u64;

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A call has come to the servers.
    Arrive(CallId),
    /// A majority has all proposals up to that of this call.
    Commit(CallId),
    /// A server may apply so many of the changes that are committed.
    Apply(usize, usize),
    /// A server sends some messages to a reader.
    Deliver(CallId),
    /// A reader who has got so many messages gives up, if no further one has come.
    GiveUp(CallId, u64),
    Answer(CallId, Answered),
    /// A client waits no longer.
    TimeOut(CallId),
    LeaderDies,
    StepDown,
    Elect,
    /// Processes have something to do.
    Rouse,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
enum Answered {
    Append(Appended),
    Read(Interrupted),
    Paused,
}

struct Server {
    copy: Copy,
    applied: usize,
    is_up: bool,
}

/// A change that the leader has proposed.
struct Proposal {
    call: CallId,
    change: Change,
    /// The subject whose last message was checked for it.
    checked: Option<Rc<str>>,
}

impl Proposal {
    /// Whether it may change what the condition of another append on this subject is about, or depends on that itself.
    fn is_in_the_way_of(&self, subject: &str) -> bool {
        *self.change.subject == *subject || self.checked.as_deref() == Some(subject)
    }
}

/// A change that is committed, and the task whose call has made it.
#[derive(Clone)]
struct Committed {
    change: Change,
    task: u64,
    /// The sequence number of its message.
    sequence: u64,
}

pub(crate) struct JetStream {
    servers: Vec<Server>,
    leader: Option<usize>,
    has_majority: bool,
    /// What is not committed yet, in the order of the leader's log.
    pending: Vec<Proposal>,
    committed: Vec<Committed>,
    calls: BTreeMap<CallId, Call>,
    reads: BTreeMap<CallId, Reading>,
    queue: BTreeMap<(Duration, u64), Event>,
    events: u64,
    now: Duration,
    rng: SmallRng,
    /// The longest time that a message is on its way.
    hop: Duration,
    /// How many calls go wrong while all is in order.
    lapses: f64,
    heal_at: Duration,
    outage: Option<Outage>,
    trouble: Duration,
    is_healed: bool,
    /// The task that runs, and its process.
    running: (u64, usize),
    /// Processes with calls that were answered.
    woken: BTreeSet<usize>,
    is_loud: bool,
    tally: Tally,
}

impl JetStream {
    fn new(plan: &Plan, is_loud: bool) -> Self {
        let mut rng = SmallRng::seed_from_u64(plan.seed.rotate_left(17));
        let servers = [1, 3, 3, 3, 5][rng.random_range(0..5)];
        Self {
            servers: (0..servers)
                .map(|_| Server { copy: Copy::default(), applied: 0, is_up: true })
                .collect(),
            leader: Some(0),
            has_majority: true,
            pending: Vec::new(),
            committed: Vec::new(),
            calls: BTreeMap::new(),
            reads: BTreeMap::new(),
            queue: BTreeMap::new(),
            events: 0,
            now: Duration::ZERO,
            rng,
            hop: plan.store_delay / 3,
            lapses: plan.store_lapses,
            heal_at: plan.heal_at,
            outage: None,
            trouble: Duration::ZERO,
            is_healed: false,
            running: (0, 0),
            woken: BTreeSet::new(),
            is_loud,
            tally: Tally::default(),
        }
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.events += 1;
        self.queue.insert((at.max(self.now), self.events), event);
    }

    fn after(&mut self, longest: Duration, event: Event) {
        let at = self.now + within(longest, &mut self.rng);
        self.schedule(at, event);
    }

    fn due(&self) -> Option<Duration> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets all happen that is due.
    fn run_until(&mut self, now: Duration) {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            if self.is_loud {
                println!("{:>8.3}   JetStream: {event:?}", at.as_secs_f64() * 1000.0);
            }
            self.happen(&event);
        }
        self.now = now;
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Arrive(call) => self.arrive(call),
            Event::Commit(call) => {
                let place = self.pending.iter().position(|proposal| proposal.call == call);
                if let Some(place) = place.filter(|_| self.has_majority && self.leader.is_some()) {
                    self.commit(place + 1);
                }
            }
            Event::Apply(server, upto) => self.apply(server, upto),
            Event::Deliver(call) => self.deliver(call),
            Event::GiveUp(call, place) => {
                if self.place_of(call) == Some(place) {
                    self.time_out(call);
                }
            }
            Event::Answer(call, answered) => self.answer(call, answered),
            Event::TimeOut(call) => self.time_out(call),
            Event::LeaderDies => self.leader_dies(),
            Event::StepDown => self.leader = self.leader.filter(|_| self.has_majority),
            Event::Elect => self.elect(),
            Event::Rouse => {}
        }
    }

    /// An append has come. The leader checks and proposes it.
    fn arrive(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let (Some(change), expected) = (call.change.clone(), call.expected()) else { return };
        let Some(leader) = self.leader else {
            // Nobody listens, or a server does that does not answer.
            if self.rng.random_bool(0.7) {
                self.tally.note(Met::NoResponders);
                self.answer_append(id, Appended::NotDone);
            } else {
                self.tally.note(Met::TimeoutAndNeverDone);
                self.lose(id);
            }
            return;
        };
        if let Some((subject, last)) = &expected {
            if self.pending.iter().any(|proposal| proposal.is_in_the_way_of(subject)) {
                self.tally.note(Met::Busy);
                return self.answer_append(id, Appended::Busy);
            }
            if self.servers[leader].copy.last_on(subject) != *last {
                self.tally.note(Met::Conflict);
                return self.answer_append(id, Appended::Conflict);
            }
        }
        self.pending.push(Proposal { call: id, change, checked: expected.map(|(subject, _)| subject) });
        if self.has_majority {
            self.after(self.hop, Event::Commit(id));
        } else {
            self.lose(id);
        }
    }

    /// So many proposals are committed. The leader applies them and answers, the others apply them later.
    fn commit(&mut self, count: usize) {
        let Some(leader) = self.leader else { return };
        self.catch_up(leader, self.committed.len());
        for Proposal { call, change, .. } in self.pending.drain(..count).collect::<Vec<_>>() {
            self.note_replaced(leader, &change.subject);
            let sequence = self.servers[leader].copy.apply(&change);
            self.servers[leader].applied += 1;
            let task = self.calls.get(&call).map_or(0, |call| call.task);
            self.committed.push(Committed { change, task, sequence });
            self.note_done(call);
            self.reply(call, Answered::Append(Appended::At(sequence)));
        }
        self.wake_readers(leader);
        let upto = self.committed.len();
        for server in (0..self.servers.len()).filter(|server| *server != leader) {
            let lags = !self.is_healed && self.rng.random_bool(self.lapses);
            let lag = if lags { self.hang() } else { self.hop };
            if lags {
                self.trouble = self.trouble.max(self.now + lag + self.hop);
            }
            self.after(lag, Event::Apply(server, upto));
        }
    }

    fn catch_up(&mut self, server: usize, upto: usize) {
        let applied = self.servers[server].applied;
        for place in applied..upto {
            let change = self.committed[place].change.clone();
            self.note_replaced(server, &change.subject);
            self.servers[server].copy.apply(&change);
        }
        self.servers[server].applied = upto.max(applied);
    }

    fn apply(&mut self, server: usize, upto: usize) {
        if self.servers[server].is_up && self.servers[server].applied < upto {
            self.catch_up(server, upto);
            self.wake_readers(server);
        }
    }
}

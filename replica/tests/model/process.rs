//! One process of a node.

mod counting;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use replica::store::{Outcome, Record, StoreRequest, Token};
use replica::{Effect, Input, Refusal, Replica, ReplicaId, Reply, Request, Rows, Tally, Ticket};

use crate::generator::Generator;
use crate::ledger::Counted;
use crate::message::{Ask, Id, Message, name, number};
use crate::printed::Printed;
use crate::rules::{Broken, Rule};
use crate::saboteur::Saboteur;
use crate::setup::Setup;
use counting::Before;

/// The read that a client has asked since the process began.
pub(crate) const FIRST_READ: Ticket = Ticket(100);
/// A read that changes nothing and is asked in every state.
pub(crate) const PROBE: Ticket = Ticket(101);

/// An operator's request to forget a node.
pub(crate) const FORGET: Ticket = Ticket(102);

/// A process: a replica with a clock, and the clients that wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) id: Id,
    /// It was told to end.
    pub(crate) is_ending: bool,
    /// How many ticks have passed.
    pub(crate) ticks: u8,
    now: Duration,
    heard: Duration,
    replica: Replica<Generator>,
    /// Until when each client is to be answered.
    waiting: BTreeMap<Ticket, Duration>,
    is_done: bool,
    /// The nodes that it may address.
    list: Vec<u8>,
    standing: Standing,
    saboteur: Saboteur,
    /// The changes that wait to be counted, in a world with many counters.
    uncounted: Vec<usize>,
    /// The changes that this process has counted there.
    counted: Vec<Counted>,
}

/// What a process knows of its node's seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It knows of no commit of its own yet. Its node had been forgotten so many times when it last opened the record.
    New(u64),
    /// It has committed. Its node had been forgotten so many times.
    Member(u64),
    /// Its node was forgotten since.
    Forgotten,
}

/// What can happen to a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// A client's add.
    Add(usize),
    /// A client's read.
    Probe,
    Arrives(Printed<Message>),
    /// The batch is over: what is due is done now.
    Due,
    /// Time passes, and the process hears whatever comes.
    Tick,
    /// Time passes while the process is stopped. When it goes on, it has not heard what came meanwhile.
    Stop,
    Shutdown,
    Closed,
    /// An operator asks to forget this node.
    Forget(u8),
}

/// What comes of it.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// `None`: it has ended.
    pub(crate) process: Option<Printed<Process>>,
    pub(crate) sent: Vec<Message>,
    pub(crate) answers: Vec<(Ticket, Result<Reply, Refusal>)>,
    pub(crate) broken: Broken,
    /// The changes that were counted, in a world with many counters.
    pub(crate) counted: Vec<Counted>,
}

impl Process {
    /// The first step: the process learns who is in the cluster, and a client reads.
    pub(crate) fn begin(id: Id, setup: &Setup) -> Step {
        let mut process = Self {
            id,
            is_ending: false,
            ticks: 0,
            now: Duration::ZERO,
            heard: Duration::ZERO,
            replica: Replica::with_generator(&setup.config(), name(id.node), setup.generator(id)),
            waiting: BTreeMap::new(),
            is_done: false,
            list: setup.list(id),
            standing: Standing::New(0),
            saboteur: Saboteur::new(id, setup),
            uncounted: Vec::new(),
            counted: Vec::new(),
        };
        let mut step = Step::default();
        let roster = process.list.iter().copied().map(name).collect();
        process.give(Input::Roster(roster), setup, &mut step);
        process.ask(FIRST_READ, Request::read(), setup, &mut step);
        process.tick(setup, &mut step);
        process.end_step(step)
    }

    /// What comes of an event. Without batches a tick follows each.
    pub(crate) fn step(&self, event: &Event, setup: &Setup) -> Step {
        let (mut next, mut step) = (self.clone(), Step::default());
        let took = catch_unwind(AssertUnwindSafe(|| next.happens(event, setup, &mut step)));
        if took.is_err() {
            return Step { broken: Broken::from([Rule::NoPanic]), ..Step::default() };
        }
        next.end_step(step)
    }

    /// The outcome of the request with this token can change nothing: the process has had it, or has given it up.
    pub(crate) fn ignores(&self, token: Token, setup: &Setup) -> bool {
        let (mut next, mut step) = (self.clone(), Step::default());
        next.give(Input::Store { token, outcome: Outcome::Unknown }, setup, &mut step);
        step.sent.is_empty() && Printed::new(next) == Printed::new(self.clone())
    }

    /// What the process holds and shows.
    pub(crate) fn sizes(&self) -> u64 {
        sizes(self.replica.state())
    }

    /// All that it has counted itself.
    pub(crate) fn counted(&self) -> Tally {
        self.replica.counted()
    }

    /// What the process holds and shows of each replica, and all that it has counted itself.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (ReplicaId, Tally)> {
        let rows = self.replica.state();
        let shown = rows.versions().counter().keys();
        let shown = shown.map(|replica| (replica.clone(), Tally::of(rows, replica)));
        shown.chain([(self.replica.id().clone(), self.replica.counted())])
    }

    /// All rows that it holds and shows.
    pub(crate) fn state(&self) -> &Rows {
        self.replica.state()
    }

    /// The number of the last change that it has counted.
    pub(crate) fn number(&self) -> u64 {
        self.replica.number()
    }

    /// What it counts under.
    pub(crate) fn replica(&self) -> &ReplicaId {
        self.replica.id()
    }

    fn happens(&mut self, event: &Event, setup: &Setup, step: &mut Step) {
        let mut is_over = !setup.batches;
        match event {
            Event::Add(add) => {
                self.ask(ticket_of(*add), setup.request(*add), setup, step);
            }
            Event::Probe => self.ask(PROBE, Request::read(), setup, step),
            Event::Arrives(message) => {
                self.give(arrival(message), setup, step);
            }
            Event::Due => is_over = true,
            Event::Tick => {
                self.ticks += 1;
                self.now += Setup::TICK;
                self.heard = self.now;
                is_over = true;
            }
            Event::Stop => {
                self.now += Setup::STOP;
                is_over = true;
                if self.saboteur.hears_at_once() {
                    self.heard = self.now;
                }
            }
            Event::Shutdown => {
                self.is_ending = true;
                self.give(Input::Shutdown, setup, step);
            }
            Event::Closed => {
                self.is_ending = true;
                self.give(Input::Closed, setup, step);
                return;
            }
            Event::Forget(node) => {
                let (ticket, answer_by) = self.waits(FORGET, setup);
                self.give(Input::Forget { ticket, answer_by, node: name(*node) }, setup, step);
            }
        }
        if is_over {
            self.tick(setup, step);
        }
    }

    fn ask(&mut self, ticket: Ticket, request: Request, setup: &Setup, step: &mut Step) {
        let (ticket, answer_by) = self.waits(ticket, setup);
        self.give(Input::Client { ticket, answer_by, request }, setup, step);
    }

    /// Somebody waits for an answer from now on.
    fn waits(&mut self, ticket: Ticket, setup: &Setup) -> (Ticket, Duration) {
        let answer_by = self.now + setup.patience * Setup::TICK;
        self.waiting.insert(ticket, answer_by);
        (ticket, answer_by)
    }

    /// Whether an operator waits for this process to forget a node.
    pub(crate) fn is_forgetting(&self) -> bool {
        self.waiting.contains_key(&FORGET)
    }

    fn tick(&mut self, setup: &Setup, step: &mut Step) {
        // What is answered at once asks for another tick.
        while self.give(Input::Tick { heard: self.heard }, setup, step) {}
        if self.waiting.values().any(|answer_by| *answer_by <= self.now) {
            step.broken.insert(Rule::AnsweredInTime);
        }
        if self.standing == Standing::Forgotten && !self.is_done {
            step.broken.insert(Rule::Sealed);
        }
    }

    /// Takes note of what the process learns of its node's seal.
    fn notice_seal(&mut self, input: &Input) {
        let Input::Store { outcome, .. } = input else { return };
        self.standing = match (self.standing, outcome) {
            (Standing::New(seals), Outcome::Committed { .. }) => Standing::Member(seals),
            (Standing::New(_), Outcome::Opened { record, .. }) => Standing::New(seals(record.as_ref())),
            (Standing::Member(before), Outcome::Opened { record, .. }) if seals(record.as_ref()) > before => {
                Standing::Forgotten
            }
            (standing, _) => standing,
        };
    }

    /// Gives the replica an input, and takes its effects. True if some were answered at once.
    fn give(&mut self, input: Input, setup: &Setup, step: &mut Step) -> bool {
        let mut inputs = self.saboteur.hear(input, self.replica.state());
        let mut had_answers = false;
        while !inputs.is_empty() {
            let input = inputs.remove(0);
            self.notice_seal(&input);
            let before = Before::of(&self.replica, &input, setup);
            self.replica.handle(self.now, input);
            self.note_counted(before, setup, step);
            while let Some(effect) = self.replica.poll_effect() {
                let (effects, heard) = self.saboteur.say(effect, self.replica.state());
                for effect in effects {
                    match at_once(&effect, setup) {
                        Some(input) => inputs.push(input),
                        None => self.perform(effect, step),
                    }
                }
                inputs.extend(heard);
            }
            had_answers |= !inputs.is_empty();
        }
        had_answers
    }

    fn perform(&mut self, effect: Effect, step: &mut Step) {
        match effect {
            Effect::Reply { ticket, result } => {
                if self.waiting.remove(&ticket).is_none() {
                    step.broken.insert(Rule::AnsweredOnce);
                }
                if self.standing == Standing::Forgotten && matches!(result, Ok(Reply::Counted)) {
                    step.broken.insert(Rule::Sealed);
                }
                self.uncounted.retain(|change| ticket_of(*change) != ticket);
                step.answers.push((ticket, result));
            }
            Effect::Send { peer, frame } => {
                if !self.list.contains(&number(&peer)) {
                    step.broken.insert(Rule::NoStranger);
                }
                step.sent.push(Message::Frame { from: self.id.node, to: number(&peer), frame });
            }
            Effect::Store { token, request } => {
                if self.standing == Standing::Forgotten && matches!(request, StoreRequest::Commit { .. }) {
                    step.broken.insert(Rule::Sealed);
                }
                step.sent.push(Message::Ask(Ask {
                    by: self.id,
                    token: Some(token),
                    request,
                    since: Vec::new(),
                }));
            }
            Effect::Done => self.is_done = true,
        }
    }

    fn end_step(self, mut step: Step) -> Step {
        if !self.is_done {
            step.process = Some(Printed::new(self));
        } else if !self.waiting.is_empty() {
            step.broken.insert(Rule::AnsweredOnce);
        }
        step
    }
}

/// How many times the record's node was forgotten.
fn seals(record: Option<&Record>) -> u64 {
    record.and_then(|record| record.seal).map_or(0, |seal| seal.number)
}

/// The ticket of a change.
fn ticket_of(change: usize) -> Ticket {
    Ticket(u64::try_from(change).expect("few changes"))
}

/// What the store answers at once.
fn at_once(effect: &Effect, setup: &Setup) -> Option<Input> {
    match effect {
        Effect::Store { token, request } => {
            let outcome = setup.at_once(request)?;
            Some(Input::Store { token: *token, outcome })
        }
        Effect::Reply { .. } | Effect::Send { .. } | Effect::Done => None,
    }
}

fn arrival(message: &Message) -> Input {
    match message {
        Message::Frame { from, frame, .. } => Input::Peer { from: name(*from), frame: frame.clone() },
        Message::Told { token, outcome, .. } => Input::Store { token: *token, outcome: outcome.clone() },
        Message::Ask(_) => unreachable!("the store is asked, not a process"),
    }
}

/// The sizes of all counts, in sum.
fn sizes(rows: &Rows) -> u64 {
    rows.versions().counter().keys().map(|replica| Tally::of(rows, replica).number()).sum()
}

//! A simulated database of lists, with clients that run at the same time. How well it isolates transactions can be chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use workbench::txn::{Op, Transaction, TransactionOutcome};

use crate::script::{List, Register};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// A transaction shows what other ones have written and not committed yet.
    ReadUncommitted,
    /// Each read shows what is committed at its moment.
    ReadCommitted,
    /// A transaction reads from the moment of its beginning. It aborts if another one has written its keys since.
    Snapshot,
    /// Each transaction happens at one moment. Some that only read are shown an older state.
    Serializable,
    /// Each transaction happens at one moment between its invocation and its answer.
    StrictSerializable,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) isolation: Isolation,
    pub(crate) seed: u64,
    pub(crate) transactions: usize,
    pub(crate) clients: usize,
    /// How many keys are in use at a time.
    pub(crate) keys: i64,
    /// After so many writes a key gives way to a new one.
    pub(crate) writes: usize,
}

impl Setup {
    pub(crate) fn new(isolation: Isolation, seed: u64) -> Self {
        Self { isolation, seed, transactions: 200, clients: 6, keys: 4, writes: 16 }
    }
}

/// What the clients saw of lists.
pub(crate) fn lists(setup: Setup) -> Vec<Transaction<List>> {
    let mut database = Database::new(setup);
    while database.history.len() < setup.transactions || database.clients.iter().any(Option::is_some) {
        database.step();
    }
    database.history
}

/// The same, if each list were a register that shows its last element.
pub(crate) fn registers(setup: Setup) -> Vec<Transaction<Register>> {
    let op = |op| match op {
        Op::Write { key, value } => Op::Write { key, value },
        Op::Read { key, seen } => Op::Read { key, seen: seen.map(|list: List| list.last().copied()) },
    };
    let register = |transaction: Transaction<List>| Transaction {
        process: transaction.process,
        invoked: transaction.invoked,
        completed: transaction.completed,
        outcome: transaction.outcome,
        ops: transaction.ops.into_iter().map(op).collect(),
    };
    lists(setup).into_iter().map(register).collect()
}

/// An element, who appended it, and when it was committed.
#[derive(Clone, Copy, Debug)]
struct Element {
    value: i64,
    writer: usize,
    committed: Option<u64>,
}

/// A transaction that runs.
#[derive(Debug)]
struct Running {
    number: usize,
    plan: Vec<Op<List>>,
    done: Vec<Op<List>>,
    /// What it has appended, where that is not in the lists yet.
    own: BTreeMap<i64, List>,
    begun: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Runs,
    Applied,
    Aborted,
}

struct Database {
    setup: Setup,
    random: Xoshiro256PlusPlus,
    now: u64,
    lists: BTreeMap<i64, Vec<Element>>,
    locks: BTreeMap<i64, usize>,
    /// For each key in use: how many values were written to it.
    written: BTreeMap<i64, usize>,
    next_key: i64,
    next_process: u64,
    processes: Vec<u64>,
    clients: Vec<Option<Running>>,
    /// What runs on although its client has given up.
    abandoned: Vec<Running>,
    history: Vec<Transaction<List>>,
}

impl Database {
    fn new(setup: Setup) -> Self {
        Self {
            setup,
            random: Xoshiro256PlusPlus::seed_from_u64(setup.seed),
            now: 0,
            lists: BTreeMap::new(),
            locks: BTreeMap::new(),
            written: (0..setup.keys).map(|key| (key, 0)).collect(),
            next_key: setup.keys,
            next_process: u64::try_from(setup.clients).unwrap(),
            processes: (0..u64::try_from(setup.clients).unwrap()).collect(),
            clients: (0..setup.clients).map(|_| None).collect(),
            abandoned: Vec::new(),
            history: Vec::new(),
        }
    }

    /// One client does one thing. Some things happen at the same moment.
    fn step(&mut self) {
        self.now += self.random.random_range(0..4);
        if !self.abandoned.is_empty() && self.random.random_bool(0.1) {
            let place = self.random.random_range(0..self.abandoned.len());
            let mut running = self.abandoned.swap_remove(place);
            self.advance(&mut running);
            self.abandoned.extend((running.state == State::Runs).then_some(running));
        }
        let client = self.random.random_range(0..self.clients.len());
        match self.clients[client].take() {
            Some(running) => self.go_on(client, running),
            None if self.history.len() < self.setup.transactions => self.begin(client),
            None => {}
        }
    }

    fn begin(&mut self, client: usize) {
        let count = self.random.random_range(1..=4);
        let plan: Vec<_> = (0..count).map(|_| self.draw()).collect();
        let number = self.history.len();
        self.history.push(Transaction {
            process: self.processes[client],
            invoked: Duration::from_micros(self.now),
            completed: None,
            outcome: TransactionOutcome::Unknown,
            ops: plan.clone(),
        });
        self.clients[client] = Some(Running {
            number,
            plan,
            done: Vec::new(),
            own: BTreeMap::new(),
            begun: self.now,
            state: State::Runs,
        });
    }

    fn draw(&mut self) -> Op<List> {
        let place = self.random.random_range(0..self.written.len());
        let key = *self.written.keys().nth(place).unwrap();
        if self.random.random_bool(0.5) {
            return Op::Read { key, seen: None };
        }
        let count = self.written.get_mut(&key).unwrap();
        *count += 1;
        let value = i64::try_from(*count).unwrap();
        if *count == self.setup.writes {
            self.written.remove(&key);
            self.written.insert(self.next_key, 0);
            self.next_key += 1;
        }
        Op::Write { key, value }
    }

    fn go_on(&mut self, client: usize, mut running: Running) {
        match running.state {
            State::Applied | State::Aborted => return self.answer(client, running),
            State::Runs if self.random.random_bool(0.03) => {
                self.give_up(client, running.number);
                return self.abandoned.push(running);
            }
            State::Runs => self.advance(&mut running),
        }
        self.clients[client] = Some(running);
    }

    fn advance(&mut self, running: &mut Running) {
        match self.setup.isolation {
            Isolation::Serializable | Isolation::StrictSerializable => {
                self.now += 1;
                running.begun = self.moment(running);
                self.run_all(running);
                self.finish(running);
            }
            Isolation::Snapshot | Isolation::ReadCommitted | Isolation::ReadUncommitted => {
                if running.done.len() < running.plan.len() && running.state == State::Runs {
                    self.run_next(running);
                } else {
                    self.finish(running);
                }
            }
        }
    }

    /// The moment whose state a transaction sees.
    fn moment(&mut self, running: &Running) -> u64 {
        let only_reads = running.plan.iter().all(|op| matches!(op, Op::Read { .. }));
        let is_stale = self.setup.isolation == Isolation::Serializable && only_reads;
        if is_stale && self.random.random_bool(0.5) { self.now.saturating_sub(40) } else { self.now }
    }

    fn run_all(&mut self, running: &mut Running) {
        while running.done.len() < running.plan.len() && running.state == State::Runs {
            self.run_next(running);
        }
    }

    fn run_next(&mut self, running: &mut Running) {
        match running.plan[running.done.len()].clone() {
            Op::Read { key, .. } => {
                let seen = Some(self.read(key, running));
                running.done.push(Op::Read { key, seen });
            }
            Op::Write { key, value } => {
                if self.is_locked(key, running.number) {
                    return self.abort(running);
                }
                if self.setup.isolation == Isolation::ReadUncommitted {
                    let element = Element { value, writer: running.number, committed: None };
                    self.lists.entry(key).or_default().push(element);
                } else {
                    running.own.entry(key).or_default().push(value);
                }
                running.done.push(Op::Write { key, value });
            }
        }
    }

    /// Where writes are seen at once, or are not checked at the end, a key has one writer at a time.
    fn is_locked(&mut self, key: i64, number: usize) -> bool {
        match self.setup.isolation {
            Isolation::ReadUncommitted | Isolation::ReadCommitted => {
                *self.locks.entry(key).or_insert(number) != number
            }
            Isolation::Snapshot | Isolation::Serializable | Isolation::StrictSerializable => false,
        }
    }

    fn read(&self, key: i64, running: &Running) -> List {
        let is_seen = |element: &Element| match self.setup.isolation {
            Isolation::ReadUncommitted => true,
            Isolation::ReadCommitted => element.committed.is_some(),
            Isolation::Snapshot | Isolation::Serializable | Isolation::StrictSerializable => {
                element.committed.is_some_and(|at| at <= running.begun)
            }
        };
        let list = self.lists.get(&key).into_iter().flatten().filter(|element| is_seen(element));
        let own = running.own.get(&key).into_iter().flatten().copied();
        list.map(|element| element.value).chain(own).collect()
    }

    /// Commits it, unless it must not or will not.
    fn finish(&mut self, running: &mut Running) {
        let is_late = |key: &i64| {
            let committed = self.lists.get(key).and_then(|list| list.last()).and_then(|last| last.committed);
            committed.is_some_and(|at| at > running.begun)
        };
        let conflicts = self.setup.isolation == Isolation::Snapshot && running.own.keys().any(is_late);
        if running.state != State::Runs || conflicts || self.random.random_bool(0.05) {
            return self.abort(running);
        }
        self.now += 1;
        for (key, values) in std::mem::take(&mut running.own) {
            let element = |value| Element { value, writer: running.number, committed: Some(self.now) };
            self.lists.entry(key).or_default().extend(values.into_iter().map(element));
        }
        for element in self.own_elements(running) {
            element.committed = Some(element.committed.unwrap_or(u64::MAX));
        }
        self.locks.retain(|_, number| *number != running.number);
        running.state = State::Applied;
    }

    fn own_elements(&mut self, running: &Running) -> impl Iterator<Item = &mut Element> {
        let keys: BTreeSet<i64> = running.plan.iter().map(key_of).collect();
        let number = running.number;
        let lists = self.lists.iter_mut().filter(move |(key, _)| keys.contains(key));
        lists.flat_map(|(_, list)| list).filter(move |element| element.writer == number)
    }

    fn abort(&mut self, running: &mut Running) {
        for key in running.plan.iter().map(key_of) {
            if let Some(list) = self.lists.get_mut(&key) {
                list.retain(|element| element.writer != running.number);
            }
        }
        self.locks.retain(|_, number| *number != running.number);
        running.state = State::Aborted;
    }

    /// Tells the client, or does not.
    fn answer(&mut self, client: usize, running: Running) {
        if self.random.random_bool(0.1) {
            return self.give_up(client, running.number);
        }
        let transaction = &mut self.history[running.number];
        transaction.completed = Some(Duration::from_micros(self.now));
        if running.state == State::Applied {
            transaction.outcome = TransactionOutcome::Committed;
            transaction.ops = running.done;
        } else {
            transaction.outcome = TransactionOutcome::Aborted;
        }
    }

    /// The client never learns what came of its transaction, and goes on as another process.
    fn give_up(&mut self, client: usize, number: usize) {
        let is_told = self.random.random_bool(0.5);
        self.history[number].completed = is_told.then(|| Duration::from_micros(self.now));
        self.processes[client] = self.next_process;
        self.next_process += 1;
    }
}

fn key_of(op: &Op<List>) -> i64 {
    match op {
        Op::Write { key, .. } | Op::Read { key, .. } => *key,
    }
}

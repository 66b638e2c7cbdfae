//! A world of typed values: replicas on virtual time, over the [reference store](replica::store::memory), under faults.
//!
//! A run has faults first: whatever happens, no promise may be broken. Then all faults end, and the cluster must agree
//! within a bound, and fall silent.

mod answers;
mod counting;
mod exact;
mod faults;
mod imports;
mod judge;
pub(crate) mod ledger;
mod many;
pub(crate) mod messages;
mod notes;
mod operators;
mod past;
pub(crate) mod plan;
pub(crate) mod process;
pub(crate) mod records;
mod requests;
mod running;
mod sabotage;
pub(crate) mod storage;
mod waits;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use replica::{Change, Input, Request, RowDelta};

use ledger::{Checked, Ledger, View, name};
pub(crate) use many::{run_all, tell, wanted};
use messages::{AsTheyAre, Sent, Wire};
use past::{Past, resets};
pub(crate) use plan::Plan;
use plan::{Fault, Kind, Waits, ms};
use process::{Phase, Process};
use records::Records;
pub(crate) use sabotage::Sabotage;
use storage::{Asked, Reference, Storage};

/// How long a client waits for its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

#[derive(Clone, Debug)]
enum Event {
    Fault(Fault),
    Ask(usize, Request),
    Wait(Waits),
    /// The process's wake-up of that number.
    Wake(usize, u64),
    /// The process runs again, or for a moment.
    Resume(usize),
    Message {
        from: usize,
        to: usize,
        message: Sent,
    },
    /// The process says hello.
    Hello(usize),
    Told(usize, Input),
    /// The process is given the list of nodes, as it is by then.
    HearsList(usize),
    /// An operator asks that this node is forgotten.
    Forget(usize),
    Store(Asked),
}

/// What a run has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) acknowledged: usize,
    /// How many of those are resets, batches, and totals of sources.
    pub(crate) resets: usize,
    pub(crate) batches: usize,
    pub(crate) reports: usize,
    /// How many tell values, have a note, and are batches with a reset; and how many imports.
    pub(crate) tells: usize,
    pub(crate) notes: usize,
    pub(crate) batches_with_resets: usize,
    pub(crate) imports: usize,
    /// How many clients have waited for versions, or all nodes, and were told that it is so; and how many peers others were told of.
    pub(crate) reached: usize,
    pub(crate) held: usize,
    /// How many counters the largest row has.
    pub(crate) widest: u32,
    pub(crate) excused: usize,
    /// How many of the excused adds are lost because a record went back.
    pub(crate) went_back: usize,
    pub(crate) processes: usize,
    pub(crate) events: u64,
    /// How many times records went back, the list has changed, and nodes were forgotten.
    pub(crate) backs: usize,
    pub(crate) lists: usize,
    pub(crate) forgets: usize,
    /// How long the nodes took to agree once all faults had ended.
    pub(crate) agreed_after: Duration,
}

pub(crate) struct World {
    plan: Plan,
    sabotage: Sabotage,
    rng: SmallRng,
    now: Duration,
    queue: BTreeMap<(Duration, u64), Event>,
    events: u64,
    processes: Vec<Process>,
    records: Records,
    storage: Box<dyn Storage>,
    wire: Box<dyn Wire>,
    ledger: Ledger,
    past: Past,
    /// All that was exported.
    exports: Vec<Vec<RowDelta>>,
    /// Nodes hear only those of their own side.
    sides: Option<Vec<bool>>,
    /// Which nodes are on the list.
    listed: Vec<bool>,
    /// How many times each node was forgotten.
    seals: Vec<u64>,
    is_healed: bool,
    /// Since then nothing has happened to the cluster.
    calm_since: Duration,
    /// Nothing may be sent any more.
    is_quiet: bool,
    is_loud: bool,
    seen: Seen,
}

/// Runs a cluster to its end, and says which promise was broken, if any. `is_loud` prints what happens.
pub(crate) fn run(plan: Plan, sabotage: Sabotage, is_loud: bool) -> Result<Seen, String> {
    run_on(plan, (Box::new(Reference::new(sabotage)), Box::new(AsTheyAre)), sabotage, is_loud)
}

/// The same over this store, and with messages of this kind.
pub(crate) fn run_on(
    plan: Plan,
    ground: (Box<dyn Storage>, Box<dyn Wire>),
    sabotage: Sabotage,
    is_loud: bool,
) -> Result<Seen, String> {
    World::new(plan, ground, sabotage, is_loud).run()
}

impl World {
    fn new(
        plan: Plan,
        (storage, wire): (Box<dyn Storage>, Box<dyn Wire>),
        sabotage: Sabotage,
        is_loud: bool,
    ) -> Self {
        let mut world = Self {
            sabotage,
            rng: SmallRng::seed_from_u64(!plan.seed),
            now: Duration::ZERO,
            queue: BTreeMap::new(),
            events: 0,
            processes: Vec::new(),
            records: Records::new(&plan),
            storage,
            wire,
            ledger: Ledger::new(plan.nodes),
            past: Past::default(),
            exports: Vec::new(),
            sides: None,
            listed: (0..plan.nodes).map(|node| !plan.unlisted_at_first.contains(&node)).collect(),
            seals: vec![0; plan.nodes],
            is_healed: false,
            calm_since: Duration::ZERO,
            is_quiet: false,
            is_loud,
            seen: Seen::default(),
            plan,
        };
        for (at, fault) in world.plan.faults.clone() {
            world.schedule(at, Event::Fault(fault));
        }
        for (at, node, ask) in world.plan.asks.clone() {
            world.schedule(at, Event::Ask(node, ask));
        }
        for (at, waits) in world.plan.waits.clone() {
            world.schedule(at, Event::Wait(waits));
        }
        world
    }

    fn run(mut self) -> Result<Seen, String> {
        self.run_until(self.plan.heal_at)?;
        self.heal()?;
        self.calm_since = self.now;
        let mut agreed_at = None;
        while self.now < self.calm_since + self.agree_within() {
            self.run_until(self.now + ms(10))?;
            let agrees = self.agrees();
            agreed_at = if agrees { agreed_at.or(Some(self.now)) } else { None };
        }
        let Some(agreed_at) = agreed_at else {
            return Err(format!(
                "the nodes do not agree {:?} after all faults have ended",
                self.agree_within()
            ));
        };
        self.judge()?;
        self.forget_unlisted()?;
        self.run_until(self.now + ANSWER_WITHIN + ms(1000))?;
        self.is_quiet = true;
        self.run_until(self.now + ms(3000))?;
        if self.processes.iter().any(|process| process.is_there() && !process.open.is_empty()) {
            return Err("a client was never answered".into());
        }
        self.are_forgotten()?;
        Ok(Seen {
            acknowledged: self.ledger.acknowledged(|_| true),
            resets: self.ledger.acknowledged(|change| matches!(change, Change::Reset(_))),
            batches: self.ledger.acknowledged(|change| matches!(change, Change::Batch(_))),
            reports: self.ledger.acknowledged(|change| matches!(change, Change::Report { .. })),
            tells: self.ledger.count_acknowledged(ledger::Asked::tells),
            notes: self.ledger.count_acknowledged(|asked| asked.note().is_some()),
            batches_with_resets: self
                .ledger
                .acknowledged(|change| matches!(change, Change::Batch(_)) && resets(change).next().is_some()),
            imports: self.ledger.count_acknowledged(|asked| asked.imports().is_some()),
            reached: self.ledger.reached,
            held: self.ledger.held,
            widest: self.widest(),
            excused: self.ledger.excused,
            went_back: self.ledger.went_back,
            processes: self.processes.len(),
            events: self.events,
            agreed_after: agreed_at.saturating_sub(self.calm_since),
            ..self.seen
        })
    }

    /// Judges all that the cluster now holds.
    fn judge(&mut self) -> Checked {
        let listed: Vec<usize> = self.listed_nodes().collect();
        for node in &listed {
            self.ask(*node, &Request::Read(self.plan.names[0].clone()))?;
            if self.running(*node).is_empty() {
                return Err(format!("no process of {} runs, and nothing has ended it", name(*node)));
            }
        }
        self.check_all()?;
        let held = self.running(listed[0]).first().map(|at| self.processes[*at].replica.state().clone());
        let (ledger, view) = self.ledger_and_view();
        ledger.judge(&held.unwrap_or_default(), &view)
    }

    /// The ledger, and what it judges by.
    fn ledger_and_view(&mut self) -> (&mut Ledger, View<'_>) {
        let Self { ledger, plan, records, processes, past, now, .. } = self;
        (ledger, View { now: *now, plan, store: records, processes, past })
    }

    /// How soon the nodes agree: GUARANTEES.md, promise 11. A process that has just started, or was refused by the store,
    /// shows its counts up to a second later, once they are stored. The records of nodes that are off the list are read
    /// every four seconds, and a node that returns is heard at its second frame.
    fn agree_within(&self) -> Duration {
        let others = u32::try_from(self.plan.nodes - 1).unwrap();
        let rounds = self.plan.config.gossip_interval.mul_f64(2.5) * others;
        let trips = 2 * self.plan.frame_delay + 8 * self.plan.store_delay + self.storage.slack();
        let changes = if self.plan.has(Kind::Rosters) || self.plan.has(Kind::Forgets) {
            ms(6000) + trips
        } else {
            Duration::ZERO
        };
        ms(1250) + rounds + trips + ms(1000) + changes + self.parts_within()
    }

    /// How long it takes to tell rows that are too long for a frame. They travel one after the other, in parts of an item at least,
    /// and a part is sent once the one before is confirmed. Some go on from node to node.
    fn parts_within(&self) -> Duration {
        let parts = u32::try_from(self.past.items_longer_than(self.plan.config.max_frame)).unwrap();
        2 * parts * (self.plan.config.gossip_interval.mul_f64(1.25) + 2 * self.plan.frame_delay)
    }

    fn agrees(&self) -> bool {
        let there = self.processes.iter().filter(|process| process.is_there());
        let mut shown = there.map(|process| &process.counting.shown);
        let first = shown.next();
        shown.all(|shown| Some(shown) == first)
    }

    /// How many counters the largest row has.
    fn widest(&self) -> u32 {
        let there = self.processes.iter().filter(|process| process.is_there());
        let states = there.map(|process| process.replica.state());
        let slots =
            states.flat_map(|rows| rows.versions().counter().keys().map(|replica| rows.slots(replica)));
        slots.max().unwrap_or_default()
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.events += 1;
        self.queue.insert((at.max(self.now), self.events), event);
    }

    fn run_until(&mut self, end: Duration) -> Checked {
        loop {
            let next = self.queue.first_key_value().map(|((at, _), _)| *at);
            if let Some(due) = self.storage.due().filter(|due| *due <= end.min(next.unwrap_or(end))) {
                self.now = due.max(self.now);
                self.advance_store()?;
                continue;
            }
            let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) else { break };
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            if self.is_loud && !matches!(event, Event::Wake(..)) {
                println!("{:>8.3} {event:?}", at.as_secs_f64() * 1000.0);
            }
            self.happen(event)?;
        }
        self.now = end;
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Checked {
        match event {
            Event::Fault(fault) => self.fault(fault),
            Event::Ask(node, request) => self.ask(node, &request),
            Event::Wait(waits) => self.wait(waits),
            Event::Wake(process, number) => {
                let is_due = self.processes[process].wake == number;
                if is_due && self.processes[process].phase == Phase::Runs {
                    self.go_on(process)
                } else {
                    Ok(())
                }
            }
            Event::Resume(process) => self.resume(process),
            Event::Message { from, to, message } => self.deliver(from, to, message),
            Event::Hello(process) => {
                self.say_hello(process);
                Ok(())
            }
            Event::Told(process, input) => self.tell(process, input),
            Event::HearsList(process) => self.tell(process, Input::Roster(self.list())),
            Event::Forget(node) => self.ask_to_forget(node),
            Event::Store(request) => self.ask_store(request),
        }
    }

    /// The processes of this node that are there.
    fn running(&self, node: usize) -> Vec<usize> {
        let there = |(_, process): &(usize, &Process)| process.node == node && process.is_there();
        self.processes.iter().enumerate().filter(there).map(|(at, _)| at).collect()
    }

    fn one_of(&mut self, node: usize) -> Option<usize> {
        let running = self.running(node);
        if running.is_empty() { None } else { Some(running[self.rng.random_range(0..running.len())]) }
    }

    fn ask(&mut self, node: usize, request: &Request) -> Checked {
        let Some(process) = self.one_of(node) else { return Ok(()) };
        let ticket = self.ledger.ask(process, node, request.clone());
        let answer_by = self.now + ANSWER_WITHIN;
        self.tell(process, Input::Client { ticket, answer_by, request: request.clone() })?;
        if self.sabotage == Sabotage::AcknowledgesAtOnce
            && matches!(request, Request::Change(Change::Add(..)))
        {
            return self.answered(process, ticket, &Ok(replica::Reply::Counted));
        }
        Ok(())
    }

    fn check_quiet(&self, what: &str) -> Checked {
        if self.is_quiet { Err(format!("the nodes agree and nobody adds, and {what}")) } else { Ok(()) }
    }

    fn note_calm(&mut self) {
        let trouble = self.storage.last_trouble(self.now);
        for process in &mut self.processes {
            process.note_calm(self.now, trouble);
        }
    }
}

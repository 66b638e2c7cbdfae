//! Zombies: a process runs on after its successor has started, under the same node's name.

use maelstrom_counter::config::{AckPolicy, Config};

use crate::cluster::{Cluster, Incarnation, Op, Violation};
use crate::pipes::Process;
use crate::script::Virtual;

/// How many steps of the two are chosen in every possible way. After that they take turns.
const CHOSEN: u32 = 12;

/// Two incarnations of one node at once, and their cluster.
struct Pair<L> {
    cluster: Cluster,
    processes: [L; 2],
    asked: Vec<i64>,
}

impl<L: Incarnation> Pair<L> {
    fn new(processes: [L; 2]) -> Result<Self, Violation> {
        let mut pair = Self { cluster: Cluster::with_rivals(), processes, asked: Vec::new() };
        for incarnation in 0..2 {
            pair.ask(incarnation, &[Op::Init]);
            while !pair.all_are_answered() {
                pair.step(incarnation)?;
            }
        }
        Ok(pair)
    }

    fn ask(&mut self, incarnation: usize, ops: &[Op]) {
        for op in ops {
            let (id, request) = self.cluster.ask(incarnation, *op);
            self.asked.push(id);
            self.processes[incarnation].tell(&request);
        }
    }

    /// Acts on one line of that incarnation. False if it writes nothing.
    fn step(&mut self, incarnation: usize) -> Result<bool, Violation> {
        let Some(message) = self.processes[incarnation].hear() else { return Ok(false) };
        let answers = self.cluster.act(incarnation, &message)?;
        self.processes[incarnation].tell_all(&answers);
        Ok(true)
    }

    fn all_are_answered(&self) -> bool {
        self.asked.iter().all(|id| self.cluster.is_answered(*id))
    }

    /// Checks that the record holds the adds of both, under a replica each.
    fn verify(&self) -> Result<(), Violation> {
        self.cluster.check_record()?;
        let record = self.cluster.store.record("n0");
        if record.values().filter(|count| **count > 0).count() != 2 {
            return Err(format!("not a replica each: {record:?}"));
        }
        let is_open = |fate| fate == &crate::cluster::Fate::Unknown;
        if self.cluster.adds.iter().any(is_open) { Err("an add is not acknowledged".into()) } else { Ok(()) }
    }
}

const EACH: [Op; 3] = [Op::Add, Op::Read, Op::Add];

/// Both add at once. Their lines are acted on in the order that the bits of `schedule` give.
fn both_add(schedule: u32, config: &Config) -> Result<(), Violation> {
    let mut pair = Pair::new([1, 2].map(|seed| Virtual::start(config.clone(), seed)))?;
    pair.ask(0, &EACH);
    pair.ask(1, &EACH);
    for step in 0..1000 {
        if pair.all_are_answered() {
            return pair.verify();
        }
        let incarnation = if step < CHOSEN { schedule >> step & 1 } else { step & 1 };
        pair.step(incarnation as usize)?;
    }
    Err("it does not come to an end".into())
}

#[test]
fn two_processes_at_once_share_the_record_in_every_order_of_their_messages() {
    for ack in [AckPolicy::Store, AckPolicy::Durable] {
        let config = Config { ack, ..Config::default() };
        for schedule in 0..1 << CHOSEN {
            both_add(schedule, &config).unwrap_or_else(|problem| panic!("{ack:?}, {schedule:b}: {problem}"));
        }
    }
}

/// The older one adds, the younger one recovers the stored adds, and both go on adding. Then each shows in a read all adds
/// that it has acknowledged itself.
#[test]
fn two_real_processes_at_once_share_the_record() {
    let mut pair = Pair::new([(); 2].map(|()| Process::start(&["--ack", "store"]))).unwrap();
    for incarnation in [0, 1, 0, 1, 1, 0] {
        pair.ask(incarnation, &EACH);
        pair.ask(1 - incarnation, &[Op::Add]);
        // A process with no open request may be silent. So the test waits only for one that has an open request.
        for asked in [incarnation, 1 - incarnation] {
            while !pair
                .asked
                .iter()
                .all(|id| pair.cluster.is_answered(*id) || !pair.cluster.is_for(asked, *id))
            {
                assert!(pair.step(asked).unwrap(), "the process has ended");
            }
        }
    }
    pair.verify().unwrap();
}

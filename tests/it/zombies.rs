//! Two processes under one id at once: one that should be gone goes on while its successor runs.

use maelstrom_counter::config::{AckPolicy, Config};

use crate::cluster::{Cluster, Life, Op, Violation};
use crate::pipes::Process;
use crate::script::Virtual;

/// How many steps of the two are chosen in every possible way; after that they take turns.
const CHOSEN: u32 = 12;

/// Two lives and the cluster that takes them for one node.
struct Pair<L> {
    cluster: Cluster,
    processes: [L; 2],
    asked: Vec<i64>,
}

impl<L: Life> Pair<L> {
    fn new(processes: [L; 2]) -> Result<Self, Violation> {
        let mut pair = Self { cluster: Cluster::with_rivals(), processes, asked: Vec::new() };
        for life in 0..2 {
            pair.ask(life, &[Op::Init]);
            while !pair.all_are_answered() {
                pair.step(life)?;
            }
        }
        Ok(pair)
    }

    fn ask(&mut self, life: usize, ops: &[Op]) {
        for op in ops {
            let (id, request) = self.cluster.ask(life, *op);
            self.asked.push(id);
            self.processes[life].tell(&request);
        }
    }

    /// One line of that life is taken; false if it says nothing.
    fn step(&mut self, life: usize) -> Result<bool, Violation> {
        let Some(message) = self.processes[life].hear() else { return Ok(false) };
        let answers = self.cluster.act(life, &message)?;
        self.processes[life].tell_all(&answers);
        Ok(true)
    }

    fn all_are_answered(&self) -> bool {
        self.asked.iter().all(|id| self.cluster.is_answered(*id))
    }

    /// Both have added: everything is in the one slot, and under an epoch each.
    fn verify(&self) -> Result<(), Violation> {
        self.cluster.check_slot()?;
        let slot = self.cluster.store.slot("n0");
        if slot.values().filter(|count| **count > 0).count() != 2 {
            return Err(format!("not an epoch each: {slot:?}"));
        }
        let is_open = |fate| fate == &crate::cluster::Fate::Unknown;
        if self.cluster.adds.iter().any(is_open) { Err("an add is not acknowledged".into()) } else { Ok(()) }
    }
}

const EACH: [Op; 3] = [Op::Add, Op::Read, Op::Add];

/// Both add at once, and are heard in the order that the bits of `schedule` tell.
fn both_add(schedule: u32, config: &Config) -> Result<(), Violation> {
    let mut pair = Pair::new([1, 2].map(|seed| Virtual::start(config.clone(), seed)))?;
    pair.ask(0, &EACH);
    pair.ask(1, &EACH);
    for step in 0..1000 {
        if pair.all_are_answered() {
            return pair.verify();
        }
        let life = if step < CHOSEN { schedule >> step & 1 } else { step & 1 };
        pair.step(life as usize)?;
    }
    Err("it does not come to an end".into())
}

#[test]
fn two_lives_at_once_share_the_slot_in_every_order_of_their_messages() {
    for ack in [AckPolicy::Store, AckPolicy::Durable] {
        let config = Config { ack, ..Config::default() };
        for schedule in 0..1 << CHOSEN {
            both_add(schedule, &config).unwrap_or_else(|problem| panic!("{ack:?}, {schedule:b}: {problem}"));
        }
    }
}

/// The older one adds, the younger one recovers what that has stored, both add on; then each shows in a read all that
/// it had acknowledged itself.
#[test]
fn two_real_processes_at_once_share_the_slot() {
    let mut pair = Pair::new([(); 2].map(|()| Process::start(&["--ack", "store"]))).unwrap();
    for life in [0, 1, 0, 1, 1, 0] {
        pair.ask(life, &EACH);
        pair.ask(1 - life, &[Op::Add]);
        // A life that has nobody waiting may have nothing to say: only the one that owes an answer is heard.
        for owing in [life, 1 - life] {
            while !pair
                .asked
                .iter()
                .all(|id| pair.cluster.is_answered(*id) || !pair.cluster.is_for(owing, *id))
            {
                assert!(pair.step(owing).unwrap(), "the process has ended");
            }
        }
    }
    pair.verify().unwrap();
}

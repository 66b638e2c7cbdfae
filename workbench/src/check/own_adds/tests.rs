//! Random runs of a right counter, and of one that forgets an add.

use std::time::Duration;

use rand::RngExt;

use super::*;
use crate::answer::Answer;
use crate::check::{Check, Violations, check_reads};
use crate::history::{Completion, Moment, Outcome};
use crate::plan::Plan;
use crate::seeds::{Random, Seeds};
use crate::workload::{Counter, Request};

const NODES: usize = 3;
const CLIENTS: usize = 4;
const STEPS: u64 = 150;

/// A process: what it holds of each incarnation that has counted.
#[derive(Clone, Default)]
struct Process {
    incarnation: u32,
    counts: BTreeMap<Incarnation, i64>,
}

/// A request on its way.
struct Open {
    number: usize,
    node: usize,
    /// The delta of an add.
    delta: Option<i64>,
    /// What the node answered, and in which incarnation.
    answer: Option<Answer>,
}

struct Run {
    history: History,
    nodes: Vec<Process>,
    open: Vec<Open>,
    random: Random,
    /// The add that is forgotten, counted from 1; 0 if none is.
    forgets: usize,
    adds: usize,
    forgotten: Option<usize>,
}

impl Run {
    fn new(seed: u64, forgets: usize) -> Self {
        let nodes = vec![Process { incarnation: 1, ..Process::default() }; NODES];
        let random = Seeds::new(seed).generator();
        Self {
            history: History::default(),
            nodes,
            open: Vec::new(),
            random,
            forgets,
            adds: 0,
            forgotten: None,
        }
    }

    fn go(mut self, crashes: bool) -> Self {
        for step in 0..STEPS {
            let (now, node) = (Duration::from_millis(step), self.random.random_range(0..NODES));
            match self.random.random_range(0..20) {
                0..7 if self.open.len() < CLIENTS => self.ask(now, node),
                7..12 => self.handle(),
                12..17 => self.end(now),
                17..19 => self.gossip(node),
                19 if crashes => self.crash(node),
                _ => {}
            }
        }
        self
    }

    fn ask(&mut self, now: Duration, node: usize) {
        let delta = self.random.random_bool(0.6).then(|| self.random.random_range(1..5));
        let request = delta.map_or_else(Request::read, Request::add);
        let incarnation = self.nodes[node].incarnation;
        let number = self.history.invoke(Operation {
            process: 0,
            worker: self.open.len(),
            node,
            incarnation,
            request,
            is_final: false,
            invoked: now,
            completion: None,
        });
        self.open.push(Open { number, node, delta, answer: None });
    }

    /// A node does what it was asked.
    fn handle(&mut self) {
        let place = self.random.random_range(0..CLIENTS);
        let Some(open) = self.open.get_mut(place).filter(|open| open.answer.is_none()) else { return };
        let process = &mut self.nodes[open.node];
        open.answer = Some(match open.delta {
            None => Answer::Integer(process.counts.values().sum()),
            Some(delta) => {
                self.adds += 1;
                if self.adds == self.forgets {
                    self.forgotten = Some(open.number);
                } else {
                    *process.counts.entry((open.node, process.incarnation)).or_default() += delta;
                }
                Answer::Done
            }
        });
    }

    /// A client gets its answer, or gives up.
    fn end(&mut self, now: Duration) {
        if self.open.is_empty() {
            return;
        }
        let open = self.open.swap_remove(self.random.random_range(0..self.open.len()));
        let outcome = open.answer.map_or(Outcome::Timeout, Outcome::Ok);
        let incarnation = self.nodes[open.node].incarnation;
        self.history.complete(open.number, Completion { at: now, incarnation, outcome });
    }

    fn gossip(&mut self, node: usize) {
        let counts = self.nodes[node].counts.clone();
        let other = self.random.random_range(0..NODES);
        for (replica, count) in counts {
            let known = self.nodes[other].counts.entry(replica).or_default();
            *known = count.max(*known);
        }
    }

    /// A crash loses what was held in memory, and perhaps nothing was stored. Answers on their way may still come.
    fn crash(&mut self, node: usize) {
        let is_stored: bool = self.random.random();
        let process = &mut self.nodes[node];
        process.incarnation += 1;
        if !is_stored {
            process.counts.clear();
        }
    }

    fn found(&self) -> Violations {
        let mut violations = Violations::default();
        check_reads(&self.history, &Plan::new(&Counter::G, 1), &mut violations);
        violations
    }

    /// The places at which the operation was asked for and ended, from 1.
    fn places(&self, number: usize) -> (usize, usize) {
        let place = |moment| 1 + self.history.moments().iter().position(|other| *other == moment).unwrap();
        (place(Moment::Invoked(number)), place(Moment::Completed(number)))
    }

    /// Each floor that a read is below, with the number of the read.
    fn floors(&self) -> Vec<(usize, Floor)> {
        let (mut own, mut found) = (OwnAdds::default(), Vec::new());
        for (place, moment) in (1..).zip(self.history.moments()) {
            match *moment {
                Moment::Invoked(number) => own.invoked(place, number, &self.history.operations()[number]),
                Moment::Completed(number) => {
                    let operation = &self.history.operations()[number];
                    if operation.request.is_read() {
                        let floor = own.read_ended((place, number), operation, operation.value());
                        found.extend(floor.map(|floor| (number, floor)));
                    } else {
                        let delta = operation.request.delta().filter(|_| operation.is_ok());
                        own.add_ended(number, operation, delta);
                    }
                }
                Moment::Nemesis(_) => {}
            }
        }
        found
    }
}

#[test]
fn a_right_counter_is_never_blamed() {
    let mut reads = 0;
    for seed in 0..2000 {
        let run = Run::new(seed, 0).go(seed % 2 == 0);
        assert!(run.found().counts().is_empty(), "seed {seed}: {:?}\n{:#?}", run.found(), run.history);
        reads += run.history.operations().iter().filter(|read| read.value().is_some()).count();
    }
    assert!(reads > 8_000, "{reads}");
}

/// The add that was forgotten lies between the two reads that are told.
#[test]
fn a_forgotten_add_is_placed_between_two_reads() {
    let mut told = 0;
    for seed in 0..1000 {
        let run = Run::new(seed, 5).go(false);
        let Some(forgotten) = run.forgotten.filter(|add| run.history.operations()[*add].is_ok()) else {
            continue;
        };
        let (asked, acknowledged) = run.places(forgotten);
        for (read, floor) in run.floors() {
            assert!(floor.since < asked && acknowledged < run.places(read).0, "seed {seed}: {floor:?}");
            assert!(floor.added > Floor::TOLD || floor.adds.contains(&forgotten), "seed {seed}: {floor:?}");
            told += 1;
        }
    }
    assert!(told > 100, "{told}");
}

#[test]
fn the_two_reads_and_the_adds_between_them_are_told() {
    let mut history = History::default();
    let mut run = |at, request, answer| {
        let at = Duration::from_millis(at);
        let number = history.invoke(Operation {
            process: 0,
            worker: 0,
            node: 1,
            incarnation: 1,
            request,
            is_final: false,
            invoked: at,
            completion: None,
        });
        history.complete(number, Completion { at, incarnation: 1, outcome: Outcome::Ok(answer) });
    };
    run(1000, Request::add(4), Answer::Done);
    run(1100, Request::read(), Answer::Integer(3));
    run(1200, Request::add(2), Answer::Done);
    run(1300, Request::read(), Answer::Integer(5));
    run(1400, Request::add(3), Answer::Done);
    run(1500, Request::add(1), Answer::Done);
    run(1600, Request::read(), Answer::Integer(6));
    run(1700, Request::read(), Answer::Integer(6));
    let mut found = Violations::default();
    check_reads(&history, &Plan::new(&Counter::G, 1), &mut found);
    let texts: Vec<_> = found.examples().iter().map(|found| (found.check, found.text.as_str())).collect();
    assert_eq!(
        texts,
        [
            (
                Check::OwnAdds,
                "n1 read 3, but 4 is the least that is right: since its start it has acknowledged add 4 at 1.000 s"
            ),
            (
                Check::OwnAdds,
                "n1 read 6, but 9 is the least that is right: at 1.300 s it had read 5, and since then it has acknowledged \
                 add 3 at 1.400 s, add 1 at 1.500 s"
            ),
        ]
    );
}

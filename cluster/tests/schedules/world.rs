//! One schedule of a scenario, step by step.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::judge::{Judge, Known};
use crate::planted::Mistake;
use crate::processes::{Process, Shared};
use crate::scenario::{Do, Runs, Scenario};
use crate::steps::{Bounds, Step};
use crate::stream::{Stream, Volatile, hash};

/// The processes and the servers at one moment.
pub(crate) struct World {
    scenario: Scenario,
    mistake: Mistake,
    shared: Shared,
    /// Those that are there no more are `None`.
    processes: Vec<Option<Process>>,
    left: Bounds,
    is_over: bool,
    surprises: BTreeSet<Rc<str>>,
    /// What the processes had heard in the end, and what was written.
    pub(crate) end: u64,
}

/// What is done in the end, where nothing goes wrong: by a process of the first node, and then by one of another node.
const LAST: &[&[Do]] = &[&[Do::Commit]];

impl World {
    pub(crate) fn new(scenario: &Scenario, mistake: Mistake, volatile: &Volatile, known: &Known) -> Self {
        let stream = Rc::new(RefCell::new(Stream::new(volatile.clone())));
        let mut world = Self {
            scenario: *scenario,
            mistake,
            shared: Shared { stream, judge: Rc::new(RefCell::new(Judge::new(known.clone()))) },
            processes: Vec::new(),
            left: scenario.bounds,
            is_over: false,
            surprises: BTreeSet::new(),
            end: 0,
        };
        world.shared.judge.borrow_mut().is_calm = true;
        for runs in scenario.past {
            world.begin(runs);
            world.run_to_the_end();
        }
        for runs in scenario.runs {
            world.begin(runs);
        }
        world
    }

    fn begin(&mut self, runs: &Runs) {
        let id = self.processes.len();
        let process = Process::begin(&self.shared, id, runs, self.scenario.most, self.mistake);
        self.processes.push(Some(process));
    }

    /// The rule that was broken first.
    pub(crate) fn problem(&self) -> Option<String> {
        self.shared.judge.borrow().problem().cloned()
    }

    /// The subjects whose messages were replaced though that was not known.
    pub(crate) fn surprises(&self) -> BTreeSet<Rc<str>> {
        self.surprises.clone()
    }

    /// What was met in this schedule.
    pub(crate) fn met(&self) -> BTreeSet<&'static str> {
        self.shared.judge.borrow().met() | self.shared.stream.borrow().met()
    }

    /// Two states with the same fingerprint have the same future.
    pub(crate) fn fingerprint(&self) -> u64 {
        let (stream, judge) = (self.shared.stream.borrow(), self.shared.judge.borrow());
        hash((stream.fingerprint(), judge.fingerprint(), self.left, self.is_over))
    }

    /// What may happen next, the usual first. Nothing, once the schedule is over.
    pub(crate) fn steps(&self) -> Vec<Step> {
        if self.is_over {
            return Vec::new();
        }
        let stream = self.shared.stream.borrow();
        let mut steps = stream.steps();
        if stream.is_quiet() {
            steps.insert(0, Step::End);
        }
        let runs = |process: &Option<Process>| process.as_ref().is_some_and(|process| !process.is_done());
        let ids = (0..self.processes.len()).filter(|id| runs(&self.processes[*id]));
        steps.extend(ids.map(Step::Kill));
        steps.retain(|step| self.left.after(*step).is_some());
        steps
    }

    pub(crate) fn perform(&mut self, step: Step) {
        let left = self.left.after(step).expect("a step is chosen among those that are possible");
        if (left.faults, left.kills) != (self.left.faults, self.left.kills) {
            self.shared.judge.borrow_mut().is_calm = false;
        }
        self.left = left;
        let hears = self.shared.stream.borrow_mut().perform(step);
        {
            let (stream, mut judge) = (self.shared.stream.borrow(), self.shared.judge.borrow_mut());
            let seen = judge.seen();
            judge.see(stream.committed_since(seen));
        }
        if let Some(process) = hears.and_then(|id| self.processes[id].as_mut()) {
            process.go_on();
        }
        match step {
            Step::Kill(id) => self.processes[id] = None,
            Step::End => self.end(),
            _ => {}
        }
    }

    /// All is well again: a process can open the record and commit, and others see that.
    fn end(&mut self) {
        self.is_over = true;
        self.surprises = self.shared.stream.borrow().surprises();
        self.end = self.shared.stream.borrow().fingerprint();
        self.shared.judge.borrow_mut().is_calm = true;
        let first = self.scenario.runs[0];
        self.begin(&Runs { does: LAST, ..first });
        self.run_to_the_end();
        self.begin(&Runs { node: "other", does: self.scenario.looks, snapshots_every: usize::MAX });
        self.run_to_the_end();
    }

    /// Goes on as usual, until nobody waits for anything.
    fn run_to_the_end(&mut self) {
        while self.problem().is_none() {
            let step = self.shared.stream.borrow().steps().first().copied();
            match step {
                Some(Step::DoLate(_)) | None => return,
                Some(step) => self.perform(step),
            }
        }
    }
}

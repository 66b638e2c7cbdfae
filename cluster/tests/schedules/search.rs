//! The search: every schedule of a scenario, by going back to the last choice and making another one.
//!
//! Each schedule is run from the start. That is stateless model checking, as VeriSoft does it (P. Godefroid, "Model checking for programming
//! languages using VeriSoft", POPL 1997), and loom. Schedules with few unusual steps come first (M. Musuvathi, S. Qadeer, "Iterative context
//! bounding for systematic testing of multithreaded programs", PLDI 2007): so a counterexample has no fault that it does not need.
//!
//! A schedule ends early where it comes to a state that was seen before. A state is known by its fingerprint, for a future can't be looked
//! into: what each process has heard, what the servers have, and what the judge remembers. Two states have one by chance with a
//! probability of n²/2⁶⁵ for n states.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::judge::Known;
use crate::planted::Mistake;
use crate::scenario::Scenario;
use crate::steps::{Bounds, Step};
use crate::stream::Volatile;
use crate::world::World;

/// What a search has found.
#[derive(Debug, Default)]
pub(crate) struct Searched {
    /// Whether there are no more schedules.
    pub(crate) is_whole: bool,
    /// How many states there are.
    pub(crate) states: usize,
    /// How many schedules were begun.
    pub(crate) runs: usize,
    /// How many schedules there are.
    pub(crate) schedules: u128,
    /// The most steps of one.
    pub(crate) depth: usize,
    pub(crate) met: BTreeSet<&'static str>,
    /// What processes had heard when a schedule had come to its end, and what was written.
    pub(crate) ends: BTreeSet<u64>,
}

/// A schedule that breaks a rule.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) rule: String,
    pub(crate) steps: Vec<Step>,
}

/// A state on the way of the schedule.
struct Choice {
    state: u64,
    /// What was not tried yet.
    untried: Vec<Step>,
    /// How many schedules go on from here, as far as is known.
    schedules: u128,
}

struct Search<'a> {
    scenario: &'a Scenario,
    mistake: Mistake,
    volatile: Volatile,
    known: Known,
    surprises: BTreeSet<Rc<str>>,
    seen: BTreeMap<u64, u128>,
    choices: Vec<Choice>,
    path: Vec<Step>,
    found: Searched,
}

/// Searches all schedules, or some if more would have to be begun than `most`.
pub(crate) fn search(scenario: &Scenario, mistake: Mistake, most: usize) -> Result<Searched, Broken> {
    let mut volatile = BTreeSet::new();
    loop {
        let mut search = Search::new(scenario, mistake, Some(Rc::new(volatile.clone())));
        search.all(most)?;
        if search.surprises.is_empty() {
            return Ok(search.found);
        }
        volatile.append(&mut search.surprises);
    }
}

/// The same, and no step goes before others.
pub(crate) fn search_plainly(scenario: &Scenario, most: usize) -> Result<Searched, Broken> {
    let mut search = Search::new(scenario, Mistake::None, None);
    search.all(most)?;
    Ok(search.found)
}

/// The same, with few faults first.
pub(crate) fn search_deeper(scenario: &Scenario, mistake: Mistake, most: usize) -> Result<Searched, Broken> {
    let with = |faults| Scenario { bounds: Bounds { faults, ..scenario.bounds }, ..*scenario };
    (0..scenario.bounds.faults).try_for_each(|faults| search(&with(faults), mistake, most).map(drop))?;
    search(scenario, mistake, most)
}

impl<'a> Search<'a> {
    fn new(scenario: &'a Scenario, mistake: Mistake, volatile: Volatile) -> Self {
        Self {
            scenario,
            mistake,
            volatile,
            known: Known::default(),
            surprises: BTreeSet::new(),
            seen: BTreeMap::new(),
            choices: Vec::new(),
            path: Vec::new(),
            found: Searched::default(),
        }
    }

    fn all(&mut self, most: usize) -> Result<(), Broken> {
        loop {
            self.run()?;
            self.found.runs += 1;
            let has_more = self.go_back();
            self.found.is_whole = !has_more;
            if !self.surprises.is_empty() || !has_more || self.found.runs >= most {
                self.found.states = self.seen.len();
                return Ok(());
            }
        }
    }

    /// Runs the schedule that was chosen, and goes on from there as usual.
    fn run(&mut self) -> Result<(), Broken> {
        let mut world = World::new(self.scenario, self.mistake, &self.volatile, &self.known);
        self.path.iter().for_each(|step| world.perform(*step));
        loop {
            if let Some(rule) = world.problem() {
                return Err(Broken { rule, steps: std::mem::take(&mut self.path) });
            }
            let state = world.fingerprint();
            if let Some(schedules) = self.seen.get(&state) {
                let schedules = *schedules;
                self.found.met.append(&mut world.met());
                self.count(schedules);
                return Ok(());
            }
            let mut untried = world.steps();
            let Some(step) = (!untried.is_empty()).then(|| untried.remove(0)) else {
                self.found.met.append(&mut world.met());
                self.surprises.append(&mut world.surprises());
                self.found.depth = self.found.depth.max(self.path.len());
                self.found.ends.insert(world.end);
                self.seen.insert(state, 1);
                self.count(1);
                return Ok(());
            };
            untried.reverse();
            self.choices.push(Choice { state, untried, schedules: 0 });
            self.path.push(step);
            world.perform(step);
        }
    }

    /// So many schedules go on from the last choice, as it was made.
    fn count(&mut self, schedules: u128) {
        match self.choices.last_mut() {
            Some(choice) => choice.schedules = choice.schedules.saturating_add(schedules),
            None => self.found.schedules = schedules,
        }
    }

    /// Makes the next choice that was not made. False if there is none.
    fn go_back(&mut self) -> bool {
        while let Some(choice) = self.choices.last_mut() {
            self.path.pop();
            if let Some(step) = choice.untried.pop() {
                self.path.push(step);
                return true;
            }
            let Choice { state, schedules, .. } = self.choices.pop().expect("it is the last");
            self.seen.insert(state, schedules);
            self.count(schedules);
        }
        false
    }
}

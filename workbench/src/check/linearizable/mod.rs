//! Checks that the answers are linearizable: those of a key-value store that does one thing after the other.
//!
//! The search is that of Wing and Gong with Lowe's memory, from the crate `todc-utils`. It takes each key by itself. An
//! operation that may have been done has no end: it may take effect at any later time. Taking effect after everything else
//! stands for no effect.

mod reduce;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History as Search};
use todc_utils::specifications::Specification;

use super::{Check, Violations};
use crate::answer::Answer;
use crate::history::{History, Moment, Operation, Outcome};
use crate::workload::{Doing, OfKey};

/// Steps of the search for one key. With the 20 operations that a key gets hundreds are usual.
const MAX_STEPS: u64 = 200_000;

/// Judges the answers about each key.
pub(crate) fn check_linearizable(history: &History, violations: &mut Violations) {
    let mut budget = reduce::SEARCHES;
    for (key, moments) in by_key(history) {
        match is_linearizable(history, &moments, &BTreeSet::new()) {
            Some(true) => {}
            Some(false) => {
                let moments = until_first_wrong(history, &moments);
                let core = reduce::reduce(history, moments, &mut budget);
                violations.record(Check::Linearizable, core.at(history), core.tell(history, key));
            }
            None => {
                let text = format!("key {key}: unknown, the search was broken off after {MAX_STEPS} steps");
                violations.record(Check::Undecided, None, text);
            }
        }
    }
}

/// The moments of each key, in order.
fn by_key(history: &History) -> BTreeMap<u64, Vec<Moment>> {
    let mut keys: BTreeMap<u64, Vec<Moment>> = BTreeMap::new();
    for moment in history.moments() {
        let (Moment::Invoked(number) | Moment::Completed(number)) = *moment else { continue };
        let asked = history.operations().get(number).and_then(|operation| operation.request.get::<OfKey>());
        if let Some(OfKey { key, .. }) = asked {
            keys.entry(*key).or_default().push(*moment);
        }
    }
    keys
}

/// The moments until the first answer that fits no order of the operations before it.
fn until_first_wrong<'a>(history: &History, moments: &'a [Moment]) -> &'a [Moment] {
    let mut beginnings = (1..=moments.len()).filter_map(|end| moments.get(..end));
    beginnings
        .find(|moments| is_linearizable(history, moments, &BTreeSet::new()) == Some(false))
        .unwrap_or(moments)
}

/// `None` if the search would take too long. Of those that are loose it only counts when they were asked for: they may take effect at any
/// later time, or never.
fn is_linearizable(history: &History, moments: &[Moment], loose: &BTreeSet<usize>) -> Option<bool> {
    let actions = actions(history, moments, loose);
    if actions.is_empty() {
        return Some(true);
    }
    STEPS.set(MAX_STEPS);
    let fits = WGLChecker::<Register>::is_linearizable(Search::from_actions(actions));
    (fits || STEPS.get() > 0).then_some(fits)
}

fn actions(history: &History, moments: &[Moment], loose: &BTreeSet<usize>) -> Vec<(usize, Action<Step>)> {
    let completed = moments.iter().filter_map(completed).filter(|number| !loose.contains(number));
    let completed: BTreeSet<usize> = completed.collect();
    let step = |number: usize| step(history.operations().get(number)?, completed.contains(&number));
    let mut open = BTreeMap::new();
    let mut actions = Vec::new();
    for moment in moments {
        match *moment {
            Moment::Invoked(number) => {
                if let Some(step) = step(number) {
                    open.insert(number, step);
                    actions.push((number, Action::Call(step)));
                }
            }
            Moment::Completed(number) => {
                if let Some(step) = open.get(&number).copied().filter(|step| step.is_certain) {
                    open.remove(&number);
                    actions.push((number, Action::Response(step)));
                }
            }
            Moment::Nemesis(_) => {}
        }
    }
    actions.extend(open.into_iter().map(|(number, step)| (number, Action::Response(step))));
    actions
}

fn completed(moment: &Moment) -> Option<usize> {
    match *moment {
        Moment::Completed(number) => Some(number),
        Moment::Invoked(_) | Moment::Nemesis(_) => None,
    }
}

/// What an operation did, or may have done. `None` if it says nothing about the register.
fn step(operation: &Operation, is_completed: bool) -> Option<Step> {
    let outcome = operation.outcome().filter(|_| is_completed);
    let is_certain = matches!(outcome, Some(Outcome::Ok(_)));
    if matches!(outcome, Some(Outcome::Refused { definite: true, .. })) {
        return None;
    }
    let effect = match (operation.request.get::<OfKey>()?.does, outcome) {
        (Doing::Read, Some(Outcome::Ok(Answer::Json(value)))) => Effect::Read(value.as_i64()),
        (Doing::Read, _) => return None,
        (Doing::Write(value), _) => Effect::Write(value),
        (Doing::Cas { from, to }, _) => Effect::Cas { from, to },
    };
    Some(Step { effect, is_certain })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    effect: Effect,
    is_certain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// `None` stands for a value that no client ever writes.
    Read(Option<i64>),
    Write(i64),
    Cas {
        from: i64,
        to: i64,
    },
}

std::thread_local! {
    /// The steps that are left to the search that runs on this thread. It can't be broken off, but once no step is good any
    /// more it comes to its end.
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// The value of one key, if it has one.
struct Register;

impl Specification for Register {
    type State = Option<i64>;
    type Operation = Step;

    fn init() -> Self::State {
        None
    }

    fn apply(step: &Step, state: &Self::State) -> (bool, Self::State) {
        let left = STEPS.get();
        STEPS.set(left.saturating_sub(1));
        let (fits, next) = match step.effect {
            Effect::Read(value) => (value.is_some() && value == *state, *state),
            Effect::Write(value) => (true, Some(value)),
            Effect::Cas { from, to } if *state == Some(from) => (true, Some(to)),
            Effect::Cas { .. } => (!step.is_certain, *state),
        };
        (fits && left > 0, next)
    }
}

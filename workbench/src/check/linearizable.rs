//! Checks that the answers are linearizable: those of a key-value store that does one thing after the other.
//!
//! The search is that of Wing and Gong with Lowe's memory, from the crate `todc-utils`. It takes each key by itself. An
//! operation that may have been done has no end: it may take effect at any later time. Taking effect after everything else
//! stands for no effect.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History as Search};
use todc_utils::specifications::Specification;

use super::{Check, Violations};
use crate::answer::Answer;
use crate::envelope::short;
use crate::history::{History, Moment, Operation, Outcome};
use crate::workload::{Doing, OfKey};

/// Steps of the search for one key. With the 20 operations that a key gets hundreds are usual.
const MAX_STEPS: u64 = 200_000;

/// Judges the answers about each key.
pub(crate) fn check_linearizable(history: &History, violations: &mut Violations) {
    for (key, moments) in by_key(history) {
        match is_linearizable(history, &moments) {
            Some(true) => {}
            Some(false) => record_first(history, key, &moments, violations),
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

/// Reports the first answer that fits no order of the operations before it.
fn record_first(history: &History, key: u64, moments: &[Moment], violations: &mut Violations) {
    let is_wrong =
        |end: &usize| is_linearizable(history, moments.get(..*end).unwrap_or(moments)) == Some(false);
    let end = (1..=moments.len()).find(is_wrong).unwrap_or(moments.len());
    let last = end.checked_sub(1).and_then(|last| moments.get(last));
    let Some(Moment::Completed(number) | Moment::Invoked(number)) = last else { return };
    let Some(operation) = history.operations().get(*number) else { return };
    let (node, request) = (operation.node, &operation.request);
    let answer = match operation.answer() {
        Some(Answer::Json(value)) => format!(" {}", short(value.as_str())),
        _ => " ok".to_owned(),
    };
    let (asked, argument) = (request.name(), request.argument());
    let text =
        format!("key {key}: n{node} answered {asked} {argument} with{answer}, which fits no order of things");
    violations.record(Check::Linearizable, operation.ended(), text);
}

/// `None` if the search would take too long.
fn is_linearizable(history: &History, moments: &[Moment]) -> Option<bool> {
    let actions = actions(history, moments);
    if actions.is_empty() {
        return Some(true);
    }
    STEPS.set(MAX_STEPS);
    let fits = WGLChecker::<Register>::is_linearizable(Search::from_actions(actions));
    (fits || STEPS.get() > 0).then_some(fits)
}

fn actions(history: &History, moments: &[Moment]) -> Vec<(usize, Action<Step>)> {
    let completed: BTreeSet<usize> = moments.iter().filter_map(completed).collect();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::RngExt;

    use super::*;
    use crate::history::Completion;
    use crate::json::Json;
    use crate::seeds::{Random, Seeds};
    use crate::workload::Request;

    const READ: Doing = Doing::Read;

    fn write(value: i64) -> Doing {
        Doing::Write(value)
    }

    fn cas(from: i64, to: i64) -> Doing {
        Doing::Cas { from, to }
    }

    #[derive(Default)]
    struct Script(History);

    impl Script {
        fn invoke(&mut self, does: Doing) -> usize {
            self.0.invoke(Operation {
                process: 0,
                worker: 0,
                node: 0,
                incarnation: 1,
                request: Request::new(OfKey { key: 0, does }),
                is_final: false,
                invoked: Duration::ZERO,
                completion: None,
            })
        }

        fn complete(&mut self, number: usize, outcome: Outcome) {
            self.0.complete(number, Completion { at: Duration::ZERO, incarnation: 1, outcome });
        }

        fn run(&mut self, does: Doing, outcome: Outcome) {
            let number = self.invoke(does);
            self.complete(number, outcome);
        }

        fn verdict(&self) -> Vec<Check> {
            let mut violations = Violations::default();
            check_linearizable(&self.0, &mut violations);
            violations.counts().keys().copied().collect()
        }
    }

    fn read(value: i64) -> Outcome {
        Outcome::Ok(Answer::Json(Json::canonical(value.to_string())))
    }

    fn done() -> Outcome {
        Outcome::Ok(Answer::Done)
    }

    fn refused(code: i64, definite: bool) -> Outcome {
        Outcome::Refused { code, definite, text: String::new() }
    }

    #[test]
    fn operations_one_after_the_other_are_linearizable() {
        let mut script = Script::default();
        script.run(READ, refused(20, true));
        script.run(write(3), done());
        script.run(READ, read(3));
        script.run(cas(3, 4), done());
        script.run(cas(3, 5), refused(22, true));
        script.run(READ, read(4));
        assert_eq!(script.verdict(), []);
    }

    #[test]
    fn stale_and_invented_reads_and_a_wrong_cas_are_not() {
        for (request, outcome) in [(READ, read(3)), (READ, read(7)), (cas(3, 5), done())] {
            let mut script = Script::default();
            script.run(write(3), done());
            script.run(write(4), done());
            script.run(request, outcome);
            assert_eq!(script.verdict(), [Check::Linearizable], "{request:?}");
        }
        let mut script = Script::default();
        script.run(write(3), done());
        script.run(READ, Outcome::Ok(Answer::Json(Json::string("3"))));
        assert_eq!(script.verdict(), [Check::Linearizable]);
    }

    #[test]
    fn an_operation_without_an_answer_happens_later_or_never_but_not_twice() {
        for outcome in [Outcome::Timeout, refused(13, false)] {
            let mut script = Script::default();
            script.run(write(1), done());
            script.run(cas(1, 2), outcome);
            script.run(READ, read(1));
            assert_eq!(script.verdict(), [], "not yet, or never");
            script.run(READ, read(2));
            assert_eq!(script.verdict(), [], "later");
            script.run(write(1), done());
            script.run(READ, read(2));
            assert_eq!(script.verdict(), [Check::Linearizable], "twice");
        }
    }

    #[test]
    fn an_operation_with_a_definite_error_did_not_happen() {
        let mut script = Script::default();
        script.run(write(1), done());
        script.run(write(2), refused(11, true));
        script.run(READ, read(2));
        assert_eq!(script.verdict(), [Check::Linearizable]);
    }

    #[test]
    fn the_answer_that_fits_no_order_is_told() {
        let mut script = Script::default();
        script.run(write(3), done());
        script.run(write(4), done());
        script.run(READ, read(3));
        script.run(READ, read(4));
        let mut violations = Violations::default();
        check_linearizable(&script.0, &mut violations);
        let text = "key 0: n0 answered read [0,null] with 3, which fits no order of things";
        assert_eq!(violations.examples()[0].text, text);
    }

    /// Reads that need the same write twice, and 40 writes without an answer. The search would have to try all orders.
    #[test]
    fn a_search_without_end_is_broken_off() {
        let mut script = Script::default();
        for value in 0..40 {
            script.run(write(value), Outcome::Timeout);
        }
        for value in 0..40 {
            script.run(READ, read(39 - value));
        }
        script.run(READ, read(39));
        assert_eq!(script.verdict(), [Check::Undecided]);
    }

    /// A short random run, in which half of the reads are made up.
    fn random_script(random: &mut Random) -> Script {
        let mut script = Script::default();
        let mut open: Vec<(usize, Doing)> = Vec::new();
        let mut value = 0;
        script.run(write(0), done());
        for _ in 0..12 {
            if open.len() < 3 && random.random() {
                let (from, to) = (random.random_range(0..2), random.random_range(0..2));
                let request = [READ, write(to), cas(from, to)][random.random_range(0..3)];
                open.push((script.invoke(request), request));
            } else if !open.is_empty() {
                let (number, request) = open.swap_remove(random.random_range(0..open.len()));
                let outcome = match request {
                    _ if random.random_bool(0.2) => Outcome::Timeout,
                    Doing::Read if random.random() => read(random.random_range(0..2)),
                    Doing::Read => read(value),
                    Doing::Cas { from, .. } if from != value => refused(22, true),
                    Doing::Write(to) | Doing::Cas { to, .. } => {
                        value = to;
                        done()
                    }
                };
                script.complete(number, outcome);
            }
        }
        script
    }

    /// The same by way of every order: `place` is where in the order of things the search stands.
    fn naive(
        actions: &[(usize, Action<Step>)],
        place: usize,
        open: &[(usize, Step)],
        state: Option<i64>,
    ) -> bool {
        let Some((number, action)) = actions.get(place) else { return true };
        let tries = |open: &[(usize, Step)]| {
            open.iter().enumerate().any(|(index, (_, step))| {
                let mut rest = open.to_vec();
                rest.remove(index);
                let (fits, next) = Register::apply(step, &state);
                fits && naive(actions, place, &rest, next)
            })
        };
        let goes_on = match action {
            Action::Call(step) => {
                let mut open = open.to_vec();
                let ended = actions.iter().find_map(|(other, action)| match action {
                    Action::Response(step) if other == number => Some(*step),
                    _ => None,
                });
                open.push((*number, ended.unwrap_or(*step)));
                naive(actions, place + 1, &open, state)
            }
            Action::Response(_) => {
                open.iter().all(|(other, _)| other != number) && naive(actions, place + 1, open, state)
            }
        };
        goes_on || tries(open)
    }

    #[test]
    fn as_the_naive_version_does() {
        let mut random = Seeds::new(5).generator();
        let mut verdicts = [0, 0];
        for case in 0..2000 {
            let script = random_script(&mut random);
            let actions = actions(&script.0, script.0.moments());
            STEPS.set(u64::MAX);
            let expected = naive(&actions, 0, &[], None);
            let found = script.verdict();
            assert_eq!(found.is_empty(), expected, "case {case}: {actions:?}");
            verdicts[usize::from(expected)] += 1;
        }
        assert!(verdicts.iter().all(|count| *count > 200), "{verdicts:?}");
    }
}

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
    let text = "key 0: n0 answered read with 3, but 3 was overwritten by 4 (on n0 at 0.000 s) before that was asked for; these \
                operations fit no order:\n\
                0.000 s to 0.000 s  client 0 on n0: write 3 with ok\n\
                0.000 s to 0.000 s  client 0 on n0: write 4 with ok\n\
                0.000 s to 0.000 s  client 0 on n0: read with 3";
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
        let actions = actions(&script.0, script.0.moments(), &BTreeSet::new());
        STEPS.set(u64::MAX);
        let expected = naive(&actions, 0, &[], None);
        let found = script.verdict();
        assert_eq!(found.is_empty(), expected, "case {case}: {actions:?}");
        verdicts[usize::from(expected)] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 200), "{verdicts:?}");
}

/// What is told has no order either, and is small. Of a history of up to 13 operations a few are enough.
#[test]
fn a_history_without_an_order_is_reduced_to_a_few_operations_without_one() {
    let mut random = Seeds::new(6).generator();
    let (mut cases, mut told) = (0, 0);
    for case in 0..1000 {
        let script = random_script(&mut random);
        if script.verdict() != [Check::Linearizable] {
            continue;
        }
        let moments = until_first_wrong(&script.0, script.0.moments());
        let core = reduce::reduce(&script.0, moments, &mut 1000);
        let actions = actions(&script.0, &core.moments, &core.loose);
        STEPS.set(u64::MAX);
        assert!(!naive(&actions, 0, &[], None), "case {case}: {actions:?}");
        cases += 1;
        told += core.tell(&script.0, 0).lines().count() - 1;
    }
    assert!(cases > 100 && told < 5 * cases, "{told} operations in {cases} cases");
}

/// A change that is left out can't be the reason why a value is missing.
#[test]
fn a_value_that_another_operation_needs_is_never_left_out() {
    let mut script = Script::default();
    let slow = script.invoke(write(3));
    script.run(write(1), done());
    script.run(write(4), done());
    script.run(READ, read(3));
    script.complete(slow, done());
    script.run(READ, read(1));
    let mut violations = Violations::default();
    check_linearizable(&script.0, &mut violations);
    let text = &violations.examples()[0].text;
    let told = "key 0: n0 answered read with 1, but 1 was gone: 3 had been read from n0 at 0.000 s before that was asked for; ";
    assert!(text.starts_with(told), "{text}");
    assert!(text.contains("write 3") && !text.contains("write 4"), "3 could not be read without it: {text}");
    script = Script::default();
    script.run(write(3), done());
    script.run(READ, read(7));
    let mut violations = Violations::default();
    check_linearizable(&script.0, &mut violations);
    let text = &violations.examples()[0].text;
    assert!(
        text.starts_with("key 0: n0 answered read with 7, but no client had asked to write 7 before; "),
        "{text}"
    );
}

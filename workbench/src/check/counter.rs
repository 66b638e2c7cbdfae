//! The verdict of the counter workloads on the final reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::{Check, Excuses, Ranges, Violations, loss};
use crate::answer::Answer;
use crate::envelope::short;
use crate::history::{History, Operation, Outcome};
use crate::json::Json;
use crate::words::{self, Seconds};

/// The values that the counter may have at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Sum of the acknowledged adds.
    pub(crate) acknowledged: i64,
    /// How many of these are excused adds.
    pub(crate) excused: u64,
    /// That sum, less any of the excused adds, plus any of the adds that were not acknowledged, whatever their error.
    pub(crate) possible: Ranges,
    /// The same, without the adds that got a definite error, and those that no process received.
    pub(crate) honest: Ranges,
}

impl Sums {
    pub(crate) fn of(history: &History, excuses: &Excuses) -> Self {
        let numbered = history.operations().iter().enumerate();
        let numbered: Vec<(usize, &Operation, i64)> =
            numbered.filter_map(|(number, add)| Some((number, add, add.request.delta()?))).collect();
        let adds = || numbered.iter().map(|(_, add, delta)| (*add, *delta));
        let is_certain = |add: &Operation| add.is_ok() && !excuses.covers(add);
        let acknowledged = adds().filter(|(add, _)| add.is_ok()).map(|(_, delta)| delta).sum();
        let certain = adds().filter(|(add, _)| is_certain(add)).map(|(_, delta)| delta).sum();
        let mut possible = Ranges::of(certain);
        let mut honest = possible.clone();
        for (number, add, delta) in numbered.iter().copied().filter(|(_, add, _)| !is_certain(add)) {
            possible.allow(delta);
            let is_refused = matches!(add.outcome(), Some(Outcome::Refused { definite: true, .. }));
            if !is_refused && history.may_have_been_heard(number) {
                honest.allow(delta);
            }
        }
        let excused = adds().filter(|(add, _)| excuses.covers(add)).count() as u64;
        Self { acknowledged, excused, possible, honest }
    }
}

/// Judges the final reads: each must be answered and possible, and all must be the same.
pub(crate) fn check_final_reads(history: &History, sums: &Sums, violations: &mut Violations) {
    let finals = || history.operations().iter().filter(|operation| operation.is_final);
    let mut by_value: BTreeMap<i64, Vec<&Operation>> = BTreeMap::new();
    for read in finals() {
        if let Some(Answer::Huge(number)) = read.answer() {
            violations.record(Check::FinalReads, read.ended(), huge(read.node, number, sums));
            continue;
        }
        match read.value() {
            None => {
                let text = format!("the final read on n{} failed: {}", read.node, unanswered(read.outcome()));
                violations.record(Check::FinalReadsAnswered, read.ended(), text);
            }
            Some(value) => by_value.entry(value).or_default().push(read),
        }
    }
    for (value, reads) in &by_value {
        let (nodes, at) = (
            reads.iter().map(|read| read.node).collect(),
            reads.iter().filter_map(|read| read.ended()).min(),
        );
        if !sums.possible.contains(*value) {
            violations.record(Check::FinalReads, at, wrong(history, sums, *value, &nodes));
        } else if !sums.honest.contains(*value) {
            violations.record(Check::DefiniteErrors, at, dishonest(history, sums, *value, &nodes));
        }
    }
    if by_value.len() > 1 {
        let values = finals().filter_map(|read| Some((read.value()?, read.node)));
        let text = format!("the final reads differ: {}", by_answer(values));
        violations.record(Check::Agreement, finals().filter_map(Operation::ended).max(), text);
    }
}

/// Each answer with its nodes: `1 on n0, 11 on n1 n2`.
pub(crate) fn by_answer<T: Ord + Display>(answers: impl Iterator<Item = (T, usize)>) -> String {
    let mut nodes: BTreeMap<T, BTreeSet<usize>> = BTreeMap::new();
    for (answer, node) in answers {
        nodes.entry(answer).or_default().insert(node);
    }
    let show = |(answer, nodes): (T, BTreeSet<usize>)| format!("{answer} on {}", node_names(&nodes));
    words::first(nodes.into_iter().map(show), " answers").join(", ")
}

/// `n0 n2`.
pub(crate) fn node_names(nodes: &BTreeSet<usize>) -> String {
    words::node_names(nodes.iter().copied())
}

/// Says how an operation ended that should have had a value.
pub(crate) fn unanswered(outcome: Option<&Outcome>) -> String {
    match outcome {
        None | Some(Outcome::Timeout) => "no answer".to_owned(),
        Some(Outcome::Refused { code, text, .. }) => told_error(*code, text),
        Some(Outcome::Malformed(why)) => format!("a wrong answer: {why}"),
        Some(Outcome::Ok(_)) => "no value".to_owned(),
    }
}

fn huge(node: usize, number: &Json, sums: &Sums) -> String {
    let number = short(number.as_str());
    let possible = list(&sums.possible);
    format!("n{node} read {number} at the end, which is too large for 64 bits; possible are {possible}")
}

fn wrong(history: &History, sums: &Sums, value: i64, nodes: &BTreeSet<usize>) -> String {
    let (low, high) = sums.possible.bounds();
    let names = node_names(nodes);
    let reading = format!("{names} read {value} at the end; possible are {}", list(&sums.possible));
    if value < low {
        let why = loss::explain(history, sums, value, nodes);
        format!("{reading}: at least {} of what was acknowledged is missing{why}", low - value)
    } else if value > high {
        format!("{reading}: at least {} too much was counted", value - high)
    } else {
        reading
    }
}

/// A value that is possible only if an add counts that did not happen: with an example of such an add.
fn dishonest(history: &History, sums: &Sums, value: i64, nodes: &BTreeSet<usize>) -> String {
    let (names, honest) = (node_names(nodes), list(&sums.honest));
    let adds = || {
        history
            .operations()
            .iter()
            .enumerate()
            .filter(|(_, add)| add.request.delta().is_some_and(|delta| delta != 0))
    };
    let refused = adds().find_map(|(_, add)| match add.outcome() {
        Some(Outcome::Refused { definite: true, code, text }) => Some((add, told_error(*code, text))),
        _ => None,
    });
    let example = if let Some((add, error)) = refused {
        let at = add.ended().map_or_else(String::new, |at| format!(" at {}", Seconds(at)));
        format!("such as {} on n{}, which was answered{at} with {error}", add.asked(), add.node)
    } else {
        let lost = adds().find(|(number, _)| !history.may_have_been_heard(*number));
        lost.map_or_else(String::new, |(_, add)| {
            format!(
                "such as {} on n{}, which was asked for at {} while n{} was down",
                add.asked(),
                add.node,
                Seconds(add.invoked),
                add.node
            )
        })
    };
    format!(
        "{names} read {value} at the end; possible are {honest}, unless an add counts that did not happen, {example}"
    )
}

/// An error answer for people: `error 11: busy`.
fn told_error(code: i64, text: &str) -> String {
    if text.is_empty() { format!("error {code}") } else { format!("error {code}: {}", short(text)) }
}

/// Ranges for people. If there are many, those in the middle are left out.
pub(crate) fn list(ranges: &Ranges) -> String {
    const KEPT: usize = 6;
    let show =
        |(low, high): &(i64, i64)| if low == high { format!("{low}") } else { format!("{low} to {high}") };
    let all = ranges.as_slice();
    let mut shown: Vec<String> = all.iter().take(KEPT).map(show).collect();
    if all.len() > KEPT {
        shown.push(format!("… ({} ranges, up to {})", all.len(), ranges.bounds().1));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::Completion;
    use crate::workload::Request;

    fn run(history: &mut History, request: Request, is_final: bool, outcome: Outcome) {
        let number = history.invoke(Operation {
            process: 0,
            worker: 0,
            node: 0,
            incarnation: 1,
            request,
            is_final,
            invoked: Duration::ZERO,
            completion: None,
        });
        history.complete(number, Completion { at: Duration::ZERO, incarnation: 1, outcome });
    }

    fn refused(definite: bool) -> Outcome {
        Outcome::Refused { code: 11, definite, text: String::new() }
    }

    fn verdict(finals: &[Outcome]) -> Vec<Check> {
        found(finals).counts().keys().copied().collect()
    }

    /// Adds of 1 (acknowledged), 10 (timed out) and 100 (refused for certain), then final reads.
    fn found(finals: &[Outcome]) -> Violations {
        let mut history = History::default();
        run(&mut history, Request::add(1), false, Outcome::Ok(Answer::Done));
        run(&mut history, Request::add(10), false, Outcome::Timeout);
        run(&mut history, Request::add(100), false, refused(true));
        run(&mut history, Request::read(), false, Outcome::Ok(Answer::Integer(77)));
        for outcome in finals {
            run(&mut history, Request::read(), true, outcome.clone());
        }
        let mut violations = Violations::default();
        check_final_reads(&history, &Sums::of(&history, &Excuses::default()), &mut violations);
        violations
    }

    fn reads(values: &[i64]) -> Vec<Check> {
        verdict(&values.iter().map(|value| Outcome::Ok(Answer::Integer(*value))).collect::<Vec<_>>())
    }

    #[test]
    fn sums_of_the_acknowledged_and_any_indeterminate_adds_are_right() {
        assert_eq!(reads(&[1]), []);
        assert_eq!(reads(&[11, 11]), []);
    }

    #[test]
    fn lost_and_doubled_adds_are_wrong() {
        assert_eq!(reads(&[0]), [Check::FinalReads]);
        assert_eq!(reads(&[2]), [Check::FinalReads]);
        assert_eq!(reads(&[112]), [Check::FinalReads]);
        assert_eq!(reads(&[21]), [Check::FinalReads]);
    }

    /// An add of 1 that is acknowledged, and one of 10 that no process received, for the node was down.
    #[test]
    fn an_add_that_no_process_received_was_not_counted() {
        for (read, expected) in
            [(1, vec![]), (11, vec![Check::DefiniteErrors]), (12, vec![Check::FinalReads])]
        {
            let mut history = History::default();
            run(&mut history, Request::add(1), false, Outcome::Ok(Answer::Done));
            run(&mut history, Request::add(10), false, Outcome::Timeout);
            history.never_heard(1);
            run(&mut history, Request::read(), true, Outcome::Ok(Answer::Integer(read)));
            let mut violations = Violations::default();
            check_final_reads(&history, &Sums::of(&history, &Excuses::default()), &mut violations);
            assert_eq!(violations.counts().keys().copied().collect::<Vec<_>>(), expected, "{read}");
        }
    }

    #[test]
    fn a_definite_refusal_that_was_counted_passes_in_maelstrom_only() {
        assert_eq!(reads(&[101]), [Check::DefiniteErrors]);
        assert_eq!(reads(&[111]), [Check::DefiniteErrors]);
    }

    #[test]
    fn final_reads_must_be_answered_and_agree() {
        assert_eq!(reads(&[1, 11]), [Check::Agreement]);
        assert_eq!(verdict(&[Outcome::Timeout]), [Check::FinalReadsAnswered]);
        assert_eq!(verdict(&[refused(true), Outcome::Ok(Answer::Integer(1))]), [Check::FinalReadsAnswered]);
    }

    #[test]
    fn a_value_that_64_bits_cannot_hold_is_wrong_and_said_to_be_too_large() {
        let number = Json::parse("18446744073709551616").unwrap();
        let found = found(&[Outcome::Ok(Answer::Huge(number))]);
        assert_eq!(found.counts().keys().copied().collect::<Vec<_>>(), [Check::FinalReads]);
        let text = "n0 read 18446744073709551616 at the end, which is too large for 64 bits; possible are 1, 11, 101, 111";
        assert_eq!(found.examples()[0].text, text);
    }

    #[test]
    fn different_final_reads_are_told_by_node() {
        let answers = [(11, 2), (1, 0), (11, 1)];
        assert_eq!(by_answer(answers.into_iter()), "1 on n0, 11 on n1 n2");
    }
}

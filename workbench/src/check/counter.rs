//! The counter workloads' verdict on the final reads.

use std::time::Duration;

use super::{Check, Leave, Ranges, Violations};
use crate::history::{History, Operation, Outcome};
use crate::workload::Request;

/// What the counter may be at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Sum of the acknowledged adds.
    pub(crate) acknowledged: i64,
    /// How many of these may be lost by the node's own word.
    pub(crate) excused: u64,
    /// That sum, without any of the excused adds and with any that were not acknowledged, whatever their error.
    pub(crate) possible: Ranges,
    /// The same without the adds that were definitely refused.
    pub(crate) honest: Ranges,
}

impl Sums {
    pub(crate) fn of(history: &History, leave: &Leave) -> Self {
        let adds = || history.operations().iter().filter_map(|add| Some((add, delta(add)?)));
        let is_certain = |add: &Operation| add.is_ok() && !leave.covers(add);
        let acknowledged = adds().filter(|(add, _)| add.is_ok()).map(|(_, delta)| delta).sum();
        let certain = adds().filter(|(add, _)| is_certain(add)).map(|(_, delta)| delta).sum();
        let mut possible = Ranges::of(certain);
        let mut honest = possible.clone();
        for (add, delta) in adds().filter(|(add, _)| !is_certain(add)) {
            possible.allow(delta);
            if !matches!(add.outcome(), Some(Outcome::Refused { definite: true, .. })) {
                honest.allow(delta);
            }
        }
        let excused = adds().filter(|(add, _)| leave.covers(add)).count() as u64;
        Self { acknowledged, excused, possible, honest }
    }
}

fn delta(operation: &Operation) -> Option<i64> {
    match operation.request {
        Request::Add(delta) => Some(delta),
        _ => None,
    }
}

/// Judges the final reads: possible, answered, and all the same.
pub(crate) fn check_final_reads(history: &History, sums: &Sums, violations: &mut Violations) {
    let finals = || history.operations().iter().filter(|operation| operation.is_final);
    for read in finals() {
        match read.value() {
            None => violations.record(Check::FinalReadsAnswered, at(read), unanswered(read)),
            Some(value) if !sums.possible.contains(value) => {
                violations.record(Check::FinalReads, at(read), wrong(read.node, value, sums));
            }
            Some(value) if !sums.honest.contains(value) => {
                let text =
                    format!("n{} read {value}, which takes adds that were refused for certain", read.node);
                violations.record(Check::DefiniteErrors, at(read), text);
            }
            Some(_) => {}
        }
    }
    let mut values: Vec<i64> = finals().filter_map(Operation::value).collect();
    values.sort_unstable();
    values.dedup();
    if values.len() > 1 {
        violations.record(Check::Agreement, None, format!("the final reads differ: {values:?}"));
    }
}

fn at(read: &Operation) -> Option<Duration> {
    read.completion.as_ref().map(|completion| completion.at)
}

fn unanswered(read: &Operation) -> String {
    let how = match read.outcome() {
        None | Some(Outcome::Timeout) => "no answer".to_owned(),
        Some(Outcome::Refused { code, text, .. }) => format!("error {code}, {text}"),
        Some(Outcome::Malformed(why)) => format!("malformed answer, {why}"),
        Some(Outcome::Ok(_)) => "no value".to_owned(),
    };
    format!("the final read on n{} failed: {how}", read.node)
}

fn wrong(node: usize, value: i64, sums: &Sums) -> String {
    let (low, high) = sums.possible.bounds();
    let reading = format!("n{node} read {value} at the end; possible are {}", list(&sums.possible));
    if value < low {
        format!("{reading}: at least {} of what was acknowledged is lost", low - value)
    } else if value > high {
        format!("{reading}: at least {} too much was counted", value - high)
    } else {
        reading
    }
}

/// Ranges for people; the middle of many is left out.
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
    use super::*;
    use crate::answer::Answer;
    use crate::history::Completion;

    fn run(history: &mut History, request: Request, is_final: bool, outcome: Outcome) {
        let number = history.invoke(Operation {
            process: 0,
            worker: 0,
            node: 0,
            life: 1,
            request,
            is_final,
            invoked: Duration::ZERO,
            completion: None,
        });
        history.complete(number, Completion { at: Duration::ZERO, life: 1, outcome });
    }

    fn refused(definite: bool) -> Outcome {
        Outcome::Refused { code: 11, definite, text: String::new() }
    }

    /// Adds of 1 (acknowledged), 10 (timed out) and 100 (refused for certain), then final reads.
    fn verdict(finals: &[Outcome]) -> Vec<Check> {
        let mut history = History::default();
        run(&mut history, Request::Add(1), false, Outcome::Ok(Answer::Done));
        run(&mut history, Request::Add(10), false, Outcome::Timeout);
        run(&mut history, Request::Add(100), false, refused(true));
        run(&mut history, Request::Read, false, Outcome::Ok(Answer::Integer(77)));
        for outcome in finals {
            run(&mut history, Request::Read, true, outcome.clone());
        }
        let mut violations = Violations::default();
        check_final_reads(&history, &Sums::of(&history, &Leave::default()), &mut violations);
        violations.counts().keys().copied().collect()
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
}

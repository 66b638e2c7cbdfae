//! Verdicts of the workloads that are no counters.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Violations};
use crate::answer::Answer;
use crate::history::{History, Moment, Operation, Outcome};
use crate::workload::Request;

/// Every echo is answered, and with what was said.
pub(crate) fn check_echoes(history: &History, violations: &mut Violations) {
    for operation in history.operations() {
        let Request::Echo(_) = operation.request else { continue };
        let said = operation.request.argument().to_string();
        let is_right = matches!(answer(operation), Some(Answer::Json(text)) if **text == *said);
        if !is_right {
            let text = format!("n{} did not echo {said}: {:?}", operation.node, operation.outcome());
            violations.record(Check::Answers, at(operation), text);
        }
    }
}

/// No id is given out twice.
pub(crate) fn check_unique_ids(history: &History, violations: &mut Violations) {
    let mut given: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in history.operations() {
        let Some(Answer::Json(id)) = answer(operation).filter(|_| operation.request == Request::Generate)
        else {
            continue;
        };
        if let Some(first) = given.insert(id, operation.node) {
            let text = format!("n{} gave out {id}, which n{first} had given out", operation.node);
            violations.record(Check::Answers, at(operation), text);
        }
    }
}

/// What became of one element.
#[derive(Clone, Copy, Debug, Default)]
struct Element {
    /// Its place in the order of things when it was first known to be there.
    known: Option<usize>,
    /// When the last read that showed it (that did not) was invoked.
    present: Option<usize>,
    absent: Option<usize>,
}

/// No element that was known to be there is missing from the last reads, none is there twice, and none that nobody added.
pub(crate) fn check_set(history: &History, violations: &mut Violations) {
    let mut elements: BTreeMap<u64, Element> = BTreeMap::new();
    let mut invoked: BTreeMap<usize, usize> = BTreeMap::new();
    for (place, moment) in history.moments().iter().enumerate() {
        match *moment {
            Moment::Invoked(number) => {
                invoked.insert(number, place);
                if let Some(added) = history.operations().get(number).and_then(element) {
                    elements.entry(added).or_default();
                }
            }
            Moment::Completed(number) => {
                let Some(operation) = history.operations().get(number).filter(|operation| operation.is_ok())
                else {
                    continue;
                };
                let start = invoked.remove(&number).unwrap_or(place);
                complete(operation, start, place, &mut elements, violations);
            }
            Moment::Nemesis(_) => {}
        }
    }
    for (element, state) in elements.iter().filter(|(_, state)| state.is_lost()) {
        violations.record(Check::FinalReads, None, format!("{element} was there and is lost: {state:?}"));
    }
    check_last_reads(history, violations);
}

impl Element {
    fn is_lost(&self) -> bool {
        self.known.is_some() && self.absent > self.present && self.absent > self.known
    }
}

fn complete(
    operation: &Operation,
    start: usize,
    place: usize,
    elements: &mut BTreeMap<u64, Element>,
    violations: &mut Violations,
) {
    if let Some(state) = element(operation).and_then(|added| elements.get_mut(&added)) {
        state.known.get_or_insert(place);
    }
    let Some(Answer::Elements(shown)) = answer(operation) else { return };
    if let Some(pair) = shown.windows(2).find(|pair| pair.first() == pair.last()) {
        let text = format!("n{} showed {:?} more than once", operation.node, pair.first());
        violations.record(Check::Answers, at(operation), text);
    }
    let shown: BTreeSet<u64> = shown.iter().copied().collect();
    for stranger in shown.iter().filter(|shown| !elements.contains_key(shown)) {
        let text = format!("n{} showed {stranger}, which nobody had added", operation.node);
        violations.record(Check::ImpossibleReads, at(operation), text);
    }
    for (element, state) in elements {
        if shown.contains(element) {
            state.known.get_or_insert(place);
            state.present = state.present.max(Some(start));
        } else {
            state.absent = state.absent.max(Some(start));
        }
    }
}

fn check_last_reads(history: &History, violations: &mut Violations) {
    let finals = || history.operations().iter().filter(|operation| operation.is_final);
    for read in finals().filter(|read| !read.is_ok()) {
        let text = format!("the final read on n{} failed: {:?}", read.node, read.outcome());
        violations.record(Check::FinalReadsAnswered, at(read), text);
    }
    let mut answers = finals().filter_map(answer);
    let first = answers.next();
    if answers.any(|answer| Some(answer) != first) {
        violations.record(Check::Agreement, None, "the final reads differ");
    }
}

fn element(operation: &Operation) -> Option<u64> {
    match operation.request {
        Request::Insert(element) | Request::Broadcast(element) => Some(element),
        _ => None,
    }
}

fn answer(operation: &Operation) -> Option<&Answer> {
    match operation.outcome() {
        Some(Outcome::Ok(answer)) => Some(answer),
        _ => None,
    }
}

fn at(operation: &Operation) -> Option<std::time::Duration> {
    operation.completion.as_ref().map(|completion| completion.at)
}

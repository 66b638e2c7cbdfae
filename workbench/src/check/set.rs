//! The verdict on sets: what was known to be in them must stay.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Violations, by_answer, unanswered};
use crate::answer::{Answer, Elements};
use crate::envelope::short;
use crate::history::{History, Moment, Operation};
use crate::json::Json;
use crate::workload::OfSet;

/// A value for people, cut short.
fn show(value: &Json) -> String {
    short(value.as_str())
}

/// An answer that says something about an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sign {
    /// A place in the order of moments. For the first answer that shows the element it is the answer's place, for a read
    /// it is the question's.
    place: usize,
    /// The number of the operation.
    operation: usize,
}

/// What is known about one element.
#[derive(Clone, Copy, Debug, Default)]
struct Element {
    /// The first answer that proves that the element is in the set.
    known: Option<Sign>,
    /// The last read that showed it (that did not).
    present: Option<Sign>,
    absent: Option<Sign>,
}

impl Element {
    fn is_lost(&self) -> bool {
        self.known.is_some() && self.absent > self.present && self.absent > self.known
    }
}

/// Checks that the last reads lack no element that was known to be in the set. They must show none twice, and none that no
/// client added.
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
                let asked = Sign { place: invoked.remove(&number).unwrap_or(place), operation: number };
                let answered = Sign { place, operation: number };
                if let Some(state) = element(operation).and_then(|added| elements.get_mut(&added)) {
                    state.known.get_or_insert(answered);
                }
                if let Some(shown) = set(operation) {
                    check_shown(operation, shown, &elements, violations);
                    note_shown(shown, asked, answered, &mut elements);
                }
            }
            Moment::Nemesis(_) => {}
        }
    }
    for (element, state) in elements.iter().filter(|(_, state)| state.is_lost()) {
        record_lost(history, *element, state, violations);
    }
    check_last_reads(history, violations);
}

/// Checks that a read shows no element twice, and none that no client has added so far.
fn check_shown(
    operation: &Operation,
    shown: &Elements,
    added: &BTreeMap<u64, Element>,
    violations: &mut Violations,
) {
    let strangers = shown.numbers.iter().filter(|number| !added.contains_key(number)).map(u64::to_string);
    for stranger in strangers.chain(shown.others.iter().map(show)).collect::<BTreeSet<_>>() {
        let text = format!("n{} showed {stranger}, an element that nobody had added", operation.node);
        violations.record(Check::ImpossibleReads, operation.ended(), text);
    }
    let twice = first_pair(&shown.numbers).map(u64::to_string);
    if let Some(element) = twice.or_else(|| first_pair(&shown.others).map(show)) {
        let text = format!("n{} showed the element {element} more than once", operation.node);
        violations.record(Check::Answers, operation.ended(), text);
    }
}

/// The first element that is there twice, in a sorted list.
fn first_pair<T: PartialEq>(sorted: &[T]) -> Option<&T> {
    sorted.windows(2).find(|pair| pair.first() == pair.last()).and_then(<[T]>::first)
}

fn note_shown(shown: &Elements, asked: Sign, answered: Sign, elements: &mut BTreeMap<u64, Element>) {
    let shown: BTreeSet<u64> = shown.numbers.iter().copied().collect();
    for (element, state) in elements {
        if shown.contains(element) {
            state.known.get_or_insert(answered);
            state.present = state.present.max(Some(asked));
        } else {
            state.absent = state.absent.max(Some(asked));
        }
    }
}

fn record_lost(history: &History, element: u64, state: &Element, violations: &mut Violations) {
    let operation = |sign: Option<Sign>| history.operations().get(sign?.operation);
    let Some((known, absent)) = operation(state.known).zip(operation(state.absent)) else { return };
    let how = if known.request.is_read() { "shown by" } else { "acknowledged by" };
    let (known, missing) = (known.place(), absent.place());
    let text = format!("element {element} was {how} {known} and is missing in what was read on {missing}");
    violations.record(Check::FinalReads, absent.ended(), text);
}

fn check_last_reads(history: &History, violations: &mut Violations) {
    let finals = || history.operations().iter().filter(|operation| operation.is_final);
    for read in finals().filter(|read| !read.is_ok()) {
        let text = format!("the final read on n{} failed: {}", read.node, unanswered(read.outcome()));
        violations.record(Check::FinalReadsAnswered, read.ended(), text);
    }
    let sets: Vec<(usize, &Elements)> = finals().filter_map(|read| Some((read.node, set(read)?))).collect();
    let Some((_, first)) = sets.first() else { return };
    if sets.iter().all(|(_, other)| other == first) {
        return;
    }
    let counts = sets.iter().map(|(node, set)| (set.count(), *node));
    let text = format!("the final reads differ; elements: {}", by_answer(counts));
    violations.record(Check::Agreement, finals().filter_map(Operation::ended).max(), text);
}

fn set(operation: &Operation) -> Option<&Elements> {
    match operation.answer()? {
        Answer::Elements(elements) => Some(elements),
        Answer::Done | Answer::Integer(_) | Answer::Huge(_) | Answer::Json(_) => None,
    }
}

fn element(operation: &Operation) -> Option<u64> {
    operation.request.get::<OfSet>()?.element
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::script::{Script, done};
    use crate::history::Outcome;
    use crate::json::Json;
    use crate::workload::{GSet, Request, Workload};

    /// The requests of a g-set.
    fn add(element: u64) -> Request {
        asks("add", Some(element))
    }

    fn read() -> Request {
        asks("read", None)
    }

    fn asks(name: &str, element: Option<u64>) -> Request {
        let rpc = GSet.protocol().iter().find(|rpc| rpc.name == name).unwrap();
        Request::new(OfSet { rpc, element })
    }

    fn shows(numbers: &[u64], others: &[&str]) -> Outcome {
        let others = others.iter().map(|other| Json::parse(other).unwrap()).collect();
        Outcome::Ok(Answer::Elements(Elements { numbers: numbers.to_vec(), others }))
    }

    #[test]
    fn a_lost_element_is_told_with_times_and_nodes() {
        let mut script = Script::of(&GSet);
        script
            .run(0, add(17), done())
            .run(1, add(18), Outcome::Timeout)
            .run(1, read(), shows(&[17, 18], &[]))
            .last(2, read(), shows(&[], &[]));
        assert_eq!(
            script.found(),
            [
                "3.500 s final-reads: element 17 was acknowledged by n0 at 0.500 s and is missing in what was read on \
                 n2 at 3.500 s",
                "3.500 s final-reads: element 18 was shown by n1 at 2.500 s and is missing in what was read on \
                 n2 at 3.500 s",
            ]
        );
    }

    #[test]
    fn strange_elements_and_those_that_are_there_twice_are_shown_as_they_are() {
        let mut script = Script::of(&GSet);
        script.run(0, add(1), done()).run(0, read(), shows(&[1, 1, 7], &["18446744073709551616"])).run(
            1,
            read(),
            shows(&[1], &["\"x\"", "\"x\""]),
        );
        assert_eq!(
            script.found(),
            [
                "1.500 s impossible-reads: n0 showed 18446744073709551616, an element that nobody had added",
                "1.500 s impossible-reads: n0 showed 7, an element that nobody had added",
                "1.500 s answers: n0 showed the element 1 more than once",
                "2.500 s impossible-reads: n1 showed \"x\", an element that nobody had added",
                "2.500 s answers: n1 showed the element \"x\" more than once",
            ]
        );
    }

    #[test]
    fn final_reads_that_differ_or_fail_are_told_by_node() {
        let mut script = Script::of(&GSet);
        script
            .run(0, add(1), Outcome::Timeout)
            .last(0, read(), shows(&[1], &[]))
            .last(1, read(), shows(&[], &[]))
            .last(2, read(), shows(&[1], &[]))
            .last(2, read(), Outcome::Timeout);
        let found = script.found();
        assert_eq!(found[0], "4.500 s final-reads-answered: the final read on n2 failed: no answer");
        assert_eq!(found[1], "4.500 s agreement: the final reads differ; elements: 0 on n1, 1 on n0 n2");
    }
}

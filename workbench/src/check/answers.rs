//! The verdicts of the workloads other than counters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Check, Violations, by_answer, unanswered};
use crate::answer::{Answer, Elements};
use crate::envelope::short;
use crate::history::{History, Moment, Operation, Outcome};
use crate::json::Json;
use crate::words::Seconds;
use crate::workload::Request;

/// Checks that every echo is answered, with the same content.
pub(crate) fn check_echoes(history: &History, violations: &mut Violations) {
    for operation in history.operations() {
        let Request::Echo(_) = operation.request else { continue };
        let (node, said) = (operation.node, operation.request.argument());
        let text = match operation.outcome() {
            Some(Outcome::Ok(Answer::Json(echo))) if *echo == said => continue,
            Some(Outcome::Ok(Answer::Json(echo))) => format!("n{node} answered {said} with {}", show(echo)),
            other => format!("n{node} did not echo {said}: {}", unanswered(other)),
        };
        violations.record(Check::Answers, at(operation), text);
    }
}

/// Checks that no id is given out twice.
pub(crate) fn check_unique_ids(history: &History, violations: &mut Violations) {
    let mut given: BTreeMap<&Json, &Operation> = BTreeMap::new();
    for operation in history.operations() {
        let Some(Answer::Json(id)) = answer(operation).filter(|_| operation.request == Request::Generate)
        else {
            continue;
        };
        let Some(first) = given.insert(id, operation) else { continue };
        let text = format!("n{} gave out {}, which {} had given out", operation.node, show(id), place(first));
        violations.record(Check::Answers, at(operation), text);
    }
}

/// A value for people, cut short.
fn show(value: &Json) -> String {
    short(value.as_str())
}

/// The node that answered, and the time: `n0 at 1.234 s`.
fn place(operation: &Operation) -> String {
    let at = at(operation).map_or_else(String::new, |at| format!(" at {}", Seconds(at)));
    format!("n{}{at}", operation.node)
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
                if let Some(Answer::Elements(shown)) = answer(operation) {
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
        violations.record(Check::ImpossibleReads, at(operation), text);
    }
    let twice = first_pair(&shown.numbers).map(u64::to_string);
    if let Some(element) = twice.or_else(|| first_pair(&shown.others).map(show)) {
        let text = format!("n{} showed the element {element} more than once", operation.node);
        violations.record(Check::Answers, at(operation), text);
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
    let how = match known.request {
        Request::Insert(_) | Request::Broadcast(_) => "acknowledged by",
        _ => "shown by",
    };
    let (known, missing) = (place(known), place(absent));
    let text = format!("element {element} was {how} {known} and is missing in what was read on {missing}");
    violations.record(Check::FinalReads, at(absent), text);
}

fn check_last_reads(history: &History, violations: &mut Violations) {
    let finals = || history.operations().iter().filter(|operation| operation.is_final);
    for read in finals().filter(|read| !read.is_ok()) {
        let text = format!("the final read on n{} failed: {}", read.node, unanswered(read.outcome()));
        violations.record(Check::FinalReadsAnswered, at(read), text);
    }
    let sets: Vec<(usize, &Elements)> = finals().filter_map(|read| Some((read.node, set(read)?))).collect();
    let Some((_, first)) = sets.first() else { return };
    if sets.iter().all(|(_, other)| other == first) {
        return;
    }
    let counts = sets.iter().map(|(node, set)| (set.count(), *node));
    let text = format!("the final reads differ; elements: {}", by_answer(counts));
    violations.record(Check::Agreement, finals().filter_map(at).max(), text);
}

fn set(operation: &Operation) -> Option<&Elements> {
    match answer(operation) {
        Some(Answer::Elements(elements)) => Some(elements),
        _ => None,
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

fn at(operation: &Operation) -> Option<Duration> {
    operation.completion.as_ref().map(|completion| completion.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Completion;

    #[derive(Default)]
    struct Script(History);

    impl Script {
        /// A request and its end half a second later.
        fn run(&mut self, node: usize, request: Request, outcome: Outcome) -> &mut Self {
            self.add(node, request, outcome, false)
        }

        fn add(&mut self, node: usize, request: Request, outcome: Outcome, is_final: bool) -> &mut Self {
            let invoked = Duration::from_secs(self.0.operations().len() as u64);
            let number = self.0.invoke(Operation {
                process: 0,
                worker: 0,
                node,
                incarnation: 1,
                request,
                is_final,
                invoked,
                completion: None,
            });
            let at = invoked + Duration::from_millis(500);
            self.0.complete(number, Completion { at, incarnation: 1, outcome });
            self
        }

        /// What a check finds, with its times.
        fn found(&self, check: fn(&History, &mut Violations)) -> Vec<String> {
            let mut violations = Violations::default();
            check(&self.0, &mut violations);
            let show = |found: &super::super::Violation| {
                let at = found.at.map_or_else(|| "never".to_owned(), |at| Seconds(at).to_string());
                format!("{at} {}: {}", found.check.name(), found.text)
            };
            violations.examples().iter().map(show).collect()
        }
    }

    fn json(text: &str) -> Outcome {
        Outcome::Ok(Answer::Json(Json::parse(text).unwrap()))
    }

    fn shows(numbers: &[u64], others: &[&str]) -> Outcome {
        let others = others.iter().map(|other| Json::parse(other).unwrap()).collect();
        Outcome::Ok(Answer::Elements(Elements { numbers: numbers.to_vec(), others }))
    }

    fn done() -> Outcome {
        Outcome::Ok(Answer::Done)
    }

    #[test]
    fn echoes_that_are_wrong_or_missing_are_told_in_words() {
        let mut script = Script::default();
        let refused = Outcome::Refused { code: 13, definite: false, text: "no".into() };
        script
            .run(0, Request::Echo(1), json(r#""Please\u0020echo 1""#))
            .run(1, Request::Echo(2), json(r#""x""#))
            .run(2, Request::Echo(3), Outcome::Timeout)
            .run(0, Request::Echo(4), refused)
            .run(0, Request::Echo(5), Outcome::Malformed("echo is missing".into()));
        assert_eq!(
            script.found(check_echoes),
            [
                r#"1.500 s answers: n1 answered "Please echo 2" with "x""#,
                r#"2.500 s answers: n2 did not echo "Please echo 3": no answer"#,
                r#"3.500 s answers: n0 did not echo "Please echo 4": error 13, no"#,
                r#"4.500 s answers: n0 did not echo "Please echo 5": malformed answer, echo is missing"#,
            ]
        );
    }

    #[test]
    fn an_id_that_is_given_out_twice_is_told_with_both_places() {
        let big = "340282366920938463463374607431768211457";
        let mut script = Script::default();
        script
            .run(0, Request::Generate, json(big))
            .run(1, Request::Generate, json("340282366920938463463374607431768211456"))
            .run(2, Request::Generate, json("1"))
            .run(2, Request::Generate, json("1.0"));
        assert_eq!(script.found(check_unique_ids), [""; 0]);
        script.run(2, Request::Generate, json(big));
        let text = format!("4.500 s answers: n2 gave out {big}, which n0 at 0.500 s had given out");
        assert_eq!(script.found(check_unique_ids), [text]);
    }

    #[test]
    fn a_lost_element_is_told_with_times_and_nodes() {
        let mut script = Script::default();
        script
            .run(0, Request::Insert(17), done())
            .run(1, Request::Insert(18), Outcome::Timeout)
            .run(1, Request::ReadElements, shows(&[17, 18], &[]))
            .add(2, Request::ReadElements, shows(&[], &[]), true);
        assert_eq!(
            script.found(check_set),
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
        let mut script = Script::default();
        script
            .run(0, Request::Insert(1), done())
            .run(0, Request::ReadElements, shows(&[1, 1, 7], &["18446744073709551616"]))
            .run(1, Request::ReadElements, shows(&[1], &["\"x\"", "\"x\""]));
        assert_eq!(
            script.found(check_set),
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
        let mut script = Script::default();
        script
            .run(0, Request::Insert(1), Outcome::Timeout)
            .add(0, Request::ReadElements, shows(&[1], &[]), true)
            .add(1, Request::ReadElements, shows(&[], &[]), true)
            .add(2, Request::ReadElements, shows(&[1], &[]), true)
            .add(2, Request::ReadElements, Outcome::Timeout, true);
        let found = script.found(check_set);
        assert_eq!(found[0], "4.500 s final-reads-answered: the final read on n2 failed: no answer");
        assert_eq!(found[1], "4.500 s agreement: the final reads differ; elements: 0 on n1, 1 on n0 n2");
    }
}

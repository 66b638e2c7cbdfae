//! The verdict on sets: what was known to be in them must stay.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::{Check, Violations, by_answer, unanswered};
use crate::answer::{Answer, Elements};
use crate::envelope::short;
use crate::history::{History, Moment, Operation};
use crate::json::Json;
use crate::report::{Figure, Latencies};
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

    fn is_never_read(&self) -> bool {
        self.known.is_some() && self.present.is_none() && !self.is_lost()
    }

    /// How long some read still lacked it after it was known. `None` if the last read lacks it, or there was none. It is Jepsen's
    /// stable latency.
    fn took(&self, history: &History) -> Option<Duration> {
        let operation = |sign: Sign| history.operations().get(sign.operation);
        let known = operation(self.known?)?.ended()?;
        let is_stable = self.present.is_some() && self.present > self.absent;
        let last = self.absent.and_then(operation).map_or(Duration::ZERO, |read| read.invoked);
        is_stable.then(|| last.saturating_sub(known))
    }
}

/// Checks that the last reads lack no element that was known to be in the set. They must show none twice, and none that no
/// client added.
pub(crate) fn check_set(history: &History, violations: &mut Violations) {
    let elements = survey(history, |operation, shown, elements| {
        check_shown(operation, shown, elements, violations);
    });
    for (element, state) in elements.iter().filter(|(_, state)| state.is_lost()) {
        record_lost(history, *element, state, violations);
    }
    check_last_reads(history, violations);
}

/// What became of the elements, and how soon they were in all reads: figures for the report.
pub(crate) fn set_figures(history: &History) -> Vec<Figure> {
    let elements = survey(history, |_, _, _| {});
    let adds = history.operations().iter().filter(|operation| element(operation).is_some());
    let acknowledged = adds.filter(|add| add.is_ok()).count();
    let count = |of: fn(&Element) -> bool| elements.values().filter(|state| of(state)).count();
    let late: Vec<Duration> = elements.values().filter_map(|state| state.took(history)).collect();
    let stale = late.iter().filter(|took| !took.is_zero()).count();
    let (lost, never_read) = (count(Element::is_lost), count(Element::is_never_read));
    let all = elements.len();
    let latencies = Latencies::of(&late);
    let Latencies { p50_ms, p95_ms, p99_ms, max_ms, .. } = latencies;
    vec![
        Figure::new(
            "elements",
            format!(
                "{all} asked to add, {acknowledged} acknowledged: {lost} lost, {never_read} never read, {stale} stale for a while"
            ),
            json!({
                "attempts": all, "acknowledged": acknowledged, "stable": late.len(), "lost": lost, "never_read": never_read,
                "stale": stale
            }),
        ),
        Figure::new(
            "stable",
            format!(
                "in all reads after ms: median {p50_ms:.0}, 95 % {p95_ms:.0}, 99 % {p99_ms:.0}, max {max_ms:.0} ({} elements)",
                late.len()
            ),
            json!(latencies),
        ),
    ]
}

/// Follows each element through the history. `visit` sees each read that was answered, and the elements before it.
fn survey<'a>(
    history: &'a History,
    mut visit: impl FnMut(&'a Operation, &'a Elements, &BTreeMap<u64, Element>),
) -> BTreeMap<u64, Element> {
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
                    visit(operation, shown, &elements);
                    note_shown(shown, asked, answered, &mut elements);
                }
            }
            Moment::Nemesis(_) => {}
        }
    }
    elements
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
        let text =
            format!("n{} showed {stranger}, an element that no client had asked to add", operation.node);
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
    let during = known.ended().and_then(|at| history.partition_at(at));
    let during = during.map_or_else(String::new, |partition| format!(", during {partition},"));
    let shown = operation(state.present);
    let shown = shown.map_or("no read ever showed it".into(), |read| {
        format!("the last read that showed it was on {}", read.place())
    });
    let (known, missing) = (known.place(), absent.place());
    let text = format!(
        "element {element} was {how} {known}{during} and is missing in what was read on {missing}; {shown}"
    );
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
                 n2 at 3.500 s; the last read that showed it was on n1 at 2.500 s",
                "3.500 s final-reads: element 18 was shown by n1 at 2.500 s and is missing in what was read on \
                 n2 at 3.500 s; the last read that showed it was on n1 at 2.500 s",
            ]
        );
    }

    /// Element 1 is known at 0.5 s, and the read that is asked for at 2 s still lacks it.
    #[test]
    fn the_time_until_an_element_is_in_all_reads_is_measured() {
        let mut script = Script::of(&GSet);
        script
            .run(0, add(1), done())
            .run(0, read(), shows(&[1], &[]))
            .run(1, read(), shows(&[], &[]))
            .run(1, add(2), done())
            .run(1, add(3), Outcome::Timeout)
            .last(1, read(), shows(&[1, 2], &[]));
        let figures = script.figures();
        assert_eq!(
            figures.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "elements    3 asked to add, 2 acknowledged: 0 lost, 0 never read, 1 stale for a while",
                "stable      in all reads after ms: median 0, 95 % 1500, 99 % 1500, max 1500 (2 elements)",
            ]
        );
        assert_eq!(figures[0].value["stale"], 1);
        script.run(2, read(), shows(&[2], &[]));
        let figures = script.figures();
        assert_eq!((&figures[0].value["lost"], &figures[0].value["stable"]), (&json!(1), &json!(1)));
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
                "1.500 s impossible-reads: n0 showed 18446744073709551616, an element that no client had asked to add",
                "1.500 s answers: n0 showed the element 1 more than once",
                "2.500 s impossible-reads: n1 showed \"x\", an element that no client had asked to add",
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

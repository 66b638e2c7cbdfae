//! The operations as bars, one lane a client.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;

use super::chart::plot;
use super::{marks, micros};
use crate::answer::Answer;
use crate::history::{Operation, Outcome};
use crate::report::Report;

/// The most operations and the most lanes.
const OPERATIONS: usize = 5000;
const LANES: usize = 40;
/// Of these so many before and after each violation, and so many that were not answered well.
const AROUND: usize = 20;
const FAILED: usize = 1500;
/// The most characters of a request with its answer.
const SHOWN: usize = 80;

/// The operations of a page, in the order of asking.
pub(super) struct Timeline<'a> {
    operations: Vec<&'a Operation>,
    /// The lane of each worker that has one.
    lanes: BTreeMap<usize, usize>,
    report: &'a Report,
}

/// What the script needs.
#[derive(Serialize)]
pub(super) struct TimelineData {
    lanes: Vec<String>,
    operations: Vec<OperationData>,
}

/// Lane, process, node, name, when it was asked, when it ended, the style of its bar, its end in words, and its content.
type OperationData = (usize, u64, usize, &'static str, u64, Option<u64>, usize, String, String);

/// The styles of bars: class, letter, name.
const STYLES: [(&str, char, &str); 4] = [
    ("ok", 'o', "ok"),
    ("refused", 'r', "refused, and did not happen"),
    ("unknown", 'u', "no answer or an error: may have happened"),
    ("malformed", 'm', "malformed answer"),
];

impl<'a> Timeline<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        let all = report.history.operations();
        let mut near = BTreeSet::new();
        for (at, _, _) in marks::timed(report) {
            let place = all.partition_point(|operation| micros(operation.invoked) <= at);
            near.extend(place.saturating_sub(AROUND)..(place + AROUND).min(all.len()));
        }
        let lanes = lanes(report, &near);
        let has_lane = |number: &usize| all.get(*number).is_some_and(|it| lanes.contains_key(&it.worker));
        let mut chosen: BTreeSet<usize> = near.into_iter().filter(has_lane).collect();
        let failed =
            (0..all.len()).filter(has_lane).filter(|number| all.get(*number).is_some_and(|it| !it.is_ok()));
        chosen.extend(super::charts::thin(failed.collect(), FAILED));
        let room = OPERATIONS.saturating_sub(chosen.len()).max(1);
        chosen.extend(super::charts::thin((0..all.len()).filter(has_lane).collect(), room));
        let operations = chosen.into_iter().filter_map(|number| all.get(number)).collect();
        Self { operations, lanes, report }
    }

    /// The drawing for a page. `end` is the end of the run in microseconds.
    pub(super) fn to_html(&self, end: u64, legend: &str) -> String {
        let lanes = self.lanes.len().max(1);
        let height = |lane: usize| 1000 * (2 * lane + 1) / (2 * lanes);
        let mut drawing = String::new();
        for (number, (class, ..)) in STYLES.iter().enumerate() {
            let bars = self.operations.iter().filter(|operation| style(operation) == number);
            let path = bars.fold(String::new(), |mut path, operation| {
                let lane = self.lanes.get(&operation.worker).copied().unwrap_or(0);
                let until = operation.ended().map_or(end, micros);
                let _ = write!(path, "M{} {}H{until}", micros(operation.invoked), height(lane));
                path
            });
            let _ = write!(drawing, r#"<path class="bar {class}" d="{path}"/>"#);
        }
        let labels = self.labels().into_iter().enumerate();
        let labels =
            labels.map(|(lane, text)| (i32::try_from(height(lane)).unwrap_or(0), text)).collect::<Vec<_>>();
        let keys = STYLES.iter().fold(String::new(), |mut keys, (class, letter, name)| {
            let _ = write!(keys, "<span class=\"key piece {class}\"><i></i><b>{letter}</b> {name}</span> ");
            keys
        });
        format!(
            "<section id=\"timeline\" class=\"chart\">\n<h2>Operations</h2>\n<p class=\"note\">A lane for each client, with the \
             node that it asks. A bar lasts from the request to the answer. {}</p>\n<p class=\"keys\">{keys}{legend}</p>\n\
             <div style=\"--lanes:{lanes}\">{}</div></section>\n",
            self.omissions(),
            plot("timeline", "Operations", &drawing, &labels, end)
        )
    }

    fn omissions(&self) -> String {
        let (shown, all) = (self.operations.len(), self.report.history.operations().len());
        if shown == all {
            return String::new();
        }
        let lanes = self.lanes.len();
        format!(
            "Of {all} operations {shown} are here, in {lanes} lanes: those around each violation, and an even sample."
        )
    }

    fn labels(&self) -> Vec<String> {
        let plan = &self.report.plan;
        let node = |worker: usize| plan.first_node + worker % plan.node_count.max(1);
        let mut labels: Vec<(usize, usize)> =
            self.lanes.iter().map(|(worker, lane)| (*lane, *worker)).collect();
        labels.sort_unstable();
        labels.into_iter().map(|(_, worker)| format!("{worker}·n{}", node(worker))).collect()
    }

    pub(super) fn data(&self) -> TimelineData {
        let of = |it: &&Operation| -> OperationData {
            let lane = self.lanes.get(&it.worker).copied().unwrap_or(0);
            let (asked, ended) = (micros(it.invoked), it.ended().map(micros));
            (lane, it.process, it.node, it.request.name(), asked, ended, style(it), end(it), content(it))
        };
        TimelineData { lanes: self.labels(), operations: self.operations.iter().map(of).collect() }
    }
}

/// The clients that have a lane: those of the operations near violations first, then those with the lowest numbers.
fn lanes(report: &Report, near: &BTreeSet<usize>) -> BTreeMap<usize, usize> {
    let all = report.history.operations();
    let mut workers: BTreeSet<usize> = BTreeSet::new();
    let first = near.iter().filter_map(|number| all.get(*number));
    for operation in first.chain(all) {
        if workers.len() == LANES {
            break;
        }
        workers.insert(operation.worker);
    }
    workers.into_iter().enumerate().map(|(lane, worker)| (worker, lane)).collect()
}

fn style(operation: &Operation) -> usize {
    match operation.outcome() {
        Some(Outcome::Ok(_)) => 0,
        Some(Outcome::Refused { definite: true, .. }) => 1,
        Some(Outcome::Refused { definite: false, .. } | Outcome::Timeout) | None => 2,
        Some(Outcome::Malformed(_)) => 3,
    }
}

/// How it ended, in words.
fn end(operation: &Operation) -> String {
    match operation.outcome() {
        Some(Outcome::Ok(_)) => "ok".into(),
        Some(Outcome::Timeout) => "no answer in time".into(),
        Some(Outcome::Refused { code, text, .. }) => cut(&format!("error {code}: {text}")),
        Some(Outcome::Malformed(why)) => cut(&format!("malformed: {why}")),
        None => "not ended".into(),
    }
}

fn content(operation: &Operation) -> String {
    match operation.answer() {
        Some(Answer::Elements(elements)) => format!("{} elements", elements.count()),
        Some(answer) => cut(operation.request.completed(answer).as_str()),
        None => cut(operation.request.argument().as_str()),
    }
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

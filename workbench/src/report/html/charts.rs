//! The charts of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::chart::{Chart, LEAST, Series, Shape};
use super::micros;
use crate::history::{Moment, Operation};
use crate::report::Report;
use crate::report::latencies::Recorder;

/// The most dots of a kind, and the most points of a line. If there are more, some are left out at regular distances.
const DOTS: usize = 4000;
const POINTS: usize = 2000;
/// The most points of the lines of all nodes together, and the most nodes that have one.
const OF_NODES: usize = 12_000;
const NODES: usize = 24;
/// How many quantiles there are over the time of the run.
const WINDOWS: u64 = 100;

/// All charts, in the order of the page. `end` is the end of the run in microseconds.
pub(super) fn all(report: &Report, end: u64) -> Vec<Chart> {
    let mut charts = vec![quantiles(report, end), latency(report), throughput(report, end)];
    if report.plan.workload.counter().is_some() {
        charts.push(values(report, end));
    }
    let load = &report.messages.journal.per_second;
    let messages: Vec<u64> = load.iter().map(|load| load.messages).collect();
    let bytes: Vec<u64> = load.iter().map(|load| load.bytes).collect();
    charts.push(traffic("traffic", "Messages between servers", "messages/s", &messages, end));
    charts.push(traffic("bytes", "Bytes between servers", "bytes/s", &bytes, end));
    charts
}

fn took(operation: &Operation) -> Option<Duration> {
    Some(operation.ended()?.saturating_sub(operation.invoked))
}

fn quantiles(report: &Report, end: u64) -> Chart {
    let width = (end / WINDOWS).max(1);
    let mut windows: BTreeMap<u64, Recorder> = BTreeMap::new();
    for operation in report.history.operations().iter().filter(|operation| operation.is_ok()) {
        let window = windows.entry(micros(operation.invoked) / width).or_default();
        if let Some(took) = took(operation) {
            window.record(took);
        }
    }
    let latencies: Vec<_> = (0..=end / width)
        .map(|number| (number * width + width / 2, windows.get(&number).map(Recorder::latencies)))
        .collect();
    let line = |name: &str, class: &str, of: fn(&crate::report::Latencies) -> f64| Series {
        name: name.into(),
        class: class.into(),
        shape: Shape::Line,
        points: latencies.iter().map(|(time, it)| (*time, it.as_ref().map(of))).collect(),
    };
    Chart {
        id: "quantiles",
        title: "Latency, quantiles",
        note: "Of the operations that were asked in each hundredth of the run and answered well. A window without any leaves a gap.",
        unit: "ms",
        is_logarithmic: true,
        series: vec![
            line("p50", "s2", |it| it.p50_ms),
            line("p95", "s0", |it| it.p95_ms),
            line("p99", "s1", |it| it.p99_ms),
            line("p100", "s5", |it| it.max_ms),
        ],
    }
}

fn latency(report: &Report) -> Chart {
    let operations = report.history.operations();
    let dots = |name: &str, class: &str, wanted: fn(&Operation) -> bool| {
        let dot = |operation: &Operation| {
            Some((micros(operation.invoked), Some((took(operation)?.as_secs_f64() * 1e3).max(LEAST))))
        };
        let points = thin(operations.iter().filter(|it| wanted(it)).filter_map(dot).collect(), DOTS);
        Series { name: name.into(), class: class.into(), shape: Shape::Dots, points }
    };
    Chart {
        id: "latency",
        title: "Latency, each operation",
        note: "Each dot is an operation, by the time it was asked. A square was not answered well.",
        unit: "ms",
        is_logarithmic: true,
        series: vec![
            dots("reads", "s1", |it| it.is_ok() && it.request.is_read()),
            dots("others", "s0", |it| it.is_ok() && !it.request.is_read()),
            dots("not answered well", "s6 square", |it| !it.is_ok()),
        ],
    }
}

fn throughput(report: &Report, end: u64) -> Chart {
    let count = |name: &str, class: &str, wanted: bool| {
        let mut counts: Vec<u64> = Vec::new();
        for operation in report.history.operations().iter().filter(|it| it.is_ok() == wanted) {
            let Some(second) = operation.ended().and_then(|at| usize::try_from(at.as_secs()).ok()) else {
                continue;
            };
            if counts.len() <= second {
                counts.resize(second + 1, 0);
            }
            if let Some(count) = counts.get_mut(second) {
                *count += 1;
            }
        }
        per_second(name, class, &counts, end)
    };
    Chart {
        id: "throughput",
        title: "Throughput",
        note: "Operations that ended in each second.",
        unit: "operations/s",
        is_logarithmic: false,
        series: vec![count("not answered well", "s6", false), count("ok", "s0", true)],
    }
}

fn traffic(id: &'static str, title: &'static str, unit: &'static str, counts: &[u64], end: u64) -> Chart {
    let series = vec![per_second("in each second", "s0", counts, end)];
    Chart { id, title, note: "What nodes and services sent each other.", unit, is_logarithmic: false, series }
}

/// A count for each second of the run. In a long run a point is the mean of several seconds.
#[expect(clippy::cast_precision_loss, reason = "a chart does not show so many digits")]
fn per_second(name: &str, class: &str, counts: &[u64], end: u64) -> Series {
    let seconds = (end / 1_000_000 + 1).max(counts.len() as u64);
    let width = seconds.div_ceil(POINTS as u64);
    let mean = |begin: u64| {
        let of = |second: u64| usize::try_from(second).ok().and_then(|second| counts.get(second)).copied();
        let sum: u64 = (begin..begin + width).filter_map(of).sum();
        (begin * 1_000_000 + width * 500_000, Some(sum as f64 / width as f64))
    };
    let points = (0..seconds).step_by(usize::try_from(width).unwrap_or(1)).map(mean).collect();
    Series { name: name.into(), class: class.into(), shape: Shape::Line, points }
}

/// The values of the reads on each node, and the sum of the acknowledged adds.
fn values(report: &Report, end: u64) -> Chart {
    let shown = report.plan.node_count.min(NODES);
    let truth = Series {
        name: "acknowledged".into(),
        class: "truth".into(),
        shape: Shape::Steps,
        points: thin(acknowledged(report, end), POINTS),
    };
    let node = |node: usize| Series {
        name: format!("n{node}"),
        class: format!("s{}", node % 6),
        shape: Shape::Steps,
        points: thin(shown_by(report, node), (OF_NODES / shown.max(1)).min(POINTS)),
    };
    Chart {
        id: "values",
        title: "What each node let read",
        note: "Beside the sum of the acknowledged adds. Of many nodes only the first 24 are drawn.",
        unit: "value",
        is_logarithmic: false,
        series: std::iter::once(truth).chain(report.plan.nodes().take(shown).map(node)).collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a chart does not show so many digits")]
fn shown_by(report: &Report, node: usize) -> Vec<(u64, Option<f64>)> {
    let reads = report.history.operations().iter().filter(|operation| operation.node == node);
    let mut shown: Vec<(u64, Option<f64>)> =
        reads.filter_map(|read| Some((micros(read.ended()?), Some(read.value()? as f64)))).collect();
    let probes = report.probes.iter().filter(|probe| probe.node == node);
    shown.extend(probes.map(|probe| (micros(probe.at), Some(probe.value as f64))));
    shown.sort_by_key(|(time, _)| *time);
    shown
}

#[expect(clippy::cast_precision_loss, reason = "a chart does not show so many digits")]
fn acknowledged(report: &Report, end: u64) -> Vec<(u64, Option<f64>)> {
    let mut sum: i64 = 0;
    let mut steps = vec![(0, Some(0.0))];
    for moment in report.history.moments() {
        let Moment::Completed(number) = moment else { continue };
        let done = report.history.operations().get(*number).filter(|operation| operation.is_ok());
        let Some(operation) = done else { continue };
        if let Some((delta, at)) = operation.request.delta().zip(operation.ended()) {
            sum = sum.saturating_add(delta);
            steps.push((micros(at), Some(sum as f64)));
        }
    }
    steps.push((end, Some(sum as f64)));
    steps
}

/// At most so many of them, at regular distances, and the last.
pub(super) fn thin<T: Clone>(all: Vec<T>, most: usize) -> Vec<T> {
    let step = all.len().div_ceil(most.max(1)).max(1);
    if step == 1 {
        return all;
    }
    let last = all.last().cloned();
    all.into_iter().step_by(step).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::history::{Completion, Outcome};
    use crate::plan::Plan;
    use crate::workload::{Counter, Request};
    use crate::world::World;

    /// In the first second 100 operations of 1 to 100 ms; in the last one an operation of 7 ms.
    #[test]
    fn quantiles_are_those_of_their_window() {
        let mut report = World::new(&Plan::new(&Counter::G, 1)).into_report();
        let asked = (1..=100).map(|took| (0, took)).chain([(99_000, 7)]);
        for (at, took) in asked {
            let invoked = Duration::from_millis(at);
            let outcome = Outcome::Ok(Answer::Integer(0));
            report.history.invoke(Operation {
                process: 0,
                worker: 0,
                node: 0,
                incarnation: 1,
                request: Request::read(),
                is_final: false,
                invoked,
                completion: Some(Completion {
                    at: invoked + Duration::from_millis(took),
                    incarnation: 1,
                    outcome,
                }),
            });
        }
        let chart = quantiles(&report, 100_000_000);
        let values =
            |window: usize| chart.series.iter().map(|line| line.points[window].1).collect::<Vec<_>>();
        let near = |found: &[Option<f64>], expected: &[f64]| {
            found.iter().zip(expected).all(|(found, expected)| (found.unwrap() - expected).abs() < 0.1)
        };
        assert!(near(&values(0), &[50.0, 95.0, 99.0, 100.0]), "{:?}", values(0));
        assert_eq!(values(50), [None; 4]);
        assert!(near(&values(99), &[7.0; 4]), "{:?}", values(99));
    }

    #[test]
    fn of_too_many_points_some_at_regular_distances_are_left_and_the_last() {
        assert_eq!(thin((0..10).collect(), 3), [0, 4, 8, 9]);
        assert_eq!(thin((0..3).collect(), 3), [0, 1, 2]);
    }
}

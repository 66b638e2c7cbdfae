//! The charts.

use std::collections::BTreeMap;
use std::time::Duration;

use plotters::prelude::*;

use super::chart::{Chart, SERIES, colour, duration, over_time, text};
use super::swatch;
use crate::history::{Moment, Operation};
use crate::report::Report;

pub(super) const LATENCY_NOTE: &str = "Each dot is an operation, by the time it was asked: \
    orange reads, blue all others; grey crosses were not answered well.";
pub(super) const THROUGHPUT_NOTE: &str = "Operations that ended in each second: blue well, grey otherwise.";
pub(super) const VALUES_NOTE: &str = "The black line (white on dark) is the sum of the acknowledged adds.";
pub(super) const MESSAGES_NOTE: &str = "Messages that nodes and services sent each other in each second.";
pub(super) const BYTES_NOTE: &str = "Bytes that nodes and services sent each other in each second.";

/// Which colour stands for which nodes.
pub(super) fn nodes_legend(count: usize) -> String {
    let entry = |(number, RGBColor(red, green, blue)): (usize, &RGBColor)| {
        let nodes: Vec<String> =
            (number..count).step_by(SERIES.len()).map(|node| format!("n{node}")).collect();
        (!nodes.is_empty()).then(|| swatch("line", (*red, *green, *blue), &nodes.join(" ")))
    };
    SERIES.iter().enumerate().filter_map(entry).collect()
}

/// The most dots of a kind. If there are more, dots are left out at regular distances.
const DOTS: usize = 8000;
/// The least latency that differs from none in the chart, in milliseconds.
const LEAST_MS: f64 = 0.01;

/// How long each operation took, on a logarithmic scale.
pub(super) fn latency(report: &Report) -> Result<String, String> {
    let scale = |exponent: &f64| format!("{}", 10f64.powf(*exponent));
    over_time(report, "ms", (LEAST_MS.log10(), 4.0), &scale, |chart| {
        let operations = report.history.operations();
        let adds = dots(operations, |operation| operation.is_ok() && !operation.request.is_read());
        let reads = dots(operations, |operation| operation.is_ok() && operation.request.is_read());
        let others = dots(operations, |operation| !operation.is_ok());
        scatter(chart, &reads, 1)?;
        scatter(chart, &adds, 0)?;
        chart.draw_series(others.iter().map(|dot| Cross::new(*dot, 4, colour(6)))).map_err(text)?;
        Ok(())
    })
}

fn scatter(chart: &mut Chart<'_, '_>, dots: &[(f64, f64)], number: usize) -> Result<(), String> {
    chart.draw_series(dots.iter().map(|dot| Circle::new(*dot, 2, colour(number).filled()))).map_err(text)?;
    Ok(())
}

fn dots(operations: &[Operation], wanted: impl Fn(&Operation) -> bool) -> Vec<(f64, f64)> {
    let dot = |operation: &Operation| {
        let took = operation.completion.as_ref()?.at.saturating_sub(operation.invoked);
        let millis = (took.as_secs_f64() * 1e3).max(LEAST_MS);
        Some((operation.invoked.as_secs_f64(), millis.log10()))
    };
    let all: Vec<(f64, f64)> =
        operations.iter().filter(|operation| wanted(operation)).filter_map(dot).collect();
    thin(all)
}

fn thin<T>(all: Vec<T>) -> Vec<T> {
    let step = all.len() / DOTS + 1;
    all.into_iter().step_by(step).collect()
}

/// Operations a second.
pub(super) fn throughput(report: &Report) -> Result<String, String> {
    let count = |wanted: bool| {
        let ends = report.history.operations().iter().filter(|operation| operation.is_ok() == wanted);
        per_second(report, ends.filter_map(|operation| Some(operation.completion.as_ref()?.at)))
    };
    let (ok, others) = (count(true), count(false));
    let top = highest(ok.iter().chain(&others).map(|(_, value)| *value));
    over_time(report, "operations/s", (0.0, top), &whole, |chart| {
        line(chart, others, colour(6))?;
        line(chart, ok, colour(0))
    })
}

fn per_second(report: &Report, times: impl Iterator<Item = Duration>) -> Vec<(f64, f64)> {
    let mut counts: BTreeMap<u64, f64> = BTreeMap::new();
    let last = Duration::from_secs_f64(duration(report)).as_secs();
    counts.extend((0..=last).map(|second| (second, 0.0)));
    for time in times {
        *counts.entry(time.as_secs()).or_default() += 1.0;
    }
    counts
        .into_iter()
        .map(|(second, count)| (Duration::from_secs(second).as_secs_f64() + 0.5, count))
        .collect()
}

/// The values of the reads on each node, and the sum of the acknowledged adds.
pub(super) fn values(report: &Report) -> Result<String, String> {
    let truth = acknowledged(report);
    let nodes: Vec<Vec<(f64, f64)>> =
        (0..report.plan.node_count).map(|node| shown_by(report, node)).collect();
    let all = || nodes.iter().flatten().chain(&truth).map(|(_, value)| *value);
    let low = all().fold(0.0, f64::min);
    over_time(report, "value", (low, highest(all())), &whole, |chart| {
        line(chart, truth, BLACK)?;
        nodes.into_iter().enumerate().try_for_each(|(node, shown)| line(chart, shown, colour(node)))
    })
}

#[expect(clippy::cast_precision_loss, reason = "a chart does not show so many digits")]
fn shown_by(report: &Report, node: usize) -> Vec<(f64, f64)> {
    let reads = report.history.operations().iter().filter(|operation| operation.node == node);
    let mut shown: Vec<(f64, f64)> = reads
        .filter_map(|read| Some((read.completion.as_ref()?.at.as_secs_f64(), read.value()? as f64)))
        .collect();
    let probes = report.probes.iter().filter(|probe| probe.node == node);
    shown.extend(probes.map(|probe| (probe.at.as_secs_f64(), probe.value as f64)));
    shown.sort_by(|a, b| a.0.total_cmp(&b.0));
    steps(&thin(shown))
}

/// A value holds until the next one is known.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut before = None;
    let mut steps = Vec::with_capacity(points.len() * 2);
    for (time, value) in points {
        steps.extend(before.map(|before| (*time, before)));
        steps.push((*time, *value));
        before = Some(*value);
    }
    steps
}

#[expect(clippy::cast_precision_loss, reason = "a chart does not show so many digits")]
fn acknowledged(report: &Report) -> Vec<(f64, f64)> {
    let mut sum = 0;
    let mut steps = vec![(0.0, 0.0)];
    for moment in report.history.moments() {
        let Moment::Completed(number) = moment else { continue };
        let Some(operation) = report.history.operations().get(*number).filter(|operation| operation.is_ok())
        else {
            continue;
        };
        if let Some((delta, end)) = operation.request.delta().zip(operation.ended()) {
            sum += delta;
            steps.push((end.as_secs_f64(), sum as f64));
        }
    }
    steps.push((duration(report), sum as f64));
    thin(steps)
}

#[expect(clippy::cast_precision_loss, reason = "a chart does not show so many digits")]
pub(super) fn messages(report: &Report) -> Result<String, String> {
    load(
        report,
        "messages/s",
        &report.messages.journal.per_second.iter().map(|load| load.messages as f64).collect::<Vec<_>>(),
    )
}

#[expect(clippy::cast_precision_loss, reason = "a chart does not show so many digits")]
pub(super) fn bytes(report: &Report) -> Result<String, String> {
    load(
        report,
        "bytes/s",
        &report.messages.journal.per_second.iter().map(|load| load.bytes as f64).collect::<Vec<_>>(),
    )
}

fn load(report: &Report, unit: &str, per_second: &[f64]) -> Result<String, String> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut values = per_second.iter().copied();
    let mut middle = 0.5;
    while middle < duration(report) || values.len() > 0 {
        points.push((middle, values.next().unwrap_or(0.0)));
        middle += 1.0;
    }
    over_time(report, unit, (0.0, highest(per_second.iter().copied())), &whole, |chart| {
        line(chart, points, colour(0))
    })
}

fn line(chart: &mut Chart<'_, '_>, points: Vec<(f64, f64)>, colour: RGBColor) -> Result<(), String> {
    chart.draw_series(LineSeries::new(points, colour.stroke_width(2))).map_err(text)?;
    Ok(())
}

/// A little above the largest value, and above zero.
fn highest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(1.0, f64::max) * 1.05
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that the axis asks for")]
fn whole(value: &f64) -> String {
    format!("{value:.0}")
}

//! The faults and the findings, which are marked on every drawing.

use std::fmt::Write;

use serde::Serialize;

use super::{escape, micros};
use crate::check::Violation;
use crate::nemesis::Fault;
use crate::report::{FaultWindow, Report};

/// The most windows of faults. If there are more, those that follow each other closely are joined.
const WINDOWS: u64 = 1000;

/// A time in which there was a fault.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Window {
    fault: String,
    letter: char,
    detail: String,
    from: u64,
    until: u64,
}

/// A violation, or a remark.
#[derive(Serialize)]
pub(super) struct Finding<'a> {
    name: String,
    at: u64,
    text: &'a str,
    is_remark: bool,
}

/// The class of a fault's colour, and the letter that stands for it.
fn look(fault: Fault) -> (&'static str, char) {
    match fault {
        Fault::Partition => ("s1", 'P'),
        Fault::Kill => ("s5", 'K'),
        Fault::Pause => ("s4", 'Z'),
        Fault::Restart => ("s3", 'R'),
        Fault::Loss => ("s2", 'L'),
        Fault::Duplicate => ("s2", 'D'),
        Fault::Slow => ("s2", 'S'),
        Fault::Store => ("s0", 'T'),
    }
}

/// Each violation and each remark that happened at a known time.
pub(super) fn timed(report: &Report) -> impl Iterator<Item = (u64, &Violation, bool)> {
    let violations = report.violations.examples().iter().map(|it| (it, false));
    let remarks = report.remarks.examples().iter().map(|it| (it, true));
    violations.chain(remarks).filter_map(|(it, is_remark)| Some((micros(it.at?), it, is_remark)))
}

pub(super) fn findings(report: &Report) -> Vec<Finding<'_>> {
    timed(report)
        .map(|(at, it, is_remark)| Finding { name: it.name(), at, text: &it.text, is_remark })
        .collect()
}

pub(super) fn windows(report: &Report, end: u64) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for kind in kinds(report) {
        let begin = windows.len();
        for window in report.faults.iter().filter(|window| window.fault == kind) {
            let next = of(window, end);
            match windows.get_mut(begin..).and_then(<[Window]>::last_mut) {
                Some(last)
                    if report.faults.len() as u64 > WINDOWS && next.from < last.until + end / WINDOWS =>
                {
                    last.until = last.until.max(next.until);
                    last.detail = "several".into();
                }
                _ => windows.push(next),
            }
        }
    }
    windows
}

fn of(window: &FaultWindow, end: u64) -> Window {
    let until = window.until.map_or(end, micros);
    let (_, letter) = look(window.fault);
    let detail = window.detail.chars().take(300).collect();
    Window { fault: window.fault.name(), letter, detail, from: micros(window.from), until }
}

/// The kinds of fault that there were.
fn kinds(report: &Report) -> Vec<Fault> {
    let mut kinds: Vec<Fault> = report.faults.iter().map(|window| window.fault).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// What every drawing shows of the faults and findings: drawn once, and used by each. A kind of fault has a strip of its own, for laid
/// over each other their colours would mix.
pub(super) fn symbols(report: &Report, end: u64) -> String {
    let kinds = kinds(report);
    let height = 1000 / kinds.len().max(1);
    let windows = windows(report, end);
    let mut bands = String::new();
    for (place, kind) in kinds.iter().enumerate() {
        let (class, letter) = look(*kind);
        let (top, mut path) = (place * height, String::new());
        for window in windows.iter().filter(|window| window.letter == letter) {
            let width = window.until.saturating_sub(window.from);
            let _ = write!(path, "M{} {top}h{width}v{height}h-{width}z", window.from);
        }
        let _ = write!(bands, r#"<path class="band {class}" d="{path}"/>"#);
    }
    let lines = |wanted: bool| {
        timed(report).filter(|(_, _, is_remark)| *is_remark == wanted).fold(
            String::new(),
            |mut path, (at, _, _)| {
                let _ = write!(path, "M{at} 0V1000");
                path
            },
        )
    };
    let (violations, remarks) = (lines(false), lines(true));
    format!(
        "<svg class=\"symbols\" aria-hidden=\"true\"><defs><g id=\"faults\">{bands}</g><g id=\"findings\">\
         <path class=\"remark\" d=\"{remarks}\"/><path class=\"violation\" d=\"{violations}\"/></g></defs></svg>\n"
    )
}

/// What the marks stand for.
pub(super) fn legend(report: &Report) -> String {
    let mut legend = String::new();
    for kind in kinds(report) {
        let (class, letter) = look(kind);
        let _ = write!(
            legend,
            "<span class=\"key area {class}\"><i>{letter}</i>{}</span> ",
            escape(&kind.name())
        );
    }
    for (is_remark, class, name) in [(false, "violation", "violation"), (true, "remark", "remark")] {
        if timed(report).any(|(_, _, it)| it == is_remark) {
            let _ = write!(legend, "<span class=\"key upright {class}\"><i></i>{name}</span> ");
        }
    }
    legend
}

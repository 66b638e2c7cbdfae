//! The messages of a page: those around each finding, and an even sample of the others.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::{escape, marks, micros};
use crate::endpoint::Endpoint;
use crate::report::Report;
use crate::trace::{Trace, TracedMessage};

/// How many bytes of a page messages take, about: those around the findings, and all.
const AROUND_FINDINGS: usize = 1 << 20;
const ALL: usize = 2 << 20;
/// The most messages before and after a finding, and the least.
const AROUND: [u64; 3] = [60, 30, 15];
const LEAST: u64 = 8;
/// How many messages follow each other in a sample.
const SAMPLE: u64 = 16;
/// How much of a body is shown.
const BODY: usize = 1000;
const LEAST_BODY: usize = 100;
/// What a message takes beside its body.
const FRAME: usize = 60;

/// Messages in the order of sending.
#[derive(Serialize)]
pub(super) struct MessagesData {
    /// How many messages the run had.
    count: u64,
    names: Vec<String>,
    /// Number, the places of sender and receiver in `names`, when it was sent, when it was received, and the body.
    messages: Vec<(u64, usize, usize, u64, Option<u64>, String)>,
}

/// The messages to show. They are in the order of their numbers.
pub(super) fn chosen(report: &Report) -> Vec<TracedMessage> {
    let Some(trace) = &report.trace else { return Vec::new() };
    let all = usize::try_from(trace.count()).unwrap_or(usize::MAX);
    if all.saturating_mul(FRAME) < ALL {
        let messages = trace.between(0, trace.count());
        if size(messages.iter()) < ALL {
            return messages;
        }
    }
    let mut chosen = around_findings(report, trace);
    let mut room = ALL.saturating_sub(size(chosen.values()));
    // At first few samples, then more and more between them.
    let mut samples = 1;
    while room > 0 && samples < 4096 && samples * SAMPLE < trace.count() {
        for place in (0..samples).map(|number| trace.count() / (2 * samples) * (2 * number + 1)) {
            let sample = trace.between(place, place + SAMPLE);
            room = room.saturating_sub(size(sample.iter()));
            chosen.extend(sample.into_iter().map(|message| (message.id, cut(message, BODY))));
            if room == 0 {
                break;
            }
        }
        samples *= 2;
    }
    chosen.into_values().collect()
}

/// As many around each finding as there is room for, and at least a few, with as much of their bodies as there is room for.
fn around_findings(report: &Report, trace: &Trace) -> BTreeMap<u64, TracedMessage> {
    let around = |count: u64, body: usize| {
        let mut messages = BTreeMap::new();
        for violation in report.violations.examples().iter().chain(report.remarks.examples()) {
            let found = violation.at.map(|at| trace.around(at, count, count / 2)).unwrap_or_default();
            messages.extend(found.into_iter().map(|message| (message.id, cut(message, body))));
        }
        messages
    };
    let fits = |messages: &BTreeMap<u64, TracedMessage>| size(messages.values()) < AROUND_FINDINGS;
    let few = AROUND.into_iter().map(|count| around(count, BODY)).find(fits);
    few.unwrap_or_else(|| around(LEAST, LEAST_BODY))
}

/// How many bytes of the page they take, about.
fn size<'a>(messages: impl Iterator<Item = &'a TracedMessage>) -> usize {
    messages.map(|message| message.body.bytes().take(BODY).map(escaped).sum::<usize>() + FRAME).sum()
}

/// How many bytes JSON needs for a byte.
fn escaped(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' => 2,
        0..=0x1f | b'<' => 6,
        _ => 1,
    }
}

fn cut(message: TracedMessage, bytes: usize) -> TracedMessage {
    let Some(kept) = message.body.get(..message.body.floor_char_boundary(bytes)) else { return message };
    if kept.len() == message.body.len() {
        return message;
    }
    TracedMessage { body: format!("{kept}…").into(), ..message }
}

pub(super) fn data(report: &Report, messages: &[TracedMessage]) -> MessagesData {
    let mut ends: Vec<Endpoint> = messages.iter().flat_map(|message| [message.src, message.dest]).collect();
    // Nodes first, then services, then clients.
    ends.sort_unstable_by_key(|end| (end.is_client(), end.is_service(), *end));
    ends.dedup();
    let place: BTreeMap<Endpoint, usize> =
        ends.iter().enumerate().map(|(place, end)| (*end, place)).collect();
    let place = |end: Endpoint| place.get(&end).copied().unwrap_or(0);
    let of = |message: &TracedMessage| {
        let (sent, received) = (micros(message.sent), message.received.map(micros));
        let body = cut(message.clone(), BODY).body.into_string();
        (message.id, place(message.src), place(message.dest), sent, received, body)
    };
    MessagesData {
        count: report.trace.as_ref().map_or(0, Trace::count),
        names: ends.iter().map(Endpoint::to_string).collect(),
        messages: messages.iter().map(of).collect(),
    }
}

/// For who has no script: the messages around the first finding. The script puts its diagram in this place.
pub(super) fn to_html(report: &Report) -> String {
    let first = marks::timed(report).min_by_key(|(at, _, is_remark)| (*is_remark, *at));
    let Some(((at, violation, is_remark), trace)) = first.zip(report.trace.as_ref()) else {
        return "<section id=\"messages\" hidden><h2>Messages</h2><div id=\"around\"></div></section>\n"
            .into();
    };
    let mut rows = String::new();
    for message in violation.at.map(|at| trace.around(at, 30, 10)).unwrap_or_default() {
        let seconds = |at: u64| format!("{}.{:06} s", at / 1_000_000, at % 1_000_000);
        let received = message.received.map_or("never".into(), |at| seconds(micros(at)));
        let _ = write!(
            rows,
            "<tr><td>{}</td><td>{received}</td><td>{} → {}</td><td><code>{}</code></td></tr>",
            seconds(micros(message.sent)),
            message.src,
            message.dest,
            escape(&cut(message.clone(), BODY).body)
        );
    }
    let what = if is_remark { "remark" } else { "violation" };
    format!(
        "<section id=\"messages\" data-first=\"{at}\"><h2>Messages around the first {what}</h2>\n<div id=\"around\"><table>\n\
         <tr><th>sent</th><th>received</th><th>from and to</th><th>body</th></tr>\n{rows}</table></div></section>\n"
    )
}

//! Puts findings into words.

use super::findings::{Finding, Participant, Step};
use super::history::{History, Op, Reading, Version};
use super::links::{Dependency, Link, kind};
use super::models::Anomaly;

/// An anomaly of some transactions: the first one is T1 in the text.
pub(super) fn finding<R: Reading>(
    history: &History<'_, R>,
    anomaly: Anomaly,
    transactions: &[usize],
    text: String,
) -> Finding {
    let participant = |number: &usize| {
        let transaction = history.transactions.get(*number)?;
        Some(Participant {
            number: *number,
            process: transaction.process,
            invoked: transaction.invoked,
            completed: transaction.completed,
            ops: transaction.ops.iter().map(op).collect::<Vec<_>>().join(", "),
        })
    };
    let transactions = transactions.iter().filter_map(participant).collect();
    Finding { anomaly, text, count: 1, unread: false, transactions, steps: Vec::new() }
}

fn op<R: Reading>(op: &Op<R>) -> String {
    match op {
        Op::Write { key, value } => format!("{} {key} {value}", R::WRITE),
        Op::Read { key, seen: Some(seen) } => format!("read {key} {}", seen.words()),
        Op::Read { key, seen: None } => format!("read {key} ?"),
    }
}

/// A cycle: each step in words, the last one as the contradiction.
pub(super) fn cycle<R: Reading>(history: &History<'_, R>, links: &[Link]) -> Finding {
    let (cycle, order) = kind(links);
    let numbers: Vec<usize> = links.iter().map(|link| link.from).collect();
    let place = |number: usize| numbers.iter().position(|one| *one == number).unwrap_or(0);
    let step = |link: &Link| {
        let (from, to) = (place(link.from), place(link.to));
        let write = |version: Option<Version>| version.and_then(|version| history.write(version));
        let (before, after) = (write(link.before), write(link.after));
        Step {
            from,
            to,
            dependency: link.dependency,
            key: before.or(after).map(|write| write.key),
            before: before.map(|write| write.value),
            after: after.map(|write| write.value),
            text: words(history, link, [from, to]),
        }
    };
    let steps: Vec<Step> = links.iter().map(step).collect();
    let mut text = String::new();
    for (place, step) in steps.iter().enumerate() {
        text.push_str(match place {
            0 => "",
            _ if place + 1 == steps.len() => "; but ",
            _ => "; ",
        });
        text.push_str(&step.text);
    }
    let finding = finding(history, Anomaly::Cycle(cycle, order), &numbers, text);
    Finding { unread: links.iter().any(|link| link.is_unread), steps, ..finding }
}

/// Why one transaction comes before the other.
fn words<R: Reading>(history: &History<'_, R>, link: &Link, places: [usize; 2]) -> String {
    let [first, second] = places.map(|place| format!("T{}", place + 1));
    let write = |version: Option<Version>| version.and_then(|version| history.write(version));
    let (before, after) = (write(link.before), write(link.after));
    let value =
        |write: Option<&super::history::Write>| write.map_or(String::new(), |it| it.value.to_string());
    let key = before.or(after).map_or(0, |write| write.key);
    let read = |reader: usize| shown(history, reader, link).unwrap_or("?".to_owned());
    let written = R::WRITTEN;
    let unread = if link.is_unread { " (which no read shows)" } else { "" };
    match link.dependency {
        Dependency::Ww => {
            format!(
                "{second} {written} {} to key {key}{unread} after {first}'s {}",
                value(after),
                value(before)
            )
        }
        Dependency::Wr => {
            format!(
                "{second} read {} from key {key}, where {first} {written} {}",
                read(link.to),
                value(before)
            )
        }
        Dependency::Rw => {
            format!(
                "{first} read {} from key {key} before {second} {written} {}{unread}",
                read(link.from),
                value(after)
            )
        }
        Dependency::Process => {
            let process = history.transactions.get(link.from).map_or(0, |transaction| transaction.process);
            format!("process {process} ran {first} before {second}")
        }
        Dependency::Realtime => format!("{first} ended before {second} began"),
    }
}

/// The read that a dependency is about.
fn shown<R: Reading>(history: &History<'_, R>, reader: usize, link: &Link) -> Option<String> {
    let write = |version: Option<Version>| version.and_then(|version| history.write(version));
    let (before, after) = (write(link.before), write(link.after));
    let wanted = before.or(after)?.key;
    let fits = |op: &Op<R>| match op {
        Op::Read { key, seen: Some(seen) } if *key == wanted => {
            let has = |write: &super::history::Write| seen.holds(write.value);
            (before.is_none_or(has) && !after.is_some_and(has)).then(|| seen.words())
        }
        Op::Read { .. } | Op::Write { .. } => None,
    };
    history.transactions.get(reader)?.ops.iter().find_map(fits)
}

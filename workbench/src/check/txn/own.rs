//! What both checkers share: a transaction by itself, lost updates, and the order of processes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cycles::{Times, find_cycles};
use super::findings::Findings;
use super::graph::{Edge, Edges, Kind};
use super::history::{History, Op, Reading, Transaction, TransactionOutcome, Version, writes_of};
use super::models::Anomaly;
use super::tell;

/// What a transaction knows of a key.
#[derive(Debug)]
struct Known<'a, R> {
    /// What it last read.
    base: Option<&'a R>,
    /// What it has written since.
    own: Vec<i64>,
}

impl<R> Default for Known<'_, R> {
    fn default() -> Self {
        Self { base: None, own: Vec::new() }
    }
}

/// Each transaction must see what it has seen and written itself, and nothing that it writes later.
pub(super) fn check_alone<R: Reading>(history: &History<'_, R>, findings: &mut Findings) {
    for (number, transaction) in history.committed() {
        let mut keys: BTreeMap<i64, Known<'_, R>> = BTreeMap::new();
        for (place, op) in transaction.ops.iter().enumerate() {
            match op {
                Op::Write { key, value } => keys.entry(*key).or_default().own.push(*value),
                Op::Read { key, seen: Some(seen) } => {
                    let later = transaction.ops.get(place..).unwrap_or_default();
                    check_future(history, number, (*key, seen), later, findings);
                    let known = keys.entry(*key).or_default();
                    if !seen.follows(known.base, &known.own) {
                        let text = internal_text(*key, seen, known);
                        findings.record(tell::finding(history, Anomaly::Internal, &[number], text));
                    }
                    *known = Known { base: Some(seen), own: Vec::new() };
                }
                Op::Read { seen: None, .. } => {}
            }
        }
    }
}

fn check_future<R: Reading>(
    history: &History<'_, R>,
    number: usize,
    (key, seen): (i64, &R),
    later: &[Op<R>],
    findings: &mut Findings,
) {
    let value = later.iter().find_map(|op| match op {
        Op::Write { key: written, value } if *written == key && seen.holds(*value) => Some(*value),
        Op::Write { .. } | Op::Read { .. } => None,
    });
    if let Some(value) = value {
        let text =
            format!("T1 read {} from key {key}, and only then {} {value} itself", seen.words(), R::WRITTEN);
        findings.record(tell::finding(history, Anomaly::FutureRead, &[number], text));
    }
}

fn internal_text<R: Reading>(key: i64, seen: &R, known: &Known<'_, R>) -> String {
    let own: Vec<String> = known.own.iter().map(i64::to_string).collect();
    let past = match (known.base, own.is_empty()) {
        (Some(base), true) => format!("had read {} from it", base.words()),
        (Some(base), false) => {
            format!("had read {} from it and {} {}", base.words(), R::HAD_WRITTEN, own.join(", "))
        }
        (None, _) => format!("had {} {} to it", R::HAD_WRITTEN, own.join(", ")),
    };
    format!("T1 read {} from key {key}, although it {past} itself", seen.words())
}

/// A committed transaction that read a key and then wrote it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Update<'a, R> {
    pub(super) key: i64,
    pub(super) seen: &'a R,
    transaction: usize,
    /// The first value that it wrote.
    pub(super) value: i64,
}

/// No two of them may have read the same version.
pub(super) fn check_updates<R: Reading>(history: &History<'_, R>, findings: &mut Findings) {
    let mut updates: Vec<Update<'_, R>> =
        history.committed().flat_map(|(number, transaction)| updates_of(number, transaction)).collect();
    updates.sort_unstable();
    for group in updates.chunk_by(|one, next| one.key == next.key && one.seen == next.seen) {
        if let [first, second, ..] = group {
            let (key, seen, more) = (first.key, first.seen.words(), group.len() - 2);
            let more = if more > 0 { format!(", and so did {more} more") } else { String::new() };
            let text = format!(
                "T1 and T2 both read {seen} from key {key}; T1 then {written} {} and T2 {}{more}",
                first.value,
                second.value,
                written = R::WRITTEN
            );
            let involved: Vec<usize> = group.iter().take(4).map(|update| update.transaction).collect();
            findings.record(tell::finding(history, Anomaly::LostUpdate, &involved, text));
        }
    }
}

/// Of each key the last read before the first write.
pub(super) fn updates_of<R>(number: usize, transaction: &Transaction<R>) -> Vec<Update<'_, R>> {
    let mut last: BTreeMap<i64, Option<&R>> = BTreeMap::new();
    let mut updates = Vec::new();
    for op in &transaction.ops {
        match op {
            Op::Read { key, seen } => {
                last.entry(*key).and_modify(|last| *last = last.and(seen.as_ref())).or_insert(seen.as_ref());
            }
            Op::Write { key, value } => {
                if let Some(seen) = last.insert(*key, None).flatten() {
                    updates.push(Update { key: *key, seen, transaction: number, value: *value });
                }
            }
        }
    }
    updates
}

/// Looks for cycles, and reports them.
pub(super) fn check_cycles<R: Reading>(history: &History<'_, R>, mut edges: Edges, findings: &mut Findings) {
    add_processes(history, &mut edges);
    let cycles = find_cycles(&edges, &times(history));
    for links in &cycles.examples {
        findings.record(tell::cycle(history, links));
    }
    for ((cycle, order), count) in cycles.counts {
        findings.count(Anomaly::Cycle(cycle, order), count);
    }
}

fn times<R>(history: &History<'_, R>) -> Times {
    let ended = |transaction: &Transaction<R>| match transaction.outcome {
        TransactionOutcome::Committed => transaction.completed.unwrap_or(Duration::MAX),
        TransactionOutcome::Aborted | TransactionOutcome::Unknown => Duration::MAX,
    };
    Times {
        invoked: history.transactions.iter().map(|transaction| transaction.invoked).collect(),
        ended: history.transactions.iter().map(ended).collect(),
    }
}

/// From each committed transaction to the next one of its process. One that may still run has none after it.
fn add_processes<R>(history: &History<'_, R>, edges: &mut Edges) {
    let mut last: BTreeMap<u64, (usize, Duration)> = BTreeMap::new();
    let mut order: Vec<_> = history.transactions.iter().enumerate().collect();
    order.sort_by_key(|(_, transaction)| transaction.invoked);
    for (number, transaction) in order {
        if transaction.outcome == TransactionOutcome::Aborted {
            continue;
        }
        if let Some((from, ended)) = last.get(&transaction.process)
            && *ended <= transaction.invoked
        {
            edges.add(Edge {
                from: *from,
                to: number,
                kind: Kind::Process,
                before: None,
                after: None,
                is_unread: false,
            });
        }
        if let (TransactionOutcome::Committed, Some(ended)) = (transaction.outcome, transaction.completed) {
            last.insert(transaction.process, (number, ended));
        }
    }
}

/// The last version that the transaction of a version writes to its key.
pub(super) fn last_write<R>(history: &History<'_, R>, version: Version) -> Option<Version> {
    let write = history.write(version)?;
    if write.is_last {
        return Some(version);
    }
    let (_, value) = writes_of(history.transactions.get(write.transaction)?)
        .filter(|(key, _)| *key == write.key)
        .last()?;
    history.version(write.key, value)
}

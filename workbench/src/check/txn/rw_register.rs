//! The checker of `txn-rw-register`.
//!
//! A register shows only its newest value, so the order of its versions must be inferred. Two rules are sound for every model.
//! The initial `null` comes before all. And if a transaction reads one version and then writes another, the first one comes
//! before the second one. Maelstrom has Elle use these two as well (`wfr-keys?`). It does not infer an order of versions from
//! the order in time or of processes.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::graph::{Edge, Edges, Kind};
use super::history::{History, HistoryError, Read, Transaction, TransactionOutcome, Version};
use super::models::Anomaly;
use super::own::{check_alone, check_cycles, check_updates, last_write, updates_of};
use super::tell;

type Register = Option<i64>;

/// Finds the anomalies of transactions that write registers and read them.
///
/// A register that nobody has written reads as `None`. The answer is sound, and takes nearly linear time and memory, as that of
/// [`check_list_append`](super::check_list_append). It finds less: it knows the order of two writes only if the second
/// transaction has read the first one's.
///
/// # Errors
/// If two writes of one key have the same value, or a transaction ends before it begins.
///
/// ```
/// use std::time::Duration;
/// use workbench::txn::{Op, Transaction, TransactionOutcome, check_rw_register};
///
/// let run = |process, ops| Transaction {
///     process,
///     invoked: Duration::ZERO,
///     completed: Some(Duration::from_millis(5)),
///     outcome: TransactionOutcome::Committed,
///     ops,
/// };
/// let write_skew = [
///     run(0, vec![Op::Read { key: 1, seen: Some(None) }, Op::Write { key: 2, value: 7 }]),
///     run(1, vec![Op::Read { key: 2, seen: Some(None) }, Op::Write { key: 1, value: 8 }]),
/// ];
/// let findings = check_rw_register(&write_skew).unwrap();
/// let found = &findings.examples()[0];
/// assert_eq!(found.anomaly.to_string(), "G2-item");
/// assert_eq!(found.text, "T1 read null from key 1 before T2 wrote 8; but T2 read null from key 2 before T1 wrote 7");
/// ```
pub fn check_rw_register(transactions: &[Transaction<Register>]) -> Result<Findings, HistoryError> {
    let history = History::new(transactions)?;
    let mut findings = Findings::default();
    check_alone(&history, &mut findings);
    check_updates(&history, &mut findings);
    let reads = history.reads();
    let mut registers = Registers {
        history: &history,
        edges: Edges::new(transactions.len()),
        findings,
        sources: sources(&history),
    };
    registers.cut_circles();
    for reads in reads.chunk_by(|one, next| one.key == next.key) {
        registers.check_key(reads);
    }
    let Registers { edges, mut findings, .. } = registers;
    check_cycles(&history, edges, &mut findings);
    findings.sort();
    Ok(findings)
}

struct Registers<'a> {
    history: &'a History<'a, Register>,
    edges: Edges,
    findings: Findings,
    /// For each version the one that its transaction had read before, if any.
    sources: Vec<Option<Version>>,
}

/// For each version the one that its transaction had read before. Only the last version that a transaction writes to a key
/// counts.
fn sources(history: &History<'_, Register>) -> Vec<Option<Version>> {
    let mut sources = vec![None; history.writes.len()];
    for (number, transaction) in history.committed() {
        for update in updates_of(number, transaction) {
            let seen = update.seen.and_then(|value| history.version(update.key, value));
            let seen = seen.and_then(|version| last_write(history, version)).filter(|version| {
                !history.is(*version, TransactionOutcome::Aborted) && history.writer(*version) != Some(number)
            });
            let written = history.version(update.key, update.value);
            let written = written.and_then(|version| last_write(history, version));
            if let Some(source) = written.and_then(|version| sources.get_mut(version)) {
                *source = seen;
            }
        }
    }
    sources
}

impl Registers<'_> {
    fn source(&self, version: Version) -> Option<Version> {
        self.sources.get(version).copied().flatten()
    }

    /// Reports versions that come before themselves, and forgets what their transactions had read.
    fn cut_circles(&mut self) {
        let mut round = vec![usize::MAX; self.sources.len()];
        for start in 0..self.sources.len() {
            let mut at = Some(start);
            while let Some(version) = at.filter(|version| round.get(*version) == Some(&usize::MAX)) {
                if let Some(mark) = round.get_mut(version) {
                    *mark = start;
                }
                at = self.source(version);
            }
            if let Some(version) = at.filter(|version| round.get(*version) == Some(&start)) {
                self.cut_circle(version);
            }
        }
    }

    fn cut_circle(&mut self, version: Version) {
        let mut circle = vec![version];
        while let Some(next) = circle.last().and_then(|last| self.source(*last)).filter(|it| *it != version) {
            circle.push(next);
        }
        circle.reverse();
        for version in &circle {
            if let Some(source) = self.sources.get_mut(*version) {
                *source = None;
            }
        }
        let writes: Vec<_> = circle.iter().filter_map(|version| self.history.write(*version)).collect();
        let (Some(first), Some(last)) = (writes.first(), writes.last()) else { return };
        let mut seen = last.value;
        let mut parts = Vec::new();
        for (place, write) in writes.iter().enumerate().take(SHOWN) {
            parts.push(format!("T{} read {seen} and wrote {}", place + 1, write.value));
            seen = write.value;
        }
        let text = format!("the values of key {} go round: {}", first.key, parts.join("; "));
        let transactions: Vec<usize> = writes.iter().take(SHOWN).map(|write| write.transaction).collect();
        self.report(Anomaly::CyclicVersions, &transactions, text);
    }

    fn report(&mut self, anomaly: Anomaly, transactions: &[usize], text: String) {
        self.findings.record(tell::finding(self.history, anomaly, transactions, text));
    }

    fn check_key(&mut self, reads: &[Read<'_, Register>]) {
        let mut readers: BTreeMap<Option<Version>, Vec<usize>> = BTreeMap::new();
        for read in reads {
            match *read.seen {
                None => readers.entry(None).or_default().push(read.transaction),
                Some(value) => {
                    if let Some(version) = self.check_read(read, value) {
                        readers.entry(Some(version)).or_default().push(read.transaction);
                    }
                }
            }
        }
        let Some(key) = reads.first().map(|read| read.key) else { return };
        let next = self.successors(key);
        for (version, readers) in &readers {
            let read = |reader: &usize| Edge {
                from: *reader,
                to: *reader,
                kind: Kind::Rw,
                before: *version,
                after: None,
                is_unread: false,
            };
            let mut first: Vec<Edge> = readers.iter().map(read).collect();
            if let Some(writer) = version.and_then(|version| self.history.writer(version)) {
                let edge = |to, kind| Edge {
                    from: writer,
                    to,
                    kind,
                    before: *version,
                    after: None,
                    is_unread: false,
                };
                for reader in readers {
                    self.edges.add(edge(*reader, Kind::Wr));
                }
                first.push(edge(writer, Kind::Ww));
            }
            self.edges.fan(&first, next.get(version).map_or(&[], Vec::as_slice));
        }
    }

    /// The version that a read shows, if it can be ordered: the last one that its transaction wrote to the key.
    fn check_read(&mut self, read: &Read<'_, Register>, value: i64) -> Option<Version> {
        let (key, reader) = (read.key, read.transaction);
        let Some(version) = self.history.version(key, value) else {
            let text = format!("T1 read {value} from key {key}, which no transaction wrote");
            self.report(Anomaly::Garbage, &[reader], text);
            return None;
        };
        let writer = self.history.writer(version)?;
        if self.history.is(version, TransactionOutcome::Aborted) {
            let text = format!("T1 read {value} from key {key}, which T2 wrote, but T2 was aborted");
            self.report(Anomaly::AbortedRead, &[reader, writer], text);
            return None;
        }
        let last = last_write(self.history, version)?;
        if writer != reader && last != version {
            let written = self.history.write(last)?.value;
            let text = format!(
                "T1 read {value} from key {key}, which T2 wrote, although T2 went on to write {written} to it"
            );
            self.report(Anomaly::IntermediateRead, &[reader, writer], text);
        }
        Some(last)
    }

    /// Which versions are known to come after each version, with their writers. After the initial one come all that have no
    /// other before them. Some were aborted, or may have been. Nothing depends on those, so they are on no cycle.
    fn successors(&self, key: i64) -> BTreeMap<Option<Version>, Vec<(usize, Version)>> {
        let mut next: BTreeMap<Option<Version>, Vec<(usize, Version)>> = BTreeMap::new();
        for version in self.history.versions(key) {
            let Some(write) = self.history.write(version).filter(|write| write.is_last) else { continue };
            next.entry(self.source(version)).or_default().push((write.transaction, version));
        }
        next
    }
}

/// Of a circle of versions so many are told.
const SHOWN: usize = 6;

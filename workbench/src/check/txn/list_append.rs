//! The checker of `txn-list-append`.
//!
//! A read of a list shows all versions before it. So the longest read of a key is the order of its versions.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Finding, Findings};
use super::graph::{Edge, Edges, Kind};
use super::history::{
    History, HistoryError, Read, Reading, Transaction, TransactionOutcome, Version, writes_of,
};
use super::models::Anomaly;
use super::own::{check_alone, check_cycles, check_updates, last_write};
use super::tell;

type List = Vec<i64>;

/// Finds the anomalies of transactions that append to lists and read them.
///
/// `null`, as a read of a list that nobody has appended to, is the empty list. The answer is sound: what it finds is an anomaly
/// of every execution that could have shown these reads, or hides a worse one. It is not complete: of two appends that nobody
/// read it knows no order. It takes time and memory nearly linear in the history; see the module's documentation.
///
/// # Errors
/// If two appends to one key have the same value, or a transaction ends before it begins.
///
/// ```
/// use std::time::Duration;
/// use workbench::txn::{Model, Op, Transaction, TransactionOutcome, check_list_append};
///
/// let run = |process, from, to, ops| Transaction {
///     process,
///     invoked: Duration::from_millis(from),
///     completed: Some(Duration::from_millis(to)),
///     outcome: TransactionOutcome::Committed,
///     ops,
/// };
/// let history = [
///     run(0, 10, 20, vec![Op::Write { key: 5, value: 1 }]),
///     run(1, 30, 40, vec![Op::Write { key: 5, value: 2 }]),
///     run(2, 50, 60, vec![Op::Read { key: 5, seen: Some(vec![1]) }]),
///     run(3, 70, 80, vec![Op::Read { key: 5, seen: Some(vec![1, 2]) }]),
/// ];
/// let findings = check_list_append(&history).unwrap();
/// let stale = findings.against(Model::StrictSerializable).next().unwrap();
/// assert_eq!(stale.anomaly.to_string(), "G-single-realtime");
/// assert_eq!(stale.text, "T1 read [1] from key 5 before T2 appended 2; but T2 ended before T1 began");
/// assert!(findings.against(Model::Serializable).next().is_none());
/// ```
pub fn check_list_append(transactions: &[Transaction<List>]) -> Result<Findings, HistoryError> {
    let history = History::new(transactions)?;
    let mut findings = Findings::default();
    check_alone(&history, &mut findings);
    check_updates(&history, &mut findings);
    let reads = history.reads();
    let mut lists = Lists { history: &history, edges: Edges::new(transactions.len()), findings };
    for reads in reads.chunk_by(|one, next| one.key == next.key) {
        lists.check_key(reads);
    }
    let Lists { edges, mut findings, .. } = lists;
    check_cycles(&history, edges, &mut findings);
    findings.sort();
    Ok(findings)
}

struct Lists<'a> {
    history: &'a History<'a, List>,
    edges: Edges,
    findings: Findings,
}

/// The versions of a key in their order.
struct Order {
    key: i64,
    /// All elements of the longest read.
    versions: Vec<Version>,
    /// Those that were not aborted.
    live: Vec<Version>,
    /// How many of the first n elements were not aborted, for each n.
    live_before: Vec<usize>,
}

impl Lists<'_> {
    fn check_key(&mut self, reads: &[Read<'_, List>]) {
        let good = self.consistent(reads);
        let Some(longest) = good.first() else { return };
        let order = self.order(longest);
        self.check_aborted(&order, &good);
        self.check_own_order(&order, longest.transaction);
        self.order_writes(&order);
        let mut at_end: Vec<Edge> = good.iter().filter_map(|read| self.order_read(&order, read)).collect();
        at_end.extend(order.live.last().and_then(|last| self.edge(Kind::Ww, *last, true)));
        self.edges.fan(&at_end, &self.unread(&order));
    }

    /// The reads that are prefixes of the longest one, which comes first.
    fn consistent<'r, 's>(&mut self, reads: &'r [Read<'s, List>]) -> Vec<&'r Read<'s, List>> {
        let mut by_length: Vec<_> = reads.iter().collect();
        by_length.sort_by_key(|read| std::cmp::Reverse(read.seen.len()));
        let mut good: Vec<&Read<'_, List>> = Vec::new();
        for read in by_length {
            match good.first() {
                Some(longest) if longest.seen.starts_with(read.seen) => good.push(read),
                _ if !self.is_sane(read) => {}
                Some(longest) => self.report_incompatible(longest, read),
                None => good.push(read),
            }
        }
        good
    }

    /// Whether each element was appended, and is there once.
    fn is_sane(&mut self, read: &Read<'_, List>) -> bool {
        let (key, seen) = (read.key, read.seen);
        let mut known = BTreeSet::new();
        let twice = seen.iter().find(|value| !known.insert(**value));
        let made_up = seen.iter().find(|value| self.history.version(key, **value).is_none());
        if let Some(value) = twice {
            let text = format!("T1 read {} from key {key}, with {value} twice", seen.words());
            self.report(Anomaly::DuplicateElements, &[read.transaction], text);
        }
        if let Some(value) = made_up {
            let text = format!("T1 read {value} from key {key}, which no transaction appended");
            self.report(Anomaly::Garbage, &[read.transaction], text);
        }
        twice.is_none() && made_up.is_none()
    }

    fn report_incompatible(&mut self, longest: &Read<'_, List>, read: &Read<'_, List>) {
        let same = longest.seen.iter().zip(read.seen).take_while(|(one, other)| one == other).count();
        let element = |read: &Read<'_, List>| read.seen.get(same).map_or(String::new(), i64::to_string);
        let (one, other) = (element(longest), element(read));
        let key = read.key;
        let text = format!(
            "T1 and T2 read key {key} in two orders: after {same} equal elements T1 has {one} and T2 has {other}"
        );
        self.report(Anomaly::IncompatibleOrder, &[longest.transaction, read.transaction], text);
    }

    fn report(&mut self, anomaly: Anomaly, transactions: &[usize], text: String) {
        self.findings.record(tell::finding(self.history, anomaly, transactions, text));
    }

    fn order(&self, longest: &Read<'_, List>) -> Order {
        let versions = longest.seen.iter().filter_map(|value| self.history.version(longest.key, *value));
        let mut order =
            Order { key: longest.key, versions: versions.collect(), live: Vec::new(), live_before: vec![0] };
        for version in &order.versions {
            if !self.history.is(*version, TransactionOutcome::Aborted) {
                order.live.push(*version);
            }
            order.live_before.push(order.live.len());
        }
        order
    }

    /// Reads of aborted appends, and appends behind them.
    fn check_aborted(&mut self, order: &Order, good: &[&Read<'_, List>]) {
        let is_aborted = |version: &Version| self.history.is(*version, TransactionOutcome::Aborted);
        let Some(first) = order.versions.iter().position(is_aborted) else { return };
        let Some(aborted) = order.versions.get(first).and_then(|it| self.history.write(*it)).copied() else {
            return;
        };
        let (key, value) = (order.key, aborted.value);
        for read in good.iter().filter(|read| read.seen.len() > first) {
            let text = format!("T1 read {value} from key {key}, which T2 appended, but T2 was aborted");
            self.report(Anomaly::AbortedRead, &[read.transaction, aborted.transaction], text);
        }
        let after = order.versions.iter().skip(first).copied();
        let after = after.filter_map(|version| self.history.write(version)).copied();
        if let Some(next) = after
            .into_iter()
            .find(|write| self.history.outcome(write.transaction) != Some(TransactionOutcome::Aborted))
        {
            let text =
                format!("T2 appended {} to key {key} behind T1's {value}, but T1 was aborted", next.value);
            self.report(Anomaly::DirtyUpdate, &[aborted.transaction, next.transaction], text);
        }
    }

    /// What a transaction appends to a list stands there in the order in which it did.
    fn check_own_order(&mut self, order: &Order, reader: usize) {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let shown: BTreeSet<Version> = order.live.iter().copied().collect();
        for write in order.live.iter().filter_map(|version| self.history.write(*version)).copied() {
            let count = counts.entry(write.transaction).or_default();
            if write.nth != *count {
                let own = self.history.transactions.get(write.transaction).into_iter().flat_map(writes_of);
                let missing =
                    own.filter(|(key, _)| *key == order.key).nth(*count).map_or(0, |(_, value)| value);
                let (key, value) = (order.key, write.value);
                let text = format!(
                    "T2 read {value} from key {key} without {missing} before it, which T1 had appended first"
                );
                let involved = [write.transaction, reader];
                let finding = tell::finding(self.history, Anomaly::IncompatibleOrder, &involved, text);
                let is_shown = self.history.version(key, missing).is_some_and(|it| shown.contains(&it));
                self.findings.record(Finding { unread: !is_shown, ..finding });
            }
            *count = write.nth + 1;
        }
    }

    /// An edge from the writer of a version, to be pointed somewhere.
    fn edge(&self, kind: Kind, version: Version, is_unread: bool) -> Option<Edge> {
        let from = self.history.writer(version)?;
        Some(Edge { from, to: from, kind, before: Some(version), after: None, is_unread })
    }

    fn order_writes(&mut self, order: &Order) {
        for (version, next) in order.live.iter().zip(order.live.iter().skip(1)) {
            if let (Some(edge), Some(to)) = (self.edge(Kind::Ww, *version, false), self.history.writer(*next))
            {
                self.edges.add(Edge { to, after: Some(*next), ..edge });
            }
        }
    }

    /// Adds the edges of a read. Returns the one that leads to what comes after all known versions.
    fn order_read(&mut self, order: &Order, read: &Read<'_, List>) -> Option<Edge> {
        let reader = read.transaction;
        let count = order.live_before.get(read.seen.len()).copied()?;
        let (shown, rest) = order.live.split_at_checked(count)?;
        let writer = |version: &Version| self.history.writer(*version);
        let before = shown.iter().rev().find(|version| writer(version) != Some(reader)).copied();
        // A transaction that wrote the last element and the next one too has been seen half-way. What overwrites it comes later.
        let newest = shown.last().and_then(writer);
        let next = rest.iter().find(|version| writer(version) != newest).copied();
        let next_writer = next.as_ref().and_then(writer);
        if let Some(version) = before {
            self.check_intermediate(reader, version);
            if let Some(edge) = self.edge(Kind::Wr, version, false) {
                self.edges.add(Edge { to: reader, ..edge });
            }
        }
        let edge = Edge { from: reader, to: reader, kind: Kind::Rw, before, after: next, is_unread: false };
        match next_writer {
            Some(to) => self.edges.add(Edge { to, ..edge }),
            None => return Some(Edge { is_unread: true, ..edge }),
        }
        None
    }

    fn check_intermediate(&mut self, reader: usize, version: Version) {
        let Some(write) = self.history.write(version).copied().filter(|write| !write.is_last) else { return };
        if let Some(last) = last_write(self.history, version).and_then(|last| self.history.write(last)) {
            let (key, value, last) = (write.key, write.value, last.value);
            let text =
                format!("T1 read key {key} up to T2's {value}, although T2 went on to append {last} to it");
            self.report(Anomaly::IntermediateRead, &[reader, write.transaction], text);
        }
    }

    /// The acknowledged appends that no read shows. They come after all that reads show, unless a later one of the same
    /// transaction is shown. Then the list is broken anyway.
    fn unread(&self, order: &Order) -> Vec<(usize, Version)> {
        let shown = order.versions.iter().filter_map(|version| self.history.write(*version));
        let shown: BTreeMap<usize, usize> = shown.map(|write| (write.transaction, write.nth)).collect();
        let read: BTreeSet<Version> = order.versions.iter().copied().collect();
        let versions = self.history.versions(order.key).filter(|version| !read.contains(version));
        let committed = versions.filter(|version| self.history.is(*version, TransactionOutcome::Committed));
        let last = committed.filter_map(|version| {
            let write = self.history.write(version)?;
            let is_later = shown.get(&write.transaction).is_none_or(|nth| *nth < write.nth);
            is_later.then_some((write.transaction, version))
        });
        last.collect()
    }
}

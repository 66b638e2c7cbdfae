//! Transactions as their clients saw them, and the index of what they wrote.

use std::collections::BTreeMap;
use std::time::Duration;

/// One transaction, as its client saw it. `R` is what a read shows: `Vec<i64>` for lists, `Option<i64>` for registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction<R> {
    /// The client process that ran it. A process runs one transaction at a time.
    pub process: u64,
    /// When the client sent it.
    pub invoked: Duration,
    /// When the client had its answer, if it came.
    pub completed: Option<Duration>,
    /// Whether it was applied.
    pub outcome: TransactionOutcome,
    /// Its micro-operations, in order. Those of a committed transaction are those of the answer.
    pub ops: Vec<Op<R>>,
}

/// Whether a transaction was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionOutcome {
    /// It was, before the answer came.
    Committed,
    /// It was not, and never will be.
    Aborted,
    /// Nobody knows. It may be applied at any time after its invocation, or never.
    Unknown,
}

/// One micro-operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op<R> {
    /// A list: appends the value. A register: replaces its value.
    Write {
        /// The list or the register.
        key: i64,
        /// The value. No two writes of one key have the same.
        value: i64,
    },
    /// Reads a key.
    Read {
        /// The list or the register.
        key: i64,
        /// What the answer showed. `None` without an answer.
        seen: Option<R>,
    },
}

/// Why transactions are no history. The fault is the caller's, never the tested node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Two writes of one key have the same value, so a read does not tell which of them it shows.
    #[error("the value {value} is written twice to key {key}; values must be unique for each key")]
    WrittenTwice {
        /// The key.
        key: i64,
        /// The value.
        value: i64,
    },
    /// A transaction has its answer before it was sent.
    #[error("transaction {number} completes before it is invoked")]
    EndsBeforeItBegins {
        /// The place of the transaction in the history, from 0.
        number: usize,
    },
}

/// What a read shows of a key: a list or a register.
pub(super) trait Reading: Clone + Ord {
    /// What a write did, in words.
    const WRITTEN: &str;
    /// What it had done.
    const HAD_WRITTEN: &str;
    /// The same, as an operation is shown.
    const WRITE: &str;

    /// Whether the value is in it.
    fn holds(&self, value: i64) -> bool;

    /// Whether a transaction can see this that has written `own` since it last saw `base`, if it ever saw the key.
    fn follows(&self, base: Option<&Self>, own: &[i64]) -> bool;

    /// How it is shown. Long lists are cut.
    fn words(&self) -> String;
}

impl Reading for Vec<i64> {
    const WRITTEN: &str = "appended";
    const HAD_WRITTEN: &str = "appended";
    const WRITE: &str = "append";

    fn holds(&self, value: i64) -> bool {
        self.contains(&value)
    }

    fn follows(&self, base: Option<&Self>, own: &[i64]) -> bool {
        let is_whole = base.is_none_or(|base| self.len() == base.len() + own.len() && self.starts_with(base));
        is_whole && self.ends_with(own)
    }

    fn words(&self) -> String {
        const SHOWN: usize = 8;
        let hidden = self.len().saturating_sub(SHOWN);
        let shown = self.iter().skip(hidden).map(i64::to_string);
        let words: Vec<String> = (hidden > 0).then(|| "…".to_owned()).into_iter().chain(shown).collect();
        format!("[{}]", words.join(" "))
    }
}

impl Reading for Option<i64> {
    const WRITTEN: &str = "wrote";
    const HAD_WRITTEN: &str = "written";
    const WRITE: &str = "write";

    fn holds(&self, value: i64) -> bool {
        *self == Some(value)
    }

    fn follows(&self, base: Option<&Self>, own: &[i64]) -> bool {
        match own.last() {
            Some(last) => self.holds(*last),
            None => base.is_none_or(|base| self == base),
        }
    }

    fn words(&self) -> String {
        self.map_or("null".to_owned(), |value| value.to_string())
    }
}

/// A write is named by its place in [`History::writes`].
pub(super) type Version = usize;

/// One write, and who wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    pub(super) key: i64,
    pub(super) value: i64,
    pub(super) transaction: usize,
    /// How often its transaction had written the key before.
    pub(super) nth: usize,
    /// Whether its transaction does not write the key again.
    pub(super) is_last: bool,
}

/// One read of a committed transaction.
#[derive(Debug)]
pub(super) struct Read<'a, R> {
    pub(super) key: i64,
    pub(super) transaction: usize,
    pub(super) seen: &'a R,
}

/// All transactions, with an index of their writes.
#[derive(Debug)]
pub(super) struct History<'a, R> {
    pub(super) transactions: &'a [Transaction<R>],
    /// In the order of keys and values.
    pub(super) writes: Vec<Write>,
}

impl<'a, R> History<'a, R> {
    pub(super) fn new(transactions: &'a [Transaction<R>]) -> Result<Self, HistoryError> {
        let mut writes = Vec::new();
        for (number, transaction) in transactions.iter().enumerate() {
            if transaction.completed.is_some_and(|at| at < transaction.invoked) {
                return Err(HistoryError::EndsBeforeItBegins { number });
            }
            let own = writes_of(transaction);
            let last: BTreeMap<i64, i64> = own.clone().collect();
            let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
            writes.extend(own.map(|(key, value)| {
                let count = counts.entry(key).or_default();
                *count += 1;
                let is_last = last.get(&key) == Some(&value);
                Write { key, value, transaction: number, nth: *count - 1, is_last }
            }));
        }
        writes.sort_unstable_by_key(|write| (write.key, write.value));
        let mut pairs = writes.iter().zip(writes.iter().skip(1));
        if let Some((Write { key, value, .. }, _)) =
            pairs.find(|(one, next)| (one.key, one.value) == (next.key, next.value))
        {
            return Err(HistoryError::WrittenTwice { key: *key, value: *value });
        }
        Ok(Self { transactions, writes })
    }

    /// The write of that value to that key.
    pub(super) fn version(&self, key: i64, value: i64) -> Option<Version> {
        self.writes.binary_search_by_key(&(key, value), |write| (write.key, write.value)).ok()
    }

    /// All writes of a key.
    pub(super) fn versions(&self, key: i64) -> std::ops::Range<Version> {
        let start = self.writes.partition_point(|write| write.key < key);
        let end = self.writes.partition_point(|write| write.key <= key);
        start..end
    }

    pub(super) fn write(&self, version: Version) -> Option<&Write> {
        self.writes.get(version)
    }

    /// The transaction that wrote the version.
    pub(super) fn writer(&self, version: Version) -> Option<usize> {
        self.write(version).map(|write| write.transaction)
    }

    pub(super) fn outcome(&self, transaction: usize) -> Option<TransactionOutcome> {
        self.transactions.get(transaction).map(|transaction| transaction.outcome)
    }

    /// Whether the transaction that wrote the version has this outcome.
    pub(super) fn is(&self, version: Version, outcome: TransactionOutcome) -> bool {
        self.writer(version).and_then(|writer| self.outcome(writer)) == Some(outcome)
    }

    /// The committed transactions with their numbers.
    pub(super) fn committed(&self) -> impl Iterator<Item = (usize, &'a Transaction<R>)> {
        let all = self.transactions.iter().enumerate();
        all.filter(|(_, transaction)| transaction.outcome == TransactionOutcome::Committed)
    }

    /// What committed transactions read, in the order of the keys.
    pub(super) fn reads(&self) -> Vec<Read<'a, R>> {
        let of = |(number, transaction): (usize, &'a Transaction<R>)| {
            transaction.ops.iter().filter_map(move |op| match op {
                Op::Read { key, seen: Some(seen) } => Some(Read { key: *key, transaction: number, seen }),
                Op::Read { seen: None, .. } | Op::Write { .. } => None,
            })
        };
        let mut reads: Vec<_> = self.committed().flat_map(of).collect();
        reads.sort_by_key(|read| read.key);
        reads
    }
}

/// The keys and values that a transaction writes, in order.
pub(super) fn writes_of<R>(transaction: &Transaction<R>) -> impl Iterator<Item = (i64, i64)> + Clone {
    transaction.ops.iter().filter_map(|op| match op {
        Op::Write { key, value } => Some((*key, *value)),
        Op::Read { .. } => None,
    })
}

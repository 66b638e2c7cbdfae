//! Histories written by hand.

use std::time::Duration;

use workbench::txn::{Anomaly, Findings, Model, Op, Transaction, TransactionOutcome};

pub(crate) type List = Vec<i64>;
pub(crate) type Register = Option<i64>;

/// A committed transaction of that process, from one millisecond to another.
pub(crate) fn run<R>(process: u64, from: u64, to: u64, ops: Vec<Op<R>>) -> Transaction<R> {
    Transaction {
        process,
        invoked: Duration::from_millis(from),
        completed: Some(Duration::from_millis(to)),
        outcome: TransactionOutcome::Committed,
        ops,
    }
}

/// Transactions of as many processes, all at the same time.
pub(crate) fn together<R>(all: impl IntoIterator<Item = Vec<Op<R>>>) -> Vec<Transaction<R>> {
    all.into_iter().zip(0..).map(|(ops, process)| run(process, 0, 100, ops)).collect()
}

pub(crate) fn with<R>(outcome: TransactionOutcome, transaction: Transaction<R>) -> Transaction<R> {
    Transaction { outcome, ..transaction }
}

pub(crate) fn w<R>(key: i64, value: i64) -> Op<R> {
    Op::Write { key, value }
}

pub(crate) fn r(key: i64, seen: &[i64]) -> Op<List> {
    Op::Read { key, seen: Some(seen.to_vec()) }
}

pub(crate) fn get(key: i64, seen: impl Into<Register>) -> Op<Register> {
    Op::Read { key, seen: Some(seen.into()) }
}

/// The names of all anomalies, the worst first.
pub(crate) fn names(findings: &Findings) -> Vec<String> {
    findings.counts().keys().map(Anomaly::to_string).collect()
}

/// The weakest model that the history breaks.
pub(crate) fn weakest(findings: &Findings) -> Option<Model> {
    findings.broken_models().first().copied()
}

/// The sentences about an anomaly.
pub(crate) fn told<'a>(findings: &'a Findings, anomaly: &str) -> Vec<&'a str> {
    let told = findings.examples().iter().filter(|finding| finding.anomaly.to_string() == anomaly);
    told.map(|finding| finding.text.as_str()).collect()
}

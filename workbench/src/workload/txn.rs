//! Transactions over lists that clients append to, and over registers.

#[cfg(test)]
mod tests;

use rand::RngExt;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Ask, Request, Requests, Rpc, Run, Shape, Workload};
use crate::answer::Answer;
use crate::check::txn::{
    Finding, Findings, HistoryError, Model, Op, Transaction, TransactionOutcome, check_list_append,
    check_rw_register,
};
use crate::check::{Check, Violations};
use crate::envelope::short;
use crate::history::{History, Operation, Outcome};
use crate::json::Json;
use crate::plan::Plan;
use crate::seeds::Random;
use crate::words::Seconds;

/// A database with transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// `txn-list-append`: transactions read lists and append to them.
    Lists,
    /// `txn-rw-register`: transactions read registers and write them.
    Registers,
}

/// The transactions of the clients, and how well they must be isolated from each other. The defaults are Maelstrom's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransactionOptions {
    /// How many keys are in use at a time. The one that was used last gets half of the operations, the one before it a quarter, and so
    /// on.
    pub key_count: u32,
    /// The most operations of a transaction.
    pub max_length: u32,
    /// How many writes a key gets. After that a new key takes its place.
    pub max_writes_per_key: u32,
    /// The consistency models that must hold.
    pub models: Vec<Model>,
}

impl Default for TransactionOptions {
    fn default() -> Self {
        Self { key_count: 10, max_length: 4, max_writes_per_key: 16, models: vec![Model::StrictSerializable] }
    }
}

const APPEND: Rpc = Rpc {
    name: "txn",
    about: "Do these operations as one transaction. Answer with the same ones; in each read, `null` is replaced by the list. A key that \
            nobody has appended to is `null`. Error 30 says that the transaction was aborted.",
    is_read: false,
    trusts_errors: true,
    asks: &[(
        "txn",
        r#"a list of ["r", key, null] and ["append", key, element]; keys and elements are integers here"#,
    )],
    answers: Some(("txn", Shape::Of { words: ANSWER, fits: |json| triples(json).is_some() })),
};

const WRITE: Rpc = Rpc {
    name: "txn",
    about: "Do these operations as one transaction. Answer with the same ones; in each read, `null` is replaced by the value. A key that \
            nobody has written is `null`. Error 30 says that the transaction was aborted.",
    is_read: false,
    trusts_errors: true,
    asks: &[(
        "txn",
        r#"a list of ["r", key, null] and ["w", key, value]; keys and values are integers here"#,
    )],
    answers: Some(("txn", Shape::Of { words: ANSWER, fits: |json| triples(json).is_some() })),
};

const ANSWER: &str = "the list of the transaction's operations, each with three members";

/// An operation as it is written.
type Triple = (String, Json, Json);

fn triples(txn: &Json) -> Option<Vec<Triple>> {
    let raw: Vec<(String, &RawValue, &RawValue)> = serde_json::from_str(txn.as_str()).ok()?;
    let parse = |raw: &RawValue| Json::parse(raw.get()).ok();
    raw.into_iter().map(|(f, key, value)| Some((f, parse(key)?, parse(value)?))).collect()
}

/// A transaction that is asked for.
#[derive(Debug)]
struct Asked {
    database: Database,
    ops: Vec<Access>,
}

/// A read, or a write of that value.
#[derive(Clone, Copy, Debug)]
struct Access {
    key: i64,
    write: Option<i64>,
}

impl Asked {
    fn txn(&self) -> Json {
        let f = match self.database {
            Database::Lists => "append",
            Database::Registers => "w",
        };
        let ops = self.ops.iter().map(|Access { key, write }| match write {
            Some(value) => Json::canonical(format!(r#"["{f}",{key},{value}]"#)),
            None => Json::canonical(format!(r#"["r",{key},null]"#)),
        });
        Json::list(&ops.collect::<Vec<_>>())
    }
}

impl Ask for Asked {
    fn rpc(&self) -> &'static Rpc {
        match self.database {
            Database::Lists => &APPEND,
            Database::Registers => &WRITE,
        }
    }

    fn values(&self) -> Vec<Json> {
        vec![self.txn()]
    }
}

/// Transactions of random length over the keys that are in use. Half of the operations are reads.
#[derive(Debug)]
struct Mix {
    database: Database,
    max_length: u32,
    max_writes: u32,
    /// The keys in use, each with the number of its writes.
    keys: Vec<(i64, u32)>,
    next_key: i64,
}

impl Mix {
    fn new(database: Database, options: &TransactionOptions) -> Self {
        let keys = i64::from(options.key_count.max(1));
        Self {
            database,
            max_length: options.max_length.max(1),
            max_writes: options.max_writes_per_key.max(1),
            keys: (0..keys).map(|key| (key, 0)).collect(),
            next_key: keys,
        }
    }

    fn draw(&mut self, random: &mut Random) -> Access {
        let mut place = self.keys.len() - 1;
        while place > 0 && random.random() {
            place -= 1;
        }
        let Some((key, writes)) = self.keys.get_mut(place) else { return Access { key: 0, write: None } };
        if random.random() {
            return Access { key: *key, write: None };
        }
        *writes += 1;
        let access = Access { key: *key, write: Some(i64::from(*writes)) };
        if *writes == self.max_writes {
            (*key, *writes) = (self.next_key, 0);
            self.next_key += 1;
        }
        access
    }
}

impl Requests for Mix {
    fn next(&mut self, _: usize, random: &mut Random) -> Request {
        let length = random.random_range(1..=self.max_length);
        let ops = (0..length).map(|_| self.draw(random)).collect();
        Request::new(Asked { database: self.database, ops })
    }
}

impl Workload for Database {
    fn name(&self) -> &'static str {
        match self {
            Self::Lists => "txn-list-append",
            Self::Registers => "txn-rw-register",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Lists => "A database with transactions that read lists and append to them",
            Self::Registers => "A database with transactions that read registers and write them",
        }
    }

    fn protocol(&self) -> &'static [&'static Rpc] {
        match self {
            Self::Lists => &[&APPEND],
            Self::Registers => &[&WRITE],
        }
    }

    fn requests(&self, plan: &Plan) -> Box<dyn Requests> {
        Box::new(Mix::new(*self, &plan.transactions))
    }

    fn checks(&self) -> &'static [Check] {
        &[Check::Anomalies]
    }

    fn judge(&self, run: &Run<'_>, violations: &mut Violations) {
        let models = &run.plan.transactions.models;
        match self {
            Self::Lists => judge(run.history, models, list, check_list_append, violations),
            Self::Registers => judge(run.history, models, register, check_rw_register, violations),
        }
    }
}

/// What a register holds.
type Register = Option<i64>;

/// What a read of a list shows; null is the empty one.
fn list(value: &Json) -> Option<Vec<i64>> {
    serde_json::from_str::<Option<Vec<i64>>>(value.as_str()).ok().map(Option::unwrap_or_default)
}

/// What a read of a register shows; null is its initial value.
fn register(value: &Json) -> Option<Register> {
    serde_json::from_str(value.as_str()).ok()
}

/// A checker of transactions.
type Checker<R> = fn(&[Transaction<R>]) -> Result<Findings, HistoryError>;

fn judge<R>(
    history: &History,
    models: &[Model],
    read: fn(&Json) -> Option<R>,
    check: Checker<R>,
    violations: &mut Violations,
) {
    let asked =
        history.operations().iter().filter_map(|operation| Some((operation, operation.request.get()?)));
    let (operations, transactions): (Vec<&Operation>, Vec<Transaction<R>>) =
        asked.map(|(operation, asked)| (operation, transaction(operation, asked, read, violations))).unzip();
    let findings = match check(&transactions) {
        Ok(findings) => findings,
        Err(error) => return violations.record(Check::Undecided, None, error.to_string()),
    };
    let is_forbidden = |finding: &Finding| models.iter().any(|model| model.forbids(finding.anomaly));
    for finding in findings.examples().iter().filter(|finding| is_forbidden(finding)) {
        let at = finding.transactions.iter().filter_map(|one| one.completed).max();
        let text = tell(finding, &operations);
        violations.record_anomaly(Check::Anomalies, &finding.anomaly.to_string(), at, text);
    }
    for (anomaly, count) in findings.counts() {
        violations.raise_anomaly(Check::Anomalies, &anomaly.to_string(), *count);
    }
}

/// The transaction as its client saw it. An answer that does not fit is a finding, and tells nothing about the database.
fn transaction<R>(
    operation: &Operation,
    asked: &Asked,
    read: fn(&Json) -> Option<R>,
    violations: &mut Violations,
) -> Transaction<R> {
    let answer = match operation.answer() {
        Some(Answer::Json(txn)) => answered(operation, asked, txn, violations),
        Some(_) | None => None,
    };
    let mut seen = answer.into_iter().flatten().map(|(_, _, value)| value);
    let op = |Access { key, write }: &Access| {
        let (key, value) = (*key, seen.next());
        match (write, value) {
            (Some(value), _) => Op::Write { key, value: *value },
            (None, None) => Op::Read { key, seen: None },
            (None, Some(value)) => {
                let seen = read(&value);
                if seen.is_none() {
                    let (node, value) = (operation.node, short(value.as_str()));
                    let text = format!("n{node} read {value} from key {key}; nobody writes such values");
                    violations.record_anomaly(Check::Anomalies, "garbage", operation.ended(), text);
                }
                Op::Read { key, seen }
            }
        }
    };
    let ops = asked.ops.iter().map(op).collect();
    let outcome = match operation.outcome() {
        Some(Outcome::Ok(_)) => TransactionOutcome::Committed,
        Some(Outcome::Refused { definite: true, .. }) => TransactionOutcome::Aborted,
        Some(Outcome::Refused { .. } | Outcome::Timeout | Outcome::Malformed(_)) | None => {
            TransactionOutcome::Unknown
        }
    };
    let (process, invoked, completed) = (operation.process, operation.invoked, operation.ended());
    Transaction { process, invoked, completed, outcome, ops }
}

/// The operations of the answer, if they are those that were asked for.
fn answered(
    operation: &Operation,
    asked: &Asked,
    txn: &Json,
    violations: &mut Violations,
) -> Option<Vec<Triple>> {
    let expected = asked.txn();
    let is_same = |((f, key, value), (asked_f, asked_key, asked_value)): (&Triple, &Triple)| {
        f == asked_f && key == asked_key && (f == "r" || value == asked_value)
    };
    let answer = triples(txn).zip(triples(&expected)).filter(|(answer, expected)| {
        answer.len() == expected.len() && answer.iter().zip(expected).all(is_same)
    });
    if answer.is_none() {
        let (node, expected, txn) = (operation.node, short(expected.as_str()), short(txn.as_str()));
        let text = format!("n{node} answered the transaction {expected} with other operations: {txn}");
        violations.record_anomaly(Check::Anomalies, "other-operations", operation.ended(), text);
    }
    answer.map(|(answer, _)| answer)
}

/// The finding, its transactions, and the cycle.
fn tell(finding: &Finding, operations: &[&Operation]) -> String {
    let mut lines = vec![finding.text.clone()];
    for (place, one) in (1..).zip(&finding.transactions) {
        let node =
            operations.get(one.number).map_or_else(String::new, |operation| format!("n{}, ", operation.node));
        let end = one.completed.map_or_else(|| "no answer".to_owned(), |at| format!("to {}", Seconds(at)));
        let times = format!("{} {end}", Seconds(one.invoked));
        lines.push(format!("T{place}: {node}process {}, {times}: {}", one.process, one.ops));
    }
    if !finding.steps.is_empty() {
        lines.extend(finding.drawing().lines().last().map(str::to_owned));
    }
    lines.join("\n")
}

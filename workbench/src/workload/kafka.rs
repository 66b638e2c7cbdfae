//! Logs that clients append to and read on, as in Kafka.

mod check;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::RngExt;
use serde_json::value::RawValue;

use super::{Ask, Request, Requests, Rpc, Run, Shape, Workload};
use crate::answer::Answer;
use crate::check::{Check, Violations};
use crate::history::Operation;
use crate::json::Json;
use crate::plan::Plan;
use crate::seeds::Random;

/// Logs that clients append to and read on, as in Kafka. Each client reads some of the logs, and commits how far it has read.
#[derive(Clone, Copy, Debug)]
pub struct Kafka;

const SEND: Rpc = Rpc {
    name: "send",
    about: "Append this message to the log, and tell its offset.",
    is_read: false,
    trusts_errors: false,
    asks: &[
        ("key", "a string: the name of the log"),
        ("msg", "any value; clients here send integers, none twice"),
    ],
    answers: Some(("offset", Shape::Integer)),
};

const POLL: Rpc = Rpc {
    name: "poll",
    about: "Tell what follows in each log, from that offset on. Offsets may have gaps. A node may tell fewer messages than there are, or \
            none, but must leave out none between those that it tells.",
    is_read: true,
    trusts_errors: false,
    asks: &[("offsets", "an object: for each log the offset at which to begin")],
    answers: Some((
        "msgs",
        Shape::Of {
            words: "an object: for each log a list of pairs, each an offset and a message",
            fits: |json| polled(json).is_some(),
        },
    )),
};

const COMMIT: Rpc = Rpc {
    name: "commit_offsets",
    about: "Remember that each log was read up to that offset.",
    is_read: false,
    trusts_errors: false,
    asks: &[("offsets", "an object: for each log the last offset that was read")],
    answers: None,
};

const LIST: Rpc = Rpc {
    name: "list_committed_offsets",
    about: "Tell up to which offset each of these logs was read, by what was committed. Logs of which nothing was may be left out.",
    is_read: true,
    trusts_errors: false,
    asks: &[("keys", "a list of strings: the names of the logs")],
    answers: Some((
        "offsets",
        Shape::Of { words: "an object: for each log an offset", fits: |json| offsets(json).is_some() },
    )),
};

/// For each log an offset.
type Offsets = BTreeMap<String, i64>;

/// A request to the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OfLogs {
    Send { key: String, message: u64 },
    Poll(Offsets),
    Commit(Offsets),
    List(BTreeSet<String>),
}

impl Ask for OfLogs {
    fn rpc(&self) -> &'static Rpc {
        match self {
            Self::Send { .. } => &SEND,
            Self::Poll(_) => &POLL,
            Self::Commit(_) => &COMMIT,
            Self::List(_) => &LIST,
        }
    }

    fn values(&self) -> Vec<Json> {
        match self {
            Self::Send { key, message } => vec![Json::string(key), Json::from(*message)],
            Self::Poll(offsets) | Self::Commit(offsets) => {
                vec![Json::object(offsets.iter().map(|(key, offset)| (key.clone(), Json::from(*offset))))]
            }
            Self::List(keys) => {
                vec![Json::list(&keys.iter().map(|key| Json::string(key)).collect::<Vec<_>>())]
            }
        }
    }

    /// A message that was sent, with its offset: `["k1",[4,17]]`.
    fn completed(&self, answer: &Answer) -> Json {
        let told = answer.to_json();
        match (self, told) {
            (Self::Send { key, message }, Some(offset)) => {
                Json::list(&[Json::string(key), Json::list(&[offset, Json::from(*message)])])
            }
            (_, told) => told.unwrap_or_else(|| self.argument()),
        }
    }
}

/// For each log the offsets and messages of the answer to a poll.
fn polled(msgs: &Json) -> Option<BTreeMap<String, Vec<(i64, Json)>>> {
    let logs: BTreeMap<String, Vec<(i64, &RawValue)>> = serde_json::from_str(msgs.as_str()).ok()?;
    let message = |(offset, raw): (i64, &RawValue)| Some((offset, Json::parse(raw.get()).ok()?));
    let log = |(key, pairs): (String, Vec<_>)| {
        Some((key, pairs.into_iter().map(message).collect::<Option<Vec<_>>>()?))
    };
    logs.into_iter().map(log).collect()
}

fn offsets(json: &Json) -> Option<Offsets> {
    serde_json::from_str(json.as_str()).ok()
}

/// The answer of an operation, read as that.
fn told<T>(operation: &Operation, read: fn(&Json) -> Option<T>) -> Option<T> {
    match operation.answer()? {
        Answer::Json(json) => read(json),
        Answer::Done | Answer::Integer(_) | Answer::Huge(_) | Answer::Elements(_) => None,
    }
}

/// The logs that there are at a time. Each gets as many messages as this, and then makes room for another one.
const LOGS: u64 = 4;
const PER_LOG: u64 = 1024;
/// One request in so many lets the client begin anew with other logs.
const ASSIGN: u32 = 16;
/// How long the clients poll in the end, and how many polls in a row may bring nothing. A node may show a message late.
const LAST_POLLS: Duration = Duration::from_secs(10);
const FRUITLESS: u32 = 10;

/// The clients, each with the logs that it reads.
#[derive(Debug, Default)]
struct Mix {
    clients: BTreeMap<usize, Client>,
    sent: u64,
    /// The highest offset of each log that a send or a poll has told.
    known: Offsets,
    /// When the polls of the end began.
    ends_since: Option<Duration>,
}

/// A client: where it goes on to read.
#[derive(Debug, Default)]
struct Client {
    next: Offsets,
    /// How far it has read since its last commit.
    uncommitted: Offsets,
    /// How many of its last polls brought nothing.
    fruitless: u32,
}

impl Mix {
    /// The log of that place among those that there are now.
    fn log(&self, place: u64) -> String {
        format!("k{}", self.sent / (LOGS * PER_LOG) * LOGS + place)
    }

    fn send(&mut self, random: &mut Random) -> OfLogs {
        let key = self.log(random.random_range(0..LOGS));
        self.sent += 1;
        OfLogs::Send { key, message: self.sent - 1 }
    }

    /// Some of the logs, at least one.
    fn assign(&self, random: &mut Random) -> OfLogs {
        let first = random.random_range(0..LOGS);
        let keys = (0..LOGS).filter(|place| *place == first || random.random::<bool>());
        OfLogs::List(keys.map(|place| self.log(place)).collect())
    }
}

impl Requests for Mix {
    fn next(&mut self, client: usize, random: &mut Random) -> Request {
        let draw = random.random_range(0..ASSIGN);
        let client = self.clients.entry(client).or_default();
        let ask = if !client.uncommitted.is_empty() {
            OfLogs::Commit(std::mem::take(&mut client.uncommitted))
        } else if draw % 2 == 1 {
            self.send(random)
        } else if draw == 0 || client.next.is_empty() {
            self.assign(random)
        } else {
            OfLogs::Poll(client.next.clone())
        };
        Request::new(ask)
    }

    /// Polls of all logs, from their beginning, until all that is known to be there has come.
    fn at_end(&mut self, client: usize, round: u32) -> Option<Request> {
        let client = self.clients.entry(client).or_default();
        if round == 0 {
            let logs = self.sent.div_ceil(LOGS * PER_LOG).max(1) * LOGS;
            let next = (0..logs).map(|log| (format!("k{log}"), 0)).collect();
            *client = Client { next, ..Client::default() };
        }
        let lacks = |(key, offset): (&String, &i64)| client.next.get(key).is_some_and(|next| next <= offset);
        let goes_on = client.fruitless < FRUITLESS && self.known.iter().any(lacks);
        goes_on.then(|| Request::new(OfLogs::Poll(client.next.clone())))
    }

    fn ended(&mut self, operation: &Operation) {
        if !operation.is_ok() && !operation.is_final {
            // A new client takes over.
            self.clients.remove(&operation.worker);
            return;
        }
        let client = self.clients.entry(operation.worker).or_default();
        match operation.request.get() {
            Some(OfLogs::List(keys)) => {
                let committed = told(operation, offsets).unwrap_or_default();
                client.next =
                    keys.iter().map(|key| (key.clone(), committed.get(key).copied().unwrap_or(0))).collect();
            }
            Some(OfLogs::Poll(_)) => {
                client.read_on(&told(operation, polled).unwrap_or_default(), &mut self.known);
            }
            Some(OfLogs::Send { key, .. }) => {
                if let Some(Answer::Integer(offset)) = operation.answer() {
                    raise(&mut self.known, key, *offset);
                }
            }
            Some(OfLogs::Commit(_)) | None => {}
        }
        if operation.is_final {
            let since = *self.ends_since.get_or_insert(operation.invoked);
            if operation.ended().is_some_and(|at| at >= since + LAST_POLLS) {
                client.fruitless = FRUITLESS;
            }
        }
    }
}

impl Client {
    fn read_on(&mut self, msgs: &BTreeMap<String, Vec<(i64, Json)>>, known: &mut Offsets) {
        self.fruitless = self.fruitless.saturating_add(1);
        for (key, pairs) in msgs {
            let Some(last) = pairs.iter().map(|(offset, _)| *offset).max() else { continue };
            raise(known, key, last);
            let Some(next) = self.next.get_mut(key).filter(|next| last >= **next) else { continue };
            *next = last.saturating_add(1);
            self.uncommitted.insert(key.clone(), last);
            self.fruitless = 0;
        }
    }
}

fn raise(offsets: &mut Offsets, key: &str, offset: i64) {
    let highest = offsets.entry(key.to_owned()).or_insert(offset);
    *highest = offset.max(*highest);
}

impl Workload for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn about(&self) -> &'static str {
        "Logs that clients append to and read on, and commit how far they have read"
    }

    fn protocol(&self) -> &'static [&'static Rpc] {
        &[&SEND, &POLL, &COMMIT, &LIST]
    }

    fn requests(&self, _: &Plan) -> Box<dyn Requests> {
        Box::<Mix>::default()
    }

    fn has_end(&self) -> bool {
        true
    }

    fn checks(&self) -> &'static [Check] {
        &[Check::Anomalies, Check::FurtherAnomalies]
    }

    fn judge(&self, run: &Run<'_>, violations: &mut Violations) {
        check::check_logs(run.history, violations);
    }
}

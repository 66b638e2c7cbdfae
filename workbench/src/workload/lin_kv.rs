//! A linearizable key-value store.

use std::time::Duration;

use rand::RngExt;

use super::{Ask, Request, Requests, Rpc, Run, Shape, Workload};
use crate::answer::Answer;
use crate::check::{Check, Violations, check_linearizable};
use crate::json::Json;
use crate::plan::Plan;
use crate::seeds::Random;

/// A linearizable key-value store: reads, writes and compare-and-sets of small integers, 20 on each key.
#[derive(Clone, Copy, Debug)]
pub struct LinKv;

/// How many operations a key gets. More would make the search for an order long.
const PER_KEY: u64 = 20;

const READ: Rpc = Rpc {
    name: "read",
    about: "Tell the value under that key. If there is none, answer with error 20.",
    is_read: true,
    trusts_errors: true,
    asks: &[("key", "any value; clients here use integers")],
    answers: Some(("value", Shape::Any)),
};

const WRITE: Rpc = Rpc {
    name: "write",
    about: "Put that value under the key.",
    is_read: false,
    trusts_errors: true,
    asks: &[
        ("key", "any value; clients here use integers"),
        ("value", "any value; clients here use integers"),
    ],
    answers: None,
};

const CAS: Rpc = Rpc {
    name: "cas",
    about: "If the value under the key is `from`, put `to` there. If there is none, answer with error 20; if it is another, with error 22.",
    is_read: false,
    trusts_errors: true,
    asks: &[
        ("key", "any value; clients here use integers"),
        ("from", "the expected value"),
        ("to", "the new value"),
    ],
    answers: None,
};

/// A request about one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfKey {
    pub(crate) key: u64,
    pub(crate) does: Doing,
}

/// What is done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Read,
    Write(i64),
    Cas { from: i64, to: i64 },
}

impl Ask for OfKey {
    fn rpc(&self) -> &'static Rpc {
        match self.does {
            Doing::Read => &READ,
            Doing::Write(_) => &WRITE,
            Doing::Cas { .. } => &CAS,
        }
    }

    fn values(&self) -> Vec<Json> {
        let key = Json::from(self.key);
        match self.does {
            Doing::Read => vec![key],
            Doing::Write(value) => vec![key, Json::from(value)],
            Doing::Cas { from, to } => vec![key, Json::from(from), Json::from(to)],
        }
    }

    fn argument(&self) -> Json {
        let value = match self.does {
            Doing::Read => Json::null(),
            Doing::Write(value) => Json::from(value),
            Doing::Cas { from, to } => Json::list(&[Json::from(from), Json::from(to)]),
        };
        Json::list(&[Json::from(self.key), value])
    }

    fn completed(&self, answer: &Answer) -> Json {
        let pair = |value| Json::list(&[Json::from(self.key), value]);
        answer.to_json().map_or_else(|| self.argument(), pair)
    }
}

/// As many reads as changes. Of the changes, one is a write for every two compare-and-sets.
#[derive(Debug, Default)]
struct Mix {
    drawn: u64,
}

impl Requests for Mix {
    fn next(&mut self, _: usize, random: &mut Random) -> Request {
        let key = self.drawn / PER_KEY;
        self.drawn += 1;
        let (from, to) = (random.random_range(0..5), random.random_range(0..5));
        let does = match random.random_range(0..6) {
            0..3 => Doing::Read,
            3 => Doing::Write(to),
            _ => Doing::Cas { from, to },
        };
        Request::new(OfKey { key, does })
    }
}

impl Workload for LinKv {
    fn name(&self) -> &'static str {
        "lin-kv"
    }

    fn about(&self) -> &'static str {
        "A linearizable key-value store: reads, writes and compare-and-sets of small integers, 20 on each key"
    }

    fn protocol(&self) -> &'static [&'static Rpc] {
        &[&READ, &WRITE, &CAS]
    }

    fn requests(&self, _: &Plan) -> Box<dyn Requests> {
        Box::<Mix>::default()
    }

    /// A second, unless messages take long. In a short run an operation without an end makes the search long.
    fn patience(&self, plan: &Plan) -> Duration {
        Duration::from_secs(1).max(Duration::from_millis(plan.latency.mean_ms).saturating_mul(10))
    }

    fn checks(&self) -> &'static [Check] {
        &[Check::Linearizable, Check::Undecided]
    }

    fn judge(&self, run: &Run<'_>, violations: &mut Violations) {
        check_linearizable(run.history, violations);
    }
}

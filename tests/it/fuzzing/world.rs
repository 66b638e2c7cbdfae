//! A node, a store, and a shadow count of the adds that the node may have counted. Each step checks the invariants.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use maelstrom_counter::config::{AckPolicy, Config, MAX_LINE};
use maelstrom_counter::endpoint::Endpoint;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use replica::{ReplicaId, Rows, Tally};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The longest time until an answer: four seconds, and a moment for it to leave.
const ANSWER_WITHIN: Duration = Duration::from_millis(4050);

/// The node and everything around it.
pub(crate) struct World {
    endpoint: Endpoint<SmallRng>,
    ack: AckPolicy,
    now: Duration,
    members: BTreeSet<String>,
    /// Requests that were asked of the node and not answered, by sender and id.
    open: BTreeMap<(String, i64), Vec<Open>>,
    /// The node's requests, each with its destination, oldest first.
    asked: Vec<(String, Value)>,
    store: BTreeMap<String, Value>,
    /// Whether requests about the list of all nodes wait for [`obey`](Self::obey), as all others do.
    pub(crate) withholds_names: bool,
    last_id: i64,
    /// The count of the replica when the node took it over, if it did.
    inherited: (u64, u64),
    /// Increments and decrements that the node has counted since, at least and at most.
    at_least: (u128, u128),
    at_most: (u128, u128),
    /// The own sequence number that the store has confirmed, truthfully.
    confirmed: u128,
    state: Rows,
}

#[derive(Clone, Copy)]
struct Open {
    at: Duration,
    delta: Option<i64>,
}

impl World {
    /// A node that waits for its `init`.
    pub(crate) fn new(config: Config, seed: u64) -> Self {
        Self {
            ack: config.ack,
            endpoint: Endpoint::new(config, SmallRng::seed_from_u64(seed)),
            now: Duration::ZERO,
            members: BTreeSet::new(),
            open: BTreeMap::new(),
            asked: Vec::new(),
            store: BTreeMap::new(),
            withholds_names: false,
            last_id: 100,
            inherited: (0, 0),
            at_least: (0, 0),
            at_most: (0, 0),
            confirmed: 0,
            state: Rows::new(),
        }
    }

    /// The node `n0` of three.
    pub(crate) fn member(config: Config, seed: u64) -> Self {
        let mut world = Self::new(config, seed);
        world.line(br#"{"src":"c0","dest":"n0","body":{"type":"init","msg_id":1,"node_id":"n0","node_ids":["n0","n1","n2"]}}"#);
        assert!(world.open.is_empty(), "a good init is confirmed at once");
        world
    }

    pub(crate) fn is_done(&self) -> bool {
        self.endpoint.is_done()
    }

    /// The replica that this process counts under.
    pub(crate) fn own(&self) -> Option<String> {
        self.endpoint.node().replica().map(ToString::to_string)
    }

    /// The count of that replica, up and down.
    pub(crate) fn counted(&self) -> (u64, u64) {
        self.endpoint.node().counted().map_or((0, 0), |tally| (tally.up, tally.down))
    }

    /// Gives the node a line and then the end of the batch.
    pub(crate) fn line(&mut self, line: &[u8]) {
        if self.is_done() {
            return;
        }
        let message = leniently(line);
        self.note(&message);
        let own = self.own();
        let mut out = Vec::new();
        self.endpoint.receive(self.now, line, &mut out);
        if own != self.own() {
            self.inherited = self.counted();
        }
        if own.is_none() && self.own().is_some() {
            let ids = message["body"]["node_ids"].as_array().into_iter().flatten();
            self.members = ids.filter_map(|id| id.as_str().map(Into::into)).collect();
        }
        self.endpoint.wake(self.now, &mut out);
        self.endpoint.looked(self.now, 0);
        self.check(&out);
    }

    /// Lets time pass, with the wake-ups that the node asks for.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        let mut at_once = 0;
        while let Some(wake) = self.endpoint.next_wake().filter(|wake| *wake <= until) {
            at_once = if wake <= self.now { at_once + 1 } else { 0 };
            assert!(at_once < 10, "the node spins");
            self.now = wake.max(self.now);
            self.wake();
        }
        self.now = until;
        self.wake();
    }

    /// Lets time pass in which the process does not run.
    pub(crate) fn freeze(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    pub(crate) fn terminate(&mut self) {
        if self.is_done() {
            return;
        }
        let mut out = Vec::new();
        self.endpoint.terminate(self.now, &mut out);
        self.check(&out);
        self.wake();
    }

    pub(crate) fn close(&mut self) {
        let mut out = Vec::new();
        self.endpoint.input_closed(self.now, &mut out);
        self.check(&out);
    }

    fn wake(&mut self) {
        if !self.is_done() {
            let mut out = Vec::new();
            self.endpoint.looked(self.now, 0);
            self.endpoint.wake(self.now, &mut out);
            self.check(&out);
        }
    }

    /// An id that was not used before.
    pub(crate) fn fresh_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    /// The id of one of the node's last requests.
    pub(crate) fn asked(&self, back: u8) -> Option<i64> {
        self.last(back, |_| true).map(|(_, body)| id_of(body))
    }

    /// One of its last messages to a peer: the peer, and the message's id.
    pub(crate) fn asked_of_peer(&self, back: u8) -> Option<(String, i64)> {
        self.last(back, |to| to != "seq-kv").map(|(to, body)| (to.clone(), id_of(body)))
    }

    /// The id of one of its last requests to the store.
    pub(crate) fn asked_of_store(&self, back: u8) -> Option<i64> {
        self.last(back, |to| to == "seq-kv").map(|(_, body)| id_of(body))
    }

    fn last(&self, back: u8, of: impl Fn(&str) -> bool) -> Option<&(String, Value)> {
        self.asked.iter().rev().filter(|(to, _)| of(to)).nth(usize::from(back % 4))
    }

    /// The store does what a request asks, and answers.
    pub(crate) fn obey(&mut self, back: u8) {
        if let Some((_, asked)) = self.last(back, |to| to == "seq-kv").cloned() {
            self.perform(&asked);
        }
    }

    fn perform(&mut self, asked: &Value) {
        let key = asked["key"].as_str().unwrap().to_owned();
        let held = self.store.get(&key);
        let mut answer = match asked["type"].as_str() {
            Some("read") => held.map_or_else(no_such_key, |value| json!({"type": "read_ok", "value": value})),
            Some("write") => {
                self.store.insert(key, asked["value"].clone());
                json!({"type": "write_ok"})
            }
            _ if held.is_some_and(|held| *held == asked["from"])
                || (held.is_none() && asked["create_if_not_exists"] == true) =>
            {
                self.store.insert(key, asked["to"].clone());
                json!({"type": "cas_ok"})
            }
            _ if held.is_none() => no_such_key(),
            _ => json!({"type": "error", "code": 22, "text": "no"}),
        };
        answer["in_reply_to"] = asked["msg_id"].clone();
        self.line(json!({"src": "seq-kv", "dest": "n0", "body": answer}).to_string().as_bytes());
    }

    /// Another program writes to the store.
    pub(crate) fn put(&mut self, key: String, value: Option<Value>) {
        match value {
            Some(value) => self.store.insert(key, value),
            None => self.store.remove(&key),
        };
    }

    /// Notes a message to the node.
    fn note(&mut self, message: &Value) {
        let (Some(src), body) = (message["src"].as_str(), &message["body"]) else { return };
        let delta = body["delta"].as_i64().filter(|_| body["type"] == "add");
        if let Some(delta) = delta {
            add_to(&mut self.at_most, delta);
        }
        if let Some(id) = body["msg_id"].as_i64() {
            self.open.entry((src.into(), id)).or_default().push(Open { at: self.now, delta });
        }
        if src == "seq-kv" {
            self.confirmed = self.confirmed.max(self.confirmed_by(body).unwrap_or(0));
        }
    }

    /// The sequence number of the own replica that the store's answer confirms as stored.
    fn confirmed_by(&self, answer: &Value) -> Option<u128> {
        let (_, asked) = self.asked.iter().find(|(_, asked)| asked["msg_id"] == answer["in_reply_to"])?;
        let record = match (asked["type"].as_str()?, answer["type"].as_str()?) {
            ("cas", "cas_ok") => &asked["to"],
            ("read", "read_ok") => &answer["value"],
            _ => return None,
        };
        let tally = match &record[self.own()?] {
            Value::Array(pair) => Tally { up: pair.first()?.as_u64()?, down: pair.get(1)?.as_u64()? },
            up => Tally { up: up.as_u64()?, down: 0 },
        };
        let (up, down) = self.counted();
        (tally.up <= up && tally.down <= down).then(|| u128::from(tally.up) + u128::from(tally.down))
    }

    fn check(&mut self, out: &[u8]) {
        let known = self.asked.len();
        for line in out.split_inclusive(|&b| b == b'\n') {
            assert!(line.len() <= MAX_LINE, "{} bytes", line.len());
            let message: Value = serde_json::from_slice(line).unwrap();
            let dest = message["dest"].as_str().unwrap();
            self.check_message(dest, &message["body"]);
        }
        self.check_counts();
        let about_names = |(_, asked): &&(String, Value)| asked["key"] == "/nodes" && !self.withholds_names;
        let asked: Vec<_> = self.asked.iter().skip(known).filter(about_names).cloned().collect();
        for (_, asked) in asked {
            self.perform(&asked);
        }
    }

    fn check_message(&mut self, dest: &str, body: &Value) {
        if !body["in_reply_to"].is_null() {
            self.check_reply(dest, body);
        }
        if !body["msg_id"].is_null() {
            assert!(self.own().is_some(), "before init: {body}");
            assert!(dest == "seq-kv" || self.members.contains(dest), "to a stranger, {dest}: {body}");
            assert!(
                Some(dest) != self.endpoint.node().name().map(replica::NodeId::as_str),
                "to itself: {body}"
            );
            self.asked.push((dest.into(), body.clone()));
        }
    }

    fn check_reply(&mut self, dest: &str, body: &Value) {
        let key = (dest.to_owned(), body["in_reply_to"].as_i64().unwrap());
        let open = self.open.get_mut(&key).unwrap_or_else(|| panic!("nobody asked: to {dest}: {body}"));
        let is_known = open.len() == 1;
        // A peer's inquiry is answered once the node has recovered. A peer does not leave.
        let may_be_late = self.members.contains(dest) && !body["holds"].is_null();
        let is_in_time = open.iter().any(|open| open.at + ANSWER_WITHIN >= self.now);
        assert!(is_in_time || may_be_late, "late, to {dest}: {body}");
        // If several requests have the same id, the test can't tell which one is answered.
        let Open { delta, .. } = open.remove(0);
        if open.is_empty() {
            self.open.remove(&key);
        } else {
            for open in open {
                open.delta = None;
            }
        }
        let Some(delta) = delta.filter(|_| is_known) else { return };
        match body["type"].as_str().unwrap() {
            "add_ok" => {
                add_to(&mut self.at_least, delta);
                let inherited = u128::from(self.inherited.0) + u128::from(self.inherited.1);
                let acknowledged = self.at_least.0 + self.at_least.1;
                let is_stored = acknowledged == 0 || inherited + acknowledged <= self.confirmed;
                assert!(
                    self.ack != AckPolicy::Store || is_stored,
                    "{inherited} and {acknowledged} acknowledged, {} stored",
                    self.confirmed
                );
            }
            "error" if body["code"] != 0 => {
                let side = if delta < 0 { &mut self.at_most.1 } else { &mut self.at_most.0 };
                *side -= u128::from(delta.unsigned_abs());
            }
            _ => {}
        }
    }

    fn check_counts(&mut self) {
        let (up, down) = self.counted();
        let up = u128::from(up) - u128::from(self.inherited.0);
        let down = u128::from(down) - u128::from(self.inherited.1);
        assert!(self.at_least.0 <= up && up <= self.at_most.0, "{:?} {up} {:?}", self.at_least, self.at_most);
        assert!(
            self.at_least.1 <= down && down <= self.at_most.1,
            "{:?} {down} {:?}",
            self.at_least,
            self.at_most
        );
        let Some(state) = self.endpoint.node().state() else { return };
        let sum: i128 = tallies(state).map(|(_, tally)| i128::from(tally.up) - i128::from(tally.down)).sum();
        assert_eq!(self.endpoint.node().value(), sum);
        let is_kept = |(replica, tally): (&ReplicaId, Tally)| tally.is_within(Tally::of(state, replica));
        assert!(tallies(&self.state).all(is_kept), "it went back");
        self.state.clone_from(state);
    }
}

/// The row of each replica.
fn tallies(rows: &Rows) -> impl Iterator<Item = (&ReplicaId, Tally)> {
    rows.versions().counter().keys().map(|replica| (replica, Tally::of(rows, replica)))
}

#[derive(serde::Deserialize)]
struct Envelope {
    src: Value,
    body: Box<RawValue>,
}

/// Reads a message leniently: a field that can't be read is null.
fn leniently(line: &[u8]) -> Value {
    let Ok(Envelope { src, body }) = serde_json::from_slice(line) else { return Value::Null };
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(body.get()).unwrap_or_default();
    let read = |json: &RawValue| serde_json::from_str(json.get()).unwrap_or(Value::Null);
    let body: Value = fields.iter().map(|(name, json)| (name.clone(), read(json))).collect();
    json!({"src": src, "body": body})
}

fn add_to(sums: &mut (u128, u128), delta: i64) {
    let side = if delta < 0 { &mut sums.1 } else { &mut sums.0 };
    *side += u128::from(delta.unsigned_abs());
}

fn id_of(body: &Value) -> i64 {
    body["msg_id"].as_i64().unwrap()
}

fn no_such_key() -> Value {
    json!({"type": "error", "code": 20, "text": "no such key"})
}

//! A cluster of this node on virtual time, with a store that the test can back up and set back, and lists of nodes of its
//! choice. Every message passes the real codec and takes a few milliseconds. None is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use maelstrom_counter::config::Config;
use maelstrom_counter::endpoint::Endpoint;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::harness::ms;

/// The nodes, the store, and the messages between them.
pub(crate) struct Network {
    config: Config,
    pub(crate) now: Duration,
    rng: SmallRng,
    nodes: BTreeMap<String, Endpoint<SmallRng>>,
    /// The store's values. The store is linearizable.
    pub(crate) store: BTreeMap<String, Value>,
    /// All requests that the store got.
    pub(crate) requests: Vec<Value>,
    /// What was said to clients, by the id of the request.
    answers: BTreeMap<i64, Value>,
    /// Messages by the time of their arrival. The number tells two of the same time apart.
    on_the_way: BTreeMap<(Duration, u64), Value>,
    /// How many messages and processes there were.
    counted: u64,
    /// Changes each message between nodes: a planted bug.
    pub(crate) saboteur: fn(&mut Value),
}

impl Network {
    pub(crate) fn new(config: Config, seed: u64) -> Self {
        Self {
            config,
            now: Duration::ZERO,
            rng: SmallRng::seed_from_u64(seed),
            nodes: BTreeMap::new(),
            store: BTreeMap::new(),
            requests: Vec::new(),
            answers: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            counted: 0,
            saboteur: |_| {},
        }
    }

    /// Starts a process of `node`, which is told of the nodes in `list`.
    pub(crate) fn start(&mut self, node: &str, list: &[&str]) {
        let generator = SmallRng::seed_from_u64(self.rng.random());
        self.nodes.insert(node.into(), Endpoint::new(self.config.clone(), generator));
        self.ask(node, json!({"type": "init", "node_id": node, "node_ids": list}));
    }

    /// Starts a process of each node, and tells each of all of them.
    pub(crate) fn start_all(&mut self, list: &[&str]) {
        for node in list {
            self.start(node, list);
        }
    }

    pub(crate) fn end_all(&mut self, list: &[&str]) {
        for node in list {
            self.end(node);
        }
    }

    /// Ends the process of `node` cleanly.
    pub(crate) fn end(&mut self, node: &str) {
        let mut out = Vec::new();
        self.nodes.get_mut(node).unwrap().terminate(self.now, &mut out);
        self.wake(node, out);
        for _ in 0..2000 {
            if self.nodes[node].is_done() {
                break;
            }
            self.pass(ms(1));
        }
        assert!(self.nodes.remove(node).unwrap().is_done(), "{node} does not end");
    }

    /// Asks `node`, and returns its answer. It comes within 4 s.
    pub(crate) fn ask(&mut self, node: &str, mut body: Value) -> Value {
        self.counted += 1;
        let id = i64::try_from(self.counted).unwrap();
        body["msg_id"] = json!(id);
        self.send(json!({"src": "c1", "dest": node, "body": body}));
        for _ in 0..4100 {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            self.pass(ms(1));
        }
        panic!("{node} does not answer {body}")
    }

    /// Adds to the counter. The add must be acknowledged.
    pub(crate) fn add(&mut self, node: &str, delta: i64) {
        assert_eq!(self.ask(node, json!({"type": "add", "delta": delta}))["type"], "add_ok");
    }

    /// The counter's value, as `node` reads it.
    pub(crate) fn value(&mut self, node: &str) -> i64 {
        let answer = self.ask(node, json!({"type": "read"}));
        answer["value"].as_i64().unwrap_or_else(|| panic!("{node}: {answer}"))
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let arrival = self.on_the_way.keys().next().map(|(at, _)| *at);
            let wakes = self.nodes.iter().filter_map(|(name, node)| Some((node.next_wake()?, name.clone())));
            let wake = wakes.min().filter(|(at, _)| *at <= until);
            match (arrival.filter(|at| *at <= until), wake) {
                (Some(at), wake) if wake.as_ref().is_none_or(|(wake, _)| at <= *wake) => {
                    self.now = self.now.max(at);
                    if let Some((_, message)) = self.on_the_way.pop_first() {
                        self.arrives(&message);
                    }
                }
                (_, Some((at, node))) => {
                    self.now = self.now.max(at);
                    self.wake(&node, Vec::new());
                }
                (_, None) => break,
            }
        }
        self.now = until;
    }

    fn send(&mut self, mut message: Value) {
        let is_frame = !message["body"]["epoch"].is_null();
        if is_frame {
            (self.saboteur)(&mut message);
        }
        self.counted += 1;
        let at = self.now + Duration::from_micros(self.rng.random_range(500..5000));
        self.on_the_way.insert((at, self.counted), message);
    }

    fn arrives(&mut self, message: &Value) {
        let (dest, body) = (message["dest"].as_str().unwrap(), &message["body"]);
        match dest {
            "seq-kv" => {
                self.requests.push(body.clone());
                let mut answer = self.perform(body);
                answer["in_reply_to"] = body["msg_id"].clone();
                self.send(json!({"src": dest, "dest": message["src"], "body": answer}));
            }
            "c1" => {
                self.answers.insert(body["in_reply_to"].as_i64().unwrap(), body.clone());
            }
            _ => {
                let Some(node) = self.nodes.get_mut(dest).filter(|node| !node.is_done()) else { return };
                let mut out = Vec::new();
                node.receive(self.now, message.to_string().as_bytes(), &mut out);
                self.wake(dest, out);
            }
        }
    }

    /// The batch is over: the node does what is due.
    fn wake(&mut self, name: &str, mut out: Vec<u8>) {
        let Some(node) = self.nodes.get_mut(name).filter(|node| !node.is_done()) else { return };
        node.looked(self.now, 0);
        node.wake(self.now, &mut out);
        node.looked(self.now, 0);
        for line in out.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            self.send(serde_json::from_slice(line).unwrap());
        }
    }

    fn perform(&mut self, request: &Value) -> Value {
        let key = request["key"].as_str().unwrap();
        let error = |code| json!({"type": "error", "code": code, "text": "no"});
        match (request["type"].as_str(), self.store.get(key)) {
            (Some("read"), Some(value)) => json!({"type": "read_ok", "value": value}),
            (Some("read"), None) => error(20),
            (Some("cas"), None) if request["create_if_not_exists"] != true => error(20),
            (Some("cas"), Some(value)) if request["from"] != *value => error(22),
            (kind, _) => {
                let (new, done) = if kind == Some("cas") { ("to", "cas_ok") } else { ("value", "write_ok") };
                self.store.insert(key.into(), request[new].clone());
                json!({"type": done})
            }
        }
    }
}

//! One node, driven by hand on virtual time: every line passes through the real codec.

use std::time::Duration;

use maelstrom_counter::config::Config;
use maelstrom_counter::endpoint::Endpoint;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A node, its clock, and its messages.
pub(crate) struct Harness {
    pub(crate) endpoint: Endpoint<SmallRng>,
    pub(crate) now: Duration,
    /// The store's list of all nodes. The harness plays this part of the store, unless a test does.
    pub(crate) names: Names,
    said: Vec<Value>,
}

/// Who answers requests about the list of all nodes, `/nodes`.
#[derive(Debug, PartialEq)]
pub(crate) enum Names {
    /// The harness, at once. This is the list.
    Played(Value),
    /// The test: these requests are messages like all others.
    Shown,
}

impl Names {
    /// The answer to a request about the list. `None` if it is another message, or the test answers it.
    fn answer(&mut self, message: &Value) -> Option<Value> {
        let (Self::Played(list), body) = (self, &message["body"]) else { return None };
        if body["key"] != "/nodes" {
            return None;
        }
        Some(match body["type"].as_str() {
            Some("cas") if body["from"] == *list => {
                *list = body["to"].clone();
                json!({"type": "cas_ok"})
            }
            Some("cas") => json!({"type": "error", "code": 22, "text": "another list"}),
            _ if list.is_null() => json!({"type": "error", "code": 20, "text": "no list"}),
            _ => json!({"type": "read_ok", "value": list}),
        })
    }
}

impl Harness {
    /// A node that waits for its `init`.
    pub(crate) fn new(config: Config, seed: u64) -> Self {
        Self {
            endpoint: Endpoint::new(config, SmallRng::seed_from_u64(seed)),
            now: Duration::ZERO,
            names: Names::Played(Value::Null),
            said: Vec::new(),
        }
    }

    /// The node `n0` of a cluster of `nodes`, initialised.
    pub(crate) fn member(config: Config, nodes: usize) -> Self {
        Self::incarnation(config, nodes, 1)
    }

    /// The same, but the incarnation of that number: it seeds the generator.
    pub(crate) fn incarnation(config: Config, nodes: usize, incarnation: u64) -> Self {
        let mut node = Self::new(config, incarnation);
        let ids: Vec<_> = (0..nodes).map(|i| format!("n{i}")).collect();
        node.ask("c0", json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ids}));
        assert_eq!(node.take()[0]["body"], json!({"type": "init_ok", "in_reply_to": 1}));
        node
    }

    /// Gives one line to the node, as a batch of its own.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let mut out = Vec::new();
        self.endpoint.receive(self.now, line, &mut out);
        self.endpoint.wake(self.now, &mut out);
        self.endpoint.looked(self.now, 0);
        self.hear(&out);
    }

    /// Sends it a message.
    pub(crate) fn ask(&mut self, src: &str, body: Value) {
        self.line(json!({"src": src, "dest": "n0", "body": body}).to_string().as_bytes());
    }

    /// The node reads several messages at one look. They have waited since the look before.
    pub(crate) fn find(&mut self, messages: &[(&str, Value)]) {
        let line = |(src, body): &(&str, Value)| json!({"src": src, "dest": "n0", "body": body}).to_string();
        let lines: Vec<String> = messages.iter().map(line).collect();
        self.endpoint.looked(self.now, lines.iter().map(|line| line.len() + 1).sum());
        let mut out = Vec::new();
        for line in lines {
            self.endpoint.receive(self.now, line.as_bytes(), &mut out);
        }
        self.endpoint.wake(self.now, &mut out);
        self.endpoint.looked(self.now, 0);
        self.hear(&out);
    }

    /// Sends it a message and returns the bodies of the messages that the sender gets at once.
    pub(crate) fn answers(&mut self, src: &str, body: Value) -> Vec<Value> {
        self.take_to(src);
        self.ask(src, body);
        self.take_to(src)
    }

    /// Lets time pass, with the wake-ups that the node asks for.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(wake) = self.endpoint.next_wake().filter(|wake| *wake <= until) {
            self.now = wake.max(self.now);
            self.wake();
        }
        self.now = until;
        self.wake();
    }

    /// Lets time pass in which the process does not run.
    pub(crate) fn freeze(&mut self, time: Duration) {
        self.now += time;
    }

    pub(crate) fn terminate(&mut self) {
        let mut out = Vec::new();
        self.endpoint.terminate(self.now, &mut out);
        self.endpoint.wake(self.now, &mut out);
        self.hear(&out);
    }

    pub(crate) fn close_input(&mut self) {
        let mut out = Vec::new();
        self.endpoint.input_closed(self.now, &mut out);
        self.hear(&out);
    }

    /// The process looks at its input, which is empty, and does what is due.
    fn wake(&mut self) {
        self.endpoint.looked(self.now, 0);
        self.glimpse();
    }

    /// The process runs for a moment: it does what is due, and has no time to read its input.
    pub(crate) fn glimpse(&mut self) {
        let mut out = Vec::new();
        self.endpoint.wake(self.now, &mut out);
        self.hear(&out);
    }

    fn hear(&mut self, out: &[u8]) {
        for line in out.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let message: Value = serde_json::from_slice(line).unwrap();
            match self.names.answer(&message) {
                Some(answer) if !self.endpoint.is_done() => self.store_says(&message["body"], answer),
                Some(_) => {}
                None => self.said.push(message),
            }
        }
    }

    /// Lets time pass until the next message, and returns it. `None` if that takes longer than `longest`, or the node is
    /// done.
    pub(crate) fn next_said(&mut self, longest: Duration) -> Option<Value> {
        let until = self.now + longest;
        while self.said.is_empty() {
            self.now = self.endpoint.next_wake().filter(|wake| *wake <= until)?.max(self.now);
            self.wake();
        }
        Some(self.said.remove(0))
    }

    /// Lets time pass until a message to `dest` is `wanted`. Returns it, and how long it took. Drops those before it.
    pub(crate) fn wait_for(&mut self, dest: &str, wanted: impl Fn(&Value) -> bool) -> (Value, Duration) {
        let before = self.now;
        loop {
            if let Some(body) = self.take_to(dest).into_iter().find(&wanted) {
                return (body, self.now.saturating_sub(before));
            }
            assert!(self.now < before + ms(6000), "nothing of the kind is said to {dest}");
            self.pass(ms(1));
        }
    }

    /// All messages said since the last time, oldest first.
    pub(crate) fn take(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.said)
    }

    /// The bodies of the messages to `dest` since the last time. The others are kept.
    pub(crate) fn take_to(&mut self, dest: &str) -> Vec<Value> {
        let (there, others) = self.take().into_iter().partition(|message| message["dest"] == dest);
        self.said = others;
        let there: Vec<Value> = there;
        there.into_iter().map(|message| message["body"].clone()).collect()
    }

    /// Answers the one open request to the store with this body.
    pub(crate) fn store_says(&mut self, request: &Value, mut body: Value) {
        body["in_reply_to"] = request["msg_id"].clone();
        self.ask("seq-kv", body);
    }

    /// Plays an empty store until the node's record is written. Returns the record.
    pub(crate) fn let_record_be_written(&mut self) -> Value {
        for _ in 0..10 {
            for request in self.take_to("seq-kv") {
                if request["type"] == "cas" {
                    self.store_says(&request, json!({"type": "cas_ok"}));
                    return request["to"].clone();
                }
                self.store_says(&request, json!({"type": "error", "code": 20, "text": "no such key"}));
            }
        }
        panic!("the node does not write its record");
    }

    /// Plays peers that are asked about a replica: each says that it holds so much of it.
    pub(crate) fn let_peers_answer(&mut self, count: u64) {
        let is_asked = |message: &Value| message["body"]["asks"].is_string();
        let (asked, others) = self.take().into_iter().partition(is_asked);
        self.said = others;
        let asked: Vec<Value> = asked;
        for message in asked {
            let (peer, body) = (message["dest"].as_str().unwrap(), &message["body"]);
            let holds = json!({body["asks"].as_str().unwrap(): count});
            self.ask(
                peer,
                json!({"type": "gossip_ok", "in_reply_to": body["msg_id"], "epoch": "00000001", "holds": holds}),
            );
        }
    }

    /// Plays peers that confirm the node's first frames, each in the incarnation of its own number: so the node knows that
    /// they run. All other messages of that time are dropped.
    pub(crate) fn let_peers_confirm(&mut self) {
        for _ in 0..5 {
            self.pass(ms(100));
            for message in self.take().into_iter().filter(|message| message["body"]["type"] == "gossip") {
                let peer = message["dest"].as_str().unwrap();
                let epoch = format!("0000000{}", &peer[1..]);
                let id = &message["body"]["msg_id"];
                self.ask(peer, json!({"type": "gossip_ok", "in_reply_to": id, "epoch": epoch}));
            }
        }
        self.take();
    }

    /// Makes the node begin to talk, and plays an empty store until its record is written.
    pub(crate) fn let_record_be_written_after_first_read(&mut self) {
        self.ask("c9", json!({"type": "read", "msg_id": 1}));
        for _ in 0..5 {
            self.answer_the_store();
            self.pass(ms(100));
        }
        self.take();
    }

    /// Plays a store that has no keys and does whatever it is asked to.
    pub(crate) fn answer_the_store(&mut self) {
        for request in self.take_to("seq-kv") {
            let answer = match request["type"].as_str() {
                Some("cas") => json!({"type": "cas_ok"}),
                Some("write") => json!({"type": "write_ok"}),
                _ => json!({"type": "error", "code": 20, "text": "no such key"}),
            };
            self.store_says(&request, answer);
        }
    }
}

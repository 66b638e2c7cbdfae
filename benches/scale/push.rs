//! The plainest gossip: once an interval a node sends its full state, to one random peer or to all.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use workbench::Machine;

const INTERVAL: Duration = Duration::from_millis(100);

/// Whom to send it to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    One,
    All,
}

/// A G-Counter without store and confirmations.
pub(crate) struct Push {
    whom: Whom,
    me: Value,
    peers: Vec<Value>,
    counts: BTreeMap<String, u64>,
    due: Duration,
    random: SmallRng,
}

impl Push {
    pub(crate) fn start(whom: Whom, seed: u64) -> Box<dyn Machine> {
        let random = SmallRng::seed_from_u64(seed);
        let (peers, counts) = (Vec::new(), BTreeMap::new());
        Box::new(Self { whom, me: Value::Null, peers, counts, due: Duration::MAX, random })
    }

    fn init(&mut self, now: Duration, body: &Value) {
        self.me = body["node_id"].clone();
        let nodes = body["node_ids"].as_array().cloned().unwrap_or_default();
        self.peers = nodes.into_iter().filter(|node| *node != self.me).collect();
        // Some nodes have not started yet, and must not be sent anything.
        self.due = now + Duration::from_millis(self.random.random_range(1000..1100));
    }

    fn merge(&mut self, counts: &Value) {
        for (node, count) in counts.as_object().into_iter().flatten() {
            let held = self.counts.entry(node.clone()).or_default();
            *held = count.as_u64().unwrap_or(0).max(*held);
        }
    }

    fn add(&mut self, delta: &Value) {
        let node = self.me.as_str().unwrap_or_default().to_owned();
        *self.counts.entry(node).or_default() += delta.as_u64().unwrap_or(0);
    }
}

impl Machine for Push {
    fn looked(&mut self, _: Duration, _: usize) {}

    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>) {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { return };
        let (body, id) = (&message["body"], &message["body"]["msg_id"]);
        let answer = match body["type"].as_str() {
            Some("init") => {
                self.init(now, body);
                json!({"type": "init_ok", "in_reply_to": id})
            }
            Some("add") => {
                self.add(&body["delta"]);
                json!({"type": "add_ok", "in_reply_to": id})
            }
            Some("read") => {
                json!({"type": "read_ok", "in_reply_to": id, "value": self.counts.values().sum::<u64>()})
            }
            _ => return self.merge(&body["counts"]),
        };
        say(out, &self.me, &message["src"], &answer);
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        if now < self.due {
            return;
        }
        self.due = now + INTERVAL;
        let body = json!({"type": "push", "counts": self.counts});
        match self.whom {
            Whom::One => {
                self.peers
                    .choose(&mut self.random)
                    .into_iter()
                    .for_each(|peer| say(out, &self.me, peer, &body));
            }
            Whom::All => self.peers.iter().for_each(|peer| say(out, &self.me, peer, &body)),
        }
    }

    fn next_wake(&self) -> Option<Duration> {
        Some(self.due)
    }
}

/// Prints a message.
pub(crate) fn say(out: &mut Vec<u8>, src: &Value, dest: &Value, body: &Value) {
    out.extend_from_slice(json!({"src": src, "dest": dest, "body": body}).to_string().as_bytes());
    out.push(b'\n');
}

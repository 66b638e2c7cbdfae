//! Planted bugs: this node, with one thing spoilt in its messages. The bench must catch each within 2,000 seeds of the
//! random clusters, and by the right check.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use maelstrom_counter::config::{AckPolicy, Config};
use maelstrom_counter::judge::SimulatedNode;
use serde_json::{Value, json};
use workbench::{Check, Counter, Machine, Plan, simulate};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    KnownWhenSent,
    PlainWrite,
    IncarnationReused,
    CountedTwice,
    LateReply,
    AcknowledgedEarly,
    AlwaysZero,
    UnknownNode,
    ReadsGoBack,
    TakesAWakeForALook,
}

/// A node with a planted bug.
struct Sabotaged {
    node: SimulatedNode,
    bug: Bug,
    /// The last known incarnation of each peer, as the wire's field `epoch` gives it.
    epochs: BTreeMap<String, Value>,
    /// Adds that were acknowledged early: client and message id.
    acknowledged: Vec<(Value, Value)>,
    held: VecDeque<(Duration, Value)>,
    lines: u64,
    earlier_value: Value,
}

impl Sabotaged {
    fn start(bug: Bug, index: usize, seed: u64) -> Self {
        let seed = if bug == Bug::IncarnationReused { index as u64 } else { seed };
        let config = Config { ack: AckPolicy::Store, ..Config::default() };
        Self {
            node: SimulatedNode::start(config, seed),
            bug,
            epochs: BTreeMap::new(),
            acknowledged: Vec::new(),
            held: VecDeque::new(),
            lines: 0,
            earlier_value: json!(0),
        }
    }

    /// Passes on the node's messages, spoilt.
    fn pass_on(&mut self, now: Duration, said: &[u8], out: &mut Vec<u8>) {
        for line in said.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let mut message: Value = serde_json::from_slice(line).unwrap();
            self.lines += 1;
            if self.spoil(now, &mut message, out) {
                say(&message, out);
            }
        }
    }

    /// Spoils a message of the node. False if it must not be sent.
    fn spoil(&mut self, now: Duration, message: &mut Value, out: &mut Vec<u8>) -> bool {
        let kind = message["body"]["type"].as_str().unwrap_or_default().to_owned();
        let often = self.lines.is_multiple_of(10);
        match (self.bug, kind.as_str()) {
            (Bug::KnownWhenSent, "gossip") => self.confirm_at_once(now, message, out),
            (Bug::PlainWrite, "cas") => {
                message["body"]["type"] = json!("write");
                message["body"]["value"] = message["body"]["to"].take();
            }
            (Bug::LateReply, "add_ok") if often => {
                self.held.push_back((now + Duration::from_secs(6), message.clone()));
                return false;
            }
            (Bug::AcknowledgedEarly, "add_ok" | "error") => {
                let answered = (message["dest"].clone(), message["body"]["in_reply_to"].clone());
                return !self.acknowledged.contains(&answered);
            }
            (Bug::AlwaysZero, "read_ok") => message["body"]["value"] = json!(0),
            (Bug::UnknownNode, "gossip") if often => message["dest"] = json!("n99"),
            (Bug::ReadsGoBack, "read_ok") if often => {
                std::mem::swap(&mut message["body"]["value"], &mut self.earlier_value);
            }
            _ => {}
        }
        true
    }

    fn confirm_at_once(&mut self, now: Duration, message: &Value, out: &mut Vec<u8>) {
        let peer = message["dest"].as_str().unwrap_or_default();
        let Some(epoch) = self.epochs.get(peer) else { return };
        let body = json!({"type": "gossip_ok", "in_reply_to": message["body"]["msg_id"], "epoch": epoch});
        let confirmation = json!({"src": peer, "dest": message["src"], "body": body});
        let mut said = Vec::new();
        self.node.receive(now, confirmation.to_string().as_bytes(), &mut said);
        self.pass_on(now, &said, out);
    }

    fn release(&mut self, now: Duration, out: &mut Vec<u8>) {
        while let Some((_, message)) = self.held.pop_front_if(|(due, _)| *due <= now) {
            say(&message, out);
        }
    }
}

fn say(message: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(message.to_string().as_bytes());
    out.push(b'\n');
}

impl Machine for Sabotaged {
    fn looked(&mut self, now: Duration, bytes: usize) {
        self.node.looked(now, bytes);
    }

    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>) {
        let mut said = Vec::new();
        let mut message: Value = serde_json::from_slice(line).unwrap();
        let is_add = message["body"]["type"] == "add";
        if let Some(epoch) = message["body"].get("epoch") {
            self.epochs.insert(message["src"].as_str().unwrap_or_default().into(), epoch.clone());
        }
        if self.bug == Bug::PlainWrite && message["body"]["type"] == "write_ok" {
            message["body"]["type"] = json!("cas_ok");
        }
        if self.bug == Bug::AcknowledgedEarly && is_add {
            let (client, id) = (message["src"].clone(), message["body"]["msg_id"].clone());
            let body = json!({"type": "add_ok", "in_reply_to": id});
            say(&json!({"src": message["dest"], "dest": client, "body": body}), out);
            self.acknowledged.push((client, id));
        }
        self.node.receive(now, message.to_string().as_bytes(), &mut said);
        if self.bug == Bug::CountedTwice && is_add && self.lines.is_multiple_of(5) {
            message["body"].as_object_mut().unwrap().remove("msg_id");
            self.node.receive(now, message.to_string().as_bytes(), &mut said);
        }
        self.pass_on(now, &said, out);
        self.release(now, out);
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        if self.bug == Bug::TakesAWakeForALook {
            self.node.looked(now, 0);
        }
        let mut said = Vec::new();
        self.node.wake(now, &mut said);
        self.pass_on(now, &said, out);
        self.release(now, out);
    }

    fn next_wake(&self) -> Option<Duration> {
        self.node.next_wake().into_iter().chain(self.held.front().map(|(due, _)| *due)).min()
    }

    fn terminate(&mut self, now: Duration, out: &mut Vec<u8>) {
        let mut said = Vec::new();
        self.node.terminate(now, &mut said);
        self.pass_on(now, &said, out);
    }

    fn has_exited(&self) -> bool {
        self.node.has_exited()
    }
}

/// The first seed of the random clusters on which the bug is caught by that check.
fn caught(bug: Bug, check: Check) -> u64 {
    let faults = Plan::all_faults();
    let found = (0..2_000).find(|&seed| {
        let plan =
            Plan { time_limit: Duration::from_secs(15), ..Plan::drawn(&Counter::G, seed, faults) }.bearable();
        let mut start = |_, index, seed| Box::new(Sabotaged::start(bug, index, seed)) as Box<dyn Machine>;
        simulate(&plan, &mut start).violations.counts().contains_key(&check)
    });
    let Some(seed) = found else { panic!("{bug:?} was not caught by {check:?} within 2,000 seeds") };
    println!("{bug:?} is caught by {check:?} on seed {seed}");
    seed
}

#[test]
fn each_planted_bug_is_caught_by_the_right_check() {
    let expected = [
        (Bug::KnownWhenSent, Check::FinalReads),
        (Bug::PlainWrite, Check::FinalReads),
        (Bug::IncarnationReused, Check::FinalReads),
        (Bug::CountedTwice, Check::ImpossibleReads),
        (Bug::LateReply, Check::Destination),
        (Bug::AcknowledgedEarly, Check::FinalReads),
        (Bug::AlwaysZero, Check::OwnAdds),
        (Bug::UnknownNode, Check::Destination),
        (Bug::ReadsGoBack, Check::MonotonicReads),
        (Bug::TakesAWakeForALook, Check::Destination),
    ];
    for (bug, check) in expected {
        caught(bug, check);
    }
}

//! The workload that wants a linearizable key-value store.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use workbench::{Check, Fault, LinKv, Machine, Plan, Report, simulate};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    Nothing,
    /// Answers reads with the value that it last passed on.
    Caches,
    /// Acknowledges every tenth write without doing it.
    LosesWrites,
    /// Does every compare-and-set, whatever the value is.
    ComparesNothing,
}

/// `n0` has everything in memory, and the other nodes pass requests on to it.
struct Node {
    bug: Bug,
    name: String,
    values: BTreeMap<u64, Value>,
    /// The requests that were passed on, by number: the client, and the id of its request.
    passed_on: BTreeMap<u64, (Value, Value)>,
    next_id: u64,
}

impl Node {
    fn perform(&mut self, body: &Value) -> Value {
        let key = body["key"].as_u64().unwrap();
        let error = |code: u64| json!({"type": "error", "code": code, "text": "no"});
        match body["type"].as_str().unwrap() {
            "read" => {
                self.values.get(&key).map_or(error(20), |value| json!({"type": "read_ok", "value": value}))
            }
            "write" if self.bug == Bug::LosesWrites && self.next_id.is_multiple_of(10) => {
                json!({"type": "write_ok"})
            }
            "write" => {
                self.values.insert(key, body["value"].clone());
                json!({"type": "write_ok"})
            }
            _ => match self.values.get_mut(&key) {
                None => error(20),
                Some(value) if *value != body["from"] && self.bug != Bug::ComparesNothing => error(22),
                Some(value) => {
                    *value = body["to"].clone();
                    json!({"type": "cas_ok"})
                }
            },
        }
    }

    fn say(&self, dest: &Value, body: &Value, out: &mut Vec<u8>) {
        out.extend(format!("{}\n", json!({"src": self.name, "dest": dest, "body": body})).into_bytes());
    }

    fn reply(&self, dest: &Value, id: &Value, mut body: Value, out: &mut Vec<u8>) {
        body["in_reply_to"] = id.clone();
        self.say(dest, &body, out);
    }

    fn pass_on(&mut self, src: &Value, body: &Value, out: &mut Vec<u8>) {
        self.next_id += 1;
        let mut question = body.clone();
        question["msg_id"] = json!(self.next_id);
        self.say(&json!("n0"), &question, out);
        self.passed_on.insert(self.next_id, (src.clone(), body.clone()));
    }

    fn pass_back(&mut self, answer: &Value, out: &mut Vec<u8>) {
        let number = answer["in_reply_to"].as_u64().unwrap();
        let Some((client, question)) = self.passed_on.remove(&number) else { return };
        if answer["type"] == "read_ok" {
            self.values.insert(question["key"].as_u64().unwrap(), answer["value"].clone());
        }
        self.reply(&client, &question["msg_id"], answer.clone(), out);
    }
}

impl Machine for Node {
    fn receive(&mut self, _: Duration, line: &[u8], out: &mut Vec<u8>) {
        let message: Value = serde_json::from_slice(line).unwrap();
        let (src, body) = (&message["src"], &message["body"]);
        let is_cached = || body["type"] == "read" && self.values.contains_key(&body["key"].as_u64().unwrap());
        if body["type"] == "init" {
            self.name = body["node_id"].as_str().unwrap().into();
            self.reply(src, &body["msg_id"], json!({"type": "init_ok"}), out);
        } else if body.get("in_reply_to").is_some() {
            self.pass_back(body, out);
        } else if self.name == "n0" || self.bug == Bug::Caches && is_cached() {
            self.next_id += 1;
            let answer = self.perform(body);
            self.reply(src, &body["msg_id"], answer, out);
        } else {
            self.pass_on(src, body, out);
        }
    }
}

fn run(seed: u64, bug: Bug) -> Report {
    let plan = Plan { nemesis: [Fault::Partition].into(), ..Plan::new(&LinKv, seed) };
    let mut start = |_: Duration, _: usize, _: u64| {
        let (name, values, passed_on) = (String::new(), BTreeMap::new(), BTreeMap::new());
        Box::new(Node { bug, name, values, passed_on, next_id: 0 }) as Box<dyn Machine>
    };
    simulate(&plan, &mut start)
}

#[test]
fn one_node_that_has_everything_is_linearizable_under_partitions() {
    for seed in 0..10 {
        let report = run(seed, Bug::Nothing);
        assert!(report.valid && report.remarks.counts().is_empty(), "{report}");
        assert!(report.operations.timeouts > 0 && report.operations.refused > 0, "{report}");
        assert!(["read", "write", "cas"].iter().all(|kind| report.latencies.contains_key(kind)), "{report}");
    }
}

#[test]
fn each_bug_is_caught() {
    for (seed, bug) in
        (0..5).flat_map(|seed| [Bug::Caches, Bug::LosesWrites, Bug::ComparesNothing].map(|bug| (seed, bug)))
    {
        let report = run(seed, bug);
        assert!(report.violations.counts().contains_key(&Check::Linearizable), "{bug:?}\n{report}");
    }
}

#[test]
fn the_history_tells_key_and_value() {
    let mut lines = Vec::new();
    run(1, Bug::Nothing).history.write_jsonl(&mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let events = || lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for kind in ["ok", "fail", "info"] {
        let mut those = events().filter(|event| event["type"] == kind && event["process"] != "nemesis");
        assert!(those.all(|event| event["value"].as_array().is_some_and(|pair| pair.len() == 2)), "{kind}");
        assert!(events().any(|event| event["type"] == kind), "{kind}");
    }
}

//! Nodes of which the first one holds everything. The others pass on to it what clients ask.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use workbench::{Fault, Machine, Plan, Report, Workload, simulate};

/// Answers a request: the body without `in_reply_to`. It is handed what the first node holds, and the number of the request.
pub(crate) type Perform<S> = fn(&mut S, &Value, u64) -> Value;

struct Node<S> {
    state: S,
    perform: Perform<S>,
    name: String,
    /// Requests that were passed on: the client and its message id.
    passed_on: BTreeMap<u64, (Value, Value)>,
    count: u64,
}

impl<S> Node<S> {
    fn say(&self, dest: &Value, body: &Value, out: &mut Vec<u8>) {
        out.extend(format!("{}\n", json!({"src": self.name, "dest": dest, "body": body})).into_bytes());
    }

    fn reply(&self, dest: &Value, id: &Value, mut body: Value, out: &mut Vec<u8>) {
        body["in_reply_to"] = id.clone();
        self.say(dest, &body, out);
    }
}

impl<S> Machine for Node<S> {
    fn receive(&mut self, _: Duration, line: &[u8], out: &mut Vec<u8>) {
        let message: Value = serde_json::from_slice(line).unwrap();
        let (src, body) = (&message["src"], &message["body"]);
        self.count += 1;
        if body["type"] == "init" {
            self.name = body["node_id"].as_str().unwrap().into();
            self.reply(src, &body["msg_id"], json!({"type": "init_ok"}), out);
        } else if let Some(number) = body["in_reply_to"].as_u64() {
            let Some((client, id)) = self.passed_on.remove(&number) else { return };
            self.reply(&client, &id, body.clone(), out);
        } else if self.name == "n0" {
            let answer = (self.perform)(&mut self.state, body, self.count);
            self.reply(src, &body["msg_id"], answer, out);
        } else {
            let mut question = body.clone();
            question["msg_id"] = json!(self.count);
            self.say(&json!("n0"), &question, out);
            self.passed_on.insert(self.count, (src.clone(), body["msg_id"].clone()));
        }
    }
}

/// A run of three nodes under partitions.
pub(crate) fn run<S: Default + 'static>(
    workload: &'static dyn Workload,
    seed: u64,
    perform: Perform<S>,
) -> Report {
    let plan = Plan { nemesis: [Fault::Partition].into(), ..Plan::new(workload, seed) };
    let mut start = |_: Duration, _: usize, _: u64| {
        let node =
            Node { state: S::default(), perform, name: String::new(), passed_on: BTreeMap::new(), count: 0 };
        Box::new(node) as Box<dyn Machine>
    };
    simulate(&plan, &mut start)
}

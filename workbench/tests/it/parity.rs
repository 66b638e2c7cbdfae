//! The verdict on other programs is Maelstrom's. Findings that Maelstrom lets pass are remarks and do not count, and the
//! bench's own reads hide no finding of Maelstrom's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use workbench::{Check, Counter, Fault, Machine, Plan, Report, simulate};

use crate::toy::{Bug, Toy};

/// The plan for a program that `--bin` names.
fn plan(seed: u64) -> Plan {
    Plan { strict: BTreeSet::new(), probes: false, ..Plan::new(&Counter::G, seed) }
}

fn run(bug: Bug, plan: &Plan) -> Report {
    simulate(plan, &mut Toy::factory(bug))
}

#[test]
fn a_node_that_falls_mute_is_told_loudly_and_judged_by_what_came_before() {
    let chatty = run(Bug::Chats, &plan(1));
    assert!(chatty.violations.counts().contains_key(&Check::Init), "mute before it answers init\n{chatty}");
    for bug in [Bug::AnswersLate, Bug::GossipsToStrangers] {
        let report = run(bug, &plan(1));
        let text = report.to_string();
        assert!(report.remarks.counts().contains_key(&Check::Destination), "{bug:?}\n{report}");
        assert!(
            report.violations.counts().keys().all(|check| *check == Check::FinalReads),
            "{bug:?}\n{report}"
        );
        assert!(!report.valid || text.contains("fell MUTE"), "{text}");
    }
}

#[test]
fn strictly_a_mute_node_is_invalid() {
    let strict = Plan { strict: [Check::Destination].into(), ..plan(1) };
    assert!(run(Bug::AnswersLate, &strict).violations.counts().contains_key(&Check::Destination));
    let strict = Plan { strict: [Check::Output].into(), ..plan(1) };
    assert!(run(Bug::Chats, &strict).violations.counts().contains_key(&Check::Output));
}

#[test]
fn a_node_that_does_not_end_when_asked_to_is_judged_by_its_counts() {
    let restarts = |strict: &[Check]| {
        let strict = strict.iter().copied().collect();
        let plan = Plan { nemesis: [Fault::Restart].into(), strict, ..plan(3) };
        run(Bug::IgnoresTerm, &plan)
    };
    let lenient = restarts(&[]);
    assert!(!lenient.violations.counts().contains_key(&Check::CleanEnd), "{lenient}");
    assert!(lenient.remarks.counts().contains_key(&Check::CleanEnd), "{lenient}");
    assert!(restarts(&[Check::CleanEnd]).violations.counts().contains_key(&Check::CleanEnd));
}

/// A counter that answers a read from memory, and only then asks the store for the others' counts. So a value that is read
/// once only is stale.
#[derive(Default)]
struct Lazy {
    name: String,
    others: Vec<String>,
    known: BTreeMap<String, u64>,
    /// The requests to the store, by message id.
    asked: BTreeMap<u64, Asked>,
    last_id: u64,
}

enum Asked {
    /// Another node's count.
    Count(String),
    /// To store an add of that client's.
    Add { client: Value, msg_id: Value },
}

impl Lazy {
    fn say(&self, dest: &Value, body: &Value, out: &mut Vec<u8>) {
        out.extend(json!({"src": self.name, "dest": dest, "body": body}).to_string().into_bytes());
        out.push(b'\n');
    }

    fn ask(&mut self, asked: Asked, mut body: Value, out: &mut Vec<u8>) {
        self.last_id += 1;
        self.asked.insert(self.last_id, asked);
        body["msg_id"] = self.last_id.into();
        self.say(&json!("lin-kv"), &body, out);
    }

    fn store_answers(&mut self, body: &Value, out: &mut Vec<u8>) {
        match body["in_reply_to"].as_u64().and_then(|id| self.asked.remove(&id)) {
            None => {}
            Some(Asked::Count(of)) => {
                let known = self.known.entry(of).or_default();
                *known = body["value"].as_u64().unwrap_or(0).max(*known);
            }
            Some(Asked::Add { client, msg_id }) => {
                self.say(&client, &json!({"type": "add_ok", "in_reply_to": msg_id}), out);
            }
        }
    }
}

impl Machine for Lazy {
    fn receive(&mut self, _: Duration, line: &[u8], out: &mut Vec<u8>) {
        let message: Value = serde_json::from_slice(line).unwrap();
        let (src, body) = (&message["src"], &message["body"]);
        match body["type"].as_str().unwrap() {
            "init" => {
                self.name = body["node_id"].as_str().unwrap().into();
                self.others = serde_json::from_value(body["node_ids"].clone()).unwrap();
                self.others.retain(|other| *other != self.name);
                self.say(src, &json!({"type": "init_ok", "in_reply_to": body["msg_id"]}), out);
            }
            "add" => {
                let own = self.known.entry(self.name.clone()).or_default();
                *own += body["delta"].as_u64().unwrap();
                let write = json!({"type": "write", "key": self.name, "value": *own});
                self.ask(Asked::Add { client: src.clone(), msg_id: body["msg_id"].clone() }, write, out);
            }
            "read" => {
                let value: u64 = self.known.values().sum();
                self.say(
                    src,
                    &json!({"type": "read_ok", "in_reply_to": body["msg_id"], "value": value}),
                    out,
                );
                for other in self.others.clone() {
                    let read = json!({"type": "read", "key": other});
                    self.ask(Asked::Count(other), read, out);
                }
            }
            _ => self.store_answers(body, out),
        }
    }
}

/// While it waits for the final reads the bench must not read a node: that would bring it up to date.
#[test]
fn a_final_read_is_as_stale_as_the_node_left_it() {
    let stale = |seed, probes| {
        let plan = Plan { rate: 40.0, time_limit: Duration::from_secs(6), probes, ..plan(seed) };
        let mut start = |_: Duration, _: usize, _: u64| Box::<Lazy>::default() as Box<dyn Machine>;
        let report = simulate(&plan, &mut start);
        report.violations.counts().contains_key(&Check::FinalReads)
    };
    assert!((0..6).filter(|seed| stale(*seed, false)).count() >= 3);
    assert!(!(0..6).any(|seed| stale(seed, true)), "probes hide it");
}

/// A counter that only grows, under `pn-counter`, refuses half of the adds, and is valid.
#[test]
fn errors_that_nodes_answer_with_are_told() {
    let plan = Plan { workload: &Counter::Pn, ..plan(1) };
    let report = run(Bug::Nothing, &plan);
    let [refused] = &report.errors[..] else { panic!("{report}") };
    assert!(report.valid && refused.f == "add" && refused.count * 5 > refused.of * 2, "{report}");
    assert!(report.to_string().contains("%) were answered with error 12: no"), "{report}");
}

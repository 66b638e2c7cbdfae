//! Planted bugs: this node, with one thing spoilt in its messages. A crash at some point must show each.

use maelstrom_counter::config::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::cluster::Incarnation;
use crate::crash_points::{BUSY, every_crash, hows};
use crate::script::{Incarnations, Virtual};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    AcknowledgesEarly,
    AnswersTwice,
    CountsTwice,
    /// It has the incarnation number and the message ids of its predecessor.
    IsTheSameAgain,
    /// It does not read its record first.
    OverwritesItsRecord,
    TalksToStrangers,
    /// It writes without comparing first.
    WritesPlainly,
}

struct Spoilt {
    node: Virtual,
    bug: Bug,
    /// Messages to send before all others.
    ahead: Vec<Value>,
    acknowledged: Vec<Value>,
}

impl Spoilt {
    fn start(bug: Bug, seed: u64) -> Self {
        let config = Config { ack: AckPolicy::Store, ..Config::default() };
        let seed = if bug == Bug::IsTheSameAgain { 1 } else { seed };
        Self { node: Virtual::start(config, seed), bug, ahead: Vec::new(), acknowledged: Vec::new() }
    }
}

impl Incarnation for Spoilt {
    fn tell(&mut self, line: &str) {
        let mut message: Value = serde_json::from_str(line).unwrap();
        let body = &mut message["body"];
        match (self.bug, body["type"].as_str()) {
            (Bug::CountsTwice, Some("add")) => body["delta"] = json!(body["delta"].as_i64().unwrap() * 2),
            (Bug::AcknowledgesEarly, Some("add")) => {
                self.acknowledged.push(body["msg_id"].clone());
                let ok = json!({"type": "add_ok", "in_reply_to": body["msg_id"]});
                self.ahead.push(json!({"src": "n0", "dest": "c1", "body": ok}));
            }
            (Bug::OverwritesItsRecord, Some("read_ok")) => {
                let id = &body["in_reply_to"];
                *body = json!({"type": "error", "code": 20, "text": "no", "in_reply_to": id});
            }
            (Bug::OverwritesItsRecord | Bug::WritesPlainly, Some("write_ok")) => {
                body["type"] = json!("cas_ok");
            }
            _ => {}
        }
        self.node.tell(&message.to_string());
    }

    fn hear(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.ahead.pop() {
                return Some(message);
            }
            let mut message = self.node.hear()?;
            match (self.bug, message["body"]["type"].as_str()) {
                (Bug::AcknowledgesEarly, Some("add_ok" | "error"))
                    if self.acknowledged.contains(&message["body"]["in_reply_to"]) =>
                {
                    continue;
                }
                (Bug::AnswersTwice, Some("add_ok")) => self.ahead.push(message.clone()),
                (Bug::TalksToStrangers, Some("gossip")) => message["dest"] = json!("n7"),
                (Bug::OverwritesItsRecord | Bug::WritesPlainly, Some("cas")) => {
                    message["body"]["type"] = json!("write");
                    message["body"]["value"] = message["body"]["to"].take();
                }
                _ => {}
            }
            return Some(message);
        }
    }

    fn terminate(&mut self) {
        self.node.terminate();
    }

    fn close_input(&mut self) {
        self.node.close_input();
    }

    fn has_ended_well(&mut self) -> bool {
        self.node.has_ended_well()
    }
}

#[test]
fn crashes_show_each_planted_bug() {
    let bugs = [
        (Bug::AcknowledgesEarly, "is lost"),
        (Bug::AnswersTwice, "answered twice"),
        (Bug::CountsTwice, "is counted 2 times"),
        (Bug::IsTheSameAgain, "is lost"),
        (Bug::OverwritesItsRecord, "the record goes down"),
        (Bug::TalksToStrangers, "addressed to a stranger"),
        (Bug::WritesPlainly, "the record goes down"),
    ];
    for (bug, problem) in bugs {
        let start = || {
            let mut seed = 0;
            Incarnations::new(3, move || {
                seed += 1;
                Box::new(Spoilt::start(bug, seed))
            })
        };
        let found = every_crash(&start, BUSY, &hows(12)).expect_err(&format!("{bug:?} is not found"));
        println!("{bug:?}: {found}");
        assert!(found.contains(problem), "{bug:?}: {found}");
    }
}

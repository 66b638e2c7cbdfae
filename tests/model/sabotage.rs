//! Bugs, planted in the messages between a node and its world.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// An incarnation has the same message ids as the one before.
    SameIds,
    /// An incarnation counts under the number of the one before.
    IncarnationReused,
    /// Every write of the record leaves the replica free, though this process goes on counting under it.
    FreeTooSoon,
    /// The record is written whatever the store holds.
    PlainWrite,
    /// A peer counts as knowing all that it was sent, before it has confirmed it.
    KnownWhenSent,
    /// An add is counted twice.
    CountedTwice,
    /// An indefinite error is answered as a definite one.
    IndefiniteRefused,
    /// A client is answered twice.
    AnsweredTwice,
    /// An error of the store makes the node panic.
    Panics,
}

/// Changes the messages of one node, according to a bug.
#[derive(Debug, Clone)]
pub(crate) struct Saboteur {
    bug: Option<Bug>,
    /// The last known incarnation of each peer, as the wire's field `epoch` gives it.
    epochs: BTreeMap<String, Value>,
}

impl Saboteur {
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self { bug, epochs: BTreeMap::new() }
    }

    /// The lines that reach the node instead of this one.
    pub(crate) fn hear(&mut self, line: &str) -> Vec<String> {
        let Some(bug) = self.bug else { return vec![line.to_owned()] };
        let mut message: Value = serde_json::from_str(line).unwrap();
        if let Some(epoch) = message["body"].get("epoch") {
            self.epochs.insert(message["src"].as_str().unwrap().to_owned(), epoch.clone());
        }
        match (bug, message["body"]["type"].as_str().unwrap()) {
            (Bug::PlainWrite, "write_ok") => message["body"]["type"] = json!("cas_ok"),
            (Bug::CountedTwice, "add") => {
                let mut unasked = message.clone();
                unasked["body"].as_object_mut().unwrap().remove("msg_id");
                return vec![message.to_string(), unasked.to_string()];
            }
            (Bug::Panics, "error") if message["body"]["code"] == 22 => panic!("as planted"),
            _ => {}
        }
        vec![message.to_string()]
    }

    /// Spoils a message of the node. Returns the messages that leave it, and a line that the node receives.
    pub(crate) fn say(&self, mut message: Value) -> (Vec<Value>, Option<String>) {
        let body = &mut message["body"];
        let mut aside = None;
        match (self.bug, body["type"].as_str().unwrap()) {
            (Some(Bug::PlainWrite), "cas") => {
                body["type"] = json!("write");
                body["value"] = body["to"].take();
            }
            (Some(Bug::FreeTooSoon), "cas") => leave_free(body["to"].as_object_mut().unwrap()),
            (Some(Bug::IndefiniteRefused), "error") => body["code"] = json!(11),
            (Some(Bug::AnsweredTwice), "add_ok") => return (vec![message.clone(), message], None),
            (Some(Bug::KnownWhenSent), "gossip") => aside = self.confirmation(&message),
            _ => {}
        }
        (vec![message], aside)
    }

    fn confirmation(&self, message: &Value) -> Option<String> {
        let epoch = self.epochs.get(message["dest"].as_str()?)?;
        let body = json!({"type": "gossip_ok", "in_reply_to": message["body"]["msg_id"], "epoch": epoch});
        Some(json!({"src": message["dest"], "dest": message["src"], "body": body}).to_string())
    }
}

fn leave_free(record: &mut Map<String, Value>) {
    let own =
        |replica: &String| replica.split_once('#').map(|(_, incarnation)| json!([incarnation, incarnation]));
    let ownership = record.remove("held").or_else(|| record.keys().find_map(own));
    record.entry("free").or_insert(ownership.unwrap());
}

//! Bugs, planted on a node's pipes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A life's message ids are those of the life before.
    SameIds,
    /// A life counts under the epoch of the life before.
    EpochReused,
    /// Every write of the slot leaves the replica to the next process, though this one goes on counting.
    FreeTooSoon,
    /// The slot is written whatever is there.
    PlainWrite,
    /// A peer counts as knowing what it was merely sent.
    KnownWhenSent,
    /// An add is counted twice.
    CountedTwice,
    /// What may have been done is said not to have been.
    IndefiniteRefused,
    /// A client is told twice.
    AnsweredTwice,
    /// Some answer brings the node down.
    Panics,
}

/// Who sits on the pipes, and what he remembers.
#[derive(Debug, Clone)]
pub(crate) struct Saboteur {
    bug: Option<Bug>,
    /// The epoch last heard of each peer.
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

    /// Spoils a message of the node's. Returns those that leave it, and a line that the node is to hear.
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

fn leave_free(slot: &mut Map<String, Value>) {
    let epoch = |replica: &String| replica.split_once('#').map(|(_, epoch)| json!([epoch, epoch]));
    let title = slot.remove("held").or_else(|| slot.keys().find_map(epoch));
    slot.entry("free").or_insert(title.unwrap());
}

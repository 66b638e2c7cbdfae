//! A counter that only grows. Each node has a slot, and only its own adds go there. All nodes gossip all slots. Of two values of a slot
//! the greater one is newer.
//!
//! `cargo build --release -p maelstrom-workbench --example g_counter` makes the program `target/release/examples/g_counter`.

mod node;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::json;

use node::{Event, Message, Node};

/// What each node has counted, as far as this one knows.
type Slots = BTreeMap<String, u64>;

pub(crate) fn main() -> io::Result<()> {
    let mut node = Node::start(Duration::from_millis(200));
    let mut slots = Slots::new();
    loop {
        match node.next_event()? {
            Event::Message(message) => receive(&node, &mut slots, &message)?,
            Event::Tick => gossip(&node, &slots)?,
            Event::End => return Ok(()),
        }
    }
}

fn receive(node: &Node, slots: &mut Slots, message: &Message) -> io::Result<()> {
    match message.kind() {
        "add" => {
            *slots.entry(node.id.clone()).or_default() += message.field::<u64>("delta")?;
            node.answer(message, json!({"type": "add_ok"}))
        }
        "read" => node.answer(message, json!({"type": "read_ok", "value": slots.values().sum::<u64>()})),
        "gossip" => {
            merge(slots, message.field("slots")?);
            Ok(())
        }
        _ => node.refuse(message),
    }
}

fn merge(slots: &mut Slots, told: Slots) {
    for (name, value) in told {
        let slot = slots.entry(name).or_default();
        *slot = value.max(*slot);
    }
}

fn gossip(node: &Node, slots: &Slots) -> io::Result<()> {
    let body = json!({"type": "gossip", "slots": slots});
    node.peers.iter().try_for_each(|peer| node.send(peer, &body))
}

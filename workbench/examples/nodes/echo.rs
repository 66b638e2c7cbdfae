//! A node that answers with the content of the request.
//!
//! `cargo build --release -p maelstrom-workbench --example echo` makes the program `target/release/examples/echo`.

mod node;

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use node::{Event, Node};

pub(crate) fn main() -> io::Result<()> {
    let mut node = Node::start(Duration::from_secs(1));
    loop {
        match node.next_event()? {
            Event::Message(message) if message.kind() == "echo" => {
                let echo: Value = message.field("echo")?;
                node.answer(&message, json!({"type": "echo_ok", "echo": echo}))?;
            }
            Event::Message(message) => node.refuse(&message)?,
            Event::Tick => {}
            Event::End => return Ok(()),
        }
    }
}

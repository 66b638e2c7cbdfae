//! What every node needs: JSON lines in and out, and answers.

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

/// What a node hears of.
pub enum Event {
    /// A message.
    Message(Message),
    /// So much time has passed since the last tick.
    Tick,
    /// There is nothing more to read.
    End,
}

/// A message that was read.
#[derive(Deserialize)]
pub struct Message {
    src: String,
    pub body: Value,
}

impl Message {
    /// Its type. Empty if it has none.
    pub fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }
}

/// A node. Two threads tell it of messages and of the time.
pub struct Node {
    /// Its name.
    pub id: String,
    /// The names of all others.
    pub peers: Vec<String>,
    events: Receiver<io::Result<Event>>,
}

impl Node {
    /// A node without a name. It gets one by the first message.
    pub fn start(tick: Duration) -> Self {
        let (sender, events) = sync_channel(1000);
        let ticks = sender.clone();
        thread::spawn(move || read(&sender));
        thread::spawn(move || {
            while ticks.send(Ok(Event::Tick)).is_ok() {
                thread::sleep(tick);
            }
        });
        Self { id: String::new(), peers: Vec::new(), events }
    }

    /// The next event. The node answers `init` itself.
    pub fn next(&mut self) -> io::Result<Event> {
        let event = self.events.recv().unwrap_or(Ok(Event::End))?;
        let Event::Message(message) = event else { return Ok(event) };
        if message.kind() != "init" {
            return Ok(Event::Message(message));
        }
        self.id = serde_json::from_value(message.body["node_id"].clone())?;
        self.peers = serde_json::from_value(message.body["node_ids"].clone())?;
        self.peers.retain(|peer| *peer != self.id);
        self.answer(&message, json!({"type": "init_ok"}))?;
        self.next()
    }

    /// Sends a message.
    pub fn send(&self, dest: &str, body: &Value) -> io::Result<()> {
        let message = json!({"src": self.id, "dest": dest, "body": body});
        writeln!(io::stdout(), "{message}")
    }

    /// Answers a request.
    pub fn answer(&self, request: &Message, mut body: Value) -> io::Result<()> {
        body["in_reply_to"] = request.body["msg_id"].clone();
        self.send(&request.src, &body)
    }

    /// Says that the node knows no such request.
    pub fn refuse(&self, request: &Message) -> io::Result<()> {
        self.answer(
            request,
            json!({"type": "error", "code": 10, "text": "this node knows no such request"}),
        )
    }
}

/// Reads messages until there are no more, or the node has ended.
fn read(events: &SyncSender<io::Result<Event>>) {
    for line in io::stdin().lock().lines() {
        let message = line.and_then(|line| Ok(Event::Message(serde_json::from_str(&line)?)));
        if events.send(message).is_err() {
            return;
        }
    }
    // If nobody waits for it, the node has ended.
    let _ = events.send(Ok(Event::End));
}

//! What every node needs: JSON lines in and out, and answers.

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a node hears of.
pub(crate) enum Event {
    /// A message.
    Message(Message),
    /// So much time has passed since the last tick.
    Tick,
    /// There is nothing more to read.
    End,
}

/// A message that was read.
#[derive(Deserialize)]
pub(crate) struct Message {
    src: String,
    body: Value,
}

impl Message {
    /// Its type. Empty if it has none.
    pub(crate) fn kind(&self) -> &str {
        self.body.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// A field of its body. The error says that it is missing or of another type.
    pub(crate) fn field<T: DeserializeOwned>(&self, name: &str) -> io::Result<T> {
        Ok(T::deserialize(self.body.get(name).unwrap_or(&Value::Null))?)
    }
}

/// A node. Two threads tell it of messages and of the time.
pub(crate) struct Node {
    /// Its name.
    pub(crate) id: String,
    /// The names of all others.
    pub(crate) peers: Vec<String>,
    events: Receiver<io::Result<Event>>,
}

impl Node {
    /// A node without a name. It gets one by the first message.
    pub(crate) fn start(tick: Duration) -> Self {
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
    pub(crate) fn next_event(&mut self) -> io::Result<Event> {
        loop {
            match self.events.recv().unwrap_or(Ok(Event::End))? {
                Event::Message(message) if message.kind() == "init" => self.begin(&message)?,
                event => return Ok(event),
            }
        }
    }

    fn begin(&mut self, init: &Message) -> io::Result<()> {
        self.id = init.field("node_id")?;
        self.peers = init.field("node_ids")?;
        self.peers.retain(|peer| *peer != self.id);
        self.answer(init, json!({"type": "init_ok"}))
    }

    /// Sends a message.
    pub(crate) fn send(&self, dest: &str, body: &Value) -> io::Result<()> {
        let message = json!({"src": self.id, "dest": dest, "body": body});
        writeln!(io::stdout(), "{message}")
    }

    /// Answers a request.
    pub(crate) fn answer(&self, request: &Message, mut body: Value) -> io::Result<()> {
        if let Some(fields) = body.as_object_mut() {
            fields.insert("in_reply_to".into(), request.field("msg_id")?);
        }
        self.send(&request.src, &body)
    }

    /// Says that the node knows no such request.
    pub(crate) fn refuse(&self, request: &Message) -> io::Result<()> {
        self.answer(request, json!({"type": "error", "code": 10, "text": "this node knows no such request"}))
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

//! Nodes that handle messages.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::machine::{Machine, MachineFactory};
use crate::error_code::{MALFORMED, NOT_SUPPORTED};

/// A node that handles messages: the easy way to a [`Machine`].
///
/// [`nodes`] does the rest. It reads and writes the lines, answers `init`, and ends the node when it is told to.
///
/// ```
/// use std::time::Duration;
/// use serde_json::json;
/// use workbench::{Echo, Message, Node, Outbox, Plan, Refusal, nodes, simulate};
///
/// struct Parrot;
///
/// impl Node for Parrot {
///     fn receive(&mut self, message: &Message, out: &mut Outbox<'_>) -> Result<(), Refusal> {
///         match message.kind() {
///             "echo" => {
///                 let heard: serde_json::Value = message.field("echo")?;
///                 out.reply(message, json!({"type": "echo_ok", "echo": heard}));
///                 Ok(())
///             }
///             _ => Err(Refusal::unknown(message)),
///         }
///     }
/// }
///
/// let report = simulate(&Plan::new(&Echo, 42), &mut nodes(Duration::MAX, |_seed| Parrot));
/// assert!(report.valid, "{report}");
/// ```
pub trait Node {
    /// Handles a message of a client, a peer or a service, which is never `init`.
    ///
    /// # Errors
    /// The error that the sender is told. It is told nothing if its message has no `msg_id`, for it awaits no answer.
    fn receive(&mut self, message: &Message, out: &mut Outbox<'_>) -> Result<(), Refusal>;

    /// Does what is due from time to time, at the interval that [`nodes`] was given.
    fn tick(&mut self, out: &mut Outbox<'_>) {
        let _ = out;
    }

    /// Says its last words: the node was told to end, as by SIGTERM.
    fn end(&mut self, out: &mut Outbox<'_>) {
        let _ = out;
    }
}

/// Makes nodes for [`simulate`](crate::simulate). Each starts with `init`, and [ticks](Node::tick) at this interval after it;
/// with [`Duration::MAX`] it never does. `make` gets a seed for a node's random choices. It is called for each incarnation
/// of each node.
pub fn nodes<N: Node + 'static>(interval: Duration, mut make: impl FnMut(u64) -> N) -> impl MachineFactory {
    move |_, _, seed| -> Box<dyn Machine> {
        Box::new(Process { node: make(seed), interval, cluster: None, tick_at: None, has_ended: false })
    }
}

/// A message to a node.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Message {
    src: String,
    body: Map<String, Value>,
}

impl Message {
    /// The name of its sender.
    pub fn src(&self) -> &str {
        &self.src
    }

    /// Its type, such as `read`; empty if it has none.
    pub fn kind(&self) -> &str {
        self.body.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// A field of its body.
    ///
    /// # Errors
    /// If there is no such field, or it is no such value: a [`Refusal`] with the code 12, which [`Node::receive`] can return.
    pub fn field<T: DeserializeOwned>(&self, name: &str) -> Result<T, Refusal> {
        let refusal = |why: &str| Refusal::new(MALFORMED, format!("the field {name} {why}"));
        let value = self.body.get(name).ok_or_else(|| refusal("is missing"))?;
        T::deserialize(value).map_err(|error| refusal(&format!("can't be read: {error}")))
    }
}

/// An error that a node answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    code: i64,
    text: String,
}

impl Refusal {
    /// An error with one of Maelstrom's codes. 11 says that the node can't do it now.
    pub fn new(code: i64, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The node knows no message of this type (code 10).
    pub fn unknown(message: &Message) -> Self {
        Self::new(NOT_SUPPORTED, format!("no message of type {} is known", message.kind()))
    }
}

/// A node's view of its cluster, and the way out for its messages.
#[derive(Debug)]
pub struct Outbox<'a> {
    cluster: &'a Cluster,
    now: Duration,
    lines: &'a mut Vec<u8>,
}

impl<'a> Outbox<'a> {
    /// The node's name.
    pub fn id(&self) -> &'a str {
        &self.cluster.id
    }

    /// The names of all other nodes.
    pub fn peers(&self) -> &'a [String] {
        &self.cluster.peers
    }

    /// The time since the start of the run.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Sends a message. `body` is an object with a `type`.
    pub fn send(&mut self, dest: &str, body: &Value) {
        let line = json!({"src": self.cluster.id, "dest": dest, "body": body}).to_string();
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
    }

    /// Answers a message. `body` is an object with a `type`, and gets an `in_reply_to`.
    pub fn reply(&mut self, message: &Message, mut body: Value) {
        if let (Some(body), Some(id)) = (body.as_object_mut(), message.body.get("msg_id")) {
            body.insert("in_reply_to".into(), id.clone());
        }
        self.send(&message.src, &body);
    }
}

/// What `init` tells a node.
#[derive(Debug, Default)]
struct Cluster {
    id: String,
    peers: Vec<String>,
}

struct Process<N> {
    node: N,
    interval: Duration,
    /// `None` until `init` has come.
    cluster: Option<Cluster>,
    tick_at: Option<Duration>,
    has_ended: bool,
}

impl<N: Node> Process<N> {
    fn start(&mut self, now: Duration, message: &Message, lines: &mut Vec<u8>) -> Result<(), Refusal> {
        let id: String = message.field("node_id")?;
        let mut peers: Vec<String> = message.field("node_ids")?;
        peers.retain(|peer| *peer != id);
        let cluster = self.cluster.insert(Cluster { id, peers });
        self.tick_at = now.checked_add(self.interval);
        Outbox { cluster, now, lines }.reply(message, json!({"type": "init_ok"}));
        Ok(())
    }

    fn handle(&mut self, now: Duration, message: &Message, lines: &mut Vec<u8>) -> Result<(), Refusal> {
        match &self.cluster {
            None if message.kind() == "init" => self.start(now, message, lines),
            // Nobody sends anything to a node before its `init`.
            None => Ok(()),
            Some(cluster) => self.node.receive(message, &mut Outbox { cluster, now, lines }),
        }
    }
}

impl<N: Node> Machine for Process<N> {
    fn receive(&mut self, now: Duration, line: &[u8], lines: &mut Vec<u8>) {
        // A line that is no message names no sender who could be told.
        let Ok(message) = serde_json::from_slice::<Message>(line) else { return };
        let refused = self.handle(now, &message, lines).err();
        let refused = refused.filter(|_| message.body.get("msg_id").is_some_and(Value::is_number));
        if let (Some(Refusal { code, text }), Some(cluster)) = (refused, &self.cluster) {
            let error = json!({"type": "error", "code": code, "text": text});
            Outbox { cluster, now, lines }.reply(&message, error);
        }
    }

    fn wake(&mut self, now: Duration, lines: &mut Vec<u8>) {
        if let Some(cluster) = self.cluster.as_ref().filter(|_| self.tick_at.is_some_and(|at| at <= now)) {
            // A zero interval would stop the clock.
            self.tick_at = now.checked_add(self.interval.max(Duration::from_nanos(1)));
            self.node.tick(&mut Outbox { cluster, now, lines });
        }
    }

    fn next_wake(&self) -> Option<Duration> {
        self.tick_at
    }

    fn terminate(&mut self, now: Duration, lines: &mut Vec<u8>) {
        if let Some(cluster) = &self.cluster {
            self.node.end(&mut Outbox { cluster, now, lines });
        }
        self.has_ended = true;
    }

    fn has_exited(&self) -> bool {
        self.has_ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers `ping`, and tells its peers the time.
    struct Clock;

    impl Node for Clock {
        fn receive(&mut self, message: &Message, out: &mut Outbox<'_>) -> Result<(), Refusal> {
            match message.kind() {
                "ping" => {
                    let number: u64 = message.field("number")?;
                    out.reply(message, json!({"type": "pong", "number": number}));
                    Ok(())
                }
                _ => Err(Refusal::unknown(message)),
            }
        }

        fn tick(&mut self, out: &mut Outbox<'_>) {
            let now = out.now().as_secs();
            out.peers().iter().for_each(|peer| out.send(peer, &json!({"type": "tick", "now": now})));
        }
    }

    fn said(machine: &mut dyn Machine, line: &str) -> Vec<Value> {
        let mut out = Vec::new();
        machine.receive(Duration::from_secs(1), line.as_bytes(), &mut out);
        lines(&out)
    }

    fn lines(out: &[u8]) -> Vec<Value> {
        out.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    fn started() -> Box<dyn Machine> {
        let mut machine = nodes(Duration::from_secs(2), |_| Clock).start(Duration::ZERO, 0, 1);
        let init = r#"{"src":"c1","dest":"n0","body":{"type":"init","msg_id":1,"node_id":"n0","node_ids":["n0","n1"]}}"#;
        let answer = json!({"src": "n0", "dest": "c1", "body": {"type": "init_ok", "in_reply_to": 1}});
        assert_eq!(said(machine.as_mut(), init), [answer]);
        machine
    }

    #[test]
    fn requests_are_answered_or_refused() {
        let machine = &mut *started();
        let mut answer = |body: &str| {
            let said = said(machine, &format!(r#"{{"src":"c1","dest":"n0","body":{body}}}"#));
            said.first().map(|message| message["body"].clone())
        };
        let pong = json!({"type": "pong", "in_reply_to": 2, "number": 7});
        assert_eq!(answer(r#"{"type":"ping","msg_id":2,"number":7}"#), Some(pong));
        for (body, code) in [
            (r#"{"type":"ping","msg_id":3}"#, 12),
            (r#"{"type":"ping","msg_id":3,"number":"7"}"#, 12),
            (r#"{"type":"pig","msg_id":3}"#, 10),
            (r#"{"msg_id":3}"#, 10),
        ] {
            let error = answer(body).unwrap();
            assert_eq!((&error["code"], &error["in_reply_to"]), (&json!(code), &json!(3)), "{body}");
        }
        assert_eq!(answer(r#"{"type":"pig"}"#), None, "it awaits no answer");
        assert_eq!(said(machine, "{"), [] as [Value; 0]);
    }

    #[test]
    fn a_node_ticks_and_ends() {
        let mut machine = started();
        assert_eq!(machine.next_wake(), Some(Duration::from_secs(3)));
        let mut out = Vec::new();
        machine.wake(Duration::from_secs(3), &mut out);
        assert_eq!(lines(&out)[0]["dest"], "n1");
        assert_eq!(machine.next_wake(), Some(Duration::from_secs(5)));
        assert!(!machine.has_exited());
        machine.terminate(Duration::from_secs(4), &mut out);
        assert!(machine.has_exited());
    }
}

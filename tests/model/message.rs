//! The messages of processes, read as far as the model needs.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::store::Request;

/// The client of all requests.
pub(crate) const CLIENT: &str = "c1";

/// A number that stands for a value. Two values have the same fingerprint with a chance of 2⁻⁶⁴.
pub(crate) fn fingerprint(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    /// The node of this number, that is, its process at the time of arrival.
    Node(u8),
    /// The store, with the request of the node of this number.
    Store(u8, Request),
}

/// A message between nodes, or between a node and the store. Compared by its fingerprint.
pub(crate) struct Message {
    pub(crate) to: Address,
    pub(crate) line: String,
    /// If the message is an answer of the store: the id that it answers.
    pub(crate) answers: Option<i64>,
    pub(crate) fingerprint: u64,
}

impl Message {
    fn new(to: Address, line: String, answers: Option<i64>) -> Arc<Self> {
        let fingerprint = fingerprint(&line);
        Arc::new(Self { to, line, answers, fingerprint })
    }

    /// The store's answer to the message `msg_id` of a node.
    pub(crate) fn from_store(node: u8, msg_id: i64, mut body: Value) -> Arc<Self> {
        body["in_reply_to"] = json!(msg_id);
        let line = json!({"src": "seq-kv", "dest": name(node), "body": body}).to_string();
        Self::new(Address::Node(node), line, Some(msg_id))
    }

    /// For a request to the store or an answer of it: the node, the request's id, and whether its arrival can no longer
    /// change the store.
    pub(crate) fn asked(&self) -> Option<(u8, i64, bool)> {
        match (&self.to, self.answers) {
            (Address::Store(node, request), _) => Some((*node, request.msg_id, request.is_read())),
            (Address::Node(node), Some(answers)) => Some((*node, answers, true)),
            (Address::Node(_), None) => None,
        }
    }
}

/// The answer to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The add is done.
    Done,
    /// The value.
    Value(i64),
    /// The add may be done or not.
    Indefinite,
    /// The add is not done and will not be.
    Refused,
}

/// One line that a node wrote.
pub(crate) enum Said {
    ToClient(i64, Answer),
    OnTheWay(Arc<Message>),
}

impl Said {
    pub(crate) fn read(node: u8, message: &Value) -> Self {
        let (dest, body) = (message["dest"].as_str().expect("a dest"), &message["body"]);
        if dest == CLIENT {
            return Self::ToClient(body["in_reply_to"].as_i64().expect("an answer"), answer(body));
        }
        let to = match dest {
            "seq-kv" => Address::Store(node, Request::read(body)),
            peer => Address::Node(number(peer)),
        };
        Self::OnTheWay(Message::new(to, message.to_string(), None))
    }
}

fn answer(body: &Value) -> Answer {
    match (body["type"].as_str(), body["code"].as_i64()) {
        (Some("add_ok"), _) => Answer::Done,
        (Some("read_ok"), _) => Answer::Value(body["value"].as_i64().expect("a value")),
        (Some("error"), Some(0)) => Answer::Indefinite,
        (Some("error"), Some(_)) => Answer::Refused,
        _ => panic!("no answer for a client: {body}"),
    }
}

pub(crate) fn name(node: u8) -> String {
    format!("n{node}")
}

fn number(name: &str) -> u8 {
    name.strip_prefix('n').and_then(|number| number.parse().ok()).expect("a node's name")
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Message {}

impl PartialOrd for Message {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Message {
    fn cmp(&self, other: &Self) -> Ordering {
        self.fingerprint.cmp(&other.fingerprint)
    }
}

impl Hash for Message {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.fingerprint.hash(hasher);
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

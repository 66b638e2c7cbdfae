//! The messages that a node hears and says, apart from how they are written (that is [`crate::codec`]).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use replica::{Frame, FrameId};
use serde_json::value::RawValue;

/// The id of a message, unique per sender. Maelstrom's are small integers; ours start at random.
pub type MsgId = i64;

/// A message that came in.
#[derive(Debug)]
pub struct Message<'a> {
    /// Who sent it.
    pub src: Cow<'a, str>,
    /// What it says.
    pub body: Body<'a>,
}

/// What a message that came in says.
#[derive(Debug)]
pub enum Body<'a> {
    /// It asks. Without an id nobody waits for the answer.
    Request(Option<MsgId>, Request),
    /// A peer's replica speaks. Boxed: most messages are requests, which are then moved at less cost.
    Frame(Box<Frame>),
    /// The store answers the message of ours that bears this id.
    Reply(MsgId, Reply<'a>),
}

/// What others ask of a node.
#[derive(Debug)]
pub enum Request {
    /// You are `node_id`, among `node_ids`.
    Init {
        /// The name that the node shall bear.
        node_id: String,
        /// All nodes of the cluster, this one among them.
        node_ids: Vec<String>,
    },
    /// Add `delta` to the counter.
    Add {
        /// By how much.
        delta: i64,
    },
    /// What is the counter's value?
    Read,
}

/// What the store answers.
#[derive(Debug)]
pub enum Reply<'a> {
    /// The store's value under a key.
    ReadOk {
        /// The value, as it was written.
        value: &'a RawValue,
    },
    /// The store has changed the value from what we said it was to what we asked for.
    CasOk,
    /// The store has written.
    WriteOk,
    /// It was not done, or, by some codes, perhaps.
    Error {
        /// Maelstrom's error code.
        code: i64,
        /// For humans.
        text: String,
    },
}

/// In words, for the log.
impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOk { value } => write!(f, "read_ok with {}", value.get()),
            Self::CasOk => f.write_str("cas_ok"),
            Self::WriteOk => f.write_str("write_ok"),
            Self::Error { code, text } => write!(f, "error {code}: {text}"),
        }
    }
}

/// A message to send.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// To whom.
    pub dest: &'a str,
    /// Its own id, if an answer is expected.
    pub msg_id: Option<MsgId>,
    /// The message that it answers.
    pub in_reply_to: Option<MsgId>,
    /// What it says.
    pub say: Say,
    /// When it must have left at the latest, if it is to a client: a client that waits too long leaves, and what is sent
    /// to one that has left mutes the node.
    pub by: Option<Duration>,
}

impl<'a> Outgoing<'a> {
    /// A message that wants an answer to `msg_id`.
    pub fn request(dest: &'a str, msg_id: MsgId, say: Say) -> Self {
        Self { dest, msg_id: Some(msg_id), in_reply_to: None, say, by: None }
    }

    /// An answer to the message `in_reply_to`.
    pub fn answer(dest: &'a str, in_reply_to: Option<MsgId>, say: Say) -> Self {
        Self { dest, msg_id: None, in_reply_to, say, by: None }
    }

    /// What a replica tells a peer.
    pub fn frame(dest: &'a str, frame: Frame) -> Self {
        let number = |id: FrameId| id.0;
        let (msg_id, in_reply_to) = (frame.id.map(number), frame.answers.map(number));
        Self { dest, msg_id, in_reply_to, say: Say::Frame(Box::new(frame)), by: None }
    }
}

/// What a node says.
#[derive(Debug, Clone)]
pub enum Say {
    /// Initialised.
    InitOk,
    /// Added.
    AddOk,
    /// The value.
    ReadOk(i128),
    /// Refused, or not known to be done.
    Error(ErrorCode, Cow<'static, str>),
    /// What the replica tells a peer.
    Frame(Box<Frame>),
    /// Read a key from the store.
    StoreRead(Arc<str>),
    /// Set a key in the store, if it still is what we think.
    StoreCas {
        /// Which.
        key: Arc<str>,
        /// What we think is there; nothing at all if `None`.
        from: Option<Arc<RawValue>>,
        /// What shall be there.
        to: Arc<RawValue>,
    },
    /// Set a key in the store, whatever it is.
    StoreWrite {
        /// Which.
        key: Arc<str>,
        /// What shall be there.
        value: String,
    },
}

/// Maelstrom's error codes, as far as a node answers with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// It may have been done, or be done yet.
    Timeout = 0,
    /// No such type of request here.
    NotSupported = 10,
    /// Not now: it was not done.
    TemporarilyUnavailable = 11,
    /// It makes no sense: it was not done.
    MalformedRequest = 12,
    /// It can't be done: it was not done.
    Abort = 14,
}

/// The error code by which the store says that a key does not exist.
pub const KEY_DOES_NOT_EXIST: i64 = 20;
/// The error code by which the store says that a compare-and-set found another value.
pub const PRECONDITION_FAILED: i64 = 22;

//! The messages that a node receives and sends. [`crate::codec`] decides how they are written.

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
    /// The sender.
    pub src: Cow<'a, str>,
    /// What it says.
    pub body: Body<'a>,
}

/// What a message that came in says.
#[derive(Debug)]
pub enum Body<'a> {
    /// A request. Without an id nobody waits for the answer.
    Request(Option<MsgId>, Request),
    /// A frame of a peer's replica. It is boxed because most messages are requests, which are then moved at less cost.
    Frame(Box<Frame>),
    /// The store's reply to the message with this id.
    Reply(MsgId, Reply<'a>),
}

/// What clients ask of a node.
#[derive(Debug)]
pub enum Request {
    /// Tells the node its name and its cluster.
    Init {
        /// The node's name.
        node_id: String,
        /// All nodes of the cluster, this one among them.
        node_ids: Vec<String>,
    },
    /// Adds to the counter.
    Add {
        /// How much to add.
        delta: i64,
    },
    /// Asks for the counter's value.
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
    /// The store has replaced the value that the compare-and-set named.
    CasOk,
    /// The store has written the value.
    WriteOk,
    /// The store did not do it. With an indefinite code it may have done it.
    Error {
        /// Maelstrom's error code.
        code: i64,
        /// The reason, for humans.
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
    /// The receiver.
    pub dest: &'a str,
    /// The message's own id, if it wants an answer.
    pub msg_id: Option<MsgId>,
    /// The message that it answers.
    pub in_reply_to: Option<MsgId>,
    /// What it says.
    pub say: Say,
    /// The last moment at which a message to a client may leave. A client that waits too long leaves, and a message to a
    /// client that has left mutes the node.
    pub by: Option<Duration>,
}

impl<'a> Outgoing<'a> {
    /// A message that wants an answer to `msg_id`.
    pub fn request(dest: &'a str, msg_id: MsgId, say: Say) -> Self {
        Self { dest, msg_id: Some(msg_id), in_reply_to: None, say, by: None }
    }

    /// An answer to a client's message `in_reply_to`.
    pub fn answer(dest: &'a str, in_reply_to: Option<MsgId>, say: Say) -> Self {
        Self { dest, msg_id: None, in_reply_to, say, by: None }
    }

    /// The message that carries a replica's frame to a peer.
    pub fn frame(dest: &'a str, frame: Frame) -> Self {
        let number = |id: FrameId| id.0;
        let (msg_id, in_reply_to) = (frame.id.map(number), frame.answers.map(number));
        Self { dest, msg_id, in_reply_to, say: Say::Frame(Box::new(frame)), by: None }
    }
}

/// What a node says.
#[derive(Debug, Clone)]
pub enum Say {
    /// The node is initialised.
    InitOk,
    /// The add is acknowledged.
    AddOk,
    /// The counter's value.
    ReadOk(i128),
    /// The request is refused, or its outcome is not known.
    Error(ErrorCode, Cow<'static, str>),
    /// The replica's frame to a peer.
    Frame(Box<Frame>),
    /// Read a key from the store.
    StoreRead(Arc<str>),
    /// Replace the value under a key in the store, if it is still `from`.
    StoreCas {
        /// The key.
        key: Arc<str>,
        /// The expected value. `None` if the key should not exist.
        from: Option<Arc<RawValue>>,
        /// The new value.
        to: Arc<RawValue>,
    },
    /// Set a key in the store, whatever its value is.
    StoreWrite {
        /// The key.
        key: Arc<str>,
        /// The new value.
        value: String,
    },
}

/// Those of Maelstrom's error codes that a node answers with. All but the first are definite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// Indefinite: the request may have been done, or may be done later.
    Timeout = 0,
    /// The node does not serve requests of this type.
    NotSupported = 10,
    /// The node can't do it now.
    TemporarilyUnavailable = 11,
    /// The request makes no sense.
    MalformedRequest = 12,
    /// The request can't be done.
    Abort = 14,
}

/// The error code by which the store says that a key does not exist.
pub const KEY_DOES_NOT_EXIST: i64 = 20;
/// The error code by which the store says that a compare-and-set found another value.
pub const PRECONDITION_FAILED: i64 = 22;

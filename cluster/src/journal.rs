//! A node's record as a log of messages, and how it is read back.
//!
//! # Layout
//!
//! Each commit and each seal is one message on the node's log subject. It names the sequence number of the message before it, so the log
//! is a chain. What does not fit into a message stands in [pieces](Body::Pieces) before it.
//!
//! A *snapshot* is the whole record as the log up to one message has it. It depends on nothing else: whoever makes it writes the same bytes.
//! Once it is complete, the log before that message, and older snapshots, are removed.
//!
//! [`Replay`] takes the messages in the order of the stream, and makes the record of them. If the chain has a gap, what was read is no
//! record: it was read while old messages were removed.

mod fold;
mod message;
mod replay;

pub use fold::Fold;
pub use message::{Body, Message, Snapshot};
pub use replay::{Found, Kept, Replay, Trouble};

/// The version of the format that this release writes.
pub const VERSION: u8 = 1;

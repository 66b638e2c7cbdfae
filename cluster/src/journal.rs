//! A node's record as a log of messages, and how it is read back.
//!
//! # Layout
//!
//! A log has numbered *places*. Each is a subject, of which the stream keeps the last message only. A message names the sequence number of
//! the message before it, so the log is a chain. It also says in which place the next one will stand.
//!
//! Each commit and each seal is one *entry*. An entry that does not fit into a message is written in several *parts*, one message after the
//! other. The last one makes it whole. If another process writes in between, the parts before say nothing.
//!
//! A *snapshot* is the whole record as the log up to one message has it. It stands in the log too, in parts, with entries between them.
//! Once it is whole, the messages that it has are not needed. Their places are *free*, and later messages replace them. So nobody ever
//! removes a message, and nobody needs the right to.
//!
//! [`Replay`] takes the messages in the order of the stream, and makes the record of them. If the chain has a gap, what was read is no
//! record: messages were replaced while it was read. [`End`] says where the next message goes.

mod end;
mod fold;
mod message;
mod replay;

pub use end::End;
pub use fold::Fold;
pub use message::{Message, Part, Snapshot, Whole};
pub use replay::{Found, Replay, Trouble, cost};

/// The version of the format that this release writes.
pub const VERSION: u8 = 1;

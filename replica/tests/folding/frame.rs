//! What the processes tell each other.

use crate::rows::{Count, Rows};

/// From a process of the folding node to a peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Frame {
    /// The process that sends it, by its own number.
    pub(crate) process: u8,
    /// The replica that it counts under.
    pub(crate) replica: u8,
    pub(crate) rows: Rows,
    /// The sender's seal, 0 if it has not sealed.
    pub(crate) seal: u8,
    /// All nodes have answered the seal: the receiver is asked to confirm the rows below it.
    pub(crate) all_answered: bool,
}

/// What a peer says to a frame that it has merged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reply {
    pub(crate) node: u8,
    pub(crate) process: u8,
    /// The process that it is for. Frame ids are random: no other process takes it for its own.
    pub(crate) to: u8,
    /// The seal that it answers.
    pub(crate) seal: u8,
    /// These are all rows below the seal that the peer holds.
    pub(crate) confirms: Option<Rows>,
    pub(crate) rows: Rows,
    /// So much of the sender's own row is confirmed.
    pub(crate) held: Count,
}

/// A message that is late.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Late {
    Frame {
        to: u8,
        frame: Frame,
    },
    Reply(Reply),
    /// What one peer tells another, or the folding node, of the folding node's rows.
    Relayed {
        to: u8,
        rows: Rows,
    },
}

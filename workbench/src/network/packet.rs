//! A message on its way.

use std::cmp::Ordering;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::envelope;

/// A message for a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) id: u64,
    pub(crate) src: Endpoint,
    pub(crate) dest: Endpoint,
    pub(crate) content: Content,
}

/// A proper message, or bytes that only a test of malformed input sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A JSON object.
    Body(Box<str>),
    /// A whole line, which may be malformed.
    Raw(Box<[u8]>),
}

impl Packet {
    /// The line for a node, without its newline.
    pub(crate) fn into_line(self) -> Vec<u8> {
        match self.content {
            Content::Body(body) => envelope::encode(self.id, self.src, self.dest, &body),
            Content::Raw(line) => line.into_vec(),
        }
    }
}

/// A packet that waits for its time. Earlier deadlines come first, then those that were sent earlier.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) deadline: Duration,
    pub(crate) sequence: u64,
    pub(crate) packet: Packet,
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.deadline, self.sequence).cmp(&(other.deadline, other.sequence)).reverse()
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

//! One message of a log, and a snapshot.

use embedded::Entry;
use replica::store::Seal;
use serde::{Deserialize, Serialize};

use super::VERSION;

/// One message of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sequence number of the message before it on this log. 0: it is the first.
    pub before: u64,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An [`Entry`], as bytes.
    Entry(Vec<u8>),
    /// An entry is in the pieces with this name, which came before.
    Pieces {
        /// Names the pieces.
        id: u64,
        /// How many there are.
        of: u32,
    },
}

const ENTRY: u8 = 0;
const PIECES: u8 = 1;

impl Message {
    /// How many bytes of a message are not those of its entry, at most.
    pub const HEAD: usize = 10;

    /// The message as bytes.
    ///
    /// ```
    /// use cluster::journal::{Body, Message};
    ///
    /// let message = Message { before: 3, body: Body::Pieces { id: 7, of: 2 } };
    /// assert_eq!(Message::from_bytes(&message.to_bytes()), Some(message));
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let kind = match self.body {
            Body::Entry(_) => ENTRY,
            Body::Pieces { .. } => PIECES,
        };
        let mut out = vec![VERSION, kind];
        out.extend(self.before.to_le_bytes());
        match &self.body {
            Body::Entry(entry) => out.extend(entry),
            Body::Pieces { id, of } => {
                out.extend(id.to_le_bytes());
                out.extend(of.to_le_bytes());
            }
        }
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. `None`: no release that this one knows has written it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([version, kind], rest) = bytes.split_first_chunk()?;
        let (before, rest) = rest.split_first_chunk()?;
        let body = match (*version, *kind) {
            (VERSION, ENTRY) => Body::Entry(rest.to_vec()),
            (VERSION, PIECES) => {
                let (id, of) = rest.split_first_chunk()?;
                Body::Pieces { id: u64::from_le_bytes(*id), of: u32::from_le_bytes(of.try_into().ok()?) }
            }
            _ => return None,
        };
        Some(Self { before: u64::from_le_bytes(*before), body })
    }
}

/// A whole record: its rows, hints, notes and owner as one entry, and its seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// All but the seal.
    pub entry: Entry,
    /// The seal.
    pub seal: Option<Seal>,
}

/// A snapshot as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(with = "serde_bytes")]
    entry: Vec<u8>,
    /// The number of the seal, and whether it is lifted.
    seal: Option<(u64, bool)>,
}

impl Snapshot {
    /// The snapshot as bytes. `None`: it can't be written, which is not known to happen.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let seal = self.seal.map(|Seal { number, is_lifted }| (number, is_lifted));
        let written = Written { entry: self.entry.to_bytes().ok()?, seal };
        let mut out = vec![VERSION];
        out.extend(postcard::to_allocvec(&written).ok()?);
        Some(out)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. `None`: no release that this one knows has written it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (VERSION, rest) = bytes.split_first().map(|(version, rest)| (*version, rest))? else {
            return None;
        };
        let Written { entry, seal } = postcard::from_bytes(rest).ok()?;
        let seal = seal.map(|(number, is_lifted)| Seal { number, is_lifted });
        Some(Self { entry: Entry::from_bytes(&entry).ok()?, seal })
    }
}

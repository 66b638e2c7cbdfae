//! One message of a log, and a snapshot.

use embedded::Entry;
use replica::store::Seal;
use serde::{Deserialize, Serialize};

use super::VERSION;

/// One message of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sequence number of the message before it in this log. 0: it is the first.
    pub before: u64,
    /// The place of the message after it.
    pub next: u32,
    /// What it says.
    pub part: Part,
}

/// A part of an entry or a snapshot: all of it, if that fits into a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is a part of.
    pub of: Whole,
    /// Its number. The first part has 0.
    pub number: u32,
    /// How many parts there are.
    pub count: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What is written in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// An [`Entry`].
    Entry,
    /// A [`Snapshot`]. It has the log up to the message with this sequence number.
    Snapshot(u64),
}

const ENTRY: u8 = 0;
const SNAPSHOT: u8 = 1;

impl Part {
    /// Cuts these bytes into parts of so many bytes, in their order. `None`: they would be too many.
    ///
    /// ```
    /// use cluster::journal::{Part, Whole};
    ///
    /// let parts = Part::cut(Whole::Entry, b"abc", 2).unwrap();
    /// assert_eq!(parts[1], Part { of: Whole::Entry, number: 1, count: 2, bytes: b"c".to_vec() });
    /// ```
    pub fn cut(of: Whole, bytes: &[u8], most: usize) -> Option<Vec<Self>> {
        let chunks = bytes.chunks(most.max(1));
        let count = u32::try_from(chunks.len()).ok()?;
        let part = |(number, chunk): (u32, &[u8])| Self { of, number, count, bytes: chunk.to_vec() };
        Some((0..count).zip(chunks).map(part).collect())
    }

    /// Whether no part comes after it.
    pub fn is_last(&self) -> bool {
        self.number + 1 == self.count
    }
}

impl Message {
    /// How many bytes of a message are not those of its part, at most.
    pub const HEAD: usize = 30;

    /// The message as bytes.
    ///
    /// ```
    /// use cluster::journal::{Message, Part, Whole};
    ///
    /// let part = Part { of: Whole::Snapshot(2), number: 0, count: 1, bytes: vec![7] };
    /// let message = Message { before: 3, next: 1, part };
    /// assert_eq!(Message::from_bytes(&message.to_bytes()), Some(message));
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { before, next, part: Part { of, number, count, bytes } } = self;
        let mut out = vec![VERSION];
        match of {
            Whole::Entry => out.push(ENTRY),
            Whole::Snapshot(upto) => {
                out.push(SNAPSHOT);
                out.extend(upto.to_le_bytes());
            }
        }
        out.extend(before.to_le_bytes());
        out.extend([*next, *number, *count].iter().flat_map(|number| number.to_le_bytes()));
        out.extend(bytes);
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. `None`: no release that this one knows has written it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([VERSION, kind], rest) = bytes.split_first_chunk()? else { return None };
        let (of, rest) = match *kind {
            ENTRY => (Whole::Entry, rest),
            SNAPSHOT => {
                let (upto, rest) = rest.split_first_chunk()?;
                (Whole::Snapshot(u64::from_le_bytes(*upto)), rest)
            }
            _ => return None,
        };
        let (before, rest) = rest.split_first_chunk()?;
        let (next, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let [next, number, count] = [*next, *number, *count].map(u32::from_le_bytes);
        let part = Part { of, number, count, bytes: rest.to_vec() };
        (number < count).then_some(Self { before: u64::from_le_bytes(*before), next, part })
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

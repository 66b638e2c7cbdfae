//! Makes a record of the messages that a stream has of a node.

use std::collections::{BTreeMap, BTreeSet};

use embedded::Entry;
use replica::store::Record;

use super::{Body, Fold, Message, Snapshot};

/// What a message is, as its subject says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// A message of the log.
    Log,
    /// A piece of an entry.
    Piece {
        /// Names the entry.
        id: u64,
        /// Its place among the pieces.
        place: u32,
    },
    /// A piece of a snapshot.
    Snapshot {
        /// The snapshot has the log up to this message.
        upto: u64,
        /// Names the snapshot. Two processes may make one of the same log.
        id: u64,
        /// Its place among the pieces.
        place: u32,
        /// How many pieces there are.
        of: u32,
    },
}

/// Takes the messages of a node, in the order of the stream.
#[derive(Debug, Default)]
pub struct Replay {
    log: Vec<(u64, Vec<u8>)>,
    pieces: BTreeMap<u64, Pieces>,
    /// By what they have and their names, with how many pieces there are.
    snapshots: BTreeMap<(u64, u64), (u32, Pieces)>,
}

type Pieces = BTreeMap<u32, Vec<u8>>;

/// What a stream has of a node.
#[derive(Debug, Default)]
pub struct Found {
    /// The record and its notes, not joined yet. `None`: there is none.
    pub fold: Option<Fold>,
    /// The sequence number of the last message of the log; 0 without one.
    pub head: u64,
    /// How many bytes of the log come after the newest snapshot.
    pub tail: usize,
    /// Up to where the snapshots go that are there, whole or not.
    pub snapshots: BTreeSet<u64>,
}

impl Found {
    /// The record, if there is one.
    pub fn record(self) -> Option<Record> {
        self.fold.map(|fold| fold.finish(u64::MAX).0)
    }
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A message is missing. Messages may have been removed while they were read: read again.
    Gap,
    /// No release that this one knows has written it.
    Foreign,
}

impl Replay {
    /// Takes a message.
    pub fn take(&mut self, kept: Kept, sequence: u64, bytes: Vec<u8>) {
        match kept {
            Kept::Log => self.log.push((sequence, bytes)),
            Kept::Piece { id, place } => {
                self.pieces.entry(id).or_default().insert(place, bytes);
            }
            Kept::Snapshot { upto, id, place, of } => {
                let (count, pieces) = self.snapshots.entry((upto, id)).or_default();
                *count = of;
                pieces.insert(place, bytes);
            }
        }
    }

    /// What the messages say.
    ///
    /// # Errors
    ///
    /// [`Trouble`].
    pub fn finish(mut self) -> Result<Found, Trouble> {
        let snapshots = self.snapshots.keys().map(|(upto, _)| *upto).collect();
        let (mut head, mut fold) = (0, None);
        while let Some(((upto, _), (of, pieces))) = self.snapshots.pop_last() {
            if let Some(bytes) = whole(pieces, of) {
                fold = Some(Fold::of(Snapshot::from_bytes(&bytes).ok_or(Trouble::Foreign)?));
                head = upto;
                break;
            }
        }
        let mut tail = 0_usize;
        for (sequence, bytes) in self.log {
            let message = Message::from_bytes(&bytes).ok_or(Trouble::Foreign)?;
            if sequence <= head {
                continue;
            }
            if message.before != head {
                return Err(Trouble::Gap);
            }
            let entry = match message.body {
                Body::Entry(entry) => entry,
                Body::Pieces { id, of } => {
                    whole(self.pieces.remove(&id).unwrap_or_default(), of).ok_or(Trouble::Gap)?
                }
            };
            head = sequence;
            tail = tail.saturating_add(entry.len());
            let entry = Entry::from_bytes(&entry).map_err(|_| Trouble::Foreign)?;
            fold.get_or_insert_default().apply(entry);
        }
        Ok(Found { fold, head, tail, snapshots })
    }
}

/// The bytes of all pieces, if all are there.
fn whole(pieces: Pieces, of: u32) -> Option<Vec<u8>> {
    let is_whole = of > 0 && u32::try_from(pieces.len()) == Ok(of) && pieces.keys().copied().eq(0..of);
    is_whole.then(|| pieces.into_values().flatten().collect())
}

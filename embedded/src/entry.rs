//! An entry of a log: all that one commit or seal changes in a record. The bytes are the same in a file and in a cluster's stream.

use std::fmt;
use std::sync::Arc;

use replica::store::{Changes, Note, Noted, Ownership};
use replica::{Incarnation, ReplicaId, RowDelta};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// What one request changes in the record.
///
/// ```
/// use embedded::{Entry, EntryKind};
///
/// let entry = Entry { changes: Default::default(), kind: EntryKind::Seal, first: None };
/// assert_eq!(Entry::from_bytes(&entry.to_bytes()?)?, entry);
/// # Ok::<(), embedded::Unreadable>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Rows, hints and notes. A seal has rows alone.
    pub changes: Changes,
    /// Which request it was.
    pub kind: EntryKind,
    /// If it is the first of its process: whether that may show counts which are not stored.
    pub first: Option<bool>,
}

/// Which request it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A process of the node has committed.
    Commit {
        /// The owner of the replica that was, or may be, handed on.
        owner: Option<Ownership>,
    },
    /// The node was forgotten.
    Seal,
}

/// Bytes are no entry that any release has written. Says in words what can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// The owner, as it is written: the replica, the process, and whether it is free.
pub(crate) type Owner = (ReplicaId, Incarnation, bool);

/// The entry, as it is written. A row delta is in its binary form.
#[derive(Serialize, Deserialize)]
struct Written {
    rows: Vec<ByteBuf>,
    hints: Vec<ByteBuf>,
    dropped_hints: Vec<ReplicaId>,
    kind: WrittenKind,
    first: Option<bool>,
    notes: Vec<WrittenNote>,
}

#[derive(Serialize, Deserialize)]
enum WrittenKind {
    Commit { owner: Option<Owner>, lifts_seal: bool },
    Seal,
}

/// A note as it is written: until when, its text, and its value.
pub(crate) type WrittenNote = (u64, ByteBuf, i128);

impl Entry {
    /// The entry as bytes.
    ///
    /// # Errors
    ///
    /// None is known: all that an entry has can be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Unreadable> {
        let Changes { rows, hints, dropped_hints, lifts_seal, notes } = &self.changes;
        let deltas =
            |deltas: &[RowDelta]| deltas.iter().map(|delta| ByteBuf::from(delta.to_bytes())).collect();
        let kind = match &self.kind {
            EntryKind::Commit { owner } => {
                WrittenKind::Commit { owner: owner.as_ref().map(write_owner), lifts_seal: *lifts_seal }
            }
            EntryKind::Seal => WrittenKind::Seal,
        };
        let written = Written {
            rows: deltas(rows),
            hints: deltas(hints),
            dropped_hints: dropped_hints.clone(),
            kind,
            first: self.first,
            notes: notes.iter().map(write_note).collect(),
        };
        postcard::to_allocvec(&written).map_err(|error| Unreadable(error.to_string()))
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. Allocates in proportion to the input.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if `to_bytes` has not written these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let Written { rows, hints, dropped_hints, kind, first, notes } = postcard::from_bytes(bytes)
            .map_err(|_| Unreadable("an entry of the log can't be read".into()))?;
        let deltas =
            |deltas: Vec<ByteBuf>| deltas.iter().map(|delta| read_delta(delta)).collect::<Result<_, _>>();
        let mut changes = Changes {
            rows: deltas(rows)?,
            hints: deltas(hints)?,
            dropped_hints,
            lifts_seal: false,
            notes: notes.into_iter().map(read_note).collect(),
        };
        let kind = match kind {
            WrittenKind::Commit { owner, lifts_seal } => {
                changes.lifts_seal = lifts_seal;
                EntryKind::Commit { owner: owner.map(read_owner) }
            }
            WrittenKind::Seal => EntryKind::Seal,
        };
        Ok(Self { changes, kind, first })
    }
}

/// Reads a row delta.
pub(crate) fn read_delta(bytes: &[u8]) -> Result<RowDelta, Unreadable> {
    RowDelta::from_bytes(bytes).map_err(|error| Unreadable(error.to_string()))
}

pub(crate) fn write_note(Noted { note, value }: &Noted) -> WrittenNote {
    (note.until, ByteBuf::from(note.text.to_vec()), *value)
}

pub(crate) fn read_note((until, text, value): WrittenNote) -> Noted {
    Noted { note: Note { until, text: Arc::from(text.into_vec()) }, value }
}

pub(crate) fn write_owner(Ownership { replica, incarnation, is_free }: &Ownership) -> Owner {
    (replica.clone(), *incarnation, *is_free)
}

pub(crate) fn read_owner((replica, incarnation, is_free): Owner) -> Ownership {
    Ownership { replica, incarnation, is_free }
}

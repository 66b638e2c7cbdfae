//! An entry of the log: all that one commit changes.

use std::sync::Arc;

use replica::store::{Changes, Note, Noted, Ownership};
use replica::{Incarnation, ReplicaId, RowDelta};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::error::Problem;

/// What one request changes in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Rows, hints and notes. A seal has rows alone.
    pub changes: Changes,
    pub kind: Kind,
    /// If it is the first of its process: whether that may show counts which are not stored.
    pub first: Option<bool>,
}

/// Which request it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Commit { owner: Option<Ownership> },
    Seal,
}

/// The owner, as it is written: the replica, the process, and whether it is free.
pub(super) type Owner = (ReplicaId, Incarnation, bool);

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
pub(super) type WrittenNote = (u64, ByteBuf, i128);

impl Entry {
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Problem> {
        let Changes { rows, hints, dropped_hints, lifts_seal, notes } = &self.changes;
        let deltas =
            |deltas: &[RowDelta]| deltas.iter().map(|delta| ByteBuf::from(delta.to_bytes())).collect();
        let kind = match &self.kind {
            Kind::Commit { owner } => {
                WrittenKind::Commit { owner: owner.as_ref().map(write_owner), lifts_seal: *lifts_seal }
            }
            Kind::Seal => WrittenKind::Seal,
        };
        let written = Written {
            rows: deltas(rows),
            hints: deltas(hints),
            dropped_hints: dropped_hints.clone(),
            kind,
            first: self.first,
            notes: notes.iter().map(write_note).collect(),
        };
        postcard::to_allocvec(&written).map_err(Problem::damaged)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Problem> {
        let Written { rows, hints, dropped_hints, kind, first, notes } =
            postcard::from_bytes(bytes).map_err(|_| Problem::damaged("an entry of the log can't be read"))?;
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
                Kind::Commit { owner: owner.map(read_owner) }
            }
            WrittenKind::Seal => Kind::Seal,
        };
        Ok(Self { changes, kind, first })
    }
}

/// Reads a row delta.
pub(super) fn read_delta(bytes: &[u8]) -> Result<RowDelta, Problem> {
    RowDelta::from_bytes(bytes).map_err(Problem::damaged)
}

pub(super) fn write_note(Noted { note, value }: &Noted) -> WrittenNote {
    (note.until, ByteBuf::from(note.text.to_vec()), *value)
}

pub(super) fn read_note((until, text, value): WrittenNote) -> Noted {
    Noted { note: Note { until, text: Arc::from(text.into_vec()) }, value }
}

pub(super) fn write_owner(Ownership { replica, incarnation, is_free }: &Ownership) -> Owner {
    (replica.clone(), *incarnation, *is_free)
}

pub(super) fn read_owner((replica, incarnation, is_free): Owner) -> Ownership {
    Ownership { replica, incarnation, is_free }
}

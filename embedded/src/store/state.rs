//! The state: what the record covers, and where its rows and hints are kept.

use std::collections::BTreeMap;

use replica::store::{Ownership, Seal};
use replica::{ReplicaId, RowDelta};
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, EntryKind, Owner, read_owner, write_owner};

/// A row or a hint, without its entries. These are in the chunks of the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub id: u32,
    pub from: u64,
    pub upto: u64,
}

/// The record without its entries. The log says how it changes: to apply the same entries gives the same state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// How many commits and seals the record has seen.
    pub revision: u64,
    pub rows: BTreeMap<ReplicaId, Part>,
    pub hints: BTreeMap<ReplicaId, Part>,
    next_part: u32,
    owner: Option<Owner>,
    /// The replica that the last process without an inherited one has counted under.
    counted: Option<ReplicaId>,
    /// Whether the process that has committed last may have shown counts that are not stored.
    shows_unstored: bool,
    /// The number of the seal, and whether it is lifted.
    seal: Option<(u64, bool)>,
}

impl State {
    /// Makes the changes of an entry, as [`Record::apply`](replica::store::Record::apply) and
    /// [`Record::seal`](replica::store::Record::seal) do. Returns for each of its rows, then for each of its hints, the part that
    /// takes it in. `None` if it is left out.
    pub(super) fn apply(&mut self, entry: &Entry) -> Vec<Option<u32>> {
        let changes = &entry.changes;
        self.revision = self.revision.saturating_add(1);
        self.shows_unstored = entry.first.unwrap_or(self.shows_unstored);
        let mut taken: Vec<_> = changes.rows.iter().map(|row| self.extend_row(row)).collect();
        for replica in &changes.dropped_hints {
            self.hints.remove(replica);
        }
        taken.extend(changes.hints.iter().map(|hint| Some(self.extend_hint(hint))));
        match &entry.kind {
            EntryKind::Commit { owner } => {
                self.owner = owner.as_ref().map(write_owner);
                if entry.first.is_some()
                    && let Some(row) = changes.rows.last()
                {
                    self.counted = Some(row.actor().clone());
                }
                if changes.lifts_seal
                    && let Some((_, is_lifted)) = &mut self.seal
                {
                    *is_lifted = true;
                }
            }
            EntryKind::Seal => {
                self.owner = None;
                if !self.is_sealed() {
                    let number = self.seal.map_or(0, |(number, _)| number).saturating_add(1);
                    self.seal = Some((number, false));
                }
            }
        }
        taken
    }

    fn extend_row(&mut self, row: &RowDelta) -> Option<u32> {
        if !self.rows.contains_key(row.actor()) {
            let part = self.new_part(0, 0);
            self.rows.insert(row.actor().clone(), part);
        }
        let part = self.rows.get_mut(row.actor())?;
        // A replica makes none that does not connect.
        if part.upto < row.from() {
            return None;
        }
        part.upto = part.upto.max(row.upto());
        Some(part.id)
    }

    fn extend_hint(&mut self, hint: &RowDelta) -> u32 {
        if let Some(part) = self.hints.get_mut(hint.actor())
            && part.upto >= hint.from()
            && hint.upto() >= part.from
        {
            part.from = part.from.min(hint.from());
            part.upto = part.upto.max(hint.upto());
            return part.id;
        }
        let part = self.new_part(hint.from(), hint.upto());
        self.hints.insert(hint.actor().clone(), part);
        part.id
    }

    fn new_part(&mut self, from: u64, upto: u64) -> Part {
        let id = self.next_part;
        self.next_part = self.next_part.wrapping_add(1);
        Part { id, from, upto }
    }

    /// The rows and hints that the record has, each with its replica.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&ReplicaId, &Part)> {
        self.rows.iter().chain(&self.hints)
    }

    /// Whether the record had this part and has it no more: its hint was dropped or replaced.
    pub(super) fn has_dropped(&self, part: u32) -> bool {
        part < self.next_part && self.parts().all(|(_, kept)| kept.id != part)
    }

    pub(super) fn owner(&self) -> Option<Ownership> {
        self.owner.clone().map(read_owner)
    }

    pub(super) fn seal(&self) -> Option<Seal> {
        self.seal.map(|(number, is_lifted)| Seal { number, is_lifted })
    }

    fn is_sealed(&self) -> bool {
        self.seal.is_some_and(|(_, is_lifted)| !is_lifted)
    }

    /// The ownership as a new process may find it: the process before has ended, however that came. So the replica that it
    /// counted under is free, unless that process has shown counts that are not stored. See decision 0026.
    pub(super) fn freed_owner(&self) -> Option<Ownership> {
        if self.is_sealed() || self.shows_unstored {
            return self.owner();
        }
        let counted = self.counted.clone().map(|replica| (replica.incarnation(), replica));
        let counted = counted.map(|(incarnation, replica)| Ownership { replica, incarnation, is_free: true });
        self.owner().map(|owner| Ownership { is_free: true, ..owner }).or(counted)
    }
}

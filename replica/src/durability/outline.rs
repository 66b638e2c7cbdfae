//! The outline of a record: what it covers, without the entries.

use std::collections::BTreeMap;

use crate::identity::ReplicaId;
use crate::store::{Changes, Ownership, Record, Seal};

/// What the node's record covers. It costs the same however much was counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline {
    /// The version of each row.
    pub rows: BTreeMap<ReplicaId, u64>,
    /// The version up to which each hint goes.
    pub hints: BTreeMap<ReplicaId, u64>,
    pub owner: Option<Ownership>,
    pub seal: Option<Seal>,
}

impl Outline {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            rows: record.rows.iter().map(|(replica, row)| (replica.clone(), row.upto())).collect(),
            hints: record.hints.iter().map(|(replica, hint)| (replica.clone(), hint.upto())).collect(),
            owner: record.owner.clone(),
            seal: record.seal,
        }
    }

    /// The outline after a commit, as [`Record::apply`] leaves the record.
    pub(super) fn apply(&mut self, changes: &Changes, owner: Option<Ownership>) {
        let Changes { rows, hints, dropped_hints, lifts_seal, notes: _ } = changes;
        for row in rows {
            self.rows.insert(row.actor().clone(), row.upto());
        }
        for replica in dropped_hints {
            self.hints.remove(replica);
        }
        for hint in hints {
            self.hints.insert(hint.actor().clone(), hint.upto());
        }
        self.owner = owner;
        if *lifts_seal && let Some(seal) = &mut self.seal {
            seal.is_lifted = true;
        }
    }

    /// The version of the row of `replica`; zero without one.
    pub(super) fn version(&self, replica: &ReplicaId) -> u64 {
        self.rows.get(replica).copied().unwrap_or_default()
    }

    /// Whether the node was forgotten, and has not returned.
    pub(super) fn is_sealed(&self) -> bool {
        self.seal.is_some_and(|seal| !seal.is_lifted)
    }
}

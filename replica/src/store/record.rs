//! The record: what the store keeps for one node.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::frame::Claim;
use crate::identity::{Incarnation, ReplicaId};
use crate::tally::RowDelta;

/// What the store keeps for one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The row of each replica of the node.
    pub rows: BTreeMap<ReplicaId, RowDelta>,
    /// The ownership of a replica that was, or may be, handed on.
    pub owner: Option<Ownership>,
    /// Hints: what replicas of *other* nodes have counted and may not have stored yet.
    pub hints: BTreeMap<ReplicaId, RowDelta>,
    /// Set once the node was forgotten.
    pub seal: Option<Seal>,
}

/// The mark that a node was forgotten. It stays when the node returns, so that a process from before still finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// How many times the node was forgotten. A process that finds a larger number than at its start must end.
    pub number: u64,
    /// Whether the node has returned since.
    pub is_lifted: bool,
}

/// The right to count under a replica that was, or may be, handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The replica.
    pub replica: ReplicaId,
    /// The process that owns the replica, or owned it last.
    pub incarnation: Incarnation,
    /// Whether that process has ended: then the next one may own the replica.
    pub is_free: bool,
}

/// The changes that a commit makes to a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows of this node that have grown, or are new: what each has above the version in the record.
    pub rows: Vec<RowDelta>,
    /// Hints that have grown, or are new. Each connects to the hint in the record, or replaces it.
    pub hints: Vec<RowDelta>,
    /// Hints that are not needed any more.
    pub dropped_hints: Vec<ReplicaId>,
    /// Whether the node returns after it was forgotten.
    pub lifts_seal: bool,
    /// What the world keeps beside changes that are new in these rows. A store that keeps notes keeps them with the rows, or
    /// neither. A [`Record`] has none: the world reads its notes from its store.
    pub notes: Vec<Noted>,
}

/// What the world keeps beside a change, in the same commit. The replica does not look into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Nobody asks for the note after this time. The world and its store agree on the unit.
    pub until: u64,
    /// The note: at most [`MAX_NOTE`](crate::MAX_NOTE) bytes.
    pub text: Arc<[u8]>,
}

/// A note, and what its change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The note.
    pub note: Note,
    /// The counter's value after an add or a report. What a reset subtracted. 0 for a batch.
    pub value: i128,
}

impl Record {
    /// How many counters stand in its rows and hints, in sum.
    pub(crate) fn entries(&self) -> u64 {
        self.rows.values().chain(self.hints.values()).map(|row| row.len() as u64).sum()
    }

    /// Makes the changes of a commit.
    ///
    /// ```
    /// use replica::{Tally, store::{Changes, Record}};
    ///
    /// let row = Tally { up: 3, down: 0 }.row("n0#00000001".parse()?);
    /// let mut record = Record::default();
    /// record.apply(&Changes { rows: vec![row.clone()], ..Changes::default() }, None);
    /// assert_eq!(record.version(row.actor()), 3);
    /// # Ok::<(), replica::NoIdentity>(())
    /// ```
    pub fn apply(&mut self, changes: &Changes, owner: Option<Ownership>) {
        let Changes { rows, hints, dropped_hints, lifts_seal, notes: _ } = changes;
        self.extend_rows(rows);
        for replica in dropped_hints {
            self.hints.remove(replica);
        }
        for hint in hints {
            let before = self.hints.entry(hint.actor().clone());
            let before =
                before.or_insert_with(|| RowDelta::new(hint.actor().clone(), hint.from(), hint.from()));
            if before.join(hint.clone()).is_err() {
                *before = hint.clone();
            }
        }
        self.owner = owner;
        if *lifts_seal && let Some(seal) = &mut self.seal {
            seal.is_lifted = true;
        }
    }

    /// Makes the changes of a seal: these rows, and no owner. Its hints stay: whoever loads the record finds them.
    ///
    /// ```
    /// use replica::store::{Record, Seal};
    ///
    /// let mut record = Record::default();
    /// record.seal(&[]);
    /// assert_eq!(record.seal, Some(Seal { number: 1, is_lifted: false }));
    /// assert!(record.is_sealed());
    /// ```
    pub fn seal(&mut self, rows: &[RowDelta]) {
        self.extend_rows(rows);
        self.owner = None;
        if !self.is_sealed() {
            let number = self.seal.map_or(0, |seal| seal.number).saturating_add(1);
            self.seal = Some(Seal { number, is_lifted: false });
        }
    }

    /// Whether the node was forgotten, and has not returned.
    pub fn is_sealed(&self) -> bool {
        self.seal.is_some_and(|seal| !seal.is_lifted)
    }

    /// The version of the row of `replica`, if it is one of this node's. Otherwise zero.
    pub fn version(&self, replica: &ReplicaId) -> u64 {
        self.rows.get(replica).map_or(0, RowDelta::upto)
    }

    /// The claim of the record. Its rows are stored, its hints are not.
    pub fn claim(&self) -> Claim {
        let rows = self.rows.values().chain(self.hints.values()).cloned().collect();
        Claim { rows, unstored: self.hints.keys().cloned().collect(), part: None }
    }

    /// Adds to the rows. A delta that does not connect is left out: a replica makes none for the revision that it expects.
    fn extend_rows(&mut self, rows: &[RowDelta]) {
        for row in rows {
            let new = || RowDelta::new(row.actor().clone(), 0, 0);
            let before = self.rows.entry(row.actor().clone()).or_insert_with(new);
            let _left_out = before.join(row.clone()).is_err();
        }
    }
}

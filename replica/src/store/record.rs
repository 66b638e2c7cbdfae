//! The record: what the store keeps for one node.

use std::collections::BTreeMap;

use crate::frame::Claim;
use crate::identity::{Incarnation, ReplicaId};
use crate::tally::Tally;

/// What the store keeps for one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The count of each replica of the node.
    pub rows: BTreeMap<ReplicaId, Tally>,
    /// The ownership of a replica that was, or may be, handed on.
    pub owner: Option<Ownership>,
    /// Hints: counts of replicas of *other* nodes that may not be stored yet.
    pub hints: BTreeMap<ReplicaId, Tally>,
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
    /// Rows of this node that have grown, or are new.
    pub rows: Vec<(ReplicaId, Tally)>,
    /// Hints that have grown, or are new.
    pub hints: Vec<(ReplicaId, Tally)>,
    /// Hints that are not needed any more.
    pub dropped_hints: Vec<ReplicaId>,
    /// Whether the node returns after it was forgotten.
    pub lifts_seal: bool,
}

impl Record {
    /// Makes the changes of a commit.
    ///
    /// ```
    /// use replica::{Tally, store::{Changes, Record}};
    ///
    /// let row = ("n0#00000001".parse()?, Tally { up: 3, down: 0 });
    /// let mut record = Record::default();
    /// record.apply(&Changes { rows: vec![row.clone()], ..Changes::default() }, None);
    /// assert_eq!(record.tally(&row.0), row.1);
    /// # Ok::<(), replica::NoIdentity>(())
    /// ```
    pub fn apply(&mut self, changes: &Changes, owner: Option<Ownership>) {
        let Changes { rows, hints, dropped_hints, lifts_seal } = changes;
        for (replica, tally) in rows {
            self.rows.entry(replica.clone()).or_default().raise(*tally);
        }
        for replica in dropped_hints {
            self.hints.remove(replica);
        }
        for (replica, tally) in hints {
            self.hints.entry(replica.clone()).or_default().raise(*tally);
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
    pub fn seal(&mut self, rows: &[(ReplicaId, Tally)]) {
        for (replica, tally) in rows {
            self.rows.entry(replica.clone()).or_default().raise(*tally);
        }
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

    /// The count of `replica`, if it is one of this node's. Otherwise zero.
    pub fn tally(&self, replica: &ReplicaId) -> Tally {
        self.rows.get(replica).copied().unwrap_or_default()
    }

    /// The claim of the record. Its rows are stored, its hints are not.
    pub fn claim(&self) -> Claim {
        let rows = self.rows.iter().chain(&self.hints);
        let counts = rows.map(|(replica, tally)| (replica.clone(), (tally.up, tally.down))).collect();
        Claim { counts, unstored: self.hints.keys().cloned().collect() }
    }
}

//! What the store keeps for a node.

use std::collections::BTreeMap;

use crate::frame::Claim;
use crate::identity::{Incarnation, ReplicaId};
use crate::tally::{Tally, from_tallies, raise_all};

/// What the store keeps for a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// What each replica of the node has counted.
    pub rows: BTreeMap<ReplicaId, Tally>,
    /// Who may count under a replica that was, or may be, handed on.
    pub owner: Option<Ownership>,
    /// What replicas of *other* nodes have counted, and may not have stored themselves.
    pub hints: BTreeMap<ReplicaId, Tally>,
}

/// Who may count under a replica that was, or may be, handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The replica.
    pub replica: ReplicaId,
    /// The process that has the replica, or had it last.
    pub incarnation: Incarnation,
    /// That process counts no more: the next one may have the replica.
    pub is_free: bool,
}

/// What a commit changes in a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows of this node that have grown, or are new.
    pub rows: Vec<(ReplicaId, Tally)>,
    /// Hints that have grown, or are new.
    pub hints: Vec<(ReplicaId, Tally)>,
    /// Hints that are needed no more.
    pub dropped_hints: Vec<ReplicaId>,
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
        let Changes { rows, hints, dropped_hints } = changes;
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
    }

    /// What `replica` has counted, of this node's.
    pub fn tally(&self, replica: &ReplicaId) -> Tally {
        self.rows.get(replica).copied().unwrap_or_default()
    }

    /// What the record tells whoever reads it.
    pub fn claim(&self) -> Claim {
        let mut all = self.rows.clone();
        raise_all(&mut all, &self.hints);
        Claim { counts: from_tallies(&all), unstored: self.hints.keys().cloned().collect() }
    }
}

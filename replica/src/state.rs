//! The state of a node: counts, and which of them are not known to be stored.
//!
//! A count is *stored* once it is in the record of the node that counted it. A node that told its counts while the store
//! did not answer may have died since. So this node keeps such counts of others in its own record, as *hints*, until it
//! learns that they are stored. A node that reads the record merges hints like any other counts. The idea is hinted
//! handoff, from the Dynamo paper (SOSP 2007, section 4.6).

use std::collections::{BTreeMap, BTreeSet};

use crate::frame::Claim;
use crate::identity::ReplicaId;
use crate::tally::{Tally, Vector};

/// Counts, and which of them are not known to be stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    counts: Vector,
    /// The replicas whose count is not known to be stored.
    unstored: BTreeSet<ReplicaId>,
}

impl State {
    pub(crate) fn counts(&self) -> &Vector {
        &self.counts
    }

    /// Merges a claim. True if it brought something new.
    pub(crate) fn merge(&mut self, claim: &Claim) -> bool {
        for replica in &claim.unstored {
            if !Tally::of(&claim.counts, replica).is_within(Tally::of(&self.counts, replica)) {
                self.unstored.insert(replica.clone());
            }
        }
        let counts = &self.counts;
        self.unstored.retain(|replica| {
            claim.unstored.contains(replica)
                || !Tally::of(counts, replica).is_within(Tally::of(&claim.counts, replica))
        });
        self.counts.merge(&claim.counts)
    }

    /// Merges the count of one replica.
    pub(crate) fn raise(&mut self, replica: &ReplicaId, tally: Tally, is_stored: bool) {
        let before = Tally::of(&self.counts, replica);
        if !is_stored {
            self.unstored.insert(replica.clone());
        } else if before.is_within(tally) {
            self.unstored.remove(replica);
        }
        self.counts.raise(replica, tally.up, tally.down);
    }

    /// Takes note of what the own record holds.
    pub(crate) fn note_recorded(&mut self, rows: Option<&BTreeMap<ReplicaId, Tally>>) {
        let Some(rows) = rows else { return };
        let counts = &self.counts;
        self.unstored.retain(|replica| {
            !rows.get(replica).is_some_and(|stored| Tally::of(counts, replica).is_within(*stored))
        });
    }

    /// The replicas whose count is not known to be stored.
    pub(crate) fn unstored(&self) -> &BTreeSet<ReplicaId> {
        &self.unstored
    }

    /// The rows of the replicas of `node`.
    pub(crate) fn rows_of(&self, node: &str) -> BTreeMap<ReplicaId, Tally> {
        let rows = self.counts.iter().filter(|(replica, _)| replica.node() == node);
        rows.map(|(replica, counts)| (replica.clone(), counts.into())).collect()
    }

    /// The counts that a peer lacks that holds `known`.
    pub(crate) fn claim_since(&self, known: &Vector) -> Claim {
        let counts = self.counts.delta_since(known);
        let unstored = if self.unstored.is_empty() {
            BTreeSet::new()
        } else {
            counts.keys().filter(|replica| self.unstored.contains(*replica)).cloned().collect()
        };
        Claim { counts, unstored }
    }

    /// The counts of other nodes that are not known to be stored, as hints for the record of `node`.
    pub(crate) fn hints(&self, node: &str) -> BTreeMap<ReplicaId, Tally> {
        let others = self.unstored.iter().filter(|replica| replica.node() != node);
        others.map(|replica| (replica.clone(), Tally::of(&self.counts, replica))).collect()
    }
}

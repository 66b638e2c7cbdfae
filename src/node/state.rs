//! What the node holds: counts, and which of them are not known to be stored.
//!
//! A count is *stored* once it is in the slot of the node that counted it. Others' counts that are not (their node
//! told them while the store did not answer, and may be dead since) this node keeps in its own slot, as *hints*, until
//! it learns that they are: whoever reads the slot merges them like any other counts. The idea is that of hinted
//! handoff: the Dynamo paper (SOSP 2007, section 4.6).

use std::collections::{BTreeMap, BTreeSet};

use crate::message::Claim;
use crate::replica::Replica;
use crate::vector::{Tally, Vector, replicas};

/// Counts, and which of them are not known to be stored.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    counts: Vector,
    /// The replicas that have counted what is not known to be stored.
    unstored: BTreeSet<Replica>,
}

impl State {
    pub(super) fn counts(&self) -> &Vector {
        &self.counts
    }

    /// Takes in a claim; true if it was news.
    pub(super) fn merge(&mut self, claim: &Claim) -> bool {
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

    /// Takes in what one replica has counted.
    pub(super) fn raise(&mut self, replica: &Replica, tally: Tally, is_stored: bool) {
        let before = Tally::of(&self.counts, replica);
        if !is_stored {
            self.unstored.insert(replica.clone());
        } else if before.is_within(tally) {
            self.unstored.remove(replica);
        }
        self.counts.raise(replica, tally.up, tally.down);
    }

    /// Takes note of what the own slot holds.
    pub(super) fn are_stored(&mut self, entries: Option<&BTreeMap<Replica, Tally>>) {
        let Some(entries) = entries else { return };
        let counts = &self.counts;
        self.unstored.retain(|replica| {
            !entries.get(replica).is_some_and(|stored| Tally::of(counts, replica).is_within(*stored))
        });
    }

    /// What is to be told to somebody who holds that much.
    pub(super) fn claim_since(&self, known: &Vector) -> Claim {
        let counts = self.counts.delta_since(known);
        let unstored = if self.unstored.is_empty() {
            BTreeSet::new()
        } else {
            replicas(&counts).filter(|replica| self.unstored.contains(*replica)).cloned().collect()
        };
        Claim { counts, unstored }
    }

    /// Others' counts that are not known to be stored, as they are to be kept in the slot of `node`.
    pub(super) fn hints(&self, node: &str) -> BTreeMap<Replica, Tally> {
        let others = self.unstored.iter().filter(|replica| replica.node() != node);
        others.map(|replica| (replica.clone(), Tally::of(&self.counts, replica))).collect()
    }
}

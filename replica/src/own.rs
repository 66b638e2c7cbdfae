//! What this process counts, and under which replica.
//!
//! A process counts under the replica of its own incarnation. Only if the process before it has ended cleanly may it go
//! on under that one's replica: see [`durability`](crate::durability).

use crdt::Overflow;

use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::tally::Tally;

/// This process's replica and all that it has counted, stored or not.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    incarnation: Incarnation,
    replica: ReplicaId,
    is_inherited: bool,
    counted: Tally,
    has_chosen: bool,
}

impl Own {
    /// A process that has just started and does not know yet whether it has a predecessor to go on from.
    pub(crate) fn new(node: &NodeId, incarnation: Incarnation) -> Self {
        Self {
            incarnation,
            replica: ReplicaId::new(node, incarnation),
            is_inherited: false,
            counted: Tally::default(),
            has_chosen: false,
        }
    }

    /// This process: no other has the same.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The replica that this process counts under, or, while that is not chosen, would if it had to.
    pub(crate) fn replica(&self) -> &ReplicaId {
        &self.replica
    }

    /// Another process counted under the replica before.
    pub(crate) fn is_inherited(&self) -> bool {
        self.is_inherited
    }

    /// Whether this process has chosen its replica. It must not count before that.
    pub(crate) fn has_chosen(&self) -> bool {
        self.has_chosen
    }

    /// Chooses the replica of this incarnation, unless one was chosen.
    pub(crate) fn choose_fresh(&mut self) {
        self.has_chosen = true;
    }

    /// Goes on where a predecessor has ended, unless a replica was chosen.
    pub(crate) fn inherit(&mut self, replica: ReplicaId, counted: Tally) {
        if !self.has_chosen {
            *self = Self { replica, counted, is_inherited: true, has_chosen: true, ..*self };
        }
    }

    /// All that was counted under the replica.
    pub(crate) fn counted(&self) -> Tally {
        self.counted
    }

    /// Counts.
    pub(crate) fn add(&mut self, delta: i64) -> Result<(), Overflow> {
        debug_assert!(self.has_chosen, "nothing is counted under a replica that may be another's");
        self.counted = self.counted.plus(delta).ok_or(Overflow)?;
        Ok(())
    }

    /// Whether a claim about this replica can be true: nobody knows more of it than this process.
    pub(crate) fn admits(&self, claimed: Tally) -> bool {
        claimed.is_within(self.counted)
    }
}

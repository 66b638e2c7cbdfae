//! The replica of this process, and its count.
//!
//! A process counts under the replica of its own incarnation. It may go on under its predecessor's replica only if that
//! process ended cleanly: see [`durability`](crate::durability).

use crdt::Overflow;

use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::tally::Tally;

/// This process's replica and its whole count, stored or not.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    incarnation: Incarnation,
    replica: ReplicaId,
    is_inherited: bool,
    counted: Tally,
    has_chosen: bool,
}

impl Own {
    /// A process that has just started, and does not know yet whether a predecessor has left its replica free.
    pub(crate) fn new(node: &NodeId, incarnation: Incarnation) -> Self {
        Self {
            incarnation,
            replica: ReplicaId::new(node, incarnation),
            is_inherited: false,
            counted: Tally::default(),
            has_chosen: false,
        }
    }

    /// This process's own incarnation, also if it counts under a predecessor's replica.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The replica that this process counts under. Until it has chosen, that of its own incarnation.
    pub(crate) fn replica(&self) -> &ReplicaId {
        &self.replica
    }

    /// Whether another process counted under the replica before.
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

    /// Goes on under a predecessor's replica. No replica was chosen before.
    pub(crate) fn inherit(&mut self, replica: ReplicaId, counted: Tally) {
        debug_assert!(!self.has_chosen, "a process that counts under one replica can't inherit another");
        *self = Self { replica, counted, is_inherited: true, has_chosen: true, ..*self };
    }

    /// The whole count of the replica.
    pub(crate) fn counted(&self) -> Tally {
        self.counted
    }

    /// Counts an add.
    pub(crate) fn add(&mut self, delta: i64) -> Result<(), Overflow> {
        debug_assert!(self.has_chosen, "nothing is counted under a replica that may be another's");
        self.counted = self.counted.plus(delta).ok_or(Overflow)?;
        Ok(())
    }

    /// Whether a claim about this replica can be true. It can't if it is more than this process has counted.
    pub(crate) fn admits(&self, claimed: Tally) -> bool {
        claimed.is_within(self.counted)
    }
}

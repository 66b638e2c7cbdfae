//! What this process counts, and under which replica.
//!
//! A process counts under a replica of its own, made of its node's name and its *life*, a mark drawn at random when
//! it starts. Only if the process before it has ended cleanly may it go on under that one's replica: see
//! [`slot`](crate::node::slot).

use crdt::Overflow;

use crate::replica::{Epoch, Replica};
use crate::vector::Tally;

/// This process's replica and all that it has counted, stored or not.
#[derive(Debug, Clone)]
pub(super) struct Own {
    life: Epoch,
    replica: Replica,
    counted: Tally,
    is_settled: bool,
}

impl Own {
    /// A process that has just started and does not know yet whether it has a predecessor to go on from.
    pub(super) fn new(node: &str, life: Epoch) -> Self {
        Self { life, replica: Replica::new(node, life), counted: Tally::default(), is_settled: false }
    }

    /// The mark of this process: no other has it.
    pub(super) fn life(&self) -> Epoch {
        self.life
    }

    /// The replica that this process counts under, or, while that is not settled, would if it had to.
    pub(super) fn replica(&self) -> &Replica {
        &self.replica
    }

    /// The replica was another process's before.
    pub(super) fn is_inherited(&self) -> bool {
        self.replica.epoch() != Some(self.life)
    }

    /// Whether it is settled under which replica this process counts. It must not count before.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// From now on this process counts under its replica, come what may.
    pub(super) fn settle(&mut self) {
        self.is_settled = true;
    }

    /// Goes on where a predecessor has ended, unless it is settled already that this process does not.
    pub(super) fn inherit(&mut self, replica: Replica, counted: Tally) {
        if !self.is_settled {
            *self = Self { replica, counted, is_settled: true, ..*self };
        }
    }

    /// All that was counted under the replica.
    pub(super) fn counted(&self) -> Tally {
        self.counted
    }

    /// Counts.
    pub(super) fn add(&mut self, delta: i64) -> Result<(), Overflow> {
        debug_assert!(self.is_settled, "nothing is counted under a replica that may be another's");
        self.counted = self.counted.plus(delta).ok_or(Overflow)?;
        Ok(())
    }

    /// Whether what is said of this replica can be true: nobody knows more of it than this process.
    pub(super) fn admits(&self, claimed: Tally) -> bool {
        claimed.is_within(self.counted)
    }
}

//! Inheritance: whether this process goes on under its predecessor's replica.
//!
//! The record says that a replica is free, with its count. That alone is no proof that nothing more was ever counted under
//! it: the store may have gone back, for instance to a backup. Then a process that counts on from there would count under
//! numbers that other nodes know with another meaning, and adds would be lost to them. So every node is asked first what it
//! holds. If one holds more, the store went back, and the process counts under a new replica.

use std::time::Duration;

use tracing::{info, warn};

use crate::config::{ASK_WHILE_ADDS_WAIT, RECOVER_WITHIN};
use crate::identity::ReplicaId;

/// A replica that a predecessor has handed on.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    replica: ReplicaId,
    /// The version of its row in the record.
    stored: u64,
    since: Duration,
    /// Every node has answered, and the replica is being taken over.
    is_settled: bool,
}

impl Candidate {
    /// A replica that the record says is free, with its row at this version.
    pub(super) fn new(replica: ReplicaId, stored: u64, since: Duration) -> Self {
        Self { replica, stored, since, is_settled: false }
    }

    pub(super) fn replica(&self) -> &ReplicaId {
        &self.replica
    }

    /// Since when the nodes are asked.
    pub(super) fn since(&self) -> Duration {
        self.since
    }

    /// Until when this process waits for it.
    pub(super) fn until(&self, adds_wait: bool) -> Duration {
        self.since + if adds_wait && !self.is_settled { ASK_WHILE_ADDS_WAIT } else { RECOVER_WITHIN }
    }

    /// Both times until which it may wait.
    pub(super) fn deadlines(&self) -> [Duration; 2] {
        [true, false].map(|adds_wait| self.until(adds_wait))
    }

    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Every node has answered, and the replica is to be taken over.
    pub(super) fn settle(&mut self) {
        let Self { replica, stored, .. } = self;
        info!(%replica, %stored, "nobody holds more of the replica than the store: it is taken over");
        self.is_settled = true;
    }

    /// Whether the row is known up to a version that the record does not have.
    pub(super) fn is_behind(&self, known: u64) -> bool {
        let Self { replica, stored, .. } = self;
        let is_behind = known > *stored;
        if is_behind {
            warn!(
                %replica, %stored, %known,
                "the store went back, perhaps to a backup: it holds less of this node's counts than was counted. What this \
                 cluster still knows is kept and stored again. This process counts under a new replica"
            );
        }
        is_behind
    }
}

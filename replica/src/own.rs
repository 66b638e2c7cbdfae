//! The replica of this process, and what it has counted.
//!
//! A process counts under the replica of its own incarnation. It may go on under its predecessor's replica only if that
//! process ended cleanly: see [`durability`](crate::durability).
//!
//! Each change takes the next number. What may be shown of the row is in the [state](crate::state); the rest lies here.

mod counting;
mod unshown;

use std::collections::VecDeque;

use crate::config::Numbering;
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::seam::Name;
use crate::store::Noted;
use crate::tally::{RowDelta, Rows, THE_COUNTER, Tally};
pub(crate) use counting::{Order, Verdict};
use unshown::Unshown;

/// This process's replica and all that it has counted, stored or not.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    incarnation: Incarnation,
    replica: ReplicaId,
    is_inherited: bool,
    has_chosen: bool,
    numbering: Numbering,
    /// The number of the last change.
    number: u64,
    /// The version of the row in the state.
    shown: u64,
    unshown: Unshown,
    /// The notes that are not known to be stored, each with the number of its change. At most `MAX_PENDING`.
    notes: VecDeque<(u64, Noted)>,
    /// The last number that comes with something that only the store can keep: a note, or an import.
    bound: u64,
}

impl Own {
    /// A process that has just started, and does not know yet whether a predecessor has left its replica free.
    pub(crate) fn new(node: &NodeId, incarnation: Incarnation, numbering: Numbering) -> Self {
        Self {
            incarnation,
            replica: ReplicaId::new(node, incarnation),
            is_inherited: false,
            has_chosen: false,
            numbering,
            number: 0,
            shown: 0,
            unshown: Unshown::default(),
            notes: VecDeque::new(),
            bound: 0,
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

    /// Goes on under a predecessor's replica, whose row is at this version. No replica was chosen before.
    pub(crate) fn inherit(&mut self, replica: ReplicaId, version: u64) {
        debug_assert!(!self.has_chosen, "a process that counts under one replica can't inherit another");
        debug_assert!(self.number == 0, "nothing is counted before a replica was chosen");
        (self.replica, self.number, self.shown) = (replica, version, version);
        (self.is_inherited, self.has_chosen) = (true, true);
    }

    /// The number of the last change: the version of the whole row, shown or not.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether a row of this replica can be true. It can't if it has more than this process has counted.
    pub(crate) fn admits(&self, row: &RowDelta, shown: &Rows) -> bool {
        row.upto() <= self.number && row.items().all(|item| self.unshown.has(&item, shown, &self.replica))
    }

    /// The count of the only counter, shown or not.
    pub(crate) fn counted(&self, shown: &Rows) -> Tally {
        let entry = self.unshown.entry(shown, &self.replica, &THE_COUNTER.into());
        Tally { up: entry.up, down: entry.down }
    }

    /// What the row has above version `from`, shown or not.
    pub(crate) fn row_since(&self, shown: &Rows, from: u64) -> RowDelta {
        self.unshown.row_since(shown, &self.replica, (from, self.number))
    }

    /// Whether anything was counted that may not be shown yet.
    pub(crate) fn has_unshown(&self) -> bool {
        self.number > self.shown
    }

    /// The value of a counter, shown or not. `None` if nobody has counted it since it was reset.
    pub(crate) fn value(&self, shown: &Rows, counter: &Name) -> Option<i128> {
        self.unshown.counted_value(shown, &self.replica, counter)
    }

    /// Whether each change takes the next number.
    pub(crate) fn numbers_each_change(&self) -> bool {
        self.numbering == Numbering::ByChange
    }

    /// A change was counted in the state itself, where all of the row is shown.
    pub(crate) fn counted_in_place(&mut self, number: u64) {
        (self.number, self.shown) = (number, number);
    }

    /// Whether the row has a number above `stored` that must reach the store before anybody else hears of it. If a peer had the
    /// number without its note, and this process died, the change would count, and nobody would know its note.
    pub(crate) fn waits_for_store(&self, stored: u64) -> bool {
        self.bound > stored
    }

    /// The notes of the changes above number `stored`, oldest first.
    pub(crate) fn notes_since(&self, stored: u64) -> Vec<Noted> {
        let new = self.notes.iter().filter(|(number, _)| *number > stored);
        new.map(|(_, noted)| noted.clone()).collect()
    }

    /// Forgets the changes that are shown by now, and the notes that are stored.
    pub(crate) fn settle(&mut self, shown: &Rows, stored: u64) {
        self.shown = shown.version(&self.replica);
        self.unshown.settle(shown, &self.replica);
        while self.notes.pop_front_if(|(number, _)| *number <= stored).is_some() {}
    }
}

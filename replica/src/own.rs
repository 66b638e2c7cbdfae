//! The replica of this process, and what it has counted.
//!
//! A process counts under the replica of its own incarnation. It may go on under its predecessor's replica only if that
//! process ended cleanly: see [`durability`](crate::durability).
//!
//! Each change takes the next number. What may be shown of the row is in the [state](crate::state); the rest lies here.

mod unshown;

use std::collections::BTreeMap;

use crdt::named::{ChangeError, Entry};

use crate::config::{MAX_COUNTERS, MAX_SOURCES, Numbering};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::seam::{Change, Name, Refusal};
use crate::tally::{RowDelta, Rows, THE_COUNTER, Tally};
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
    unshown: Unshown,
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
            unshown: Unshown::default(),
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
        (self.replica, self.number) = (replica, version);
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
        !self.unshown.is_empty()
    }

    /// Forgets the changes that are shown by now.
    pub(crate) fn settle(&mut self, shown: &Rows) {
        self.unshown.settle(shown, &self.replica);
    }

    /// Whether a change must wait: the resets of a counter go one after the other, for each subtracts what it observes.
    pub(crate) fn must_wait(&self, change: &Change, shown: &Rows) -> bool {
        match change {
            Change::Reset(counter) => self.unshown.has_reset(shown, &self.replica, counter),
            Change::Add(..) | Change::Batch(_) | Change::Report { .. } => false,
        }
    }

    /// Counts a change: all of it or, if it is refused, none. Returns the value that a reset has subtracted; zero for others.
    pub(crate) fn count(&mut self, change: &Change, shown: &Rows) -> Result<i128, Refusal> {
        debug_assert!(self.has_chosen, "nothing is counted under a replica that may be another's");
        if self.numbering == Numbering::BySum && !change.only_adds_to(THE_COUNTER) {
            return Err(Refusal::OneCounterOnly);
        }
        match change {
            Change::Add(counter, delta) => self.add(counter, *delta, shown).map(|()| 0),
            Change::Batch(adds) => self.add_all(adds, shown).map(|()| 0),
            Change::Reset(counter) => self.reset(counter, shown),
            Change::Report { counter, source, total } => {
                self.report(counter, (source, *total), shown).map(|()| 0)
            }
        }
    }

    /// The number of the next change, which counts so much.
    fn next_number(&self, counts: u64) -> Result<u64, Refusal> {
        let step = match self.numbering {
            Numbering::ByChange => 1,
            Numbering::BySum => counts,
        };
        self.number.checked_add(step).ok_or(Refusal::Overflow)
    }

    fn entry(&self, shown: &Rows, counter: &Name) -> Entry<ReplicaId> {
        self.unshown.entry(shown, &self.replica, counter)
    }

    fn add(&mut self, counter: &Name, delta: i64, shown: &Rows) -> Result<(), Refusal> {
        if delta == 0 {
            return Ok(());
        }
        let number = self.next_number(delta.unsigned_abs())?;
        if self.unshown.add_again(counter, delta, number).map_err(|_| Refusal::Overflow)? {
            self.number = number;
            return Ok(());
        }
        let mut entry = self.entry(shown, counter);
        entry.add(delta).map_err(|_| Refusal::Overflow)?;
        self.set_all([(counter, entry)].into(), number, shown)
    }

    fn add_all(&mut self, adds: &[(Name, i64)], shown: &Rows) -> Result<(), Refusal> {
        let mut entries = BTreeMap::new();
        let mut sum = 0_u64;
        for (counter, delta) in adds.iter().filter(|(_, delta)| *delta != 0) {
            let entry = entries.entry(counter).or_insert_with(|| self.entry(shown, counter));
            entry.add(*delta).map_err(|_| Refusal::Overflow)?;
            sum = sum.checked_add(delta.unsigned_abs()).ok_or(Refusal::Overflow)?;
        }
        if entries.is_empty() {
            return Ok(());
        }
        let number = self.next_number(sum)?;
        self.set_all(entries, number, shown)
    }

    /// Sets the entries of these counters, as they are after change `number`.
    fn set_all(
        &mut self,
        entries: BTreeMap<&Name, Entry<ReplicaId>>,
        number: u64,
        shown: &Rows,
    ) -> Result<(), Refusal> {
        self.check_room(entries.keys().copied(), shown)?;
        for (counter, entry) in entries {
            self.unshown.set((shown, &self.replica), counter, (number, entry), false);
        }
        self.number = number;
        Ok(())
    }

    /// The counters that are new here must have room.
    fn check_room<'a>(&self, counters: impl Iterator<Item = &'a Name>, shown: &Rows) -> Result<(), Refusal> {
        let held = shown.len() + self.unshown.new_counters();
        let new = counters.filter(|counter| !shown.contains(counter)).count();
        if new > 0 && held + new > MAX_COUNTERS { Err(Refusal::TooManyCounters) } else { Ok(()) }
    }

    /// Subtracts what is shown of a counter.
    fn reset(&mut self, counter: &Name, shown: &Rows) -> Result<i128, Refusal> {
        let value = shown.value(counter);
        let mut entry = self.entry(shown, counter);
        if !shown.contains(counter) || !entry.reset(&shown.observed(counter)) {
            return Ok(value);
        }
        let number = self.next_number(1)?;
        self.unshown.set((shown, &self.replica), counter, (number, entry), true);
        self.number = number;
        Ok(value)
    }

    /// Takes a source's total.
    fn report(&mut self, counter: &Name, (source, total): (&Name, u64), shown: &Rows) -> Result<(), Refusal> {
        let mut entry = self.entry(shown, counter);
        let known = shown.totals(counter);
        let has_room = known.len() < MAX_SOURCES || known.contains(source);
        match entry.report(source, total) {
            Ok(false) => return Ok(()),
            Ok(true) if has_room => {}
            Ok(true) | Err(ChangeError::Sources) => return Err(Refusal::TooManySources),
            Err(ChangeError::Overflow | ChangeError::Full) => return Err(Refusal::Overflow),
        }
        let number = self.next_number(1)?;
        self.set_all([(counter, entry)].into(), number, shown)
    }
}

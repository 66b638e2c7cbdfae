//! The ledger: what was counted, in a world with many counters. It says what each row must be at each version, and what each
//! read must show.
//!
//! It knows nothing of how rows are kept. It follows the clients' requests: a change that a process counts has the next number.

use std::collections::BTreeMap;

use crdt::named::{Baseline, Entry};
use replica::{ReplicaId, RowDelta, Rows};

use crate::adds::{adds_in, size};
use crate::setup::Setup;

/// What was counted, by change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(BTreeMap<usize, Counted>);

/// A change that was counted.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub(crate) change: usize,
    pub(crate) replica: ReplicaId,
    pub(crate) number: u64,
    /// What a reset has seen of its counter.
    pub(crate) seen: Baseline<ReplicaId>,
}

impl Ledger {
    /// A change was counted. What had this number, or a higher one, is lost: the record has gone back.
    pub(crate) fn count(&mut self, counted: Counted) {
        let is_lost = |other: &Counted| other.replica == counted.replica && other.number >= counted.number;
        self.0.retain(|_, other| !is_lost(other));
        self.0.insert(counted.change, counted);
    }

    /// All changes that were counted.
    pub(crate) fn all(&self) -> u64 {
        self.up_to(|_| u64::MAX)
    }

    /// The changes that rows of these versions include.
    pub(crate) fn up_to(&self, version: impl Fn(&ReplicaId) -> u64) -> u64 {
        let included = self.0.values().filter(|counted| counted.number <= version(&counted.replica));
        included.map(|counted| size(counted.change)).sum()
    }

    /// The changes that these rows include.
    pub(crate) fn included(&self, rows: &Rows) -> u64 {
        self.up_to(|replica| rows.version(replica))
    }

    /// What a counter must show where these changes are included: the adds that no reset among them has seen.
    pub(crate) fn value(&self, counter: &str, included: u64, setup: &Setup) -> i128 {
        let is_included = |counted: &&Counted| included & size(counted.change) != 0;
        let included = self.0.values().filter(is_included);
        let resets =
            included.clone().filter(|counted| setup.wishes[counted.change].resets() == Some(counter));
        let seen = resets.fold(0, |seen, reset| seen | adds_seen(&reset.seen));
        let adds = included.filter(|counted| setup.wishes[counted.change].adds_to().contains(&counter));
        let unseen = adds.filter(|counted| seen & size(counted.change) == 0);
        unseen.map(|counted| i128::from(Setup::delta(counted.change))).sum()
    }

    /// Whether a row is exactly what its replica had counted at that number.
    pub(crate) fn is_exact(&self, row: &RowDelta, setup: &Setup) -> bool {
        let Some(entries) = self.row(row.actor(), row.upto(), setup) else { return false };
        let mut above: Vec<_> = (0_u32..).zip(&entries).filter(|(_, entry)| entry.1 > row.from()).collect();
        above.sort_by_key(|(slot, (_, number, _))| (*number, *slot));
        row.len() == above.len()
            && row.items().zip(above).all(|(item, (slot, (name, number, entry)))| {
                item.slot == slot
                    && item.number == *number
                    && item.entry == entry.borrowed()
                    && item.name.is_none_or(|told| told == *name)
            })
    }

    /// By slot: the counter, its number and its entry when the replica had come to this number. `None` if it never has.
    fn row(&self, replica: &ReplicaId, upto: u64, setup: &Setup) -> Option<Vec<Slot>> {
        let mut counted: Vec<_> = self.0.values().filter(|counted| counted.replica == *replica).collect();
        counted.retain(|counted| counted.number <= upto);
        counted.sort_by_key(|counted| counted.number);
        if counted.last().map_or(0, |counted| counted.number) != upto {
            return None;
        }
        let mut slots: Vec<Slot> = Vec::new();
        for Counted { change, number, seen, .. } in counted {
            let wish = setup.wishes[*change];
            for counter in wish.adds_to() {
                slot(&mut slots, counter, *number).add(Setup::delta(*change)).expect("small");
            }
            if let Some(counter) = wish.resets() {
                slot(&mut slots, counter, *number).reset(seen);
            }
        }
        Some(slots)
    }
}

type Slot = (&'static str, u64, Entry<ReplicaId>);

/// The entry of a counter, which has changed at this number.
fn slot<'a>(slots: &'a mut Vec<Slot>, counter: &'static str, number: u64) -> &'a mut Entry<ReplicaId> {
    let at = slots.iter().position(|(name, ..)| *name == counter).unwrap_or(slots.len());
    if at == slots.len() {
        slots.push((counter, number, Entry::default()));
    }
    slots[at].1 = number;
    &mut slots[at].2
}

/// The adds that a reset has seen.
fn adds_seen(seen: &Baseline<ReplicaId>) -> u64 {
    seen.counts.iter().fold(0, |all, (_, (up, down))| all | adds_in(up) | adds_in(down))
}

/// Whether each batch is in a row as a whole, or not at all.
pub(crate) fn has_whole_batches(row: &RowDelta, setup: &Setup) -> bool {
    let adds = |counter: &str| {
        let mut items = row.items().filter(|item| item.name == Some(counter));
        items.next().map_or(0, |item| adds_in(item.entry.up) | adds_in(item.entry.down))
    };
    setup.wishes.iter().enumerate().all(|(change, wish)| {
        let mut has = wish.adds_to().into_iter().map(|counter| adds(counter) & size(change));
        has.next().is_none_or(|first| has.all(|other| other == first))
    })
}

//! The standard traits, by content.

use super::Ledger;
use crate::counts::{Counts, larger};
use crate::tail::Tail;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::hash::{Hash, Hasher};

/// Shares the ids and copies the counts.
impl<A, const W: usize> Clone for Ledger<A, W> {
    #[inline]
    fn clone(&self) -> Self {
        // Few ids have no tail. They are copied without a look at it, which would take as long as the copy.
        let (counts, tail) = match &self.counts {
            Counts::Few(block) => (Counts::Few(*block), Tail::new()),
            many @ Counts::Many(_) => (many.clone(), self.tail.clone()),
        };
        Self { table: self.table.clone(), counts, used: self.used, tail, hint: self.hint }
    }

    fn clone_from(&mut self, other: &Self) {
        self.table.clone_from(&other.table);
        self.counts.clone_from(&other.counts);
        self.tail.clone_from(&other.tail);
        (self.used, self.hint) = (other.used, other.hint);
    }
}

impl<A: PartialEq, const W: usize> PartialEq for Ledger<A, W> {
    fn eq(&self, other: &Self) -> bool {
        if self.shares_ids(other) {
            return self.counts == other.counts && self.tail == other.tail;
        }
        let entries = |ledger| Self::iter(ledger).map(|(_, id, counts)| (id, counts));
        self.len() == other.len() && entries(self).eq(entries(other))
    }
}

impl<A: Hash, const W: usize> Hash for Ledger<A, W> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        self.iter().for_each(|(_, id, counts)| (id, counts).hash(state));
    }
}

impl<A: Ord + Clone, const W: usize> PartialOrd for Ledger<A, W> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.sides(other) {
            (false, false) => Some(Ordering::Equal),
            (false, true) => Some(Ordering::Less),
            (true, false) => Some(Ordering::Greater),
            (true, true) => None,
        }
    }
}

/// By maximum; entries of zeros are dropped.
impl<A: Ord, const W: usize> FromIterator<(A, [u64; W])> for Ledger<A, W> {
    fn from_iter<I: IntoIterator<Item = (A, [u64; W])>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().filter(|&(_, counts)| counts != [0; W]).collect();
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|later, first| {
                let same = later.0 == first.0;
                if same {
                    first.1 = larger(first.1, later.1);
                }
                same
            });
        }
        // Room for a few: the first new id of a small counter needs no allocation.
        let (mut ids, mut counts) = (Vec::with_capacity(entries.len().max(4)), Counts::zeros(entries.len()));
        for (at, (id, n)) in entries.into_iter().enumerate() {
            ids.push(id);
            counts.set(at, n);
        }
        Self::from_sorted(ids, counts)
    }
}

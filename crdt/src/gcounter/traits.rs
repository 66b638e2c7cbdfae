//! The standard traits, and those of this crate.

use super::GCounter;
use crate::counts::Counts;
use crate::{Delta, Iter, Merge};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

impl<A: Ord + Clone> Merge for GCounter<A> {
    #[inline]
    fn merge(&mut self, other: &Self) -> bool {
        Self::merge(self, other)
    }

    fn covers(&self, other: &Self) -> bool {
        other <= self
    }

    fn is_bottom(&self) -> bool {
        self.is_empty()
    }
}

impl<A: Ord + Clone> Delta for GCounter<A> {
    fn delta_since(&self, other: &Self) -> Self {
        Self::delta_since(self, other)
    }
}

/// Shares the ids and copies the counts: one allocation and 8 bytes per id.
impl<A> Clone for GCounter<A> {
    fn clone(&self) -> Self {
        Self { table: self.table.clone(), counts: self.counts.clone(), recent: self.recent }
    }

    /// Allocates only if `self` has less room for counts than it takes.
    fn clone_from(&mut self, other: &Self) {
        self.table.clone_from(&other.table);
        self.counts.copy_from(&other.counts);
    }
}

impl<A> Default for GCounter<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// By content: actors and counts.
impl<A: PartialEq> PartialEq for GCounter<A> {
    fn eq(&self, other: &Self) -> bool {
        if self.shares_ids(other) {
            return self.counts.lines() == other.counts.lines();
        }
        self.entries().eq(other.entries())
    }
}

impl<A: Eq> Eq for GCounter<A> {}

/// By content, as equality is.
impl<A: Hash> Hash for GCounter<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        self.entries().for_each(|entry| entry.hash(state));
    }
}

/// The lattice order: `a <= b` if no count is larger in `a`. Two counters that each know something that the other
/// lacks are not comparable.
impl<A: Ord + Clone> PartialOrd for GCounter<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.sides(other) {
            (false, false) => Some(Ordering::Equal),
            (false, true) => Some(Ordering::Less),
            (true, false) => Some(Ordering::Greater),
            (true, true) => None,
        }
    }
}

/// By maximum; zero counts are dropped.
impl<A: Ord + Clone> FromIterator<(A, u64)> for GCounter<A> {
    fn from_iter<I: IntoIterator<Item = (A, u64)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().filter(|&(_, n)| n > 0).collect();
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            // The larger count first, for that is the one that stays.
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            entries.dedup_by(|later, first| later.0 == first.0);
        }
        let (mut ids, mut counts) = (Vec::with_capacity(entries.len()), Counts::with_capacity(entries.len()));
        for (len, (id, n)) in entries.into_iter().enumerate() {
            ids.push(id);
            counts.push(len, n);
        }
        Self::from_parts(ids, counts)
    }
}

/// By maximum; zero counts are dropped.
impl<A: Ord + Clone> Extend<(A, u64)> for GCounter<A> {
    fn extend<I: IntoIterator<Item = (A, u64)>>(&mut self, entries: I) {
        self.merge(&entries.into_iter().collect());
    }
}

impl<'a, A> IntoIterator for &'a GCounter<A> {
    type Item = (&'a A, u64);
    type IntoIter = Iter<'a, A>;

    fn into_iter(self) -> Iter<'a, A> {
        self.iter()
    }
}

/// As a map of actors to counts.
impl<A: fmt::Debug> fmt::Debug for GCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries()).finish()
    }
}

/// The value.
impl<A> fmt::Display for GCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

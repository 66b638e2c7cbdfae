//! The standard traits, and those of this crate.

use super::GCounter;
use crate::{Delta, Iter, Merge};
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

/// Shares the ids and copies the counts: one allocation and 8 bytes per id, none up to 8 ids.
impl<A> Clone for GCounter<A> {
    #[inline]
    fn clone(&self) -> Self {
        Self { ledger: self.ledger.clone() }
    }

    /// Allocates only if `self` has less room for counts than it takes.
    fn clone_from(&mut self, other: &Self) {
        self.ledger.clone_from(&other.ledger);
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
        self.ledger == other.ledger
    }
}

impl<A: Eq> Eq for GCounter<A> {}

/// By content, as equality is.
impl<A: Hash> Hash for GCounter<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ledger.hash(state);
    }
}

/// The lattice order: `a <= b` if no count is larger in `a`. Two counters that each know something that the other
/// lacks are not comparable.
impl<A: Ord + Clone> PartialOrd for GCounter<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.ledger.partial_cmp(&other.ledger)
    }
}

/// By maximum; zero counts are dropped.
impl<A: Ord + Clone> FromIterator<(A, u64)> for GCounter<A> {
    fn from_iter<I: IntoIterator<Item = (A, u64)>>(entries: I) -> Self {
        Self { ledger: entries.into_iter().map(|(id, n)| (id, [n])).collect() }
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
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The value.
impl<A> fmt::Display for GCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

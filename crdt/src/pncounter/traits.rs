//! The standard traits, and those of this crate.

use super::PnCounter;
use crate::{Delta, Merge, PnIter};
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

impl<A: Ord + Clone> Merge for PnCounter<A> {
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

impl<A: Ord + Clone> Delta for PnCounter<A> {
    fn delta_since(&self, other: &Self) -> Self {
        Self::delta_since(self, other)
    }
}

/// Shares the ids and copies the counts: one allocation and 16 bytes per id, none up to 8 ids.
impl<A> Clone for PnCounter<A> {
    #[inline]
    fn clone(&self) -> Self {
        Self { ledger: self.ledger.clone() }
    }

    /// Allocates only if `self` has less room for counts than it takes.
    fn clone_from(&mut self, other: &Self) {
        self.ledger.clone_from(&other.ledger);
    }
}

impl<A> Default for PnCounter<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// By content: actors, increments and decrements.
impl<A: PartialEq> PartialEq for PnCounter<A> {
    fn eq(&self, other: &Self) -> bool {
        self.ledger == other.ledger
    }
}

impl<A: Eq> Eq for PnCounter<A> {}

/// By content, as equality is.
impl<A: Hash> Hash for PnCounter<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ledger.hash(state);
    }
}

/// The lattice order: `a <= b` if no increments and no decrements are larger in `a`.
impl<A: Ord + Clone> PartialOrd for PnCounter<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.ledger.partial_cmp(&other.ledger)
    }
}

/// From increments and decrements by actor, by maximum; zeros are dropped.
impl<A: Ord + Clone> FromIterator<(A, (u64, u64))> for PnCounter<A> {
    fn from_iter<I: IntoIterator<Item = (A, (u64, u64))>>(entries: I) -> Self {
        Self { ledger: entries.into_iter().map(|(id, counts)| (id, counts.into())).collect() }
    }
}

/// By increments and decrements by actor, by maximum; zeros are dropped.
impl<A: Ord + Clone> Extend<(A, (u64, u64))> for PnCounter<A> {
    fn extend<I: IntoIterator<Item = (A, (u64, u64))>>(&mut self, entries: I) {
        self.merge(&entries.into_iter().collect());
    }
}

impl<'a, A> IntoIterator for &'a PnCounter<A> {
    type Item = (&'a A, (u64, u64));
    type IntoIter = PnIter<'a, A>;

    fn into_iter(self) -> PnIter<'a, A> {
        self.iter()
    }
}

/// As a map of actors to increments and decrements.
impl<A: fmt::Debug> fmt::Debug for PnCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The value.
impl<A> fmt::Display for PnCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

use crate::ledger::Walk;
use alloc::vec::{self, Vec};
use core::fmt;
use core::iter::FusedIterator;

/// The actors of a [`GCounter`](crate::GCounter) with their counts, in the order of their ids.
///
/// ```
/// let counter: crdt::GCounter<u64> = [(2, 20), (1, 10)].into_iter().collect();
/// let mut entries = counter.iter();
/// assert_eq!(entries.len(), 2);
/// assert_eq!(entries.next(), Some((&1, 10)));
/// ```
pub struct Iter<'a, A> {
    walk: Walk<'a, A, 1>,
}

impl<'a, A> Iter<'a, A> {
    pub(crate) const fn new(walk: Walk<'a, A, 1>) -> Self {
        Self { walk }
    }
}

impl<'a, A> Iterator for Iter<'a, A> {
    type Item = (&'a A, u64);

    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next().map(|(_, id, [n])| (id, n))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.walk.size_hint()
    }
}

impl<A> ExactSizeIterator for Iter<'_, A> {}
impl<A> FusedIterator for Iter<'_, A> {}

impl<A> Clone for Iter<'_, A> {
    fn clone(&self) -> Self {
        Self { walk: self.walk.clone() }
    }
}

impl<A: fmt::Debug> fmt::Debug for Iter<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The actors of a [`PnCounter`](crate::PnCounter) with their increments and decrements, in the order of their ids.
///
/// ```
/// let counter: crdt::PnCounter<u64> = [(2, (0, 20)), (1, (10, 1))].into_iter().collect();
/// let mut entries = counter.iter();
/// assert_eq!(entries.len(), 2);
/// assert_eq!(entries.next(), Some((&1, (10, 1))));
/// ```
pub struct PnIter<'a, A> {
    walk: Walk<'a, A, 2>,
}

impl<'a, A> PnIter<'a, A> {
    pub(crate) const fn new(walk: Walk<'a, A, 2>) -> Self {
        Self { walk }
    }
}

impl<'a, A> Iterator for PnIter<'a, A> {
    type Item = (&'a A, (u64, u64));

    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next().map(|(_, id, counts)| (id, counts.into()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.walk.size_hint()
    }
}

impl<A> ExactSizeIterator for PnIter<'_, A> {}
impl<A> FusedIterator for PnIter<'_, A> {}

impl<A> Clone for PnIter<'_, A> {
    fn clone(&self) -> Self {
        Self { walk: self.walk.clone() }
    }
}

impl<A: fmt::Debug> fmt::Debug for PnIter<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The actors of a counter with what they counted, by value, in the order of their ids. What they counted is a `u64` in a
/// [`GCounter`](crate::GCounter), and the increments and the decrements, `(u64, u64)`, in a [`PnCounter`](crate::PnCounter).
///
/// ```
/// use crdt::{GCounter, IntoIter, PnCounter};
///
/// let mut entries: IntoIter<&str> = GCounter::from([("n0", 3)]).into_iter();
/// assert_eq!(entries.next(), Some(("n0", 3)));
/// let mut entries: IntoIter<&str, (u64, u64)> = PnCounter::from([("n0", (3, 1))]).into_iter();
/// assert_eq!(entries.next(), Some(("n0", (3, 1))));
/// ```
#[derive(Clone, Debug)]
pub struct IntoIter<A, C = u64>(vec::IntoIter<(A, C)>);

impl<A, C> IntoIter<A, C> {
    pub(crate) fn new(entries: impl Iterator<Item = (A, C)>) -> Self {
        Self(entries.collect::<Vec<_>>().into_iter())
    }
}

impl<A, C> Iterator for IntoIter<A, C> {
    type Item = (A, C);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<A, C> ExactSizeIterator for IntoIter<A, C> {}
impl<A, C> FusedIterator for IntoIter<A, C> {}

use crate::counts::{Counts, LANES};
use crate::kernels;
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
    ids: &'a [A],
    counts: &'a Counts,
    at: usize,
    left: usize,
}

impl<'a, A> Iter<'a, A> {
    pub(crate) fn new(ids: &'a [A], counts: &'a Counts) -> Self {
        Self { ids, counts, at: 0, left: kernels::nonzero(counts.lines()) }
    }
}

impl<'a, A> Iterator for Iter<'a, A> {
    type Item = (&'a A, u64);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        while self.counts.get(self.at) == 0 {
            let line_is_empty = self.at.is_multiple_of(LANES) && self.counts.line_is_zero(self.at / LANES);
            self.at += if line_is_empty { LANES } else { 1 };
        }
        let at = self.at;
        (self.at, self.left) = (at + 1, self.left - 1);
        self.ids.get(at).map(|id| (id, self.counts.get(at)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<A> ExactSizeIterator for Iter<'_, A> {}
impl<A> FusedIterator for Iter<'_, A> {}

impl<A> Clone for Iter<'_, A> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<A: fmt::Debug> fmt::Debug for Iter<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

use super::Ledger;
use crate::counts::Counts;
use crate::tail;

/// The entries of a ledger, with their places, in the order of the ids.
pub(crate) struct Walk<'a, A, const W: usize> {
    ids: &'a [A],
    counts: &'a Counts<W>,
    at: usize,
    /// The gap of the tail's next entry, or behind all ids.
    gap: usize,
    tail: tail::Iter<'a, A, W>,
    left: usize,
}

impl<'a, A, const W: usize> Walk<'a, A, W> {
    pub(super) fn new(ledger: &'a Ledger<A, W>) -> Self {
        let (ids, tail) = (ledger.ids(), ledger.tail.iter());
        let gap = tail.peek().map_or(ids.len(), |recent| recent.gap);
        Self { ids, counts: &ledger.counts, at: 0, gap, tail, left: ledger.len() }
    }

    #[cold]
    fn next_recent(&mut self) -> Option<(usize, &'a A, [u64; W])> {
        let (index, recent) = self.tail.next()?;
        (self.at, self.gap) = (self.gap, self.tail.peek().map_or(self.ids.len(), |recent| recent.gap));
        Some((self.ids.len() + index, &recent.id, recent.counts))
    }
}

impl<'a, A, const W: usize> Iterator for Walk<'a, A, W> {
    type Item = (usize, &'a A, [u64; W]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let Some((at, counts)) = self.counts.next_used(self.at, self.gap) else { return self.next_recent() };
        self.at = at + 1;
        Some((at, self.ids.get(at)?, counts))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<A, const W: usize> Clone for Walk<'_, A, W> {
    fn clone(&self) -> Self {
        Self { tail: self.tail.clone(), ..*self }
    }
}

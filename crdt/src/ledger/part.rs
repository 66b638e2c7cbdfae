//! Parts of a ledger, and how two compare.

use super::Ledger;
use super::merge::FEW;
use crate::counts::{Counts, above, larger};
use crate::table::{gallop, search_from};
use crate::tail::{Recent, Tail};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Up to this many ids, sharing them all beats picking a few.
const SMALL: usize = 128;

/// From this share of the ids on (one in 64), a part keeps the shared table.
const DENSE: usize = 64;

/// Entries by ascending place.
pub(crate) type Places<const W: usize> = Vec<(usize, [u64; W])>;

/// Puts entries in the order of their places, each once, with the larger counts.
pub(crate) fn tidy<const W: usize>(entries: &mut Places<W>) {
    if entries.is_sorted_by(|a, b| a.0 < b.0) {
        return;
    }
    entries.sort_unstable_by_key(|&(place, _)| place);
    entries.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 = larger(first.1, later.1);
        }
        same
    });
}

impl<A: Ord + Clone, const W: usize> Ledger<A, W> {
    /// The counts that are larger here.
    #[inline]
    pub(crate) fn difference(&self, other: &Self) -> Self {
        if let (Counts::Few(_), true) = (&self.counts, self.shares_ids(other)) {
            return self.difference_of_few(other);
        }
        self.difference_of_many(other)
    }

    /// From a ledger with the same ids.
    #[inline]
    fn difference_of_few(&self, other: &Self) -> Self {
        // Counted first, and the counts made where they stay: to read or move what was just written takes longer than
        // to compare twice.
        match self.counts.ids_above(&other.counts) {
            0 => Self::new(),
            used => Self::on(self.table.clone(), self.counts.delta(&other.counts), used),
        }
    }

    #[inline(never)]
    fn difference_of_many(&self, other: &Self) -> Self {
        if !self.shares_ids(other) && self.ids() != other.ids() {
            return self.pick(&self.news_apart(other));
        }
        if let Counts::Few(_) = &self.counts {
            return self.difference_of_few(other);
        }
        let recent = self.recent_news(other);
        let larger = self.counts.above(&other.counts);
        if larger == 0 || !self.is_dense(larger) {
            let mut news = self.counts.news(&other.counts, larger);
            news.extend(recent);
            return self.pick(&news);
        }
        let counts = self.counts.delta(&other.counts);
        let used = if W == 1 { larger } else { counts.used() };
        let tail = self.recent_at(&recent, |gap| gap);
        Self { tail: Tail::from_sorted(tail), ..Self::on(self.table.clone(), counts, used) }
    }

    /// What is larger in this tail than in that of a ledger with the same table.
    fn recent_news(&self, other: &Self) -> Places<W> {
        let news = self.tail.iter().filter_map(|(index, recent)| {
            let theirs = other.search_tail(recent.gap, |id| id.cmp(&recent.id));
            let counts = above(recent.counts, theirs.map_or([0; W], |place| other.counts(place)))?;
            Some((self.ids().len() + index, counts))
        });
        news.collect()
    }

    /// What is larger here than in a ledger with another table.
    fn news_apart(&self, other: &Self) -> Places<W> {
        let few = self.len() * FEW < other.len();
        let (mut news, mut recent, mut from) = (Vec::new(), Vec::new(), 0);
        for (place, id, counts) in self.iter() {
            let found = if few {
                search_from(other.ids(), from, other.ids().len(), |theirs| theirs.cmp(id))
            } else {
                gallop(other.ids(), from, |theirs| theirs.cmp(id))
            };
            from = found.unwrap_or_else(|gap| gap);
            let found = found.or_else(|gap| other.search_tail(gap, |theirs| theirs.cmp(id)));
            if let Some(counts) = above(counts, found.map_or([0; W], |place| other.counts(place))) {
                let part = if place < self.ids().len() { &mut news } else { &mut recent };
                part.push((place, counts));
            }
        }
        news.append(&mut recent);
        news
    }

    /// Whether any count is larger here, and whether any is larger in `other`.
    pub(crate) fn sides(&self, other: &Self) -> (bool, bool) {
        if !self.shares_ids(other) && self.ids() != other.ids() {
            let entries = |ledger| Self::iter(ledger).map(|(_, id, counts)| (id, counts));
            return sides(entries(self), entries(other));
        }
        let (above, below) = self.counts.sides(&other.counts);
        let (recent_above, recent_below) = sides(self.tail.by_gap(), other.tail.by_gap());
        (above || recent_above, below || recent_below)
    }
}

impl<A: Clone, const W: usize> Ledger<A, W> {
    /// A ledger of these entries, of ids of this one.
    pub(crate) fn pick<const V: usize>(&self, entries: &[(usize, [u64; V])]) -> Ledger<A, V> {
        let len = self.ids().len();
        let (entries, recent) = entries.split_at(entries.partition_point(|&(place, _)| place < len));
        if entries.is_empty() && recent.is_empty() {
            return Ledger::new();
        }
        if self.is_dense(entries.len()) {
            let mut counts = Counts::zeros(len);
            for &(at, picked) in entries {
                counts.set(at, picked);
            }
            let tail = Tail::from_sorted(self.recent_at(recent, |gap| gap));
            return Ledger { tail, ..Ledger::on(self.table.clone(), counts, entries.len()) };
        }
        let ids = entries.iter().filter_map(|&(at, _)| self.ids().get(at).cloned()).collect();
        let mut counts = Counts::zeros(entries.len());
        for (at, &(_, picked)) in entries.iter().enumerate() {
            counts.set(at, picked);
        }
        let mut ledger = Ledger::from_sorted(ids, counts);
        if !recent.is_empty() {
            let gap = |gap| entries.partition_point(|&(at, _)| at < gap);
            ledger.weave(None, self.recent_at(recent, gap));
        }
        ledger
    }

    /// Entries of the tail with other counts, and their gaps in another table.
    fn recent_at<const V: usize>(
        &self,
        recent: &[(usize, [u64; V])],
        gap: impl Fn(usize) -> usize,
    ) -> Vec<Recent<A, V>> {
        let at = |&(place, counts): &(usize, [u64; V])| {
            let recent = self.tail.get(place - self.ids().len())?;
            Some(Recent { gap: gap(recent.gap), id: recent.id.clone(), counts })
        };
        recent.iter().filter_map(at).collect()
    }

    /// Whether a part of so many entries should share this table rather than have one of its own.
    fn is_dense(&self, entries: usize) -> bool {
        self.ids().len() <= SMALL || entries.saturating_mul(DENSE) >= self.ids().len()
    }
}

impl<A: Clone> Ledger<A, 2> {
    /// The entries of one side, on the same ids.
    pub(crate) fn of_side(&self, side: usize) -> Ledger<A, 1> {
        let counts = self.counts.of_side(side);
        let used = counts.used();
        let recent = |(_, recent): (_, &Recent<A, 2>)| {
            let count = recent.counts.get(side).copied().filter(|&n| n > 0)?;
            Some(Recent { gap: recent.gap, id: recent.id.clone(), counts: [count] })
        };
        let tail = Tail::from_sorted(self.tail.iter().filter_map(recent));
        Ledger { tail, ..Ledger::on(self.table.clone(), counts, used) }
    }
}

impl<A: Clone> Ledger<A, 1> {
    /// These entries as one side of two.
    pub(crate) fn into_side(mut self, side: usize) -> Ledger<A, 2> {
        let sides = |[n]: [u64; 1]| if side == 0 { [n, 0] } else { [0, n] };
        let recent = |Recent { gap, id, counts }| Recent { gap, id, counts: sides(counts) };
        let tail = Tail::from_sorted(self.tail.take().into_iter().map(recent));
        Ledger { tail, ..Ledger::on(self.table, self.counts.into_side(side), self.used) }
    }
}

/// Whether any count is larger in the first of two series of entries in order, and whether any is in the second.
fn sides<K: Ord, const W: usize>(
    ours: impl Iterator<Item = (K, [u64; W])>,
    theirs: impl Iterator<Item = (K, [u64; W])>,
) -> (bool, bool) {
    let (mut larger, mut smaller) = (false, false);
    let (mut ours, mut theirs) = (ours.peekable(), theirs.peekable());
    while !(larger && smaller) {
        let order = match (ours.peek(), theirs.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let a = if order.is_le() { ours.next().map_or([0; W], |(_, counts)| counts) } else { [0; W] };
        let b = if order.is_ge() { theirs.next().map_or([0; W], |(_, counts)| counts) } else { [0; W] };
        larger |= above(a, b).is_some();
        smaller |= above(b, a).is_some();
    }
    (larger, smaller)
}

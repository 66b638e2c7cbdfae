//! What both counters are made of: ids in order, with `W` counts each.

mod merge;
mod part;
mod traits;
mod walk;

pub(crate) use walk::Walk;

#[cfg(feature = "json")]
pub(crate) use part::Places;
#[cfg(feature = "serde")]
pub(crate) use part::tidy;

use crate::counts::{Counts, Writer, larger};
use crate::table::{Table, search, search_from};
use crate::tail::{Recent, Spot, Tail};
use crate::{Overflow, Slot, ToActor};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Below this many ids a new one goes straight into the table: it moves less than a search costs.
const DIRECT: usize = 64;

/// A tail of this share of the ids (one in 12) is woven into the table. A new id thereby moves 12 others in the mean,
/// and the tail's slack is below 2 bytes an id.
const SHARE: usize = 12;

/// Ids with `W` counts each. An id whose counts are all zero is no entry.
///
/// The ids are a sorted table that ledgers share, and a short tail of the ids that came since the table was made. No
/// id is in both. A place is where an id is: an index into the table, or behind all those an index into the tail.
///
/// Only the ids' own `Clone` and `Ord` may panic. They are never called while an entry is half changed: a panic leaves a
/// ledger as it was, or with some of the entries merged, which is a state like any other.
pub(crate) struct Ledger<A, const W: usize> {
    table: Option<Arc<Table<A>>>,
    counts: Counts<W>,
    /// How many ids of the table have a count.
    used: usize,
    tail: Tail<A, W>,
    hint: Hint,
}

/// Where an actor was found last. Nothing relies on it.
#[derive(Clone, Copy)]
struct Hint {
    /// Half a word, for a small ledger is copied in two cache lines, and so fast only if it fits into them.
    place: u32,
    /// Whether to look there first: the last two calls were for the same actor, or for one just behind the other.
    again: bool,
}

impl Hint {
    const NONE: Self = Self { place: 0, again: false };

    #[inline]
    const fn place(self) -> usize {
        self.place as usize
    }

    /// Of the same place each time, or of ids that come in order, the next one is likely known too.
    fn note(&mut self, place: usize) {
        self.again = place == self.place() || place == self.place() + 1;
        self.move_to(place);
    }

    fn move_to(&mut self, place: usize) {
        self.place = u32::try_from(place).unwrap_or(u32::MAX);
    }
}

impl<A, const W: usize> Ledger<A, W> {
    pub(crate) const fn new() -> Self {
        Self { table: None, counts: Counts::new(), used: 0, tail: Tail::new(), hint: Hint::NONE }
    }

    /// The caller vouches that there are counts for each id, of which `used` are not zero.
    const fn on(table: Option<Arc<Table<A>>>, counts: Counts<W>, used: usize) -> Self {
        Self { table, counts, used, tail: Tail::new(), hint: Hint::NONE }
    }

    /// The caller vouches that the ids ascend, and that each has a count.
    pub(crate) fn from_sorted(ids: Vec<A>, counts: Counts<W>) -> Self {
        let used = ids.len();
        let table = (used > 0).then(|| Arc::new(Table::new(ids)));
        Self::on(table, counts, used)
    }

    /// The ids of the table.
    #[inline]
    pub(crate) fn ids(&self) -> &[A] {
        self.table.as_deref().map_or(&[], |table| table)
    }

    #[cfg(feature = "serde")]
    pub(crate) fn table(&self) -> Option<&Table<A>> {
        self.table.as_deref()
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.used + self.tail.len()
    }

    /// The sum of the counts of each side.
    pub(crate) fn sums(&self) -> [u128; W] {
        let mut sums = self.counts.sums();
        for (_, recent) in self.tail.iter() {
            for (sum, n) in sums.iter_mut().zip(recent.counts) {
                *sum += u128::from(n);
            }
        }
        sums
    }

    pub(crate) fn iter(&self) -> Walk<'_, A, W> {
        Walk::new(self)
    }

    /// Whether both have the very same table. Their tails may differ, but an id in one tail is not in the other's
    /// table, and each is at the same gap.
    #[inline]
    pub(crate) fn shares_ids(&self, other: &Self) -> bool {
        match (&self.table, &other.table) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (None, None) => true,
            _ => false,
        }
    }

    /// The id at a place.
    #[inline]
    pub(crate) fn id(&self, place: usize) -> Option<&A> {
        let ids = self.ids();
        if place < ids.len() {
            return ids.get(place);
        }
        self.tail.get(place - ids.len()).map(|recent| &recent.id)
    }

    /// The counts at a place.
    #[inline]
    pub(crate) fn counts(&self, place: usize) -> [u64; W] {
        let len = self.ids().len();
        if place < len {
            return self.counts.get(place);
        }
        self.tail.get(place - len).map_or([0; W], |recent| recent.counts)
    }

    /// The place of an id (`Ok`), or the spot where it belongs. `cmp` compares an id to the one sought.
    #[inline]
    pub(crate) fn search(&self, cmp: impl Fn(&A) -> Ordering) -> Result<usize, Spot> {
        match search(self.ids(), &cmp) {
            Ok(at) => Ok(at),
            Err(gap) if self.tail.is_empty() => Err(Spot::in_table(gap)),
            Err(gap) => self.search_tail(gap, cmp),
        }
    }

    /// The counts of an actor, zeros if it has none.
    #[inline]
    pub(crate) fn get(&self, actor: &impl ToActor<A>) -> [u64; W] {
        self.search(|id| actor.cmp_actor(id).reverse()).map_or([0; W], |place| self.counts(place))
    }

    pub(crate) fn search_tail(&self, gap: usize, cmp: impl Fn(&A) -> Ordering) -> Result<usize, Spot> {
        self.tail.search(gap, cmp).map(|index| self.ids().len() + index)
    }

    /// As [`search`](Self::search), with few comparisons if it is the actor found last or just behind.
    #[inline]
    pub(crate) fn find(&mut self, actor: &impl ToActor<A>) -> Result<usize, Spot> {
        let cmp = |id: &A| actor.cmp_actor(id).reverse();
        if self.hint.again && self.id(self.hint.place()).is_some_and(|id| cmp(id).is_eq()) {
            return Ok(self.hint.place());
        }
        self.find_anew(cmp)
    }

    #[inline(never)]
    fn find_anew(&mut self, cmp: impl Fn(&A) -> Ordering) -> Result<usize, Spot> {
        let behind = match self.tail.get(self.hint.place().wrapping_sub(self.ids().len())) {
            Some(recent) if self.hint.again && cmp(&recent.id).is_lt() => recent.gap,
            _ => 0,
        };
        let found = match search_from(self.ids(), behind, self.ids().len(), &cmp) {
            Err(gap) if self.tail.is_empty() => Err(Spot::in_table(gap)),
            Err(gap) => self.search_tail(gap, cmp),
            Ok(at) => Ok(at),
        };
        let place = match found {
            Ok(place) => place,
            Err(spot) if self.tail.is_empty() => spot.gap,
            Err(spot) => self.ids().len() + spot.index(),
        };
        self.hint.note(place);
        found
    }

    /// The place of the slot's actor, with one comparison if it is where the slot says.
    #[inline]
    pub(crate) fn find_slot(&self, slot: &mut Slot<A>) -> Result<usize, Spot>
    where
        A: Ord,
    {
        if self.id(slot.index) == Some(&slot.actor) {
            return Ok(slot.index);
        }
        let found = self.search(|id| id.cmp(&slot.actor));
        slot.index = found.unwrap_or(slot.index);
        found
    }
}

impl<A: Clone, const W: usize> Ledger<A, W> {
    /// Adds to the counts of an id that was searched for. Returns its counts after that.
    #[inline]
    pub(crate) fn add(
        &mut self,
        found: Result<usize, Spot>,
        amounts: [u64; W],
        id: impl FnOnce() -> A,
    ) -> Result<[u64; W], Overflow> {
        let before = found.map_or([0; W], |place| self.counts(place));
        let mut after = before;
        for (count, n) in after.iter_mut().zip(amounts) {
            *count = count.checked_add(n).ok_or(Overflow)?;
        }
        match found {
            Ok(place) => self.put(place, before, after),
            Err(_) if after == [0; W] => {}
            Err(spot) => self.insert(spot, id(), after),
        }
        Ok(after)
    }

    /// Raises the counts of an id that was searched for. Returns whether that changed any.
    #[inline]
    pub(crate) fn raise(
        &mut self,
        found: Result<usize, Spot>,
        counts: [u64; W],
        id: impl FnOnce() -> A,
    ) -> bool {
        match found {
            Ok(place) => self.raise_to(place, counts),
            Err(_) if counts == [0; W] => false,
            Err(spot) => {
                self.insert(spot, id(), counts);
                true
            }
        }
    }

    /// Raises the counts at an index of the table. Returns whether that changed any.
    #[inline]
    fn raise_in_table(&mut self, at: usize, counts: [u64; W]) -> bool {
        let before = self.counts.get(at);
        let after = larger(before, counts);
        if after == before {
            return false;
        }
        self.used += usize::from(before == [0; W]);
        self.counts.set(at, after);
        true
    }

    /// Raises the counts at a place. Returns whether that changed any.
    #[inline]
    pub(crate) fn raise_to(&mut self, place: usize, counts: [u64; W]) -> bool {
        if place < self.ids().len() {
            return self.raise_in_table(place, counts);
        }
        let before = self.counts(place);
        let after = larger(before, counts);
        if after == before {
            return false;
        }
        self.put_in_tail(place - self.ids().len(), after);
        true
    }

    #[inline]
    fn put(&mut self, place: usize, before: [u64; W], after: [u64; W]) {
        let len = self.ids().len();
        if place < len {
            self.used += usize::from(before == [0; W] && after != [0; W]);
            self.counts.set(place, after);
        } else {
            self.put_in_tail(place - len, after);
        }
    }

    #[cold]
    fn put_in_tail(&mut self, index: usize, after: [u64; W]) {
        if let Some(counts) = self.tail.counts_mut(index) {
            *counts = after;
        }
    }

    /// Puts a new id, of counts that are not all zero, at the spot that a search for it has given.
    #[inline(never)]
    pub(crate) fn insert(&mut self, spot: Spot, id: A, counts: [u64; W]) {
        if self.ids().len() < DIRECT && self.tail.is_empty() {
            return self.insert_in_table(spot.gap, id, counts);
        }
        let place = self.ids().len() + self.tail.insert(spot, id, counts);
        self.hint.move_to(place);
        self.bound_tail();
    }

    pub(super) fn insert_in_table(&mut self, at: usize, id: A, counts: [u64; W]) {
        let len = self.ids().len();
        if let Some(table) = self.table.as_mut().and_then(Arc::get_mut) {
            table.insert(at, id);
        } else {
            let mut ids = Vec::with_capacity(len + 1);
            ids.extend_from_slice(self.ids());
            ids.insert(at, id);
            self.table = Some(Arc::new(Table::new(ids)));
        }
        self.counts.insert(at, len, counts);
        self.used += 1;
        self.hint.move_to(at);
    }

    /// Weaves the tail into the table if it has grown long.
    fn bound_tail(&mut self) {
        if self.tail.len() * SHARE > self.ids().len() {
            self.flush();
        }
    }

    /// Weaves the tail into the table.
    fn flush(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        let copy = self.copy_if_shared();
        let tail = self.tail.take();
        self.weave(copy, tail);
    }

    /// A copy of the ids, for [`weave_ids`](Self::weave_ids), if others share them. To be made before anything is
    /// changed, for a clone may panic.
    fn copy_if_shared(&self) -> Option<Vec<A>> {
        let table = self.table.as_ref()?;
        (Arc::strong_count(table) > 1).then(|| table.to_vec())
    }

    /// Puts new ids, in ascending order, among those of the table.
    fn weave(&mut self, copy: Option<Vec<A>>, news: Vec<Recent<A, W>>) {
        let len = self.ids().len();
        let (mut counts, mut from) = (Writer::with_capacity(len + news.len()), 0);
        for recent in &news {
            counts.copy(&self.counts, from, recent.gap);
            counts.push(recent.counts);
            from = recent.gap;
        }
        counts.copy(&self.counts, from, len);
        self.weave_ids(copy, news.into_iter().map(|recent| (recent.gap, recent.id)), counts.finish());
    }

    /// Puts new ids, in ascending order and each with its gap, among those of the table. The counts are those of all.
    fn weave_ids(
        &mut self,
        copy: Option<Vec<A>>,
        news: impl ExactSizeIterator<Item = (usize, A)>,
        counts: Counts<W>,
    ) {
        let own = self.table.as_mut().and_then(Arc::get_mut).map(Table::take_ids);
        let old = copy.or(own).unwrap_or_default();
        self.counts = counts;
        self.used += news.len();
        let mut ids = Vec::with_capacity(old.len() + news.len());
        let (mut old, mut from) = (old.into_iter(), 0);
        for (gap, id) in news {
            ids.extend(old.by_ref().take(gap - from));
            ids.push(id);
            from = gap;
        }
        ids.extend(old);
        match self.table.as_mut().and_then(Arc::get_mut) {
            Some(own) => *own = Table::new(ids),
            None => self.table = Some(Arc::new(Table::new(ids))),
        }
    }
}

//! Merging, and how counters come to share a table.

use super::part::tidy;
use super::{Ledger, Walk};
use crate::counts::{Counts, Writer, larger};
#[cfg(feature = "json")]
use crate::counts::{LANES, Line};
use crate::table::gallop;
use crate::tail::{Recent, Tail};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// A part this much smaller than the whole is looked up rather than walked along.
pub(super) const FEW: usize = 32;

/// Whether both are the same few ids. One by one: so few take longer to be compared by a call.
#[inline]
fn same_ids<A: PartialEq>(ours: &[A], theirs: &[A]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| ours == theirs)
}

/// So many ids are compared one by one before a leap: where two tables interleave, the next id is near.
const NEAR: usize = 4;

impl<A: Ord + Clone, const W: usize> Ledger<A, W> {
    /// Takes in all that `other` knows. Returns whether anything changed.
    #[inline]
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.shares_ids(other) {
            return self.merge_shared(other);
        }
        if let (Counts::Few(_), Counts::Few(_)) = (&self.counts, &other.counts) {
            return self.merge_few(other);
        }
        self.merge_apart(other)
    }

    /// Merges a ledger of few ids with another table into one of few: one id after the other.
    ///
    /// To find out whether ids are equal is faster than to find their order, and most are not new.
    #[inline(never)]
    fn merge_few(&mut self, other: &Self) -> bool {
        if let [id] = other.ids() {
            return self.merge_one(other, id);
        }
        if same_ids(self.ids(), other.ids()) {
            self.table.clone_from(&other.table);
            return self.merge_shared(other);
        }
        self.merge_each(other)
    }

    /// Merges the only id of `other`.
    #[inline]
    fn merge_one(&mut self, other: &Self, id: &A) -> bool {
        let counts = other.counts.get(0);
        if let Some(at) = self.ids().iter().position(|ours| ours == id) {
            return self.raise_in_table(at, counts);
        }
        if self.len() < other.len() || counts == [0; W] {
            return self.merge_each(other);
        }
        let gap = self.ids().iter().take_while(|ours| *ours < id).count();
        self.insert_in_table(gap, id.clone(), counts);
        true
    }

    /// Merges in the order of the ids. A new one goes into the table, for it moves few others.
    #[inline(never)]
    fn merge_each(&mut self, other: &Self) -> bool {
        let (mut from, mut changed) = (0, false);
        for (index, id) in other.ids().iter().enumerate() {
            let counts = other.counts.get(index);
            if counts == [0; W] {
                continue;
            }
            match gallop(self.ids(), from, |ours| ours.cmp(id)) {
                Ok(at) => {
                    changed |= self.raise_in_table(at, counts);
                    from = at + 1;
                }
                // No id is cloned if `other` has all of them.
                Err(_) if other.len() > self.len() && self.lay_out_as(other) => {
                    self.merge_shared(other);
                    return true;
                }
                Err(gap) => {
                    self.insert_in_table(gap, id.clone(), counts);
                    (from, changed) = (gap + 1, true);
                }
            }
        }
        changed
    }

    /// Lays the entries out with the ids of `other`, if that has them all. Returns whether it has.
    fn lay_out_as(&mut self, other: &Self) -> bool {
        self.laid_out_as(other).map(|laid| *self = laid).is_some()
    }

    #[inline]
    fn merge_shared(&mut self, other: &Self) -> bool {
        let changed = self.counts.max(&other.counts);
        if changed {
            self.recount();
        }
        if other.tail.is_empty() { changed } else { self.merge_tail(other) | changed }
    }

    /// Raises the counts of a table's few ids.
    #[cfg(feature = "json")]
    #[inline]
    pub(crate) fn merge_block(&mut self, block: &[[u64; LANES]; W]) -> bool {
        let changed = self.counts.max_block(block);
        if changed {
            self.recount();
        }
        changed
    }

    /// Raises the counts of the table's ids to those in these lines, laid out as [`Counts`] are.
    #[cfg(feature = "json")]
    pub(crate) fn merge_lines(&mut self, lines: &[Line]) -> bool {
        let changed = self.counts.max_lines(lines);
        if changed {
            self.recount();
        }
        changed
    }

    /// Counts anew how many ids are used, unless all are.
    #[inline]
    fn recount(&mut self) {
        if self.used < self.ids().len() {
            self.used = self.counts.used();
        }
    }

    /// Merges the tail of a ledger that has the same table.
    #[inline(never)]
    fn merge_tail(&mut self, other: &Self) -> bool {
        // Mostly both tails have the same ids: each is looked for behind the one before.
        let (len, mut changed, mut next) = (self.ids().len(), false, 0);
        for (index, recent) in other.tail.iter() {
            if self.tail.shares_chunk(&other.tail, index) {
                continue;
            }
            let is_next = |ours: &Recent<A, W>| ours.gap == recent.gap && ours.id == recent.id;
            let found = if self.tail.get(next).is_some_and(is_next) {
                Ok(len + next)
            } else {
                self.search_tail(recent.gap, |id| id.cmp(&recent.id))
            };
            let place = match found {
                Ok(place) => {
                    changed |= self.raise_to(place, recent.counts);
                    place
                }
                Err(spot) => {
                    changed = true;
                    len + self.tail.insert(spot, recent.id.clone(), recent.counts)
                }
            };
            next = self.tail.behind(place - len);
        }
        // Not before, for then the gaps would be others.
        self.bound_tail();
        changed
    }

    /// Merges a ledger that has another table.
    #[inline(never)]
    fn merge_apart(&mut self, other: &Self) -> bool {
        if other.len() == 0 {
            return false;
        }
        if self.len() == 0 {
            self.clone_from(other);
            return true;
        }
        if let ([id], true) = (other.ids(), self.len() > 1 && other.tail.is_empty()) {
            return self.merge_entry(id, other.counts.get(0));
        }
        if other.len() * FEW < self.len() {
            return other
                .iter()
                .fold(false, |changed, (_, id, counts)| self.merge_entry(id, counts) | changed);
        }
        self.flush();
        if other.tail.is_empty() && self.ids() == other.ids() {
            self.table.clone_from(&other.table);
            return self.merge_shared(other);
        }
        self.walk(other)
    }

    fn merge_entry(&mut self, id: &A, counts: [u64; W]) -> bool {
        let found = self.find(&id);
        self.raise(found, counts, || id.clone())
    }

    /// Merges in place until an id is new. The tail is empty.
    fn walk(&mut self, other: &Self) -> bool {
        let (mut from, mut changed) = (0, false);
        let mut entries = other.iter();
        while let Some((_, id, counts)) = entries.next() {
            match gallop(self.ids(), from, |ours| ours.cmp(id)) {
                Ok(at) => {
                    changed |= self.raise_to(at, counts);
                    from = at + 1;
                }
                Err(gap) => {
                    self.join(other, (gap, id, counts), entries);
                    return true;
                }
            }
        }
        changed
    }

    /// Merges the rest of `other`, of which the first is new, and at what gap it is. The tail is empty.
    ///
    /// All that may panic comes first, and all counts are written anew: this ledger changes when both are done.
    fn join(&mut self, other: &Self, first: (usize, &A, [u64; W]), rest: Walk<'_, A, W>) {
        if let Some(mut on) = self.laid_out_as(other) {
            on.merge_shared(other);
            *self = on;
            return;
        }
        let copy = self.copy_if_shared();
        let (ours, left) = (self.ids(), rest.size_hint().0);
        let mut news = Vec::with_capacity(1 + left);
        let mut all = Writer::with_capacity(ours.len() + 1 + left);
        let (mut at, id, counts) = first;
        all.copy(&self.counts, 0, at);
        all.push(counts);
        news.push((at, id.clone()));
        for (_, id, counts) in rest {
            let (near, mut order) = (at + NEAR, Ordering::Greater);
            while let Some(own) = ours.get(at) {
                order = own.cmp(id);
                if order.is_ge() {
                    break;
                }
                all.push(self.counts.get(at));
                at += 1;
                if at == near {
                    (at, order) = self.leap(id, at, &mut all);
                    break;
                }
            }
            if order.is_eq() {
                all.push(larger(self.counts.get(at), counts));
                at += 1;
            } else {
                all.push(counts);
                news.push((at, id.clone()));
            }
        }
        all.copy(&self.counts, at, ours.len());
        self.weave_ids(copy, news.into_iter(), all.finish());
        self.recount();
    }

    /// Copies the counts from `at` up to an id. Returns where it is or belongs, and how the id there compares to it.
    #[inline(never)]
    fn leap(&self, id: &A, at: usize, all: &mut Writer<W>) -> (usize, Ordering) {
        let (to, order) = match gallop(self.ids(), at, |own| own.cmp(id)) {
            Ok(known) => (known, Ordering::Equal),
            Err(gap) => (gap, Ordering::Greater),
        };
        all.copy(&self.counts, at, to);
        (to, order)
    }

    /// The same entries with the ids of `other`, if that has them all.
    fn laid_out_as(&self, other: &Self) -> Option<Self> {
        let entries = self.iter();
        if let Some((_, id, _)) = entries.clone().next() {
            // Most often the first tells.
            other.search(|theirs| theirs.cmp(id)).ok()?;
        }
        let mut laid = Self::on(other.table.clone(), Counts::zeros(other.ids().len()), 0);
        let (mut tail, mut from) = (Vec::new(), 0);
        for (_, id, counts) in entries {
            match gallop(other.ids(), from, |theirs| theirs.cmp(id)) {
                Ok(at) => {
                    laid.counts.set(at, counts);
                    laid.used += 1;
                    from = at + 1;
                }
                Err(gap) => {
                    other.search_tail(gap, |theirs| theirs.cmp(id)).ok()?;
                    tail.push(Recent { gap, id: id.clone(), counts });
                    from = gap;
                }
            }
        }
        laid.tail = Tail::from_sorted(tail);
        Some(laid)
    }

    /// Shares the ids of `other`, if that has all that are counted here. Returns whether the two share them now.
    pub(crate) fn share_ids(&mut self, other: &Self) -> bool {
        self.shares_ids(other) || self.lay_out_as(other)
    }

    /// Merges the entries that would change something and that `accept` lets in, given the id, its counts here, and what
    /// they would become. Returns whether anything changed.
    pub(crate) fn merge_if(
        &mut self,
        other: &Self,
        mut accept: impl FnMut(&A, [u64; W], [u64; W]) -> bool,
    ) -> bool {
        let news = other.difference(self);
        let mut accepted = Vec::new();
        for (place, id, counts) in news.iter() {
            let now = self.get(&id);
            if accept(id, now, larger(now, counts)) {
                accepted.push((place, counts));
            }
        }
        if accepted.len() == news.len() {
            return self.merge(&news);
        }
        tidy(&mut accepted);
        self.merge(&news.pick(&accepted))
    }

    /// As merging `others` one by one, with four in one pass where they share the table.
    pub(crate) fn merge_all<'a>(&mut self, others: impl IntoIterator<Item = &'a Self>) -> bool
    where
        A: 'a,
    {
        let mut changed = false;
        let mut waiting = [None; 4];
        for other in others {
            if !self.shares_ids(other) || !other.tail.is_empty() {
                // This may change the table that those waiting share.
                changed |= self.merge_waiting(&mut waiting) | self.merge(other);
                continue;
            }
            if let Some(free) = waiting.iter_mut().find(|place| place.is_none()) {
                *free = Some(&other.counts);
            }
            if waiting.iter().all(Option::is_some) {
                changed |= self.merge_waiting(&mut waiting);
            }
        }
        changed | self.merge_waiting(&mut waiting)
    }

    /// Merges up to four counts of the same table.
    fn merge_waiting(&mut self, waiting: &mut [Option<&Counts<W>>; 4]) -> bool {
        let few = core::mem::take(waiting);
        let changed = if let [Some(a), Some(b), Some(c), Some(d)] = few {
            self.counts.max4([a, b, c, d])
        } else {
            few.into_iter().flatten().fold(false, |changed, one| self.counts.max(one) | changed)
        };
        if changed {
            self.recount();
        }
        changed
    }
}

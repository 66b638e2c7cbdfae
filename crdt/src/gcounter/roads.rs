//! What merging, differences and comparison do when two counters do not share a table, and how they come to.

use super::GCounter;
use crate::counts::{Counts, LANES};
use crate::kernels;
use crate::table::{Table, gallop, search, search_from};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// A part this much smaller than the whole is looked up rather than walked along.
const FEW: usize = 32;

/// Below this many counts, copying them all beats picking a few.
const SMALL: usize = 1024;

/// How many lines are looked at together for a few news among them.
const CHUNK: usize = 64;

/// From this share of the counts on (one in 64), a difference keeps the shared table.
const DENSE: usize = 64;

impl<A: Ord + Clone> GCounter<A> {
    /// Merges a counter that has another table.
    pub(super) fn merge_apart(&mut self, other: &Self) -> bool {
        if other.ids().is_empty() {
            return false;
        }
        if self.ids().is_empty() {
            self.clone_from(other);
            return !self.is_empty();
        }
        let same = common_prefix(self.ids(), other.ids());
        if same == self.ids().len() && same == other.ids().len() {
            self.table.clone_from(&other.table);
            return kernels::max(self.counts.lines_mut(), other.counts.lines());
        }
        let lines = same / LANES;
        let (ours, theirs) = (self.counts.lines_mut().get_mut(..lines), other.counts.lines().get(..lines));
        let changed = ours.zip(theirs).is_some_and(|(ours, theirs)| kernels::max(ours, theirs));
        self.walk(other, lines * LANES) | changed
    }

    /// Merges in place, from index `start` of both on, until an id is new.
    fn walk(&mut self, other: &Self, start: usize) -> bool {
        let (mut i, mut changed) = (start, false);
        let few = (other.ids().len() - start) * FEW < self.ids().len() - start;
        for (j, id) in other.ids().iter().enumerate().skip(start) {
            let n = other.counts.get(j);
            if n == 0 {
                continue;
            }
            let found = if few { self.find(id) } else { gallop(self.ids(), i, |ours| ours.cmp(id)) };
            match found {
                Ok(at) => {
                    changed |= self.counts.raise(at, n);
                    i = at + 1;
                }
                Err(at) => {
                    self.join(other, at, j);
                    return true;
                }
            }
        }
        changed
    }

    /// Merges from index `i` here and `j` there on, where an id of `other` is new.
    fn join(&mut self, other: &Self, i: usize, j: usize) {
        if let Some(mut counts) = self.counts_on(other) {
            kernels::max(counts.lines_mut(), other.counts.lines());
            self.counts = counts;
            self.table.clone_from(&other.table);
            return;
        }
        let table = self.table.take();
        let ids =
            table.map(|table| Arc::try_unwrap(table).map_or_else(|shared| shared.to_vec(), Table::into_ids));
        let mut join = Join::new(ids.unwrap_or_default(), &self.counts, other.ids().len() - j);
        join.take_while(|_, at| at < i);
        for (id, n) in other.ids().iter().zip(other.counts.iter()).skip(j).filter(|&(_, n)| n > 0) {
            join.take_while(|ours, _| ours < id);
            join.put(id, n);
        }
        join.take_while(|_, _| true);
        *self = Self::from_parts(join.ids, join.counts);
    }

    /// The counts here, laid out for the table of `other`, if that has all ids counted here.
    pub(super) fn counts_on(&self, other: &Self) -> Option<Counts> {
        let mut entries = self.entries().peekable();
        if let Some((id, _)) = entries.peek() {
            search(other.ids(), |theirs| theirs.cmp(id)).ok()?;
        }
        let mut counts = Counts::zeros(other.ids().len());
        let mut from = 0;
        for (id, n) in entries {
            let at = gallop(other.ids(), from, |theirs| theirs.cmp(id)).ok()?;
            *counts.get_mut(at) = n;
            from = at + 1;
        }
        Some(counts)
    }

    pub(super) fn merge_fused<'a>(&mut self, others: impl IntoIterator<Item = &'a Self>) -> bool
    where
        A: 'a,
    {
        let mut changed = false;
        let mut waiting = [None; 4];
        for other in others {
            if !self.shares_ids(other) {
                // This may change the table that those waiting share.
                changed |= self.merge_waiting(&mut waiting) | self.merge_apart(other);
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
    fn merge_waiting(&mut self, waiting: &mut [Option<&Counts>; 4]) -> bool {
        let ours = self.counts.lines_mut();
        let few = core::mem::take(waiting);
        if let [Some(a), Some(b), Some(c), Some(d)] = few {
            return kernels::max4(ours, [a.lines(), b.lines(), c.lines(), d.lines()]);
        }
        few.into_iter().flatten().fold(false, |changed, one| kernels::max(ours, one.lines()) | changed)
    }

    /// The entries that are larger here.
    pub(super) fn difference(&self, other: &Self) -> Self {
        if self.shares_ids(other) || self.ids() == other.ids() {
            return self.difference_in_line(other);
        }
        let few = self.ids().len() * FEW < other.ids().len();
        let mut from = 0;
        let mut larger = Vec::new();
        for (i, (id, n)) in self.ids().iter().zip(self.counts.iter()).enumerate().filter(|&(_, (_, n))| n > 0)
        {
            let found = seek(other.ids(), from, id, few);
            if n > found.map_or(0, |at| other.counts.get(at)) {
                larger.push((i, n));
            }
            from = found.unwrap_or_else(|at| at);
        }
        self.pick(&larger)
    }

    /// As [`difference`](Self::difference), if the ids are the same.
    fn difference_in_line(&self, other: &Self) -> Self {
        let (ours, theirs) = (self.counts.lines(), other.counts.lines());
        let larger = kernels::above(ours, theirs);
        if larger == 0 {
            return Self::new();
        }
        if self.is_dense(larger) {
            return Self::on(self.table.clone(), Counts::from_lines(kernels::delta(ours, theirs)));
        }
        let mut picked = Vec::with_capacity(larger);
        // Whole chunks without news are passed at the speed of a kernel.
        for (chunk, (ours, theirs)) in ours.chunks(CHUNK).zip(theirs.chunks(CHUNK)).enumerate() {
            if picked.len() == larger || kernels::above(ours, theirs) == 0 {
                continue;
            }
            let counts = ours.iter().zip(theirs).flat_map(|(a, b)| a.0.iter().zip(&b.0));
            let news = counts.enumerate().filter(|(_, (a, b))| a > b);
            picked.extend(news.map(|(at, (&n, _))| (chunk * CHUNK * LANES + at, n)));
        }
        self.pick(&picked)
    }

    /// A counter of these entries, given by ascending index in this table.
    pub(crate) fn pick(&self, entries: &[(usize, u64)]) -> Self {
        if entries.is_empty() {
            return Self::new();
        }
        if self.is_dense(entries.len()) {
            let mut counts = Counts::zeros(self.ids().len());
            for &(at, n) in entries {
                *counts.get_mut(at) = n;
            }
            return Self::on(self.table.clone(), counts);
        }
        let ids = entries.iter().filter_map(|&(at, _)| self.ids().get(at).cloned()).collect();
        let mut counts = Counts::with_capacity(entries.len());
        for (len, &(_, n)) in entries.iter().enumerate() {
            counts.push(len, n);
        }
        Self::from_parts(ids, counts)
    }

    /// Whether a part of so many entries should share this table rather than have one of its own.
    pub(crate) fn is_dense(&self, entries: usize) -> bool {
        self.ids().len() <= SMALL || entries.saturating_mul(DENSE) >= self.ids().len()
    }

    /// Whether any count is larger here, and whether any is larger in `other`.
    pub(super) fn sides(&self, other: &Self) -> (bool, bool) {
        if self.shares_ids(other) || self.ids() == other.ids() {
            return kernels::sides(self.counts.lines(), other.counts.lines());
        }
        let (mut above, mut below) = (false, false);
        let (mut ours, mut theirs) = (self.entries().peekable(), other.entries().peekable());
        while !(above && below) {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let a = if order.is_le() { ours.next().map_or(0, |(_, n)| n) } else { 0 };
            let b = if order.is_ge() { theirs.next().map_or(0, |(_, n)| n) } else { 0 };
            above |= a > b;
            below |= a < b;
        }
        (above, below)
    }
}

impl<A> GCounter<A> {
    /// The ids with their counts, where these are not zero.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&A, u64)> {
        self.ids().iter().zip(self.counts.iter()).filter(|&(_, n)| n > 0)
    }
}

/// Two counters becoming one: ids of the first are moved, those of the second are cloned if they are new.
struct Join<'a, A> {
    ours: alloc::vec::IntoIter<A>,
    our_counts: &'a Counts,
    at: usize,
    ids: Vec<A>,
    counts: Counts,
}

impl<'a, A: Ord + Clone> Join<'a, A> {
    fn new(ours: Vec<A>, our_counts: &'a Counts, more: usize) -> Self {
        let len = ours.len() + more;
        Self {
            ours: ours.into_iter(),
            our_counts,
            at: 0,
            ids: Vec::with_capacity(len),
            counts: Counts::with_capacity(len),
        }
    }

    /// Takes over our next entries as long as they, by id and index, are `wanted`.
    fn take_while(&mut self, wanted: impl Fn(&A, usize) -> bool) {
        while self.ours.as_slice().first().is_some_and(|id| wanted(id, self.at)) {
            self.take(0);
        }
    }

    fn take(&mut self, n: u64) {
        if let Some(id) = self.ours.next() {
            self.counts.push(self.ids.len(), self.our_counts.get(self.at).max(n));
            self.ids.push(id);
            self.at += 1;
        }
    }

    /// Puts an entry that is not behind our next one.
    fn put(&mut self, id: &A, n: u64) {
        if self.ours.as_slice().first() == Some(id) {
            return self.take(n);
        }
        self.counts.push(self.ids.len(), n);
        self.ids.push(id.clone());
    }
}

/// Where `id` is, at `from` or behind: found by a search of the whole rest if it may be far.
#[inline]
fn seek<A: Ord>(ids: &[A], from: usize, id: &A, far: bool) -> Result<usize, usize> {
    if far {
        search_from(ids, from, ids.len(), |ours| ours.cmp(id))
    } else {
        gallop(ids, from, |ours| ours.cmp(id))
    }
}

fn common_prefix<A: Eq>(ours: &[A], theirs: &[A]) -> usize {
    ours.iter().zip(theirs).take_while(|(a, b)| a == b).count()
}

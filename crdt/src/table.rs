//! The sorted ids that counts belong to, shared by the counters that have the same ones.

use crate::counts::{LANES, shift_in};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::hint::select_unpredictable;
use core::mem::needs_drop;
use core::ops::Deref;
use core::sync::atomic::AtomicU8;

/// Ids in strictly ascending order.
pub(crate) struct Table<A> {
    ids: Vec<A>,
    /// The least [`Text`] of the ids, or [`UNKNOWN`]: worked out when first asked for.
    text: AtomicU8,
}

const UNKNOWN: u8 = 0;

/// How an id is written by serde.
#[cfg(feature = "serde")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Text {
    /// Not as the text that it borrows as: nothing can be said of it by that text.
    Other = 1,
    /// As the text that it borrows as.
    Borrowed = 2,
    /// As the text that it borrows as, of which JSON escapes nothing.
    Plain = 3,
}

#[cfg(feature = "serde")]
impl<A> Table<A> {
    /// Whether all ids are written in this way or one that says more; asked once per table.
    pub(crate) fn is_text(&self, least: Text, text: impl Fn(&A) -> Text) -> bool {
        use core::sync::atomic::Ordering::Relaxed;
        let known = self.text.load(Relaxed);
        if known != UNKNOWN {
            return known >= least as u8;
        }
        let found = self.ids.iter().map(text).min().unwrap_or(Text::Plain);
        self.text.store(found as u8, Relaxed);
        found >= least
    }
}

impl<A> Table<A> {
    /// The caller vouches that the ids ascend.
    pub(crate) const fn new(ids: Vec<A>) -> Self {
        Self { ids, text: AtomicU8::new(UNKNOWN) }
    }

    pub(crate) fn take_ids(&mut self) -> Vec<A> {
        core::mem::take(&mut self.ids)
    }

    /// Puts `id` at the place that a search for it has given.
    pub(crate) fn insert(&mut self, at: usize, id: A) {
        if self.ids.len() == self.ids.capacity() {
            // Room for a few more, not for as many again: what is never used is kept for good.
            self.ids.reserve_exact(4);
        }
        if self.ids.len() > LANES {
            self.ids.insert(at, id);
        } else {
            let last = shift_in(self.ids.iter_mut().skip(at), id);
            self.ids.push(last);
        }
        *self.text.get_mut() = UNKNOWN;
    }
}

impl<A> Deref for Table<A> {
    type Target = [A];

    #[inline]
    fn deref(&self) -> &[A] {
        &self.ids
    }
}

/// Where an id is (`Ok`) or belongs (`Err`). `cmp` compares an id of the table to the one sought.
#[inline]
pub(crate) fn search<A>(ids: &[A], cmp: impl FnMut(&A) -> Ordering) -> Result<usize, usize> {
    if needs_drop::<A>() { search_branching(ids, cmp) } else { search_straight(ids, cmp) }
}

/// For ids that own memory, as texts do. The comparisons are branches on purpose: with ids behind pointers, a
/// branch-free search would wait for each load in turn, while these run ahead of half of them.
#[inline]
fn search_branching<A>(ids: &[A], mut cmp: impl FnMut(&A) -> Ordering) -> Result<usize, usize> {
    let (mut low, mut high) = (0, ids.len());
    while low < high {
        let middle = low.midpoint(high);
        let Some(id) = ids.get(middle) else { break };
        match cmp(id) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Ok(middle),
        }
    }
    Err(low)
}

/// For ids in place, as numbers are. A comparison takes a few cycles there, and a branch that was guessed wrong takes
/// twenty.
#[inline]
fn search_straight<A>(ids: &[A], mut cmp: impl FnMut(&A) -> Ordering) -> Result<usize, usize> {
    let (mut low, mut len) = (0, ids.len());
    while len > 1 {
        let half = len / 2;
        let Some(id) = ids.get(low + half - 1) else { break };
        low = select_unpredictable(cmp(id).is_lt(), low + half, low);
        len -= half;
    }
    match ids.get(low).map(cmp) {
        Some(Ordering::Equal) => Ok(low),
        Some(Ordering::Less) => Err(low + 1),
        Some(Ordering::Greater) | None => Err(low),
    }
}

/// As [`search`], for an id that is likely close behind `from`: one comparison if it is there, twice the logarithm
/// of the distance if not. No id before `from` may be the one sought.
#[inline]
pub(crate) fn gallop<A>(ids: &[A], from: usize, mut cmp: impl FnMut(&A) -> Ordering) -> Result<usize, usize> {
    // Twice by one: where two tables interleave, it is mostly the next but one.
    let (mut low, mut step, mut next) = (from, 1, 1);
    loop {
        let probe = low + step - 1;
        let Some(id) = ids.get(probe) else { return search_from(ids, low, ids.len(), cmp) };
        match cmp(id) {
            Ordering::Equal => return Ok(probe),
            Ordering::Greater => return search_from(ids, low, probe, cmp),
            Ordering::Less => (low, step, next) = (probe + 1, next, next * 2),
        }
    }
}

/// As [`search`], among the ids from `low` up to `high`.
#[inline]
pub(crate) fn search_from<A>(
    ids: &[A],
    low: usize,
    high: usize,
    cmp: impl FnMut(&A) -> Ordering,
) -> Result<usize, usize> {
    let part = ids.get(low..high).unwrap_or(&[]);
    search(part, cmp).map(|at| low + at).map_err(|at| low + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_agree_with_the_standard_one() {
        for len in 0..70_u32 {
            let ids: Vec<u32> = (0..len).map(|i| 2 * i + 1).collect();
            for sought in 0..=2 * len + 1 {
                let expected = ids.binary_search(&sought);
                assert_eq!(search_straight(&ids, |id| id.cmp(&sought)), expected);
                assert_eq!(search_branching(&ids, |id| id.cmp(&sought)), expected);
                for from in 0..=expected.unwrap_or_else(|at| at) {
                    assert_eq!(gallop(&ids, from, |id| id.cmp(&sought)), expected);
                }
            }
        }
    }
}

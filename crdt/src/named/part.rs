use super::{ItemRef, More, RowDelta};
use alloc::vec::Vec;

/// A part of a delta that is too long for one message.
///
/// A part is never applied alone: some of the changes that it leaves out may be older than those it has. An
/// [`Assembly`](super::Assembly) makes the delta of all parts.
///
/// ```
/// use crdt::named::{Assembly, Counters};
///
/// let mut here = Counters::<String>::new();
/// for name in ["views", "likes", "shares"] {
///     here.add("n0", name, 3)?;
/// }
/// let parts = here.row_since("n0", 0).unwrap().split(30);
/// assert_eq!(parts.len(), 2);
/// let mut assembly = Assembly::new(1000);
/// assert!(assembly.accept(parts[1].clone())?.is_none());
/// let delta = assembly.accept(parts[0].clone())?.unwrap();
/// assert_eq!(delta, here.row_since("n0", 0).unwrap());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Part<A> {
    pub(super) delta: RowDelta<A>,
    pub(super) start: usize,
    pub(super) total: usize,
}

impl<A> Part<A> {
    /// The items of `delta` as a part: they stand behind `start` other items of a delta that has `total` in all, and covers what
    /// `delta` says. For whoever reads a part in a form of their own.
    ///
    /// ```
    /// use crdt::named::{Part, RowDelta};
    ///
    /// let part = Part::new(RowDelta::new(7_u64, 0, 4), 0, 0);
    /// assert!(part.is_whole());
    /// ```
    pub const fn new(delta: RowDelta<A>, start: usize, total: usize) -> Self {
        Self { delta, start, total }
    }

    /// The actor, the numbers that the whole delta covers, and the items of this part. Don't apply it.
    pub const fn delta(&self) -> &RowDelta<A> {
        &self.delta
    }

    /// How many items of the delta come before those of this part.
    pub const fn start(&self) -> usize {
        self.start
    }

    /// How many items the whole delta has.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// Whether it is all of the delta.
    pub const fn is_whole(&self) -> bool {
        self.start == 0 && self.delta.len() == self.total
    }

    /// Whether its items are in their place among all of the delta.
    pub(super) fn fits(&self) -> bool {
        let has_some = !self.delta.is_empty() || self.total == 0;
        has_some && self.start.checked_add(self.delta.len()).is_some_and(|end| end <= self.total)
    }
}

impl<A: Clone> RowDelta<A> {
    /// The delta in parts whose items take at most `max_bytes` each in the binary form. An item that is longer is a part of its
    /// own. What a part takes besides is its actor's id and some 40 bytes.
    ///
    /// ```
    /// let delta = crdt::named::RowDelta::new(7_u64, 0, 4);
    /// assert_eq!(delta.split(1000).len(), 1);
    /// ```
    pub fn split(&self, max_bytes: usize) -> Vec<Part<A>> {
        let empty = || Self::new(self.actor.clone(), self.from, self.upto);
        let total = self.len();
        let (mut parts, mut part, mut start, mut bytes) = (Vec::new(), empty(), 0_usize, 0_usize);
        for item in self.items() {
            let size = item.size(self.from);
            if !part.is_empty() && bytes.saturating_add(size) > max_bytes {
                let full = core::mem::replace(&mut part, empty());
                let next = start + full.len();
                parts.push(Part { delta: full, start, total });
                (start, bytes) = (next, 0);
            }
            bytes = bytes.saturating_add(size);
            part.push(item.slot, item.number, item.name, item.entry.to_entry());
        }
        parts.push(Part { delta: part, start, total });
        parts
    }
}

impl<A> RowDelta<A> {
    /// How many bytes the items take at most in the binary form: what [`split`](Self::split) counts. One pass over the items.
    ///
    /// ```
    /// assert_eq!(crdt::named::RowDelta::new(7_u64, 0, 4).size(), 0);
    /// ```
    pub fn size(&self) -> usize {
        self.items().fold(0, |sum: usize, item| sum.saturating_add(item.size(self.from)))
    }
}

impl<A> ItemRef<'_, A> {
    /// How many bytes the item takes at most in the binary form, in a delta that begins at `from`.
    fn size(&self, from: u64) -> usize {
        // A byte, what the gap of numbers may need besides, and a step from any slot to any other.
        let place = 6 + number_len(self.number.saturating_sub(from));
        let down = if self.entry.down > 0 { number_len(self.entry.down) } else { 0 };
        let name = self.name.map_or(0, |name| number_len(name.len() as u64) + name.len());
        let more = self.entry.more.map_or(0, size_of_more);
        place + number_len(self.entry.up) + down + name + more
    }
}

/// Ids of actors may be of any type: they count as 32 bytes.
fn size_of_more<A>(more: &More<A>) -> usize {
    let totals = [&more.totals, &more.baseline.totals];
    let totals = totals.into_iter().flat_map(crate::GCounter::keys).map(|source| 15 + source.len());
    totals.sum::<usize>() + more.baseline.counts.len() * 52 + 15
}

/// The bytes of a number with seven bits in each.
const fn number_len(n: u64) -> usize {
    (70 - (n | 1).leading_zeros() as usize) / 7
}

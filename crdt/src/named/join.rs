//! Two deltas of one row as one.

use super::delta::Item;
use super::{DeltaError, Entry, RowDelta};
use crate::Merge;
use core::mem::take;

impl<A: Ord + Clone> RowDelta<A> {
    /// Makes one delta of two of one actor, which covers what both cover. Neither may begin above the end of the other. Costs
    /// a sort of the items.
    ///
    /// ```
    /// use crdt::named::Counters;
    ///
    /// let mut counters = Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// let mut delta = counters.row_since("n0", 0).unwrap();
    /// counters.add("n0", "views", 1)?;
    /// delta.join(counters.row_since("n0", 1).unwrap())?;
    /// assert_eq!(delta, counters.row_since("n0", 0).unwrap());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeltaError::Gap`] if there is a gap between them, [`DeltaError::Actor`] if they are of different actors. This delta is as
    /// it was.
    pub fn join(&mut self, other: Self) -> Result<(), DeltaError> {
        self.join_all([other])
    }

    /// [Joins](Self::join) any number of deltas, at the cost of one sort. It keeps one of them at a time beside this one.
    ///
    /// ```
    /// use crdt::named::Counters;
    ///
    /// let mut counters = Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// let mut delta = counters.row_since("n0", 0).unwrap();
    /// let mut news = Vec::new();
    /// for _ in 0..3 {
    ///     let version = counters.version("n0");
    ///     counters.add("n0", "views", 1)?;
    ///     news.extend(counters.row_since("n0", version));
    /// }
    /// delta.join_all(news)?;
    /// assert_eq!(delta, counters.row_since("n0", 0).unwrap());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join), for the first that can't be joined. This delta has joined those before it.
    pub fn join_all(&mut self, others: impl IntoIterator<Item = Self>) -> Result<(), DeltaError> {
        let joined = others.into_iter().try_for_each(|other| self.join_unsorted(other));
        self.items.sort_unstable_by_key(|item| (item.slot, item.number));
        self.items.dedup_by(|newer, older| {
            let is_same = newer.slot == older.slot;
            if is_same {
                older.replace_by(newer);
            }
            is_same
        });
        self.items.sort_unstable_by_key(Item::place);
        joined
    }

    /// Takes in the items of another delta behind these, for the caller to sort.
    fn join_unsorted(&mut self, other: Self) -> Result<(), DeltaError> {
        if self.actor != other.actor {
            return Err(DeltaError::Actor);
        }
        if let Some(gap) = self.gap_before(&other).or_else(|| other.gap_before(self)) {
            return Err(gap);
        }
        self.from = self.from.min(other.from);
        self.upto = self.upto.max(other.upto);
        self.append(other);
        Ok(())
    }

    fn gap_before(&self, other: &Self) -> Option<DeltaError> {
        (self.upto < other.from).then_some(DeltaError::Gap { from: other.from, version: self.upto })
    }

    /// The items of another delta, behind these. The caller sorts them.
    pub(super) fn append(&mut self, other: Self) {
        let moved = self.text.len();
        self.text.push_str(&other.text);
        self.items.extend(other.items.into_iter().map(|item| item.moved(moved)));
    }
}

impl<A: Ord + Clone> Item<A> {
    /// Becomes a later item of the same slot. Counts merge by maximum, and a name stays.
    fn replace_by(&mut self, newer: &mut Self) {
        let entry = |item: &mut Self| Entry { up: item.up, down: item.down, more: take(&mut item.more) };
        let mut both = entry(self);
        both.merge(&entry(newer));
        (self.up, self.down, self.more) = (both.up, both.down, both.more);
        self.number = newer.number;
        if !self.is_named() {
            self.take_name(newer);
        }
    }
}

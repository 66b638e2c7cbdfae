use super::delta::Item;
use super::{Part, PartError, RowDelta};
use alloc::collections::BTreeMap;

/// Collects the parts of one delta from one sender, in any order, each any number of times.
///
/// A part of another delta replaces those it has: a sender that splits a newer delta sends no more of the old one. Give each sender
/// an assembly of its own. See [`Part`].
#[derive(Clone, Debug)]
pub struct Assembly<A> {
    max_bytes: usize,
    /// By where they start. All are of one delta, and none overlap.
    parts: BTreeMap<usize, Part<A>>,
    /// How many items the parts have, and what these take.
    items: usize,
    bytes: usize,
}

impl<A: Ord + Clone> Assembly<A> {
    /// Takes at most so many bytes of items, counted as [`RowDelta::split`] counts them. In memory it is up to 16 times as much.
    ///
    /// ```
    /// let assembly = crdt::named::Assembly::<String>::new(1 << 20);
    /// assert!(assembly.is_empty());
    /// ```
    pub const fn new(max_bytes: usize) -> Self {
        Self { max_bytes, parts: BTreeMap::new(), items: 0, bytes: 0 }
    }

    /// Whether it has no parts.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Takes in a part. Returns the delta once it has all parts, and is empty then.
    ///
    /// ```
    /// use crdt::named::{Assembly, Part, RowDelta};
    ///
    /// let delta = RowDelta::new(7_u64, 0, 4);
    /// let mut assembly = Assembly::new(1000);
    /// assert_eq!(assembly.accept(Part::new(delta.clone(), 0, 0)), Ok(Some(delta)));
    /// ```
    ///
    /// # Errors
    ///
    /// [`PartError`] if the parts are longer than the assembly takes, or this one is wrong.
    pub fn accept(&mut self, part: Part<A>) -> Result<Option<RowDelta<A>>, PartError> {
        if !part.fits() {
            return Err(PartError::Place);
        }
        if part.is_whole() {
            self.clear();
            return Ok(Some(part.delta));
        }
        if self.parts.get(&part.start).is_some_and(|known| *known == part) {
            return Ok(None);
        }
        self.make_room_for(&part);
        self.items += part.delta.len();
        self.bytes = self.bytes.saturating_add(part.delta.size());
        if self.bytes > self.max_bytes {
            self.clear();
            return Err(PartError::TooLong);
        }
        let total = part.total;
        self.parts.insert(part.start, part);
        // As none overlap, all parts are there once they have as many items.
        Ok(if self.items == total { self.complete() } else { None })
    }

    /// Drops what is of another delta, or of this one but cut in another way: what overlaps the part.
    ///
    /// No more than that, or a late part of an old cut would cost the parts of the new one that are here.
    fn make_room_for(&mut self, part: &Part<A>) {
        if self.parts.values().next().is_some_and(|any| !any.is_of_one_delta_with(part)) {
            return self.clear();
        }
        while let Some((&start, last)) = self.parts.range(..part.end()).next_back()
            && last.end() > part.start
        {
            self.items -= last.delta.len();
            self.bytes = self.bytes.saturating_sub(last.delta.size());
            self.parts.remove(&start);
        }
    }

    fn complete(&mut self) -> Option<RowDelta<A>> {
        let mut parts = core::mem::take(&mut self.parts).into_values();
        self.clear();
        let mut delta = parts.next()?.delta;
        parts.for_each(|part| delta.append(part.delta));
        delta.items.sort_unstable_by_key(Item::place);
        Some(delta)
    }

    fn clear(&mut self) {
        self.parts.clear();
        (self.items, self.bytes) = (0, 0);
    }
}

impl<A> Part<A> {
    fn end(&self) -> usize {
        self.start + self.delta.len()
    }
}

impl<A: PartialEq> Part<A> {
    fn is_of_one_delta_with(&self, other: &Self) -> bool {
        let whole = |part: &Self| (part.delta.from(), part.delta.upto(), part.total);
        self.delta.actor() == other.delta.actor() && whole(self) == whole(other)
    }
}

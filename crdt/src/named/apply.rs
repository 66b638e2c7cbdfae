//! Rows from state to state: what is above a number, and how it is taken in.

use super::row::Row;
use super::{Counters, DeltaError, ItemRef, RowDelta};
use crate::{Merge, ToActor, VersionVector};
use alloc::vec::Vec;

impl<A: Ord + Clone> Counters<A> {
    /// What the row of `actor` has above `from`. `None` if nothing is.
    ///
    /// Costs by what changed since, and nothing for the rest: some 20 ns a slot.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// counters.add("n0", "likes", 1)?;
    /// assert_eq!(counters.row_since("n0", 1).unwrap().len(), 1);
    /// assert!(counters.row_since("n0", 2).is_none());
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn row_since(&self, actor: impl ToActor<A>, from: u64) -> Option<RowDelta<A>> {
        let place = self.place(&actor);
        let actor = actor.to_actor();
        let upto = self.version(&actor);
        if upto <= from {
            return None;
        }
        let mut delta = RowDelta::new(actor, from, upto);
        if let Some(row) = place.ok().and_then(|at| self.row(at)) {
            self.collect(row, &mut delta);
        }
        Some(delta)
    }

    fn collect(&self, row: &Row<A>, delta: &mut RowDelta<A>) {
        let mut slots: Vec<(u32, u64)> = row.newest_down_to(delta.from).collect();
        slots.reverse();
        delta.items.reserve_exact(slots.len());
        let named_from = row.slots_at(delta.from);
        for (slot, number) in slots {
            let name = row.name(slot).filter(|_| slot >= named_from).map(|name| self.names.text(name));
            delta.push(slot, number, name, row.entry(slot).to_entry());
        }
    }

    /// What another state lacks, by its versions: a delta for each row that is newer here. One pass over the versions, and
    /// [`row_since`](Self::row_since) for each such row.
    ///
    /// ```
    /// use crdt::named::Counters;
    ///
    /// let mut here = Counters::<String>::new();
    /// here.add("n0", "views", 3)?;
    /// assert_eq!(here.delta_since(Counters::new().versions()).len(), 1);
    /// assert!(here.delta_since(here.versions()).is_empty());
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn delta_since(&self, known: &VersionVector<A>) -> Vec<RowDelta<A>> {
        let newer = self.versions.delta_since(known);
        let actors = newer.counter().keys();
        actors.filter_map(|actor| self.row_since(actor, known.counter().get(actor))).collect()
    }

    /// Takes in a delta. Returns whether it was news: `false` if the state has covered all of it.
    ///
    /// Entries merge by maximum, so that no count goes back even if whoever made the delta is wrong. Costs some 50 ns an item,
    /// and more for a new counter.
    ///
    /// ```
    /// use crdt::named::{DeltaError, Counters};
    ///
    /// let mut here = Counters::<String>::new();
    /// let mut there = Counters::<String>::new();
    /// here.add("n0", "views", 3)?;
    /// let first = here.row_since("n0", 0).unwrap();
    /// here.add("n0", "views", 1)?;
    /// let second = here.row_since("n0", 1).unwrap();
    /// assert!(matches!(there.apply(&second), Err(DeltaError::Gap { from: 1, version: 0 })));
    /// assert!(there.apply(&first)? && there.apply(&second)?);
    /// assert!(!there.apply(&first)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeltaError`] if the state has not covered where the delta begins, if the delta is wrong, or if there is no room.
    /// Nothing is changed then.
    pub fn apply(&mut self, delta: &RowDelta<A>) -> Result<bool, DeltaError> {
        let version = self.version(&delta.actor);
        if version < delta.from {
            return Err(DeltaError::Gap { from: delta.from, version });
        }
        delta.check_numbers()?;
        if delta.upto <= version {
            return Ok(false);
        }
        let place = self.place(&&delta.actor);
        let news = delta.news(version);
        let new = self.check(place.ok().and_then(|at| self.row(at)), news.clone())?;
        if news.len() > 0 {
            let at = place.unwrap_or_else(|at| self.make_row(at, delta.actor.clone()));
            let Self { names, rows, .. } = self;
            if let Some(row) = rows.get_mut(at) {
                for item in &new {
                    row.create(names.intern(item.name.unwrap_or_default())?);
                }
                news.for_each(|item| row.change(item.slot, item.number, item.entry));
                if !new.is_empty() {
                    row.note_births(delta.upto);
                }
            }
        }
        self.versions.see(&delta.actor, delta.upto);
        Ok(true)
    }

    /// Takes in all that `other` knows. Returns whether anything changed.
    ///
    /// A row for which there is no room is left out whole, as is one that contradicts the row here; its version then says so.
    ///
    /// ```
    /// use crdt::named::Counters;
    ///
    /// let (mut here, mut there) = (Counters::<String>::new(), Counters::new());
    /// there.add("n1", "views", 4)?;
    /// assert!(here.merge(&there));
    /// assert!(!here.merge(&there));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut changed = false;
        for delta in other.delta_since(&self.versions) {
            changed |= self.apply(&delta).unwrap_or(false);
        }
        changed
    }

    /// Checks that what is said of known slots fits them, and gives the items of new slots by slot.
    fn check<'a>(
        &self,
        row: Option<&Row<A>>,
        news: impl Iterator<Item = ItemRef<'a, A>>,
    ) -> Result<Vec<ItemRef<'a, A>>, DeltaError>
    where
        A: 'a,
    {
        let known = row.map_or(0, Row::len);
        let mut new = Vec::new();
        for item in news {
            if item.slot >= known {
                new.push(item);
            } else if item.name.is_some() && item.name != self.name_in(row, item.slot) {
                return Err(DeltaError::Name(item.slot));
            }
        }
        new.sort_unstable_by_key(|item| item.slot);
        if let Some((_, wrong)) = (known..).zip(&new).find(|(slot, item)| *slot != item.slot) {
            return Err(DeltaError::Slot(wrong.slot));
        }
        self.check_new_names(row, &new)?;
        Ok(new)
    }

    /// Whether each new slot has a name that no other slot of the row has, and all names have room.
    fn check_new_names(&self, row: Option<&Row<A>>, new: &[ItemRef<'_, A>]) -> Result<(), DeltaError> {
        let mut names = Vec::with_capacity(new.len());
        for item in new {
            let known = item.name.and_then(|name| row?.find(self.names.find(name)?));
            let name = item.name.filter(|_| known.is_none()).ok_or(DeltaError::Name(item.slot))?;
            names.push((name, item.slot));
        }
        names.sort_unstable();
        if let Some((_, (_, slot))) =
            names.iter().zip(names.iter().skip(1)).find(|(one, next)| one.0 == next.0)
        {
            return Err(DeltaError::Name(*slot));
        }
        let bytes = names.iter().map(|(name, _)| name.len()).sum();
        Ok(self.names.room_for(new.len(), bytes)?)
    }

    fn name_in(&self, row: Option<&Row<A>>, slot: u32) -> Option<&str> {
        row?.name(slot).map(|name| self.names.text(name))
    }

    pub(super) fn make_row(&mut self, at: usize, actor: A) -> usize {
        if self.rows.len() == self.rows.capacity() {
            // Room for an eighth more, not for as many again: what is never used is kept for good.
            self.rows.reserve_exact(self.rows.len() / 8 + 1);
        }
        self.rows.insert(at, Row::new(actor));
        at
    }
}

impl<A> RowDelta<A> {
    /// The items above `version`. A receiver has the others already, as they are here.
    fn news(&self, version: u64) -> impl ExactSizeIterator<Item = ItemRef<'_, A>> + Clone {
        let known = self.items.partition_point(|item| item.number <= version);
        self.items().skip(known)
    }
}

impl<A: Ord + Clone> Merge for Counters<A> {
    fn merge(&mut self, other: &Self) -> bool {
        Self::merge(self, other)
    }

    fn covers(&self, other: &Self) -> bool {
        self.versions.covers(&other.versions)
    }

    fn is_bottom(&self) -> bool {
        self.is_empty()
    }
}

use super::names::Names;
use super::row::Row;
use super::{Counters, EntryRef};
use crate::VersionVector;
use alloc::vec::Vec;

/// A state that is being read. It takes names, then rows, each with its slots; and it refuses what no state can have.
pub(crate) struct Restored<A> {
    names: Names,
    rows: Vec<Row<A>>,
    versions: Vec<(A, u64)>,
    /// The row that is being read.
    row: Option<Row<A>>,
    order: Vec<(u64, u32)>,
}

impl<A> Default for Restored<A> {
    fn default() -> Self {
        Self { names: Names::default(), rows: Vec::new(), versions: Vec::new(), row: None, order: Vec::new() }
    }
}

impl<A: Ord + Clone> Restored<A> {
    /// A name, which no name before it may equal.
    pub(crate) fn name(&mut self, name: &str) -> Option<()> {
        let id = self.names.intern(name).ok()?;
        (id as usize + 1 == self.names.len()).then_some(())
    }

    /// A row. Its slots follow.
    pub(crate) fn row(&mut self, actor: A, version: u64) -> Option<()> {
        let ascends = self.versions.last().is_none_or(|(last, _)| *last < actor);
        self.row = Some(Row::new(actor.clone()));
        self.versions.push((actor, version));
        ascends.then_some(())
    }

    /// The next slot of the row, with the name that came as the `name`th, from 0.
    pub(crate) fn slot(&mut self, name: u32, number: u64, entry: EntryRef<'_, A>) -> Option<()> {
        let (_, version) = self.versions.last()?;
        let is_covered = number > 0 && number <= *version;
        let row = self.row.as_mut().filter(|row| is_covered && row.find(name).is_none())?;
        if name as usize >= self.names.len() {
            return None;
        }
        let slot = row.create(name);
        row.change(slot, number, entry);
        self.order.push((number, slot));
        Some(())
    }

    /// The row has all its slots: it lists them in the order of their numbers.
    pub(crate) fn end_row(&mut self) {
        let Some(mut row) = self.row.take().filter(|row| row.len() > 0) else { return };
        self.order.sort_unstable();
        for (number, slot) in self.order.drain(..) {
            row.touch(slot, number);
        }
        row.note_births(self.versions.last().map_or(0, |(_, version)| *version));
        self.rows.push(row);
    }

    pub(crate) fn finish(self) -> Counters<A> {
        let versions: VersionVector<A> = self.versions.into_iter().collect();
        Counters { names: self.names, rows: self.rows, versions }
    }
}

impl<A: Ord + Clone> Counters<A> {
    /// The place of each name among the names in the order in which rows and their slots first use them, and these.
    pub(crate) fn names_by_use(&self) -> (Vec<u32>, Vec<&str>) {
        const UNSEEN: u32 = u32::MAX;
        let mut places = alloc::vec![UNSEEN; self.names.len()];
        let mut names = Vec::with_capacity(self.names.len());
        for name in self.rows.iter().flat_map(|row| (0..row.len()).filter_map(|slot| row.name(slot))) {
            if let Some(place) = places.get_mut(name as usize).filter(|place| **place == UNSEEN) {
                *place = u32::try_from(names.len()).unwrap_or(UNSEEN);
                names.push(self.names.text(name));
            }
        }
        (places, names)
    }

    /// The slots of a row: the ids of their names, their numbers and entries.
    pub(crate) fn slots_of(&self, actor: &A) -> impl Iterator<Item = (u32, u64, EntryRef<'_, A>)> {
        let rows = self.row_of(&actor).into_iter();
        rows.flat_map(|row| {
            (0..row.len()).filter_map(|slot| Some((row.name(slot)?, row.number(slot), row.entry(slot))))
        })
    }
}

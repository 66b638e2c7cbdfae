use super::births::Births;
use super::directory::Directory;
use super::entry::EntryRef;
use super::more::More;
use crate::Merge;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// No slot.
const NONE: u32 = u32::MAX;

/// All that one actor has counted, by slot.
///
/// The slots are also a list in the order of their numbers. So what is above a number is found from its end, and a change moves
/// its slot there: both cost nothing for the slots that did not change.
#[derive(Clone)]
pub(super) struct Row<A> {
    pub(super) actor: A,
    slots: Vec<Slot>,
    /// The id of each slot's name.
    names: Vec<u32>,
    directory: Directory,
    births: Births,
    /// The slot with the largest number.
    newest: u32,
    rare: Option<Box<Rare<A>>>,
}

/// 24 bytes: of these there are millions.
#[derive(Clone)]
struct Slot {
    number: u64,
    up: u64,
    older: u32,
    newer: u32,
}

/// What most rows, or most slots, have not.
#[derive(Clone)]
struct Rare<A> {
    /// Decrements by slot, up to the last slot that has some.
    down: Vec<u64>,
    more: BTreeMap<u32, More<A>>,
}

impl<A> Row<A> {
    pub(super) fn new(actor: A) -> Self {
        Self {
            actor,
            slots: Vec::new(),
            names: Vec::new(),
            directory: Directory::default(),
            births: Births::default(),
            newest: NONE,
            rare: None,
        }
    }

    /// How many slots there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(NONE)
    }

    /// The slot of a name.
    #[inline]
    pub(super) fn find(&self, name: u32) -> Option<u32> {
        self.directory.find(&self.names, name)
    }

    pub(super) fn name(&self, slot: u32) -> Option<u32> {
        self.names.get(slot as usize).copied()
    }

    pub(super) fn number(&self, slot: u32) -> u64 {
        self.slots.get(slot as usize).map_or(0, |slot| slot.number)
    }

    /// Increments and decrements.
    #[inline]
    pub(super) fn counts(&self, slot: u32) -> (u64, u64) {
        let up = self.slots.get(slot as usize).map_or(0, |slot| slot.up);
        let down = self.rare.as_ref().and_then(|rare| rare.down.get(slot as usize).copied());
        (up, down.unwrap_or_default())
    }

    /// The slots that have totals or baselines.
    pub(super) fn all_more(&self) -> impl Iterator<Item = (u32, &More<A>)> {
        self.rare.iter().flat_map(|rare| rare.more.iter().map(|(slot, more)| (*slot, more)))
    }

    pub(super) fn more(&self, slot: u32) -> Option<&More<A>> {
        self.rare.as_ref()?.more.get(&slot)
    }

    pub(super) fn entry(&self, slot: u32) -> EntryRef<'_, A> {
        let (up, down) = self.counts(slot);
        EntryRef { up, down, more: self.more(slot) }
    }

    /// The slots with numbers above `from`, the newest first.
    pub(super) fn newest_down_to(&self, from: u64) -> impl Iterator<Item = (u32, u64)> {
        let at = |slot: u32| self.slots.get(slot as usize).map(|found| (slot, found));
        let slots = core::iter::successors(at(self.newest), move |(_, slot)| at(slot.older));
        slots.map(|(at, slot)| (at, slot.number)).take_while(move |&(_, number)| number > from)
    }

    /// How many slots the row had at `number`, or fewer.
    pub(super) fn slots_at(&self, number: u64) -> u32 {
        self.births.at(number)
    }

    /// Notes that all slots that are there now were there at `number`.
    pub(super) fn note_births(&mut self, number: u64) {
        self.births.note(number, self.len());
    }

    /// Makes the next slot, which is that of `name`, and returns it. [`change`](Self::change) has to be the next call for it.
    pub(super) fn create(&mut self, name: u32) -> u32 {
        let slot = self.len();
        if self.slots.is_empty() {
            // In a large cluster most rows may have one counter.
            self.slots.reserve_exact(1);
            self.names.reserve_exact(1);
        }
        self.slots.push(Slot { number: 0, up: 0, older: NONE, newer: NONE });
        self.names.push(name);
        self.directory.enter_last(&self.names);
        slot
    }

    /// Moves the slot behind all others. The caller vouches that no number is larger.
    #[inline]
    pub(super) fn touch(&mut self, at: u32, number: u64) {
        let newest = self.newest;
        let Some(slot) = self.slots.get_mut(at as usize) else { return };
        debug_assert!(number >= slot.number, "numbers only grow");
        slot.number = number;
        if newest == at {
            return;
        }
        let (older, newer) = (slot.older, slot.newer);
        (slot.older, slot.newer) = (newest, NONE);
        if let Some(older) = self.slots.get_mut(older as usize) {
            older.newer = newer;
        }
        if let Some(newer) = self.slots.get_mut(newer as usize) {
            newer.older = older;
        }
        if let Some(newest) = self.slots.get_mut(newest as usize) {
            newest.newer = at;
        }
        self.newest = at;
    }

    fn rare(&mut self) -> &mut Rare<A> {
        self.rare.get_or_insert_with(|| Box::new(Rare { down: Vec::new(), more: BTreeMap::new() }))
    }

    /// Raises the counts of a slot to these, at a number that is no smaller than any here.
    #[inline]
    pub(super) fn raise(&mut self, at: u32, number: u64, (up, down): (u64, u64)) {
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.up = slot.up.max(up);
        }
        if down > 0 {
            self.raise_down(at as usize, down);
        }
        self.touch(at, number);
    }

    fn raise_down(&mut self, at: usize, down: u64) {
        let counts = &mut self.rare().down;
        if counts.len() <= at {
            counts.resize(at + 1, 0);
        }
        if let Some(count) = counts.get_mut(at) {
            *count = down.max(*count);
        }
    }
}

impl<A: Ord + Clone> Row<A> {
    /// As [`raise`](Self::raise), with all that an entry has.
    pub(super) fn change(&mut self, at: u32, number: u64, entry: EntryRef<'_, A>) {
        self.raise(at, number, (entry.up, entry.down));
        if let Some(more) = entry.more.filter(|more| !more.is_bottom()) {
            self.rare().more.entry(at).or_default().merge(more);
        }
    }
}

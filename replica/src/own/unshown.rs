//! The changes that this process has counted and not shown yet.
//!
//! They lie beside the state. A change enters the state when the store has it, or when the policy shows it all the same. So
//! a row of the state never mixes what may be shown with what may not: a peer that covers a version of the row holds
//! exactly what that version has. (With one row for both, a counter that was stored at number 5 and counted again at 9 would be
//! left out of what is told up to 8, and a peer that covers 8 would lack it for good.)

use std::collections::{BTreeMap, btree_map};

use crdt::Overflow;
use crdt::named::{Entry, EntryRef, ItemRef};

use crate::identity::ReplicaId;
use crate::seam::Name;
use crate::tally::{RowDelta, Rows};

/// Changed slots of the own row, beside the state.
#[derive(Debug, Clone, Default)]
pub(super) struct Unshown {
    slots: BTreeMap<u32, Changed>,
    /// The counters among them that the own row in the state has no slot for.
    new: BTreeMap<Name, u32>,
    /// The counter that was changed last, and its slot: most changes of a busy process are to few counters.
    last: Option<(Name, u32)>,
}

/// A changed slot: the number of its last change, and its whole entry.
#[derive(Debug, Clone)]
struct Changed {
    number: u64,
    entry: Entry<ReplicaId>,
    /// The name of the counter, if the slot is new.
    name: Option<Name>,
}

impl Unshown {
    /// The whole entry of a counter, shown or not.
    pub(super) fn entry(&self, rows: &Rows, own: &ReplicaId, counter: &Name) -> Entry<ReplicaId> {
        self.slot(rows, own, counter).map(|slot| self.entry_at(rows, own, slot)).unwrap_or_default()
    }

    /// The whole entry of a slot, shown or not.
    pub(super) fn entry_at(&self, rows: &Rows, own: &ReplicaId, slot: u32) -> Entry<ReplicaId> {
        match self.slots.get(&slot) {
            Some(changed) => changed.entry.clone(),
            None => rows.entry(own, slot).map(EntryRef::to_entry).unwrap_or_default(),
        }
    }

    /// The value of a counter, with what is not shown.
    pub(super) fn value(&self, rows: &Rows, own: &ReplicaId, counter: &Name) -> i128 {
        match self.changed(rows, own, counter) {
            Some(entry) => rows.value_with(counter, (own, entry)),
            None => rows.value(counter),
        }
    }

    /// The value of a counter, with what is not shown. `None` if nobody has counted it since it was reset.
    pub(super) fn counted_value(&self, rows: &Rows, own: &ReplicaId, counter: &Name) -> Option<i128> {
        match self.changed(rows, own, counter) {
            Some(entry) => rows.counted_value_with(counter, (own, entry)),
            None => rows.counted_value(counter),
        }
    }

    /// The whole entry of a counter that has an unshown change.
    fn changed(&self, rows: &Rows, own: &ReplicaId, counter: &Name) -> Option<EntryRef<'_, ReplicaId>> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slot(rows, own, counter)?;
        self.slots.get(&slot).map(|changed| changed.entry.borrowed())
    }

    /// Whether the counts of an item are within those of its slot, shown or not.
    pub(super) fn has(&self, item: &ItemRef<'_, ReplicaId>, rows: &Rows, own: &ReplicaId) -> bool {
        let unshown = self.slots.get(&item.slot).map(|changed| changed.entry.borrowed());
        let entry = unshown.or_else(|| rows.entry(own, item.slot));
        entry.is_some_and(|entry| item.entry.up <= entry.up && item.entry.down <= entry.down)
    }

    /// The slot of a counter, shown or not.
    pub(super) fn slot(&self, rows: &Rows, own: &ReplicaId, counter: &Name) -> Option<u32> {
        let last = self.last.as_ref().filter(|(last, _)| last == counter).map(|(_, slot)| *slot);
        last.or_else(|| self.new.get(counter).copied()).or_else(|| rows.slot(own, counter))
    }

    /// Adds to a counter that has an unshown change already, as change `number`. False if it has none.
    pub(super) fn add_again(&mut self, counter: &Name, delta: i64, number: u64) -> Result<bool, Overflow> {
        let Some((_, slot)) = self.last.as_ref().filter(|(last, _)| last == counter) else {
            return Ok(false);
        };
        let Some(changed) = self.slots.get_mut(slot) else { return Ok(false) };
        changed.entry.add(delta)?;
        changed.number = number;
        Ok(true)
    }

    /// How many counters the state has no slot for.
    pub(super) fn new_counters(&self) -> usize {
        self.new.len()
    }

    /// Sets the whole entry of a counter, as it is after change `number`. Its slot is `None` if it is new.
    pub(super) fn set(
        &mut self,
        (rows, own): (&Rows, &ReplicaId),
        counter: &Name,
        (slot, number, entry): (Option<u32>, u64, Entry<ReplicaId>),
    ) {
        let next = || rows.slots(own) + u32::try_from(self.new.len()).unwrap_or(u32::MAX);
        let place = slot.unwrap_or_else(next);
        let name = slot.is_none().then(|| counter.clone());
        if name.is_some() {
            self.new.insert(counter.clone(), place);
        }
        if self.last.as_ref().is_none_or(|(last, _)| last != counter) {
            self.last = Some((counter.clone(), place));
        }
        match self.slots.entry(place) {
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(Changed { number, entry, name });
            }
            btree_map::Entry::Occupied(mut before) => {
                let changed = before.get_mut();
                (changed.number, changed.entry) = (number, entry);
            }
        }
    }

    /// What the row of `own` has above version `from`, shown or not, up to `upto`, which is the number of the last change.
    pub(super) fn row_since(&self, rows: &Rows, own: &ReplicaId, (from, upto): (u64, u64)) -> RowDelta {
        let shown = rows.row_since(own, from);
        let shown = match shown {
            Some(shown) if self.slots.is_empty() && shown.upto() == upto => return shown,
            shown => shown,
        };
        let shown = shown.iter().flat_map(RowDelta::items).map(|item| (item.slot, item));
        let shown: BTreeMap<u32, _> = shown.collect();
        let mut changes = Vec::with_capacity(shown.len() + self.slots.len());
        let untouched = shown.iter().filter(|(slot, _)| !self.slots.contains_key(*slot));
        changes.extend(untouched.map(|(slot, item)| (item.number, *slot, item.name, item.entry.to_entry())));
        changes.extend(self.slots.iter().map(|(slot, changed)| {
            // A name that is new above `from` goes along, though the state has it.
            let name = changed.name.as_deref().or_else(|| shown.get(slot).and_then(|item| item.name));
            (changed.number, *slot, name, changed.entry.clone())
        }));
        // Slots are numbered in the order in which they were first changed, and so must their names come.
        changes.sort_by_key(|(number, slot, ..)| (*number, *slot));
        let mut row = RowDelta::new(own.clone(), from, upto);
        for (number, slot, name, entry) in changes {
            row.push(slot, number, name, entry);
        }
        row
    }

    /// Forgets the changes that the state shows by now.
    pub(super) fn settle(&mut self, rows: &Rows, own: &ReplicaId) {
        let version = rows.version(own);
        self.slots.retain(|_, changed| changed.number > version);
        if self.slots.is_empty() {
            return self.new.clear();
        }
        let slots = rows.slots(own);
        self.new.retain(|_, slot| *slot >= slots);
        for (slot, changed) in &mut self.slots {
            if *slot < slots {
                changed.name = None;
            }
        }
    }
}

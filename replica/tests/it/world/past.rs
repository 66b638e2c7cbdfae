//! What each replica has counted at each of its numbers, worked out from the requests alone.
//!
//! This is the naive version of the rows: maps, and a copy of an entry for each change. A row that is anywhere at a version
//! must be exactly what the past has at that number. So a version claims nothing that is not there, nobody has a part of a
//! batch (its changes share a number), and no row has what is to come later.

mod acts;
mod entry;

use std::collections::{BTreeMap, BTreeSet};

use crdt::VersionVector;
use replica::{Change, Name, ReplicaId, RowDelta};

use super::ledger::Checked;
pub(crate) use acts::{Act, acts, resets};
pub(crate) use entry::Entry;

pub(crate) type Versions = VersionVector<ReplicaId>;

#[derive(Default)]
pub(crate) struct Past {
    rows: BTreeMap<ReplicaId, Row>,
}

/// The entry of each counter after each of its changes.
type Entries = BTreeMap<Name, Vec<(u64, Entry)>>;

/// The entry of a counter at a version of its row, and the number of its last change there.
fn entry<'a>(entries: &'a Entries, counter: &Name, upto: u64) -> Option<&'a (u64, Entry)> {
    entries.get(counter)?.iter().rfind(|(number, _)| *number <= upto)
}

/// What a change makes of a row.
#[derive(Default)]
pub(crate) struct Made {
    /// The entries that it changes. None if it changes nothing.
    pub(crate) entries: BTreeMap<Name, Entry>,
    /// For each of its acts the value after it, and for a reset what it subtracts.
    pub(crate) told: Vec<i128>,
}

/// What one replica has counted.
#[derive(Default)]
struct Row {
    /// The counters that each number has changed: number 1 is the first.
    changes: Vec<Vec<Name>>,
    entries: Entries,
    /// The counters of its slots, as far as anybody was told.
    slots: BTreeMap<u32, Name>,
}

impl Past {
    /// How far a replica has counted.
    pub(crate) fn number(&self, replica: &ReplicaId) -> u64 {
        self.rows.get(replica).map_or(0, |row| row.changes.len() as u64)
    }

    /// What a change makes of a replica's row, if its process sees this: all that it shows, and all that it has counted.
    pub(crate) fn outcome(&self, replica: &ReplicaId, change: &Change, seen: &Versions) -> Made {
        let before = |counter: &Name| self.entry(replica, counter, u64::MAX).cloned().unwrap_or_default();
        let mut made = Made::default();
        for (counter, act) in acts(change) {
            let mut own = made.entries.remove(counter).unwrap_or_else(|| before(counter));
            let others = self.entries(counter, seen).filter(|(other, _)| *other != replica);
            let others: Vec<_> = others.collect();
            let value = |own: &Entry| entry::value(&[&others[..], &[(replica, own)]].concat());
            match act {
                Act::Add(delta) => own.add(delta),
                Act::Report(source, total) => own.report(source, total),
                Act::Reset => {
                    made.told.push(value(&own));
                    own.observe([&others[..], &[(replica, &own.clone())]].concat());
                }
            }
            if !matches!(act, Act::Reset) {
                made.told.push(value(&own));
            }
            made.entries.insert(counter.clone(), own);
        }
        made.entries.retain(|counter, entry| before(counter) != *entry);
        made
    }

    /// How many items all rows have that may be too long for a frame of so many bytes.
    pub(crate) fn items_longer_than(&self, most: usize) -> usize {
        // An item is shorter than this, but for one with many sources or baselines.
        let items = self.rows.values().map(|row| row.entries.len());
        items.filter(|items| items * 100 > most).sum()
    }

    /// A replica counts: its next number has changed these entries.
    pub(crate) fn count(&mut self, replica: &ReplicaId, entries: BTreeMap<Name, Entry>) {
        let row = self.rows.entry(replica.clone()).or_default();
        row.changes.push(entries.keys().cloned().collect());
        let number = row.changes.len() as u64;
        for (counter, entry) in entries {
            row.entries.entry(counter).or_default().push((number, entry));
        }
    }

    /// What a replica has counted for a counter, if it has changed it above this number.
    pub(crate) fn above(&self, replica: &ReplicaId, counter: &Name, number: u64) -> Option<(u64, u64)> {
        let last = entry(&self.rows.get(replica)?.entries, counter, u64::MAX);
        last.filter(|(last, _)| *last > number).map(|(_, entry)| entry.counts())
    }

    /// The store went back: nobody has what a replica counted above this number, and its next owner counts on from there.
    pub(crate) fn cut(&mut self, replica: &ReplicaId, upto: u64) {
        let Some(row) = self.rows.get_mut(replica) else { return };
        row.changes.truncate(usize::try_from(upto).unwrap());
        row.entries.retain(|_, entries| {
            entries.retain(|(number, _)| *number <= upto);
            !entries.is_empty()
        });
        row.slots.retain(|_, counter| row.entries.contains_key(counter));
    }

    fn entry(&self, replica: &ReplicaId, counter: &Name, upto: u64) -> Option<&Entry> {
        entry(&self.rows.get(replica)?.entries, counter, upto).map(|(_, entry)| entry)
    }

    /// The entries of a counter in rows of these versions.
    fn entries(&self, counter: &Name, at: &Versions) -> impl Iterator<Item = (&ReplicaId, &Entry)> {
        self.rows.iter().filter_map(move |(replica, row)| {
            let version = at.counter().get(replica);
            entry(&row.entries, counter, version).map(|(_, entry)| (replica, entry))
        })
    }

    /// The value of a counter in rows of these versions.
    pub(crate) fn value(&self, counter: &Name, at: &Versions) -> i128 {
        entry::value(&self.entries(counter, at).collect::<Vec<_>>())
    }

    /// The whole row of a replica that has only added, at a version.
    pub(crate) fn row(&self, replica: &ReplicaId, upto: u64) -> RowDelta {
        let entries = &self.rows[replica].entries;
        let first = |entries: &Vec<(u64, Entry)>| entries.first().map_or(0, |(number, _)| *number);
        let mut names: Vec<(u64, &Name)> =
            entries.iter().map(|(name, entries)| (first(entries), name)).collect();
        names.sort_unstable();
        let mut row = RowDelta::new(replica.clone(), 0, upto);
        for (slot, (_, name)) in (0..).zip(names) {
            if let Some((number, entry)) = entry(entries, name, upto) {
                let (up, down) = entry.counts();
                row.push(slot, *number, Some(name), crdt::named::Entry { up, down, more: None });
            }
        }
        row
    }

    /// A row delta is somewhere: it must have exactly what its replica has changed above one number and up to another.
    pub(crate) fn check(&mut self, delta: &RowDelta) -> Checked {
        let (replica, from, upto) = (delta.actor(), delta.from(), delta.upto());
        if upto == 0 && delta.is_empty() {
            return Ok(());
        }
        let checked = self.rows.entry(replica.clone()).or_default().check(delta);
        checked
            .map_err(|problem| format!("a row of {replica} above {from} is not exact at {upto}: {problem}"))
    }
}

impl Row {
    fn check(&mut self, delta: &RowDelta) -> Checked {
        let [from, upto] = [delta.from(), delta.upto()].map(|number| usize::try_from(number).unwrap());
        let Some(changes) = self.changes.get(from..upto) else {
            return Err(format!("there are only {} changes", self.changes.len()));
        };
        let mut lacks: BTreeSet<&Name> = changes.iter().flatten().collect();
        for item in delta.items() {
            if let Some(name) = item.name {
                self.slots.entry(item.slot).or_insert_with(|| name.into());
            }
            let counter = self.slots.get(&item.slot).ok_or("a slot has no name")?;
            if item.name.is_some_and(|name| name != &**counter) {
                return Err(format!("a slot of {counter:?} is of {:?} now", item.name));
            }
            if !lacks.remove(counter) {
                return Err(format!("{counter:?} did not change there"));
            }
            let Some((number, entry)) = entry(&self.entries, counter, delta.upto()) else {
                return Err(format!("{counter:?} has no entry"));
            };
            if (*number, entry) != (item.number, &Entry::from(item.entry)) {
                return Err(format!("{counter:?} was {entry:?} @{number}, and is {item:?}"));
            }
        }
        if lacks.is_empty() { Ok(()) } else { Err(format!("it lacks changes of {lacks:?}")) }
    }
}

//! What each replica has counted at each of its numbers, worked out from the requests alone.
//!
//! This is the naive version of the rows: maps, and a copy of an entry for each change. A row that is anywhere at a version
//! must be exactly what the past has at that number. So a version claims nothing that is not there, nobody has a part of a
//! batch (its changes share a number), and no row has what is to come later.

mod entry;

use std::collections::{BTreeMap, BTreeSet};

use crdt::VersionVector;
use replica::{Change, Name, ReplicaId, RowDelta};

use super::ledger::Checked;
pub(crate) use entry::Entry;
use entry::Observed;

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

/// What one replica has counted.
#[derive(Default)]
struct Row {
    /// The counters that each number has changed: number 1 is the first.
    changes: Vec<Vec<Name>>,
    entries: Entries,
    /// The number of the last reset of each counter.
    resets: BTreeMap<Name, u64>,
    /// The counters of its slots, as far as anybody was told.
    slots: BTreeMap<u32, Name>,
}

impl Past {
    /// How far a replica has counted.
    pub(crate) fn number(&self, replica: &ReplicaId) -> u64 {
        self.rows.get(replica).map_or(0, |row| row.changes.len() as u64)
    }

    /// The entries that a change makes, by a process that shows this. Empty if it changes nothing.
    pub(crate) fn outcome(
        &self,
        replica: &ReplicaId,
        change: &Change,
        shown: &Versions,
    ) -> BTreeMap<Name, Entry> {
        let before = |counter: &Name| self.entry(replica, counter, u64::MAX).cloned().unwrap_or_default();
        let mut after = BTreeMap::new();
        let adds = match change {
            Change::Add(counter, delta) => &[(counter.clone(), *delta)][..],
            Change::Batch(adds) => adds,
            Change::Reset(counter) => {
                let mut entry = before(counter);
                entry.observed.merge(&self.observed(counter, shown));
                after.insert(counter.clone(), entry);
                &[]
            }
            Change::Report { counter, source, total } => {
                let mut entry = before(counter);
                entry.report(source, *total);
                after.insert(counter.clone(), entry);
                &[]
            }
        };
        for (counter, delta) in adds {
            after.entry(counter.clone()).or_insert_with(|| before(counter)).add(*delta);
        }
        let has_changed = |counter: &Name, entry: &mut Entry| before(counter) != *entry;
        after.retain(has_changed);
        after
    }

    /// How many items all rows have that may be too long for a frame of so many bytes.
    pub(crate) fn items_longer_than(&self, most: usize) -> usize {
        // An item is shorter than this, but for one with many sources or baselines.
        let items = self.rows.values().map(|row| row.entries.len());
        items.filter(|items| items * 100 > most).sum()
    }

    /// A replica counts: its next number has changed these entries.
    pub(crate) fn count(&mut self, replica: &ReplicaId, change: &Change, entries: BTreeMap<Name, Entry>) {
        let row = self.rows.entry(replica.clone()).or_default();
        row.changes.push(entries.keys().cloned().collect());
        let number = row.changes.len() as u64;
        for (counter, entry) in entries {
            row.entries.entry(counter).or_default().push((number, entry));
        }
        if let Change::Reset(counter) = change {
            row.resets.insert(counter.clone(), number);
        }
    }

    /// What a replica has counted for a counter, if it has changed it above this number.
    pub(crate) fn above(&self, replica: &ReplicaId, counter: &Name, number: u64) -> Option<(u64, u64)> {
        let last = entry(&self.rows.get(replica)?.entries, counter, u64::MAX);
        last.filter(|(last, _)| *last > number).map(|(_, entry)| entry.counts())
    }

    /// The number of a replica's last reset of a counter.
    pub(crate) fn last_reset(&self, replica: &ReplicaId, counter: &Name) -> u64 {
        self.rows.get(replica).and_then(|row| row.resets.get(counter)).copied().unwrap_or_default()
    }

    /// The store went back: nobody has what a replica counted above this number, and its next owner counts on from there.
    pub(crate) fn cut(&mut self, replica: &ReplicaId, upto: u64) {
        let Some(row) = self.rows.get_mut(replica) else { return };
        row.changes.truncate(usize::try_from(upto).unwrap());
        row.entries.retain(|_, entries| {
            entries.retain(|(number, _)| *number <= upto);
            !entries.is_empty()
        });
        row.resets.retain(|_, number| *number <= upto);
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

    /// What a reset must subtract that observes rows of these versions.
    fn observed(&self, counter: &Name, at: &Versions) -> Observed {
        let mut observed = Observed::default();
        self.entries(counter, at).for_each(|(replica, entry)| observed.observe(replica, entry));
        observed
    }

    /// The value of a counter in rows of these versions.
    pub(crate) fn value(&self, counter: &Name, at: &Versions) -> i128 {
        entry::value(&self.entries(counter, at).collect::<Vec<_>>())
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

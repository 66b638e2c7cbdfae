//! The naive version of an entry.

use std::collections::BTreeMap;

use crdt::named::EntryRef;
use replica::{Name, ReplicaId};

/// All that one replica has counted for one counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    up: u64,
    down: u64,
    totals: BTreeMap<Name, u64>,
    observed: Observed,
}

/// What resets have observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Observed {
    counts: BTreeMap<ReplicaId, (u64, u64)>,
    totals: BTreeMap<Name, u64>,
}

impl Entry {
    /// Its increments and decrements.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.up, self.down)
    }

    pub(super) fn add(&mut self, delta: i64) {
        *(if delta < 0 { &mut self.down } else { &mut self.up }) += delta.unsigned_abs();
    }

    pub(super) fn report(&mut self, source: &Name, total: u64) {
        raise(&mut self.totals, source, total);
    }

    /// A reset observes these entries.
    pub(super) fn observe(&mut self, entries: Vec<(&ReplicaId, &Self)>) {
        for (replica, entry) in entries {
            self.observed.observe(replica, entry);
        }
    }
}

impl Observed {
    /// Takes in what is seen of a replica.
    fn observe(&mut self, replica: &ReplicaId, entry: &Entry) {
        let counts = BTreeMap::from([(replica.clone(), (entry.up, entry.down))]);
        self.merge(&Self { counts, totals: entry.totals.clone() });
        self.merge(&entry.observed);
    }

    fn merge(&mut self, other: &Self) {
        for (replica, (up, down)) in other.counts.iter().filter(|(_, counts)| **counts != (0, 0)) {
            let mine = self.counts.entry(replica.clone()).or_default();
            *mine = (mine.0.max(*up), mine.1.max(*down));
        }
        other.totals.iter().for_each(|(source, total)| raise(&mut self.totals, source, *total));
    }
}

fn raise(totals: &mut BTreeMap<Name, u64>, source: &Name, total: u64) {
    if total > 0 {
        let known = totals.entry(source.clone()).or_default();
        *known = total.max(*known);
    }
}

/// The value of a counter that has these entries.
pub(super) fn value(entries: &[(&ReplicaId, &Entry)]) -> i128 {
    let (mut observed, mut totals) = (Observed::default(), BTreeMap::new());
    for (_, entry) in entries {
        observed.merge(&entry.observed);
        entry.totals.iter().for_each(|(source, total)| raise(&mut totals, source, *total));
    }
    let mut value = 0;
    for &(replica, entry) in entries {
        let (up, down) = observed.counts.get(replica).copied().unwrap_or_default();
        value += i128::from(entry.up.saturating_sub(up)) - i128::from(entry.down.saturating_sub(down));
    }
    for (source, total) in totals {
        let seen = observed.totals.get(&source).copied().unwrap_or_default();
        value += i128::from(total.saturating_sub(seen));
    }
    value
}

impl From<EntryRef<'_, ReplicaId>> for Entry {
    fn from(EntryRef { up, down, more }: EntryRef<'_, ReplicaId>) -> Self {
        let Some(more) = more else { return Self { up, down, ..Self::default() } };
        let map = |totals: &crdt::GCounter<Name>| {
            totals.iter().map(|(source, total)| (source.clone(), total)).collect()
        };
        let counts = more.baseline.counts.iter().map(|(replica, counts)| (replica.clone(), counts));
        let counts = counts.filter(|(_, counts)| *counts != (0, 0)).collect();
        let observed = Observed { counts, totals: map(&more.baseline.totals) };
        Self { up, down, totals: map(&more.totals), observed }
    }
}

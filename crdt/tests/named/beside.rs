//! What a state says of a counter if an actor's entry is another one than it has: with changes that lie beside the state.

use crate::model::{Cell, NAMES, REPLICAS, is_counted, observed, rows, value};
use crate::world::World;
use crdt::named::{Baseline, Counters, Entry, More};
use crdt::{GCounter, PnCounter};
use std::collections::BTreeMap;
use std::sync::Arc;

impl World {
    /// Each actor's newest entry in the place of that in each state: so says the naive version too.
    pub(crate) fn check_beside(&self) {
        for state in &self.states {
            for name in NAMES {
                let rows = rows(&self.histories, state);
                assert_eq!(state.is_counted(name), is_counted(&rows, name));
                assert_eq!(state.counted_value(name), state.is_counted(name).then(|| state.value(name)));
                assert_eq!(state.observed(name), baseline(&observed(&rows, name)));
                (0..REPLICAS).for_each(|actor| self.check_with(state, actor, name));
            }
            let from = state.len() / 2;
            assert!(state.names_from(from).eq(state.names().skip(from)));
            assert_eq!(state.names_from(state.len() + 1).count(), 0);
        }
    }

    fn check_with(&self, state: &Counters<usize>, actor: usize, name: &'static str) {
        let mut rows = rows(&self.histories, state);
        rows[actor] = self.histories[actor].last().unwrap();
        let entry = entry(rows[actor].get(name).unwrap_or(&Cell::default()));
        let own = (&actor, entry.borrowed());
        assert_eq!(state.value_with(name, own), value(&rows, name));
        assert_eq!(state.is_counted_with(name, own), is_counted(&rows, name));
        assert_eq!(state.observed_with(name, own), baseline(&observed(&rows, name)));
    }
}

fn entry(cell: &Cell) -> Entry<usize> {
    let (up, down) = cell.counts;
    let seen = Cell { counts: (0, 0), totals: BTreeMap::new(), ..cell.clone() };
    let more = More { totals: totals(&cell.totals), baseline: baseline(&seen) };
    let is_plain = cell.totals.is_empty() && cell.seen_counts.is_empty() && cell.seen_totals.is_empty();
    Entry { up, down, more: (!is_plain).then(|| Box::new(more)) }
}

fn baseline(seen: &Cell) -> Baseline<usize> {
    let counts = seen.seen_counts.iter().filter(|(_, counts)| **counts != (0, 0));
    let counts: PnCounter<usize> = counts.map(|(&actor, &counts)| (actor, counts)).collect();
    Baseline { counts, totals: totals(&seen.seen_totals) }
}

fn totals(of: &BTreeMap<&'static str, u64>) -> GCounter<Arc<str>> {
    of.iter().filter(|(_, total)| **total > 0).map(|(source, total)| (Arc::from(*source), *total)).collect()
}

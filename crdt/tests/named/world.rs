//! Replicas that change counters, and send each other what is new: late, lost, doubled, in parts, through others.

use crate::model::{Cell, Cells, History, NAMES, REPLICAS, SOURCES, observed, plus, rows, value};
use crate::planted::Bug;
use crdt::named::{Assembly, Counters, DeltaError, RowDelta};
use crdt::{GCounter, PnCounter};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Add { name: usize, delta: i64 },
    Reset { name: usize },
    Report { name: usize, source: usize, total: u64 },
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Add {
        actor: usize,
        name: usize,
        delta: i64,
    },
    Batch {
        actor: usize,
        changes: Vec<Change>,
    },
    /// The sender's delta since a version that the receiver had so many sends ago: it may be late.
    Send {
        from: usize,
        to: usize,
        actor: usize,
        since: usize,
    },
    /// A delta goes in parts, of which some are lost, and some come twice, in another order.
    Parts {
        from: usize,
        to: usize,
        actor: usize,
        bytes: usize,
        order: Vec<usize>,
    },
    /// Any earlier delta again.
    Repeat {
        to: usize,
        which: usize,
    },
    Merge {
        from: usize,
        to: usize,
    },
    /// A replica has nothing but its own row any more.
    Restart {
        replica: usize,
    },
}

fn change() -> impl Strategy<Value = Change> {
    let delta = prop_oneof![8 => -9..9_i64, 1 => any::<i64>()];
    prop_oneof![
        4 => (0..NAMES.len(), delta).prop_map(|(name, delta)| Change::Add { name, delta }),
        1 => (0..NAMES.len()).prop_map(|name| Change::Reset { name }),
        2 => (0..NAMES.len(), 0..SOURCES.len(), 0..20_u64)
            .prop_map(|(name, source, total)| Change::Report { name, source, total }),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let replica = || 0..REPLICAS;
    prop_oneof![
        6 => (replica(), 0..NAMES.len(), -9..9_i64)
            .prop_map(|(actor, name, delta)| Step::Add { actor, name, delta }),
        4 => (replica(), vec(change(), 0..6)).prop_map(|(actor, changes)| Step::Batch { actor, changes }),
        8 => (replica(), replica(), replica(), 0..4_usize)
            .prop_map(|(from, to, actor, since)| Step::Send { from, to, actor, since }),
        4 => (replica(), replica(), replica(), 1..60_usize, vec(0..8_usize, 0..12))
            .prop_map(|(from, to, actor, bytes, order)| Step::Parts { from, to, actor, bytes, order }),
        3 => (replica(), any::<usize>()).prop_map(|(to, which)| Step::Repeat { to, which }),
        1 => (replica(), replica()).prop_map(|(from, to)| Step::Merge { from, to }),
        1 => replica().prop_map(|replica| Step::Restart { replica }),
    ]
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) states: [Counters<usize>; REPLICAS],
    pub(crate) histories: Vec<History>,
    assemblies: BTreeMap<(usize, usize), Assembly<usize>>,
    sent: Vec<RowDelta<usize>>,
    bug: Option<Bug>,
}

impl World {
    /// With `bug` it does one thing wrong.
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self { bug, histories: vec![vec![BTreeMap::new()]; REPLICAS], ..Self::default() }
    }

    fn now(&self, actor: usize) -> Cells {
        self.histories[actor].last().unwrap().clone()
    }

    pub(crate) fn step(&mut self, step: Step) {
        match step {
            Step::Add { actor, name, delta } => self.add(actor, NAMES[name], delta),
            Step::Batch { actor, changes } => self.batch(actor, &changes),
            Step::Send { from, to, actor, since } => {
                let known = self.states[to].version(actor).saturating_sub(since as u64);
                if let Some(delta) = self.states[from].row_since(actor, known) {
                    self.apply(to, &delta);
                    self.sent.push(delta);
                }
            }
            Step::Parts { from, to, actor, bytes, order } => self.parts((from, to), actor, bytes, &order),
            Step::Repeat { to, which } => {
                if let Some(delta) =
                    self.sent.get(which.checked_rem(self.sent.len()).unwrap_or_default()).cloned()
                {
                    self.apply(to, &delta);
                }
            }
            Step::Merge { from, to } => {
                let other = self.states[from].clone();
                let covered = other.versions() <= self.states[to].versions();
                assert_eq!(self.states[to].merge(&other), !covered);
            }
            Step::Restart { replica } => {
                let own = self.states[replica].row_since(replica, 0);
                self.states[replica] = Counters::new();
                if let Some(own) = own {
                    assert!(self.states[replica].apply(&own).unwrap());
                }
                self.assemblies.retain(|(_, to), _| *to != replica);
            }
        }
    }

    fn add(&mut self, actor: usize, name: &'static str, delta: i64) {
        let mut row = self.now(actor);
        let before = self.histories[actor].len() as u64 - 1;
        if delta == 0 {
            assert_eq!(self.states[actor].add(actor, name, 0), Ok(before));
            return;
        }
        let ok = plus(&mut row, name, delta);
        let done = self.states[actor].add(actor, name, delta);
        assert_eq!(done.ok(), ok.then_some(before + 1));
        if ok {
            self.histories[actor].push(row);
        }
    }

    fn batch(&mut self, actor: usize, changes: &[Change]) {
        let mut row = self.now(actor);
        let others: Vec<_> = rows(&self.histories, &self.states[actor]).into_iter().cloned().collect();
        let with = |row: &Cells| {
            let mut rows = others.clone();
            rows[actor] = row.clone();
            rows
        };
        let mut batch = self.states[actor].change(actor);
        for &change in changes {
            match change {
                Change::Add { name, delta } => {
                    assert_eq!(batch.add(NAMES[name], delta).is_ok(), plus(&mut row, NAMES[name], delta));
                }
                Change::Reset { name } => {
                    let rows = with(&row);
                    let rows: Vec<_> = rows.iter().collect();
                    let seen = observed(&rows, NAMES[name]);
                    let other_rows_have_it = rows.iter().any(|row| {
                        row.get(NAMES[name]).is_some_and(|cell| cell.seen_counts == seen.seen_counts)
                    });
                    match self.bug {
                        Some(Bug::ResetSubtracts) => {
                            let value = i64::try_from(value(&rows, NAMES[name])).unwrap_or(0);
                            _ = batch.add(NAMES[name], value.saturating_neg());
                        }
                        Some(Bug::BaselineDropped) if other_rows_have_it => {}
                        _ => _ = batch.reset(NAMES[name]),
                    }
                    let cell = row.entry(NAMES[name]).or_default();
                    (cell.seen_counts, cell.seen_totals) = (seen.seen_counts, seen.seen_totals);
                }
                Change::Report { name, source, total } => {
                    if self.bug == Some(Bug::TotalIsAdded) {
                        batch.add(NAMES[name], total.cast_signed()).unwrap();
                    } else {
                        batch.report(NAMES[name], SOURCES[source], total).unwrap();
                    }
                    let known = with(&row);
                    let known =
                        known.iter().filter_map(|row| row.get(NAMES[name])?.totals.get(SOURCES[source]));
                    if total > known.max().copied().unwrap_or_default() {
                        row.entry(NAMES[name]).or_default().totals.insert(SOURCES[source], total);
                    }
                }
            }
        }
        for cell in row.values_mut() {
            cell.seen_counts.retain(|_, counts| *counts != (0, 0));
        }
        row.retain(|_, cell| *cell != Cell::default());
        let version = batch.commit().unwrap();
        if self.bug.is_some() {
            self.acknowledge(actor, version, row);
            return;
        }
        if row != self.now(actor) {
            self.histories[actor].push(row);
        }
        assert_eq!(version, self.histories[actor].len() as u64 - 1);
    }

    /// With a bug a row may have a number when it should have none, and the other way round.
    fn acknowledge(&mut self, actor: usize, version: u64, row: Cells) {
        let history = &mut self.histories[actor];
        if version < history.len() as u64 {
            *history.last_mut().unwrap() = row;
        } else {
            history.push(row);
        }
    }

    fn parts(&mut self, (from, to): (usize, usize), actor: usize, bytes: usize, order: &[usize]) {
        let known = self.states[to].version(actor);
        let Some(delta) = self.states[from].row_since(actor, known) else { return };
        let parts = delta.split(bytes);
        assert_eq!(parts.iter().map(|part| part.delta().len()).sum::<usize>(), delta.len());
        let mut whole = None;
        for &at in order {
            let Some(part) = parts.get(at) else { continue };
            if self.bug == Some(Bug::PartAlone) {
                _ = self.states[to].apply(part.delta());
                continue;
            }
            let assembly = self.assemblies.entry((from, to)).or_insert_with(|| Assembly::new(1 << 20));
            if let Some(made) = assembly.accept(part.clone()).unwrap() {
                assert_same(&made, &delta);
                whole = Some(made);
            }
        }
        let all_came = (0..parts.len()).all(|at| order.contains(&at));
        assert!(whole.is_some() || !all_came || self.bug == Some(Bug::PartAlone));
        if let Some(delta) = whole {
            self.apply(to, &delta);
        }
    }

    fn apply(&mut self, to: usize, delta: &RowDelta<usize>) {
        let newest = self.histories[*delta.actor()].len() as u64 - 1;
        let state = &mut self.states[to];
        let (before, version) = (state.clone(), state.version(delta.actor()));
        let wrong = match self.bug {
            Some(Bug::Gap) => Some((delta.from().min(version), delta.upto())),
            Some(Bug::Claim) => Some((delta.from(), newest)),
            Some(Bug::PartAlone | Bug::ResetSubtracts | Bug::BaselineDropped | Bug::TotalIsAdded) | None => {
                None
            }
        };
        if let Some((from, upto)) = wrong {
            _ = state.apply(&covering(delta, from, upto));
            return;
        }
        match state.apply(delta) {
            Ok(changed) => {
                assert!(delta.from() <= version);
                assert_eq!(changed, delta.upto() > version);
                assert_eq!(state.version(delta.actor()), version.max(delta.upto()));
            }
            Err(refused) => {
                assert_eq!(refused, DeltaError::Gap { from: delta.from(), version });
                assert!(delta.from() > version);
                assert_eq!(*state, before);
            }
        }
    }

    /// A counter whose value is not that of what the actors had at the versions that its state claims.
    pub(crate) fn wrong_value(&self) -> Option<(&'static str, &Counters<usize>)> {
        let mut counters = self.states.iter().flat_map(|state| NAMES.map(|name| (name, state)));
        counters.find(|(name, state)| state.value(name) != value(&rows(&self.histories, state), name))
    }

    /// Whether each state has exactly what the actors had at the versions that it claims.
    pub(crate) fn check(&self) {
        assert_eq!(self.wrong_value(), None);
        for state in &self.states {
            let rows = rows(&self.histories, state);
            for (actor, row) in rows.iter().enumerate() {
                assert_row(state, actor, row);
            }
            let known: BTreeSet<_> = rows.iter().flat_map(|row| row.keys()).collect();
            assert_eq!(state.len(), known.len());
        }
    }
}

/// A sender that has restarted names slots whose names the receiver has: parts from before and after differ in nothing else.
fn assert_same(made: &RowDelta<usize>, delta: &RowDelta<usize>) {
    let covers = |delta: &RowDelta<usize>| (*delta.actor(), delta.from(), delta.upto(), delta.len());
    assert_eq!(covers(made), covers(delta));
    for (made, item) in made.items().zip(delta.items()) {
        assert_eq!((made.slot, made.number, made.entry), (item.slot, item.number, item.entry));
        assert!(made.name == item.name || made.name.is_none() || item.name.is_none());
    }
}

/// The items of a delta, with a wrong claim of what they cover.
fn covering(delta: &RowDelta<usize>, from: u64, upto: u64) -> RowDelta<usize> {
    let mut wrong = RowDelta::new(*delta.actor(), from, upto);
    for item in delta.items() {
        wrong.push(item.slot, item.number, item.name, item.entry.to_entry());
    }
    wrong
}

/// All that a state says of a row is what the actor had at that version.
fn assert_row(state: &Counters<usize>, actor: usize, row: &Cells) {
    assert_eq!(state.slots(actor) as usize, row.len());
    for (name, cell) in row {
        let slot = state.slot(actor, name).unwrap();
        assert_eq!(state.name_of(actor, slot), Some(*name));
        let entry = state.entry(actor, slot).unwrap();
        assert_eq!((entry.up, entry.down), cell.counts);
        let more = entry.more.cloned().unwrap_or_default();
        let plain = |totals: &GCounter<std::sync::Arc<str>>| -> BTreeMap<String, u64> {
            totals.iter().map(|(source, n)| (source.to_string(), n)).collect()
        };
        let owned = |totals: &BTreeMap<&str, u64>| -> BTreeMap<String, u64> {
            totals.iter().map(|(source, &n)| ((*source).to_string(), n)).collect()
        };
        assert_eq!(plain(&more.totals), owned(&cell.totals));
        assert_eq!(plain(&more.baseline.totals), owned(&cell.seen_totals));
        let seen: PnCounter<usize> =
            cell.seen_counts.iter().map(|(&actor, &counts)| (actor, counts)).collect();
        assert_eq!(more.baseline.counts, seen);
    }
}

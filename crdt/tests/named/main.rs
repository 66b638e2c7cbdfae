//! Named counters do as a naive model does: a map of this crate's counters, and plain maps for totals and baselines.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

mod kept;

use crdt::named::{Assembly, Counters, DeltaError, Part, RowDelta};
use crdt::{GCounter, PnCounter, laws};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

const REPLICAS: usize = 3;
const NAMES: [&str; 5] = ["views", "likes", "", "a longer name, with ü", "views2"];
const SOURCES: [&str; 3] = ["s0", "s1", "s2"];

/// What one actor has counted for one counter.
#[derive(Clone, Debug, Default, PartialEq)]
struct Cell {
    counts: (u64, u64),
    totals: BTreeMap<&'static str, u64>,
    seen_counts: BTreeMap<usize, (u64, u64)>,
    seen_totals: BTreeMap<&'static str, u64>,
}

/// A whole row as its actor had it at each number: `history[number]`.
type History = Vec<BTreeMap<&'static str, Cell>>;

/// A row for each actor, as it was at the version that a state claims.
fn rows<'a>(histories: &'a [History], state: &Counters<usize>) -> Vec<&'a BTreeMap<&'static str, Cell>> {
    let version = |actor: usize| usize::try_from(state.version(actor)).unwrap();
    histories.iter().enumerate().map(|(actor, history)| &history[version(actor)]).collect()
}

fn observed(rows: &[&BTreeMap<&'static str, Cell>], name: &str) -> Cell {
    let mut all = Cell::default();
    for (actor, cell) in rows.iter().enumerate().filter_map(|(actor, row)| Some((actor, row.get(name)?))) {
        let counts = BTreeMap::from([(actor, cell.counts)]);
        for (&actor, &(up, down)) in counts.iter().chain(&cell.seen_counts) {
            let seen = all.seen_counts.entry(actor).or_default();
            *seen = (seen.0.max(up), seen.1.max(down));
        }
        for (&source, &total) in cell.totals.iter().chain(&cell.seen_totals) {
            let seen = all.seen_totals.entry(source).or_default();
            *seen = total.max(*seen);
        }
    }
    all
}

fn value(rows: &[&BTreeMap<&'static str, Cell>], name: &str) -> i128 {
    let cells: Vec<_> = rows.iter().map(|row| row.get(name).cloned().unwrap_or_default()).collect();
    let seen = |actor: &usize| {
        let seen = cells.iter().map(|cell| cell.seen_counts.get(actor).copied().unwrap_or_default());
        seen.fold((0, 0), |(up, down), (u, d)| (up.max(u), down.max(d)))
    };
    let counts: i128 = (0..cells.len())
        .map(|actor| {
            let ((up, down), (seen_up, seen_down)) = (cells[actor].counts, seen(&actor));
            i128::from(up.saturating_sub(seen_up)) - i128::from(down.saturating_sub(seen_down))
        })
        .sum();
    let most = |source: &str, of: fn(&Cell) -> &BTreeMap<&'static str, u64>| {
        cells.iter().filter_map(|cell| of(cell).get(source).copied()).max().unwrap_or_default()
    };
    let totals = SOURCES.iter().map(|source| {
        i128::from(most(source, |cell| &cell.totals).saturating_sub(most(source, |cell| &cell.seen_totals)))
    });
    counts + totals.sum::<i128>()
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Add { name: usize, delta: i64 },
    Reset { name: usize },
    Report { name: usize, source: usize, total: u64 },
}

#[derive(Clone, Debug)]
enum Step {
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

fn step() -> impl Strategy<Value = Step> {
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
struct World {
    states: [Counters<usize>; REPLICAS],
    histories: Vec<History>,
    assemblies: BTreeMap<(usize, usize), Assembly<usize>>,
    sent: Vec<RowDelta<usize>>,
}

impl World {
    fn new() -> Self {
        Self { histories: vec![vec![BTreeMap::new()]; REPLICAS], ..Self::default() }
    }

    fn now(&self, actor: usize) -> BTreeMap<&'static str, Cell> {
        self.histories[actor].last().unwrap().clone()
    }

    fn step(&mut self, step: Step) {
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
        let with = |row: &BTreeMap<&'static str, Cell>| {
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
                    batch.reset(NAMES[name]);
                    let rows = with(&row);
                    let seen = observed(&rows.iter().collect::<Vec<_>>(), NAMES[name]);
                    let cell = row.entry(NAMES[name]).or_default();
                    (cell.seen_counts, cell.seen_totals) = (seen.seen_counts, seen.seen_totals);
                }
                Change::Report { name, source, total } => {
                    batch.report(NAMES[name], SOURCES[source], total).unwrap();
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
        if row != self.now(actor) {
            self.histories[actor].push(row);
        }
        assert_eq!(version, self.histories[actor].len() as u64 - 1);
    }

    fn parts(&mut self, (from, to): (usize, usize), actor: usize, bytes: usize, order: &[usize]) {
        let known = self.states[to].version(actor);
        let Some(delta) = self.states[from].row_since(actor, known) else { return };
        let parts = delta.split(bytes);
        assert_eq!(parts.iter().map(|part| part.delta().len()).sum::<usize>(), delta.len());
        let mut whole = None;
        for &at in order {
            let Some(part) = parts.get(at) else { continue };
            let assembly = self.assemblies.entry((from, to)).or_insert_with(|| Assembly::new(1 << 20));
            if let Some(made) = assembly.accept(part.clone()).unwrap() {
                assert_eq!(made, delta);
                whole = Some(made);
            }
        }
        let all_came = (0..parts.len()).all(|at| order.contains(&at));
        assert!(whole.is_some() || !all_came);
        if let Some(delta) = whole {
            self.apply(to, &delta);
        }
    }

    fn apply(&mut self, to: usize, delta: &RowDelta<usize>) {
        let state = &mut self.states[to];
        let (before, version) = (state.clone(), state.version(delta.actor()));
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

    fn check(&self) {
        for state in &self.states {
            let rows = rows(&self.histories, state);
            for name in NAMES {
                assert_eq!(state.value(name), value(&rows, name), "{name}: {state:?}");
            }
            for (actor, row) in rows.iter().enumerate() {
                assert_row(state, actor, row);
            }
            let known: std::collections::BTreeSet<_> = rows.iter().flat_map(|row| row.keys()).collect();
            assert_eq!(state.len(), known.len());
        }
    }
}

fn plus(row: &mut BTreeMap<&'static str, Cell>, name: &'static str, delta: i64) -> bool {
    let mut cell = row.get(name).cloned().unwrap_or_default();
    let n = delta.unsigned_abs();
    let side = if delta < 0 { &mut cell.counts.1 } else { &mut cell.counts.0 };
    let Some(sum) = side.checked_add(n) else { return false };
    *side = sum;
    row.insert(name, cell);
    true
}

/// All that a state says of a row is what the actor had at that version.
fn assert_row(state: &Counters<usize>, actor: usize, row: &BTreeMap<&'static str, Cell>) {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn they_do_as_the_model_does(steps in vec(step(), 0..60)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            world.check();
        }
        laws::merge(&world.states).unwrap();
    }
}

#[test]
fn a_part_says_where_it_belongs() {
    let mut assembly = Assembly::new(1000);
    let wrong = Part::new(RowDelta::new(7_u64, 0, 4), 1, 0);
    assert!(assembly.accept(wrong).is_err());
}

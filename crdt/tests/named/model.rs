//! What named counters should hold: a naive model.

use crdt::named::Counters;
use std::collections::BTreeMap;

pub(crate) const REPLICAS: usize = 3;
pub(crate) const NAMES: [&str; 5] = ["views", "likes", "", "a longer name, with ü", "views2"];
pub(crate) const SOURCES: [&str; 3] = ["s0", "s1", "s2"];

/// What one actor has counted for one counter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    pub(crate) counts: (u64, u64),
    pub(crate) totals: BTreeMap<&'static str, u64>,
    pub(crate) seen_counts: BTreeMap<usize, (u64, u64)>,
    pub(crate) seen_totals: BTreeMap<&'static str, u64>,
}

/// What one actor has counted, by counter.
pub(crate) type Cells = BTreeMap<&'static str, Cell>;

/// A whole row as its actor had it at each number: `history[number]`.
pub(crate) type History = Vec<Cells>;

/// A row for each actor, as it was at the version that a state claims.
pub(crate) fn rows<'a>(histories: &'a [History], state: &Counters<usize>) -> Vec<&'a Cells> {
    let version = |actor: usize| usize::try_from(state.version(actor)).unwrap();
    histories.iter().enumerate().map(|(actor, history)| &history[version(actor)]).collect()
}

pub(crate) fn observed(rows: &[&Cells], name: &str) -> Cell {
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

pub(crate) fn value(rows: &[&Cells], name: &str) -> i128 {
    let (counts, totals) = above_baseline(rows, name);
    let counts = counts.into_iter().map(|(up, down)| i128::from(up) - i128::from(down));
    counts.sum::<i128>() + totals.into_iter().map(i128::from).sum::<i128>()
}

/// Whether there is anything that no reset has seen.
pub(crate) fn is_counted(rows: &[&Cells], name: &str) -> bool {
    let (counts, totals) = above_baseline(rows, name);
    counts.into_iter().any(|counts| counts != (0, 0)) || totals.into_iter().any(|total| total != 0)
}

/// What each actor has counted, and each source reported, that no reset has seen.
fn above_baseline(rows: &[&Cells], name: &str) -> (Vec<(u64, u64)>, Vec<u64>) {
    let cells: Vec<_> = rows.iter().map(|row| row.get(name).cloned().unwrap_or_default()).collect();
    let seen = |actor: &usize| {
        let seen = cells.iter().map(|cell| cell.seen_counts.get(actor).copied().unwrap_or_default());
        seen.fold((0, 0), |(up, down), (u, d)| (up.max(u), down.max(d)))
    };
    let counts = (0..cells.len()).map(|actor| {
        let ((up, down), (seen_up, seen_down)) = (cells[actor].counts, seen(&actor));
        (up.saturating_sub(seen_up), down.saturating_sub(seen_down))
    });
    let most = |source: &str, of: fn(&Cell) -> &BTreeMap<&'static str, u64>| {
        cells.iter().filter_map(|cell| of(cell).get(source).copied()).max().unwrap_or_default()
    };
    let totals = SOURCES.iter().map(|source| {
        most(source, |cell| &cell.totals).saturating_sub(most(source, |cell| &cell.seen_totals))
    });
    (counts.collect(), totals.collect())
}

pub(crate) fn plus(row: &mut Cells, name: &'static str, delta: i64) -> bool {
    let mut cell = row.get(name).cloned().unwrap_or_default();
    let n = delta.unsigned_abs();
    let side = if delta < 0 { &mut cell.counts.1 } else { &mut cell.counts.0 };
    let Some(sum) = side.checked_add(n) else { return false };
    *side = sum;
    row.insert(name, cell);
    true
}

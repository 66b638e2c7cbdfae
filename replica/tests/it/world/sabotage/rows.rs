//! Bugs to plant in the rows that a process tells its peers, or the store.

use crdt::named::{Entry, EntryRef, ItemRef};
use crdt::{GCounter, PnCounter};
use replica::{Name, ReplicaId, RowDelta};

use super::super::past::Past;
use super::super::process::Process;

type Item<'a> = ItemRef<'a, ReplicaId>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowBug {
    /// A delta is told as if it covered all from the beginning: so it is applied over a gap.
    SkipsGap,
    /// A version is claimed that is not covered.
    ClaimsMore,
    /// There is one tally for shown and unshown: a counter that has an unshown change is left out.
    LeavesOutUnshown,
    /// The same, and its unshown count is told.
    TellsUnshown,
    /// Half of a delta is told, and the version that this half reaches.
    TellsHalf,
    /// One of several changes with the last number is left out.
    SplitsBatch,
    /// The baselines of a reset are added, not merged.
    AddsBaselines,
    /// A baseline is left out.
    DropsBaseline,
    /// A reset has not seen what its own process has counted.
    MissesOwn,
    /// The total of a source is smaller than it was.
    LowersTotals,
}

impl RowBug {
    pub(super) const ALL: [Self; 10] = [
        Self::SkipsGap,
        Self::ClaimsMore,
        Self::LeavesOutUnshown,
        Self::TellsUnshown,
        Self::TellsHalf,
        Self::SplitsBatch,
        Self::AddsBaselines,
        Self::DropsBaseline,
        Self::MissesOwn,
        Self::LowersTotals,
    ];

    /// Whether it is a bug in what the store is told. That has all changes, shown or not, and always goes on from the record.
    pub(super) fn harms_store(self) -> bool {
        match self {
            Self::SkipsGap | Self::LeavesOutUnshown | Self::TellsUnshown => false,
            Self::ClaimsMore
            | Self::TellsHalf
            | Self::SplitsBatch
            | Self::AddsBaselines
            | Self::DropsBaseline
            | Self::MissesOwn
            | Self::LowersTotals => true,
        }
    }

    /// What is told in the place of this row.
    pub(super) fn apply(self, row: &RowDelta, by: &Process, past: &Past) -> RowDelta {
        let (from, upto, last) = (row.from(), row.upto(), row.len().saturating_sub(1));
        let is_own = *row.actor() == by.counting.under;
        let unshown = |name: &Name| past.above(row.actor(), name, upto).filter(|_| is_own);
        let unshown = |item: Item<'_>| {
            let name = by.replica.state().name_of(row.actor(), item.slot).or(item.name)?;
            unshown(&name.into())
        };
        let entry = |_: usize, item: Item<'_>| Some(item.entry.to_entry());
        match self {
            Self::SkipsGap => made(row, (0, upto), entry),
            Self::ClaimsMore => made(row, (from, upto + 1), entry),
            Self::LeavesOutUnshown => {
                made(row, (from, upto), |_, item| unshown(item).is_none().then(|| item.entry.to_entry()))
            }
            Self::TellsUnshown => made(row, (from, upto), |_, item| {
                let entry = item.entry.to_entry();
                Some(unshown(item).map_or(entry.clone(), |(up, down)| Entry { up, down, ..entry }))
            }),
            Self::TellsHalf => {
                let reached = row.items().nth(last / 2).map_or(upto, |item| item.number);
                made(row, (from, reached), |_, item| (item.number <= reached).then(|| item.entry.to_entry()))
            }
            Self::SplitsBatch => {
                let is_batch = row.items().filter(|item| item.number == upto).count() > 1;
                made(row, (from, upto), |at, item| (!is_batch || at < last).then(|| item.entry.to_entry()))
            }
            Self::AddsBaselines => made(row, (from, upto), |_, item| {
                Some(with_baseline(item.entry, |_, (up, down)| (2 * up, 2 * down)))
            }),
            Self::DropsBaseline => {
                made(row, (from, upto), |_, item| Some(with_baseline(item.entry, |_, _| (0, 0))))
            }
            Self::MissesOwn => made(row, (from, upto), |_, item| {
                let seen = |actor: &ReplicaId, counts| if actor == row.actor() { (0, 0) } else { counts };
                Some(with_baseline(item.entry, seen))
            }),
            Self::LowersTotals => made(row, (from, upto), |_, item| Some(with_lower_totals(item.entry))),
        }
    }
}

/// A row of less than what a process holds, and newer. Its own row stays.
pub(super) fn smaller(row: &RowDelta, held_by: &Process) -> RowDelta {
    if *row.actor() == held_by.counting.under {
        return row.clone();
    }
    let held = held_by.replica.state().version(row.actor());
    let mut made = RowDelta::new(row.actor().clone(), 0, row.upto().max(held) + 1);
    for item in row.items() {
        let EntryRef { up, down, .. } = item.entry;
        made.push(item.slot, made.upto(), item.name, Entry { up: up / 2, down: down / 2, more: None });
    }
    made
}

/// The row with other ends, and these entries.
fn made(
    row: &RowDelta,
    (from, upto): (u64, u64),
    mut entry: impl FnMut(usize, Item<'_>) -> Option<Entry<ReplicaId>>,
) -> RowDelta {
    let mut made = RowDelta::new(row.actor().clone(), from, upto);
    for (at, item) in row.items().enumerate() {
        if let Some(entry) = entry(at, item) {
            made.push(item.slot, item.number, item.name, entry);
        }
    }
    made
}

fn with_baseline(
    entry: EntryRef<'_, ReplicaId>,
    change: impl Fn(&ReplicaId, (u64, u64)) -> (u64, u64),
) -> Entry<ReplicaId> {
    let mut entry = entry.to_entry();
    if let Some(more) = &mut entry.more {
        let mut counts = PnCounter::new();
        for (replica, seen) in &more.baseline.counts {
            let (up, down) = change(replica, seen);
            counts.raise(replica, up, down);
        }
        more.baseline.counts = counts;
    }
    entry
}

fn with_lower_totals(entry: EntryRef<'_, ReplicaId>) -> Entry<ReplicaId> {
    let mut entry = entry.to_entry();
    if let Some(more) = &mut entry.more {
        let mut totals = GCounter::new();
        for (source, total) in &more.totals {
            totals.raise(source, total - 1);
        }
        more.totals = totals;
    }
    entry
}

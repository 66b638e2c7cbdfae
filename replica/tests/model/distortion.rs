//! Rows told wrongly: the bugs that many counters invite.

use std::collections::BTreeMap;

use crdt::named::{Entry, ItemRef};
use replica::{ReplicaId, RowDelta};

use crate::saboteur::Bug;

/// The changes that a process has asked the store to keep, and shows to nobody yet.
pub(crate) type Unshown = BTreeMap<u32, Entry<ReplicaId>>;

/// The changes of the own row in a commit.
pub(crate) fn unshown(rows: &[RowDelta], own: &ReplicaId) -> Unshown {
    let own = rows.iter().filter(|row| row.actor() == own).flat_map(RowDelta::items);
    own.map(|item| (item.slot, item.entry.to_entry())).collect()
}

/// Spoils the rows that a process hears.
pub(crate) fn distort_heard(bug: Bug, rows: &mut [RowDelta]) {
    if bug == Bug::GapIgnored {
        for row in rows {
            *row = made_of(row, (0, row.upto()), row.items().map(whole));
        }
    }
}

/// Spoils the rows that a process tells.
pub(crate) fn distort_told(bug: Bug, rows: &mut [RowDelta], unshown: &Unshown) {
    for row in rows {
        let range = (row.from(), row.upto());
        let is_counted_again = |item: &ItemRef<'_, ReplicaId>| {
            unshown.get(&item.slot).is_some_and(|later| later.borrowed() != item.entry)
        };
        match bug {
            Bug::VersionAhead => *row = made_of(row, (row.from(), row.upto() + 1), row.items().map(whole)),
            Bug::OneRow => {
                let rest = row.items().filter(|item| !is_counted_again(item));
                *row = made_of(row, range, rest.map(whole));
            }
            Bug::ShownTooSoon => {
                let ahead = row.items().map(|item| {
                    let later = unshown.get(&item.slot).cloned();
                    (item, later.unwrap_or_else(|| item.entry.to_entry()))
                });
                *row = made_of(row, range, ahead);
            }
            Bug::BaselineDropped => {
                let without = row.items().map(|item| (item, Entry { more: None, ..item.entry.to_entry() }));
                *row = made_of(row, range, without);
            }
            Bug::BatchInPart => {
                let all: Vec<_> = row.items().collect();
                let is_first = |at: &usize| *at == 0 || all[*at].number != all[*at - 1].number;
                let firsts = (0..all.len()).filter(is_first).map(|at| whole(all[at]));
                *row = made_of(row, range, firsts);
            }
            _ => {}
        }
    }
}

fn whole(item: ItemRef<'_, ReplicaId>) -> (ItemRef<'_, ReplicaId>, Entry<ReplicaId>) {
    (item, item.entry.to_entry())
}

/// A row of the same replica with other items.
fn made_of<'a>(
    row: &RowDelta,
    (from, upto): (u64, u64),
    items: impl Iterator<Item = (ItemRef<'a, ReplicaId>, Entry<ReplicaId>)>,
) -> RowDelta {
    let mut made = RowDelta::new(row.actor().clone(), from, upto);
    items.for_each(|(item, entry)| made.push(item.slot, item.number, item.name, entry));
    made
}

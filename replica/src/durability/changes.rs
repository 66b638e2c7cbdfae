//! The changes that the next commit makes to the record.

use std::collections::BTreeMap;

use crate::identity::ReplicaId;
use crate::own::Own;
use crate::state::State;
use crate::store::{Changes, Ownership, Record};
use crate::tally::Tally;

/// The ownership after the commit, of a replica that may be handed on. A process that has not chosen its replica asks for
/// a free one. A process that `is_closing` leaves its own free.
pub(super) fn next_owner(own: &Own, record: &Record, is_closing: bool) -> Option<Ownership> {
    match &record.owner {
        Some(free) if free.is_free && !own.has_chosen() => {
            Some(Ownership { incarnation: own.incarnation(), is_free: false, ..free.clone() })
        }
        // This process left the replica free, without hearing that it had, and a successor has it now.
        Some(owner)
            if own.has_chosen()
                && owner.replica == *own.replica()
                && owner.incarnation != own.incarnation() =>
        {
            Some(owner.clone())
        }
        Some(_) | None => (is_closing || own.is_inherited()).then(|| Ownership {
            replica: own.replica().clone(),
            incarnation: own.incarnation(),
            is_free: is_closing,
        }),
    }
}

/// The rows and hints that the record lacks. Rows are all known counts of this node's replicas. Hints are the counts of
/// other nodes that are not known to be stored.
pub(super) fn next_changes(own: &Own, state: &State, record: &Record, owner: Option<&Ownership>) -> Changes {
    let node = own.replica().node();
    let mut rows = state.rows_of(node);
    let asks_for_free = owner.is_some_and(|owner| !own.has_chosen() && !owner.is_free);
    if !asks_for_free {
        // Even a count of zero: so this process's first commit makes a record unlike any before.
        rows.entry(own.replica().clone()).or_default().raise(own.counted());
    }
    let rows = lacking(&record.rows, rows);
    let hints = state.hints(node);
    // To drop a hint alone could bring back an earlier record, and then a delayed commit could be done after all.
    let is_new = !rows.is_empty() || owner != record.owner.as_ref();
    let is_needless = |replica: &&ReplicaId| is_new && !hints.contains_key(*replica);
    let dropped_hints = record.hints.keys().filter(is_needless).cloned().collect();
    Changes { rows, hints: lacking(&record.hints, hints), dropped_hints, lifts_seal: record.is_sealed() }
}

/// The rows of `wanted` that `held` lacks.
fn lacking(held: &BTreeMap<ReplicaId, Tally>, wanted: BTreeMap<ReplicaId, Tally>) -> Vec<(ReplicaId, Tally)> {
    let is_held =
        |(replica, tally): &(ReplicaId, Tally)| held.get(replica).is_some_and(|held| tally.is_within(*held));
    wanted.into_iter().filter(|row| !is_held(row)).collect()
}

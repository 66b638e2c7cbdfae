//! The changes that the next commit makes to the record.

use std::collections::BTreeSet;

use super::outline::Outline;
use crate::own::Own;
use crate::state::State;
use crate::store::{Changes, Ownership};

/// The ownership after the commit, of a replica that may be handed on. A process that has not chosen its replica asks for
/// a free one. A process that `is_closing` leaves its own free.
pub(super) fn next_owner(own: &Own, record: &Outline, is_closing: bool) -> Option<Ownership> {
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

/// The rows and hints that the record lacks. Rows are all that is known of this node's replicas. Hints are what is known of
/// other nodes' replicas and is not known to be stored.
pub(super) fn next_changes(own: &Own, state: &State, record: &Outline, owner: Option<&Ownership>) -> Changes {
    let node = own.replica().node();
    let mut rows = state.rows_of(node, |replica| (replica != own.replica()).then(|| record.version(replica)));
    let asks_for_free = owner.is_some_and(|owner| !own.has_chosen() && !owner.is_free);
    // Even a row without counts: so this process's first commit makes a record unlike any before.
    let is_new = !record.rows.contains_key(own.replica());
    let stored = record.version(own.replica());
    if !asks_for_free && (is_new || stored < own.number()) {
        rows.push(own.row_since(state.rows(), stored));
    }
    // To drop a hint alone could bring back an earlier record, and then a delayed commit could be done after all.
    let has_grown = !rows.is_empty() || owner != record.owner.as_ref();
    let needed: BTreeSet<_> = state.hinted(node).map(|(replica, _)| replica).collect();
    let is_needless = |replica: &&_| has_grown && !needed.contains(*replica);
    let dropped_hints = record.hints.keys().filter(is_needless).cloned().collect();
    // Only what the record lacks is made. An import may have brought rows that stay hints for good.
    let lacks =
        |(replica, upto): &(&_, u64)| record.hints.get(*replica).is_none_or(|recorded| recorded < upto);
    let hints = state.hinted(node).filter(lacks).filter_map(|(replica, _)| state.hint(replica)).collect();
    let notes = own.notes_since(stored);
    Changes { rows, hints, dropped_hints, lifts_seal: record.is_sealed(), notes }
}

//! What the next commit changes in the record.

use std::collections::BTreeMap;

use crate::identity::ReplicaId;
use crate::own::Own;
use crate::state::State;
use crate::store::{Changes, Ownership, Record};
use crate::tally::Tally;

/// Who owns a replica that may be handed on, after the commit. A process that has not chosen its replica asks for a free
/// one; a process that `is_closing` leaves its own free.
pub(super) fn next_owner(own: &Own, record: &Record, is_closing: bool) -> Option<Ownership> {
    let free = record.owner.as_ref().filter(|owner| owner.is_free && !own.may_count());
    if let Some(free) = free {
        return Some(Ownership { incarnation: own.incarnation(), is_free: false, ..free.clone() });
    }
    (is_closing || own.is_inherited()).then(|| Ownership {
        replica: own.replica().clone(),
        incarnation: own.incarnation(),
        is_free: is_closing,
    })
}

/// What the record lacks: all that is known of this node's replicas, and of other nodes' counts those that are not known
/// to be stored.
pub(super) fn next_changes(own: &Own, state: &State, record: &Record, owner: Option<&Ownership>) -> Changes {
    let node = own.replica().node();
    let mut rows = state.rows_of(node);
    let asks_for_free = owner.is_some_and(|owner| !own.may_count() && !owner.is_free);
    if !asks_for_free {
        // Even at zero: so this process's first commit makes a record that never stood there before.
        rows.entry(own.replica().clone()).or_default().raise(own.counted());
    }
    let rows = lacking(&record.rows, rows);
    let hints = state.hints(node);
    // A drop alone would bring back a record that stood there before, and a delayed commit could then be done after all.
    let is_new = !rows.is_empty() || owner != record.owner.as_ref();
    let is_needless = |replica: &&ReplicaId| is_new && !hints.contains_key(*replica);
    let dropped_hints = record.hints.keys().filter(is_needless).cloned().collect();
    Changes { rows, hints: lacking(&record.hints, hints), dropped_hints }
}

/// What `held` lacks of `wanted`.
fn lacking(held: &BTreeMap<ReplicaId, Tally>, wanted: BTreeMap<ReplicaId, Tally>) -> Vec<(ReplicaId, Tally)> {
    let is_held =
        |(replica, tally): &(ReplicaId, Tally)| held.get(replica).is_some_and(|held| tally.is_within(*held));
    wanted.into_iter().filter(|row| !is_held(row)).collect()
}

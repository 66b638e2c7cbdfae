//! The check that exported rows pass before they are merged.

use std::collections::BTreeSet;

use crate::config::{MAX_COUNTERS, MAX_NAME, MAX_REPLICAS};
use crate::own::Own;
use crate::seam::Refusal;
use crate::tally::{RowDelta, Rows};

/// Whether all of these rows can be merged with what is `held`.
pub(crate) fn check_import(rows: &[RowDelta], own: &Own, held: &Rows) -> Result<(), Refusal> {
    if rows.iter().any(|row| row.from() > 0) {
        return Err(Refusal::Incomplete);
    }
    if rows.iter().any(|row| row.actor() == own.replica() && !own.admits(row, held)) {
        return Err(Refusal::Copied);
    }
    let actors: BTreeSet<_> = rows.iter().map(RowDelta::actor).collect();
    let new = actors.iter().filter(|actor| held.version(**actor) == 0).count();
    if new > 0 && held.versions().counter().len() + new > MAX_REPLICAS {
        return Err(Refusal::TooManyReplicas);
    }
    let names = || rows.iter().flat_map(RowDelta::items).filter_map(|item| item.name);
    if names().any(|name| name.len() > MAX_NAME) {
        return Err(Refusal::NameTooLong);
    }
    let new: BTreeSet<_> = names().filter(|name| !held.contains(name)).collect();
    if !new.is_empty() && held.len() + new.len() > MAX_COUNTERS {
        return Err(Refusal::TooManyCounters);
    }
    Ok(())
}

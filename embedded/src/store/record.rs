//! Reads the record, from the chunks and from what the log has beside them.

use std::collections::BTreeMap;

use redb::ReadTransaction;
use replica::store::Record;
use replica::{ReplicaId, RowDelta};

use super::error::Problem;
use super::layout::{CHUNKS, META, STATE};
use super::log::Log;
use super::state::{Part, State};
use crate::entry::{Entry, read_delta};

/// The length of the log, or of a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LogSize {
    pub entries: u64,
    pub bytes: u64,
}

impl LogSize {
    /// With one more entry of so many bytes.
    pub(super) fn add(&mut self, bytes: u64) {
        self.entries = self.entries.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether it is at least as long in either way.
    pub(super) fn reaches(self, other: Self) -> bool {
        self.entries >= other.entries || self.bytes >= other.bytes
    }
}

/// The row deltas of each part, in their order.
pub(super) type Deltas = BTreeMap<u32, Vec<RowDelta>>;

/// Reads all. Beside the record it keeps the log's deltas and one chunk in memory.
pub(super) fn load(txn: &ReadTransaction, log: &Log) -> Result<(State, Record), Problem> {
    let mut state = folded_state(txn)?;
    let mut deltas = Deltas::new();
    log.for_each(state.revision, |_, entry| {
        collect(&mut state, entry, &mut deltas);
        Ok(true)
    })?;
    let mut record = Record { owner: state.owner(), seal: state.seal(), ..Record::default() };
    for (replica, part) in &state.rows {
        let row = load_part(txn, (replica, part), deltas.remove(&part.id).unwrap_or_default())?;
        record.rows.insert(replica.clone(), row);
    }
    for (replica, part) in &state.hints {
        let hint = load_part(txn, (replica, part), deltas.remove(&part.id).unwrap_or_default())?;
        record.hints.insert(replica.clone(), hint);
    }
    Ok((state, record))
}

/// The state up to which the log is folded.
pub(super) fn folded_state(txn: &ReadTransaction) -> Result<State, Problem> {
    match txn.open_table(META)?.get(STATE)? {
        None => Ok(State::default()),
        Some(bytes) => {
            postcard::from_bytes(bytes.value()).map_err(|_| Problem::damaged("its state can't be read"))
        }
    }
}

/// Applies an entry to the state, and keeps its deltas, each with the part that it belongs to.
pub(super) fn collect(state: &mut State, entry: Entry, deltas: &mut Deltas) {
    let parts = state.apply(&entry);
    let changed = entry.changes.rows.into_iter().chain(entry.changes.hints);
    for (part, delta) in parts.into_iter().zip(changed) {
        if let Some(part) = part {
            deltas.entry(part).or_default().push(delta);
        }
    }
}

/// Joins deltas of one part.
pub(super) fn join_part(
    (replica, part): (&ReplicaId, &Part),
    deltas: impl IntoIterator<Item = RowDelta>,
) -> Result<RowDelta, Problem> {
    let mut whole = RowDelta::new(replica.clone(), part.from, part.upto);
    whole.join_all(deltas).map_err(Problem::damaged)?;
    if (whole.from(), whole.upto()) != (part.from, part.upto) {
        return Err(Problem::damaged(format_args!("counts of {replica} are newer than its version")));
    }
    Ok(whole)
}

fn load_part(
    txn: &ReadTransaction,
    (replica, part): (&ReplicaId, &Part),
    news: Vec<RowDelta>,
) -> Result<RowDelta, Problem> {
    let table = txn.open_table(CHUNKS)?;
    let mut chunks = table.range((part.id, 0)..=(part.id, u32::MAX))?;
    let mut problem = None;
    // An iterator can't fail: the first chunk that can't be read ends it.
    let readable = std::iter::from_fn(|| {
        let chunk = chunks.next()?.map_err(Problem::from);
        let chunk = chunk.and_then(|(_, bytes)| Ok(read_delta(bytes.value())?));
        chunk.map_err(|error| problem = Some(error)).ok()
    });
    let whole = join_part((replica, part), readable.chain(news));
    problem.map_or(whole, Err)
}

//! Reads the record, from the chunks and from what the log has beside them.

use std::collections::BTreeMap;

use redb::ReadTransaction;
use replica::store::Record;
use replica::{ReplicaId, RowDelta};

use super::entry::{Entry, read_delta};
use super::error::Problem;
use super::layout::{CHUNKS, LOG, META, STATE};
use super::state::{Part, State};

/// All that the database says of the record.
pub(super) struct Loaded {
    /// The state at the end of the log.
    pub state: State,
    /// What the log has that is not folded yet.
    pub log: LogSize,
    pub record: Record,
}

/// The length of the log, or of a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LogSize {
    pub entries: u64,
    pub bytes: u64,
}

impl LogSize {
    pub(super) fn add(&mut self, entry: &[u8]) {
        self.entries = self.entries.saturating_add(1);
        self.bytes = self.bytes.saturating_add(entry.len() as u64);
    }

    /// Whether it is at least as long in either way.
    pub(super) fn reaches(self, other: Self) -> bool {
        self.entries >= other.entries || self.bytes >= other.bytes
    }

    pub(super) fn sub(&mut self, other: Self) {
        self.entries = self.entries.saturating_sub(other.entries);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// The row deltas of each part, in their order.
pub(super) type Deltas = BTreeMap<u32, Vec<RowDelta>>;

/// Reads all. Beside the record it keeps the log's deltas and one chunk in memory.
pub(super) fn load(txn: &ReadTransaction) -> Result<Loaded, Problem> {
    let mut state = folded_state(txn)?;
    let (mut log, mut deltas) = (LogSize::default(), Deltas::new());
    for_each_entry(txn, state.revision, |bytes, entry| {
        log.add(bytes);
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
    Ok(Loaded { state, log, record })
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

/// Calls `f` with each entry of the log above a revision, as bytes and read, until it returns false.
pub(super) fn for_each_entry(
    txn: &ReadTransaction,
    above: u64,
    mut f: impl FnMut(&[u8], Entry) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    let mut last = above;
    for entry in txn.open_table(LOG)?.range(above.saturating_add(1)..)? {
        let (revision, bytes) = entry?;
        last = last.saturating_add(1);
        if revision.value() != last {
            return Err(Problem::damaged(format_args!("the log lacks revision {last}")));
        }
        if !f(bytes.value(), Entry::from_bytes(bytes.value())?)? {
            break;
        }
    }
    Ok(())
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
        let chunk = chunk.and_then(|(_, bytes)| read_delta(bytes.value()));
        chunk.map_err(|error| problem = Some(error)).ok()
    });
    let whole = join_part((replica, part), readable.chain(news));
    problem.map_or(whole, Err)
}

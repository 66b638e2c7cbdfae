//! Folds the log into chunks, in the background.
//!
//! A [`Fold`] takes the oldest entries of the log, joins what they change, and writes that into the chunks, some chunks a
//! transaction. The last transaction says up to which revision the log is folded. Only then other entries may take the place of
//! these in the file.
//!
//! A fold that was cut changes nothing that the record says: the log still has all that the fold has written, and to join a delta
//! twice is to join it once.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, StorageError, WriteTransaction};
use replica::{ReplicaId, RowDelta};

use super::error::Problem;
use super::layout::{CHUNK, CHUNKS, META, NOTES, STATE};
use super::log::Log;
use super::notes::{self, Notes};
use super::record::{Deltas, LogSize, collect, folded_state, join_part};
use super::state::{Part, State};
use crate::entry::{Entry, read_delta};

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The log is folded once it is so long. Else a commit now and then would cost as many syncs again.
    pub worthwhile: LogSize,
    /// So much of the log is folded at once. More would be less work for each entry. But it is read in one go, and commits wait.
    pub batch: LogSize,
    /// A transaction writes so many chunks and notes: a few milliseconds.
    pub slice: usize,
    /// A transaction removes so many notes or chunks.
    pub removed: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            worthwhile: LogSize { entries: 1024, bytes: 64 << 10 },
            batch: LogSize { entries: 4096, bytes: 128 << 10 },
            slice: 128,
            removed: 512,
        }
    }
}

/// A part of the log that is being folded.
pub(super) struct Fold {
    /// The state at its end.
    state: State,
    /// What is still to be written into each chunk.
    chunks: BTreeMap<(u32, u32), RowDelta>,
    /// The notes that are still to be written.
    notes: Notes,
}

impl Fold {
    /// Reads the oldest entries of the log. Leaves out notes from before `now`.
    pub(super) fn begin(
        txn: &ReadTransaction,
        log: &Log,
        (batch, now): (LogSize, u64),
    ) -> Result<Self, Problem> {
        let mut state = folded_state(txn)?;
        let (mut size, mut deltas, mut notes) = (LogSize::default(), Deltas::new(), Notes::new());
        log.for_each(state.revision, |bytes, mut entry| {
            size.add(bytes);
            notes::collect(&mut entry, (state.revision.saturating_add(1), now), &mut notes);
            collect(&mut state, entry, &mut deltas);
            Ok(!size.reaches(batch))
        })?;
        Self::new(state, deltas, notes)
    }

    /// The fold of one entry that never was in the log. `state` is the one before it. All before it must be folded.
    pub(super) fn of(mut state: State, mut entry: Entry) -> Result<Self, Problem> {
        let (mut deltas, mut notes) = (Deltas::new(), Notes::new());
        notes::collect(&mut entry, (state.revision.saturating_add(1), 0), &mut notes);
        collect(&mut state, entry, &mut deltas);
        Self::new(state, deltas, notes)
    }

    fn new(state: State, mut deltas: Deltas, notes: Notes) -> Result<Self, Problem> {
        let mut chunks = BTreeMap::new();
        for (replica, part) in state.parts() {
            if let Some(deltas) = deltas.remove(&part.id) {
                split((replica, part), &join_part((replica, part), deltas)?, &mut chunks);
            }
        }
        Ok(Self { state, chunks, notes })
    }

    /// Writes some chunks and notes. After the last ones it writes that the log is folded. Returns whether it has.
    pub(super) fn write_some(&mut self, txn: &WriteTransaction, slice: usize) -> Result<bool, Problem> {
        let mut table = txn.open_table(CHUNKS)?;
        for _ in 0..slice {
            let Some((at, mut news)) = self.chunks.pop_first() else { break };
            if let Some(before) = table.get(at)? {
                news.join(read_delta(before.value())?).map_err(Problem::damaged)?;
            }
            table.insert(at, news.to_bytes().as_slice())?;
        }
        notes::write_some(txn, &mut self.notes, slice)?;
        let is_done = self.chunks.is_empty() && self.notes.is_empty();
        if is_done {
            write_state(txn, &self.state)?;
        }
        Ok(is_done)
    }

    /// The revision up to which it folds the log.
    pub(super) fn upto(&self) -> u64 {
        self.state.revision
    }

    /// How many chunks and notes are to be written yet.
    pub(super) fn left(&self) -> usize {
        self.chunks.len().max(self.notes.len())
    }
}

fn write_state(txn: &WriteTransaction, state: &State) -> Result<(), Problem> {
    let bytes = postcard::to_allocvec(state).map_err(Problem::damaged)?;
    txn.open_table(META)?.insert(STATE, bytes.as_slice())?;
    Ok(())
}

/// Sorts the items of a part into its chunks.
fn split(
    (replica, part): (&ReplicaId, &Part),
    whole: &RowDelta,
    chunks: &mut BTreeMap<(u32, u32), RowDelta>,
) {
    for item in whole.items() {
        let chunk = chunks.entry((part.id, item.slot / CHUNK));
        let chunk = chunk.or_insert_with(|| RowDelta::new(replica.clone(), part.from, part.upto));
        chunk.push(item.slot, item.number, item.name, item.entry.to_entry());
    }
}

/// Removes some of what nobody needs: notes from before `now`, and chunks of parts that were dropped. Returns whether there was
/// anything.
pub(super) fn remove_some(
    txn: &WriteTransaction,
    (folded, now): (&State, u64),
    max: usize,
) -> Result<bool, Problem> {
    let mut notes = txn.open_table(NOTES)?;
    if remove(notes.extract_from_if(..(now, 0, 0), |_, _| true)?, max)? {
        return Ok(true);
    }
    let mut chunks = txn.open_table(CHUNKS)?;
    let mut next = 0;
    while let Some(part) = first_part(&chunks, next)? {
        if folded.has_dropped(part) {
            return remove(chunks.extract_from_if((part, 0)..=(part, u32::MAX), |_, _| true)?, max);
        }
        let Some(behind) = part.checked_add(1) else { break };
        next = behind;
    }
    Ok(false)
}

fn first_part(
    chunks: &impl ReadableTable<(u32, u32), &'static [u8]>,
    from: u32,
) -> Result<Option<u32>, Problem> {
    let first = chunks.range((from, 0)..)?.next().transpose()?;
    Ok(first.map(|(key, _)| key.value().0))
}

/// Removes the first of what is extracted. Returns whether there was anything.
fn remove<T>(extracted: impl Iterator<Item = Result<T, StorageError>>, max: usize) -> Result<bool, Problem> {
    let mut removed = 0;
    for entry in extracted.take(max) {
        entry?;
        removed += 1;
    }
    Ok(removed > 0)
}

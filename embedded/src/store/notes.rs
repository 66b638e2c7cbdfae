//! The notes beside changes. They are in the log first, and after that in a table by the time until which they are needed.

use std::collections::BTreeMap;

use redb::{ReadTransaction, WriteTransaction};
use replica::store::Noted;

use super::error::Problem;
use super::layout::NOTES;
use super::log::Log;
use super::record::folded_state;
use crate::entry::{Entry, read_note, write_note};

/// Until when a note is needed, the revision that it came with, and which of that commit it is.
pub(super) type Key = (u64, u64, u32);

/// Notes, each once: a fold that was cut leaves notes both in the log and in the table.
pub(super) type Notes = BTreeMap<Key, Noted>;

/// Takes the notes out of the entry of a revision. Those from before `now` are not kept.
pub(super) fn collect(entry: &mut Entry, (revision, now): (u64, u64), notes: &mut Notes) {
    let all = std::mem::take(&mut entry.changes.notes).into_iter().zip(0..);
    notes.extend(all.filter(|(noted, _)| noted.note.until >= now).map(|(noted, at)| {
        let key = (noted.note.until, revision, at);
        (key, noted)
    }));
}

/// Reads all notes but those from before `now`.
pub(super) fn load(txn: &ReadTransaction, log: &Log, now: u64) -> Result<Notes, Problem> {
    let mut notes = Notes::new();
    for note in txn.open_table(NOTES)?.range((now, 0, 0)..)? {
        let (key, bytes) = note?;
        let written =
            postcard::from_bytes(bytes.value()).map_err(|_| Problem::damaged("a note can't be read"))?;
        notes.insert(key.value(), read_note(written));
    }
    let mut revision = folded_state(txn)?.revision;
    log.for_each(revision, |_, mut entry| {
        revision = revision.saturating_add(1);
        collect(&mut entry, (revision, now), &mut notes);
        Ok(true)
    })?;
    Ok(notes)
}

/// Writes the first of these notes into the table, so many at most.
pub(super) fn write_some(txn: &WriteTransaction, notes: &mut Notes, max: usize) -> Result<(), Problem> {
    let mut table = txn.open_table(NOTES)?;
    for _ in 0..max {
        let Some((key, first)) = notes.pop_first() else { break };
        let bytes = postcard::to_allocvec(&write_note(&first)).map_err(Problem::damaged)?;
        table.insert(key, bytes.as_slice())?;
    }
    Ok(())
}

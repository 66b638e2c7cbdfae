//! Commits: one entry of the log each.

use replica::store::{Changes, Outcome};

use super::error::Fatal;
use super::fold::Fold;
use super::{Done, Store};
use crate::entry::{Entry, EntryKind};

impl Store {
    /// Commits. `None` if that was done.
    pub(super) fn commit(&mut self, changes: Changes, kind: EntryKind) -> Result<Option<Outcome>, Fatal> {
        let entry = Entry { changes, kind, first: self.is_new().then_some(self.shows_unstored) };
        let bytes = entry.to_bytes().map_err(|problem| Fatal::new(&self.path, problem))?;
        if !self.make_room(bytes.len())? {
            return Ok(Some(Outcome::NotDone));
        }
        let mut state = self.state.clone();
        state.apply(&entry);
        let revision = state.revision;
        let done = if self.log.has_room(revision, bytes.len()) {
            self.append(revision, &bytes)?
        } else {
            self.write_straight(entry)?
        };
        match done {
            Done::Yes => {
                self.state = state;
                self.record = None;
            }
            // What was read since then is certain.
            Done::Failed if self.database.is_none() => return Ok(Some(Outcome::Unknown)),
            Done::Failed if self.state.revision != revision => return Ok(Some(Outcome::NotDone)),
            Done::Failed => {}
        }
        self.commits = self.commits.saturating_add(1);
        Ok(None)
    }

    fn append(&mut self, revision: u64, bytes: &[u8]) -> Result<Done, Fatal> {
        match self.log.append(revision, bytes) {
            Ok(()) => Ok(Done::Yes),
            Err(problem) => self.fail(problem).map(|()| Done::Failed),
        }
    }

    /// Writes an entry that is longer than the log straight into the chunks, in one transaction. The log must be empty.
    fn write_straight(&mut self, entry: Entry) -> Result<Done, Fatal> {
        let fold = Fold::of(self.state.clone(), entry);
        let mut fold = fold.map_err(|problem| Fatal::new(&self.path, problem))?;
        self.has_leftovers = true;
        self.write(|txn| fold.write_some(txn, usize::MAX))
    }

    /// Folds until the next entry has room, or the log is empty. False if that failed.
    ///
    /// From the moment that the log is half full each commit does a part of the work that makes room: as large a part as it takes
    /// from the room there is. So no commit waits for all of it.
    fn make_room(&mut self, len: usize) -> Result<bool, Fatal> {
        let next = self.state.revision.saturating_add(1);
        let mut slices = if self.is_put_off() { 0 } else { self.share(len) };
        loop {
            let has_room = self.log.has_room(next, len);
            if self.log.is_empty() || (has_room && slices == 0) {
                return Ok(true);
            }
            // Expired notes are kept here, and removed later.
            if !self.fold_some(0)? {
                return Ok(has_room && self.database.is_some());
            }
            slices = slices.saturating_sub(1);
        }
    }

    /// How many slices are folded before a commit of so many bytes.
    fn share(&self, len: usize) -> u64 {
        let (all, free) = self.log.free(self.state.revision.saturating_add(1));
        if free > all / 2 {
            return 0;
        }
        let left = self.fold.as_ref().map_or(0, Fold::left) / self.pace.slice.max(1) + 1;
        (left as u64).saturating_mul(len as u64).div_ceil(free.max(1)).max(1)
    }
}

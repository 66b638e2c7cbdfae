//! The replica's store: a database in a directory.
//!
//! It keeps the record of one node, and the notes beside its changes. A commit appends one entry to a [log](log), whatever it changes:
//! one write, one sync. In the background the log is [folded](fold) into chunks of rows in a redb database, which is a few
//! milliseconds of work a call. What the record says is what the chunks and the log say together. Both are in one file.
//!
//! After each error the file is read again, so that it says what was done. After a sync that failed not even that is possible, and
//! the process must end: see [`Fatal`].

mod commit;
mod disk;
mod error;
mod file;
mod fold;
mod header;
mod layout;
mod log;
mod notes;
mod record;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use redb::{Database, ReadTransaction, ReadableDatabase, StorageBackend, WriteTransaction};
use replica::NodeId;
use replica::store::{Changes, Noted, Outcome, Record, Revision, StoreRequest};
use tracing::{info, warn};

use crate::entry::EntryKind;
use disk::Disk;
use error::Problem;
pub use error::{Fatal, OpenError};
use file::{Opened, open_all, transact};
use fold::{Fold, Pace};
use layout::{META, NODE};
use log::Log;
use record::LogSize;
use state::State;

/// The store of a node.
pub(crate) struct Store {
    path: PathBuf,
    disk: Disk,
    /// `None` after an error, until the database could be opened again.
    database: Option<Database>,
    node: Option<NodeId>,
    state: State,
    log: Log,
    /// The record as it was when the database was opened, until it is asked for or changed.
    record: Option<Record>,
    /// The revision that this process has found.
    start: u64,
    /// Whether this process may show counts that are not stored.
    shows_unstored: bool,
    fold: Option<Fold>,
    pace: Pace,
    /// After a write in the background has failed: how long the log gets before the next one.
    put_off: Option<LogSize>,
    /// Whether there may be something to remove.
    has_leftovers: bool,
    commits: u64,
}

/// What the store tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The length of the file.
    pub file_bytes: u64,
    /// How many bytes of the log are not folded yet.
    pub log_bytes: u64,
    /// How many syncs the file has had.
    pub syncs: u64,
    /// How many commits were done.
    pub commits: u64,
}

/// How a transaction ended.
enum Done {
    Yes,
    /// The database was closed, and is perhaps open again.
    Failed,
}

impl Store {
    /// Opens the store in a directory. Makes the directory and the store if they are missing. Reads the whole file.
    ///
    /// # Errors
    ///
    /// [`OpenError`]. Then nothing was changed.
    pub(crate) fn open(dir: &Path) -> Result<Self, OpenError> {
        let (backend, path) = file::open(dir)?;
        Self::with_backend(backend, &path)
    }

    /// Opens the store in what stands for the file `path`.
    pub(crate) fn with_backend(backend: impl StorageBackend, path: &Path) -> Result<Self, OpenError> {
        let disk = Disk::new(backend);
        let Opened { database, log, state, record } = open_all(&disk).map_err(|problem| problem.of(path))?;
        let node = file::read_node(&database).map_err(|problem| problem.of(path))?;
        Ok(Self {
            path: path.into(),
            disk,
            database: Some(database),
            node,
            start: state.revision,
            state,
            log,
            record: Some(record),
            shows_unstored: false,
            fold: None,
            pace: Pace::default(),
            put_off: None,
            has_leftovers: true,
            commits: 0,
        })
    }

    /// The name of the node, if it has got one.
    pub(crate) fn node(&self) -> Option<&NodeId> {
        self.node.as_ref()
    }

    /// Names the node, for good. False if that could not be stored.
    pub(crate) fn name_node(&mut self, node: &NodeId) -> Result<bool, Fatal> {
        let name = node.as_str().as_bytes();
        let done = self.write(|txn| {
            txn.open_table(META)?.insert(NODE, name)?;
            Ok(true)
        })?;
        match done {
            Done::Yes => self.node = Some(node.clone()),
            Done::Failed => return Ok(false),
        }
        Ok(true)
    }

    /// Says whether this process shows counts, or exports them, before they are stored. To be called before its first commit, which
    /// stores this too: then the replica that it leaves in a crash is not free.
    pub(crate) fn shows_unstored(&mut self, shows_unstored: bool) {
        debug_assert_eq!(
            self.state.revision, self.start,
            "the first commit stores whether counts are shown early"
        );
        self.shows_unstored = shows_unstored;
    }

    /// The notes that have not expired at `now`, in the unit of their `until`. Reads all of them.
    pub(crate) fn notes(&mut self, now: u64) -> Result<Vec<Noted>, Fatal> {
        let notes = self.read(|txn, log| notes::load(txn, log, now))?;
        Ok(notes.into_values().collect())
    }

    /// Does what a process of this node asks, and says how it ended. What it says is done was synced before.
    ///
    /// # Errors
    ///
    /// [`Fatal`] if the process must end.
    pub(crate) fn request(&mut self, request: StoreRequest) -> Result<Outcome, Fatal> {
        if !self.is_open()? {
            return Ok(Outcome::NotDone);
        }
        match request {
            StoreRequest::Open => {
                let record = self.record()?;
                Ok(Outcome::Opened { record, revision: Revision(self.state.revision) })
            }
            StoreRequest::Commit { expect, .. } if expect.0 != self.state.revision => Ok(Outcome::Conflict),
            StoreRequest::Commit { expect: _, changes, owner } => {
                let outcome = self.commit(changes, EntryKind::Commit { owner })?;
                Ok(outcome.unwrap_or(Outcome::Committed { revision: Revision(self.state.revision) }))
            }
            StoreRequest::Fence => Ok(Outcome::Fenced),
            StoreRequest::Load { node } if self.is_own(&node) => Ok(Outcome::Loaded(self.record()?)),
            StoreRequest::Load { .. } => Ok(Outcome::Loaded(None)),
            StoreRequest::Nodes => {
                let has_record = self.state.revision > 0;
                Ok(Outcome::Nodes(self.node.iter().filter(|_| has_record).cloned().collect()))
            }
            StoreRequest::Seal { node, from, rows } if self.is_own(&node) => {
                if self.record()? != from {
                    return Ok(Outcome::Conflict);
                }
                let changes = Changes { rows, ..Changes::default() };
                Ok(self.commit(changes, EntryKind::Seal)?.unwrap_or(Outcome::Sealed))
            }
            // Each node has a store of its own.
            StoreRequest::Seal { .. } => Ok(Outcome::NotDone),
        }
    }

    /// Does a slice of the work in the background, of a few milliseconds. Call it when nothing is queued. `now` is in the unit of the
    /// notes' `until`. Returns whether there is more to do.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub(crate) fn fold(&mut self, now: u64) -> Result<bool, Fatal> {
        if !self.is_open()? || self.is_put_off() {
            return Ok(false);
        }
        if self.fold.is_some() || self.log.size().reaches(self.pace.worthwhile) {
            return self.fold_some(now);
        }
        if self.has_leftovers {
            self.has_leftovers = self.remove_some(now)?;
        }
        Ok(self.has_leftovers)
    }

    /// Figures of the file, for metrics.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            file_bytes: self.disk.len().unwrap_or_default(),
            log_bytes: self.log.size().bytes,
            syncs: self.disk.syncs(),
            commits: self.commits,
        }
    }

    /// Folds a slice of the log. False if that failed.
    fn fold_some(&mut self, now: u64) -> Result<bool, Fatal> {
        let Pace { batch, slice, .. } = self.pace;
        let mut fold = match self.fold.take() {
            Some(fold) => fold,
            None => self.read(|txn, log| Fold::begin(txn, log, (batch, now)))?,
        };
        let mut is_folded = false;
        let done = self.write(|txn| {
            is_folded = fold.write_some(txn, slice)?;
            Ok(true)
        })?;
        match done {
            // The log still has what was to be written.
            Done::Failed => {
                self.put_off();
                return Ok(false);
            }
            Done::Yes if is_folded => {
                self.log.forget(fold.upto());
                self.has_leftovers = true;
            }
            Done::Yes => self.fold = Some(fold),
        }
        self.put_off = None;
        Ok(true)
    }

    fn remove_some(&mut self, now: u64) -> Result<bool, Fatal> {
        let folded = self.read(|txn, _| record::folded_state(txn))?;
        let (removed, mut has_removed) = (self.pace.removed, false);
        let done = self.write(|txn| {
            has_removed = fold::remove_some(txn, (&folded, now), removed)?;
            Ok(has_removed)
        })?;
        match done {
            Done::Yes => Ok(has_removed),
            Done::Failed => {
                self.put_off();
                Ok(true)
            }
        }
    }

    /// Leaves the background alone until the log has grown by a batch: the disk may be full, and each failure reads the file.
    fn put_off(&mut self) {
        let (LogSize { entries, bytes }, batch) = (self.log.size(), self.pace.batch);
        self.put_off = Some(LogSize {
            entries: entries.saturating_add(batch.entries),
            bytes: bytes.saturating_add(batch.bytes),
        });
    }

    fn is_put_off(&self) -> bool {
        self.put_off.is_some_and(|until| !self.log.size().reaches(until))
    }

    /// Whether this process has committed nothing yet.
    fn is_new(&self) -> bool {
        self.state.revision == self.start
    }

    fn is_own(&self, node: &NodeId) -> bool {
        self.node.as_ref() == Some(node)
    }

    /// The record, as a new process of this node may find it.
    fn record(&mut self) -> Result<Option<Record>, Fatal> {
        if self.state.revision == 0 {
            return Ok(None);
        }
        let mut record = match self.record.take() {
            Some(record) => record,
            None => self.read(record::load)?.1,
        };
        if self.is_new() {
            record.owner = self.state.freed_owner();
        }
        Ok(Some(record))
    }
}

/// What deals with errors.
impl Store {
    /// Runs a transaction to its end, with one sync. It is left out if `f` returns false.
    fn write(&mut self, f: impl FnOnce(&WriteTransaction) -> Result<bool, Problem>) -> Result<Done, Fatal> {
        let Some(database) = &self.database else { return Ok(Done::Failed) };
        match transact(database, f) {
            Ok(()) => Ok(Done::Yes),
            Err(problem) => self.fail(problem).map(|()| Done::Failed),
        }
    }

    /// Reads from the file. It must be open.
    fn read<T>(&self, f: impl FnOnce(&ReadTransaction, &Log) -> Result<T, Problem>) -> Result<T, Fatal> {
        let database = self.database.as_ref().ok_or(Problem::Io(io::Error::other("the file is closed")));
        let value = database.and_then(|database| f(&database.begin_read()?, &self.log));
        value.map_err(|problem| Fatal::new(&self.path, problem))
    }

    /// Handles a transaction that has failed: opens the database again, to learn what it holds.
    fn fail(&mut self, problem: Problem) -> Result<(), Fatal> {
        self.disk.discard();
        self.database = None;
        self.fold = None;
        if self.disk.has_failed_to_sync() {
            return Err(Fatal::new(&self.path, format_args!("a sync has failed: {problem}")));
        }
        match problem {
            Problem::Io(error) => warn!(file = %self.path.display(), %error, "the store can't write"),
            other => return Err(Fatal::new(&self.path, other)),
        }
        self.is_open().map(|_| ())
    }

    /// Whether the database is open. Opens it again if it is closed.
    fn is_open(&mut self) -> Result<bool, Fatal> {
        if self.database.is_some() {
            return Ok(true);
        }
        match open_all(&self.disk) {
            Ok(Opened { database, log, state, record }) => {
                info!(file = %self.path.display(), "the store is open again");
                (self.log, self.state) = (log, state);
                (self.database, self.record) = (Some(database), Some(record));
                Ok(true)
            }
            Err(Problem::Io(_)) if !self.disk.has_failed_to_sync() => Ok(false),
            Err(problem) => Err(Fatal::new(&self.path, problem)),
        }
    }
}

/// A clean end. The database says then how far the log goes.
impl Drop for Store {
    fn drop(&mut self) {
        let Some(database) = &self.database else { return };
        if let Err(problem) = transact(database, |txn| layout::end(txn, self.state.revision)) {
            warn!(file = %self.path.display(), error = %problem, "the store can't note that it ends");
        }
    }
}

//! The replica's store: a database in a directory.
//!
//! It keeps the record of one node, and the notes beside its changes. A commit appends one entry to a log, whatever it changes:
//! one transaction, one sync. In the background the log is [folded](fold) into chunks of rows, which is a few milliseconds of work
//! a call. What the record says is what the chunks and the log say together.
//!
//! After each error the database is closed and opened again, so that the file says what was done. After a sync that failed not even
//! that is possible, and the process must end: see [`Fatal`].

mod disk;
mod entry;
mod error;
mod file;
mod fold;
mod layout;
mod notes;
mod record;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, StorageBackend, WriteTransaction};
use replica::NodeId;
use replica::store::{Noted, Outcome, Record, Revision, StoreRequest};
use tracing::{info, warn};

use disk::Disk;
use entry::{Entry, Kind};
use error::Problem;
pub use error::{Fatal, OpenError};
use file::{open_database, transact};
use fold::{Fold, Pace};
use layout::{LOG, META, NODE};
use record::{Loaded, LogSize};
use state::State;

/// The store of a node.
pub(crate) struct Store {
    path: PathBuf,
    disk: Disk,
    /// `None` after an error, until the database could be opened again.
    database: Option<Database>,
    node: Option<NodeId>,
    state: State,
    /// What the log has that is not folded yet.
    log: LogSize,
    /// The record as it was when the database was opened, until it is asked for or changed.
    record: Option<Record>,
    /// The revision that this process has found.
    start: u64,
    /// Whether the process that has committed that revision may have shown counts that are not stored.
    has_shown_unstored: bool,
    /// Whether this process may.
    shows_unstored: bool,
    fold: Option<Fold>,
    pace: Pace,
    commits: u64,
}

/// What the store tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The length of the database file.
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
        let (database, loaded) = open_database(&disk).map_err(|problem| problem.of(path))?;
        let mut store = Self {
            path: path.into(),
            disk,
            database: None,
            node: None,
            state: State::default(),
            log: LogSize::default(),
            record: None,
            start: 0,
            has_shown_unstored: false,
            shows_unstored: false,
            fold: None,
            pace: Pace::default(),
            commits: 0,
        };
        store.node = file::read_node(&database).map_err(|problem| problem.of(path))?;
        store.has_shown_unstored = file::read_unstored(&database).map_err(|problem| problem.of(path))?;
        store.start = loaded.state.revision;
        store.take(database, loaded);
        Ok(store)
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
        let notes = self.read(|txn| notes::load(txn, now))?;
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
                let kind = Kind::Commit { owner, is_first: self.is_new() };
                let outcome = self.append(&Entry { changes, kind })?;
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
                let changes = replica::store::Changes { rows, ..Default::default() };
                Ok(self.append(&Entry { changes, kind: Kind::Seal })?.unwrap_or(Outcome::Sealed))
            }
            // Each node has a store of its own.
            StoreRequest::Seal { .. } => Ok(Outcome::NotDone),
        }
    }

    /// Does a slice of the work in the background, of a few milliseconds. Call it when nothing is queued, and also between
    /// commits while the log is long. `now` is in the unit of the notes' `until`. Returns whether there is more to do.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub(crate) fn fold(&mut self, now: u64) -> Result<bool, Fatal> {
        if !self.is_open()? {
            return Ok(false);
        }
        let pace = self.pace;
        let fold = match self.fold.take() {
            Some(fold) => fold,
            None if self.log.reaches(pace.worthwhile) => {
                self.read(|txn| Fold::begin(txn, pace.batch, now))?
            }
            None => return self.remove_some(now),
        };
        self.write_some(fold)
    }

    /// Figures of the file, for metrics.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            file_bytes: self.disk.len().unwrap_or_default(),
            log_bytes: self.log.bytes,
            syncs: self.disk.syncs(),
            commits: self.commits,
        }
    }

    fn write_some(&mut self, mut fold: Fold) -> Result<bool, Fatal> {
        let (slice, mut is_folded) = (self.pace.slice, false);
        let done = self.write(|txn| {
            is_folded = fold.write_some(txn, slice)?;
            Ok(true)
        })?;
        match done {
            // The log still has what was to be written.
            Done::Failed => return Ok(false),
            Done::Yes if is_folded => self.log.sub(fold.size()),
            Done::Yes => self.fold = Some(fold),
        }
        Ok(true)
    }

    fn remove_some(&mut self, now: u64) -> Result<bool, Fatal> {
        let folded = self.read(record::folded_state)?;
        let (removed, mut has_removed) = (self.pace.removed, false);
        self.write(|txn| {
            has_removed = fold::remove_some(txn, (&folded, now), removed)?;
            Ok(has_removed)
        })?;
        Ok(has_removed)
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
            None => self.read(record::load)?.record,
        };
        if self.is_new() {
            record.owner = self.state.freed_owner(self.has_shown_unstored);
        }
        Ok(Some(record))
    }

    /// Appends an entry to the log. `None` if that was done.
    fn append(&mut self, entry: &Entry) -> Result<Option<Outcome>, Fatal> {
        let mut state = self.state.clone();
        state.apply(entry);
        let bytes = entry.to_bytes().map_err(|problem| Fatal::new(&self.path, problem))?;
        let revision = state.revision;
        let (is_first, shows_unstored) = (self.is_new(), self.shows_unstored);
        let done = self.write(|txn| {
            txn.open_table(LOG)?.insert(revision, bytes.as_slice())?;
            if is_first {
                file::write_unstored(txn, shows_unstored)?;
            }
            Ok(true)
        })?;
        match done {
            Done::Yes => {
                self.state = state;
                self.log.add(&bytes);
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

    /// Reads from the database. It must be open.
    fn read<T>(&mut self, f: impl FnOnce(&redb::ReadTransaction) -> Result<T, Problem>) -> Result<T, Fatal> {
        let database = self.database.as_ref().ok_or(Problem::Io(io::Error::other("the file is closed")));
        let value = database.and_then(|database| f(&database.begin_read()?));
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
        match open_database(&self.disk) {
            Ok((database, loaded)) => {
                info!(file = %self.path.display(), "the store is open again");
                self.take(database, loaded);
                Ok(true)
            }
            Err(Problem::Io(_)) if !self.disk.has_failed_to_sync() => Ok(false),
            Err(problem) => Err(Fatal::new(&self.path, problem)),
        }
    }

    fn take(&mut self, database: Database, loaded: Loaded) {
        self.database = Some(database);
        self.state = loaded.state;
        self.log = loaded.log;
        self.record = Some(loaded.record);
    }
}

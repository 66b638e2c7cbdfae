//! Makes and opens the database file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, WriteTransaction};
use replica::NodeId;
use replica::store::Record;
use tracing::warn;

use super::disk::{Behind, Disk};
use super::error::{OpenError, Problem};
use super::header::{Header, LANE};
use super::layout::{self, META, MIGRATIONS, NODE};
use super::log::Log;
use super::record::{folded_state, load};
use super::state::State;

/// The name of the database in its directory.
const FILE: &str = "counters.redb";

/// Its name until it is a database.
const UNFINISHED: &str = "counters.redb.new";

/// So much memory the database may use as a cache. The file is in the system's cache too.
const CACHE: usize = 32 << 20;

/// Opens the file in a directory. Makes the directory and a file with an empty store if they are missing.
pub(super) fn open(dir: &Path) -> Result<(FileBackend, PathBuf), OpenError> {
    let path = dir.join(FILE);
    make_dir(dir).map_err(unusable(dir))?;
    if !path.exists() {
        create(dir, &path)?;
    }
    let file = OpenOptions::new().read(true).write(true).open(&path).map_err(unusable(&path))?;
    let backend = FileBackend::new(file).map_err(|error| Problem::from(error).of(&path))?;
    Ok((backend, path))
}

/// All that the file holds.
pub(super) struct Opened {
    pub database: Database,
    pub log: Log,
    /// The state at the end of the log.
    pub state: State,
    pub record: Record,
}

/// Opens the database and the log, and reads all of both. Writes nothing before that was done. What it returns is durable.
pub(super) fn open_all(disk: &Disk) -> Result<Opened, Problem> {
    disk.hold().map_err(Problem::Io)?;
    let opened = open_held(disk).and_then(|mut opened| {
        disk.release().map_err(Problem::Io)?;
        opened.log.settle()?;
        Ok(opened)
    });
    if opened.is_err() {
        disk.discard();
    }
    opened
}

fn open_held(disk: &Disk) -> Result<Opened, Problem> {
    let header = Header::read(disk)?;
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder.set_repair_callback(|session| {
        if session.progress() > 0.2 && session.progress() < 0.5 {
            warn!("the last transaction before the crash was not complete, and is undone");
        }
    });
    let database = builder.create_with_backend(Behind::new(disk, header.end()))?;
    transact(&database, |txn| layout::migrate(txn, MIGRATIONS))?;
    let txn = database.begin_read()?;
    let log = Log::open(disk, header, (folded_state(&txn)?.revision, layout::ended(&txn)?))?;
    let (state, record) = load(&txn, &log)?;
    drop(txn);
    Ok(Opened { database, log, state, record })
}

pub(super) fn transact(
    database: &Database,
    f: impl FnOnce(&WriteTransaction) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    let txn = database.begin_write()?;
    if f(&txn)? { Ok(txn.commit()?) } else { Ok(txn.abort()?) }
}

pub(super) fn read_node(database: &Database) -> Result<Option<NodeId>, Problem> {
    let meta = database.begin_read()?.open_table(META)?;
    let Some(name) = meta.get(NODE)? else { return Ok(None) };
    let name = std::str::from_utf8(name.value());
    Ok(Some(NodeId::from(name.map_err(|_| Problem::damaged("the node's name is no text"))?)))
}

/// Makes a database, so that it is there as a whole or not at all: under another name first. Another process may do the same.
fn create(dir: &Path, path: &Path) -> Result<(), OpenError> {
    let unfinished = dir.join(UNFINISHED);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&unfinished);
    let file = file.map_err(unusable(&unfinished))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Problem::InUse.of(&unfinished)),
        Err(TryLockError::Error(error)) => return Err(unusable(&unfinished)(error)),
    }
    // The file may be the other process's, which has finished it.
    if path.exists() {
        return Ok(());
    }
    file.set_len(0).map_err(unusable(&unfinished))?;
    let backend = file.try_clone().map_err(unusable(&unfinished))?;
    let backend = FileBackend::new(backend).map_err(|error| Problem::from(error).of(&unfinished))?;
    // The file is locked until it has its name.
    let disk = Disk::new(backend);
    disk.keep_locks();
    initialize(&disk, LANE).map_err(|problem| problem.of(&unfinished))?;
    std::fs::rename(&unfinished, path).and_then(|()| sync_dir(dir)).map_err(unusable(path))
}

/// Makes an empty store, with lanes of the log of so many bytes.
pub(super) fn initialize(disk: &Disk, lane: u64) -> Result<(), Problem> {
    let header = Header::new(lane);
    header.create(disk)?;
    let database = Database::builder().create_with_backend(Behind::new(disk, header.end()))?;
    transact(&database, layout::create)?;
    Ok(database.close()?)
}

/// The error of something that can't be done with this file or directory.
fn unusable(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_path_buf();
    move |error| OpenError::Unusable { path, error }
}

/// Makes a directory and those above it, as far as they are missing, so that they are there after a power cut.
fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.exists() && !dir.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a file, and not a directory"));
    }
    let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let missing: Vec<_> = dir.ancestors().take_while(is_missing).collect();
    std::fs::create_dir_all(dir)?;
    missing.iter().filter_map(|made| made.parent()).try_for_each(sync_dir)
}

/// Syncs the names in a directory.
fn sync_dir(dir: &Path) -> io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir)?.sync_all()
}

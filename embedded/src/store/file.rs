//! Makes and opens the database file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, StorageBackend, WriteTransaction};
use replica::NodeId;
use tracing::warn;

use super::disk::Disk;
use super::error::{OpenError, Problem};
use super::layout::{self, META, MIGRATIONS, NODE, UNSTORED};
use super::record::{Loaded, load};

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

/// Opens the database and reads all of it. Writes nothing before that was done.
pub(super) fn open_database(disk: &Disk) -> Result<(Database, Loaded), Problem> {
    disk.hold().map_err(Problem::Io)?;
    let opened = open_held(disk);
    match opened {
        Ok(opened) => disk.release().map(|()| opened).map_err(Problem::Io),
        Err(problem) => {
            disk.discard();
            Err(problem)
        }
    }
}

fn open_held(disk: &Disk) -> Result<(Database, Loaded), Problem> {
    // redb would make a new database of it.
    if disk.len().map_err(Problem::Io)? == 0 {
        return Err(Problem::damaged("it is empty"));
    }
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder.set_repair_callback(|session| {
        if session.progress() > 0.2 && session.progress() < 0.5 {
            warn!("the last commit before the crash was not complete, and is undone");
        }
    });
    let database = builder.create_with_backend(disk.clone())?;
    transact(&database, |txn| layout::migrate(txn, MIGRATIONS))?;
    let loaded = load(&database.begin_read()?)?;
    Ok((database, loaded))
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

/// Whether the process that has committed last may have shown counts that are not stored.
pub(super) fn read_unstored(database: &Database) -> Result<bool, Problem> {
    Ok(database.begin_read()?.open_table(META)?.get(UNSTORED)?.is_some())
}

pub(super) fn write_unstored(txn: &WriteTransaction, may_have_shown: bool) -> Result<(), Problem> {
    let mut meta = txn.open_table(META)?;
    if may_have_shown {
        meta.insert(UNSTORED, [].as_slice())?;
    } else {
        meta.remove(UNSTORED)?;
    }
    Ok(())
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
    initialize(disk.clone()).map_err(|problem| problem.of(&unfinished))?;
    std::fs::rename(&unfinished, path).and_then(|()| sync_dir(dir)).map_err(unusable(path))
}

/// Makes an empty store.
pub(super) fn initialize(backend: impl StorageBackend) -> Result<(), Problem> {
    let database = Database::builder().create_with_backend(backend)?;
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

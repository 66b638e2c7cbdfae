//! The file of the log and the database.
//!
//! Both are read and written through a [`Disk`]; redb sees what is [`Behind`] the log. A disk adds three things to the file:
//!
//! * While a database is opened, all writes are held in memory. Only after it was found undamaged they are written, in their
//!   order. So a file that is refused was not touched.
//! * After a sync that failed nothing is written and nothing is synced any more. What the system still has to write may be
//!   lost by then, and a later sync would not say so.
//! * The file's locks stay with the process while the database is closed and opened again.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// A file, or what a test has in its place. Clones are the same file.
#[derive(Debug, Clone)]
pub(super) struct Disk(Arc<Shared>);

struct Shared {
    backend: Box<dyn StorageBackend>,
    writes: Mutex<Writes>,
    /// Whether the locks outlive the database that has them.
    keeps_locks: AtomicBool,
    has_failed_to_sync: AtomicBool,
    syncs: AtomicU64,
}

/// Where writes go.
enum Writes {
    /// To the file.
    Through,
    /// Into memory.
    Held(Held),
    /// Nowhere.
    Refused,
}

/// A file whose writes are held.
struct Held {
    len: u64,
    /// So many of its bytes, at its start, are those of the file unless a write says otherwise.
    kept: u64,
    steps: Vec<Step<'static>>,
}

enum Step<'a> {
    Write(u64, Cow<'a, [u8]>),
    Len(u64),
    Sync,
}

impl Disk {
    pub(super) fn new(backend: impl StorageBackend) -> Self {
        Self(Arc::new(Shared {
            backend: Box::new(backend),
            writes: Mutex::new(Writes::Through),
            keeps_locks: AtomicBool::new(false),
            has_failed_to_sync: AtomicBool::new(false),
            syncs: AtomicU64::new(0),
        }))
    }

    /// Holds all writes from now on.
    pub(super) fn hold(&self) -> io::Result<()> {
        let len = self.0.backend.len()?;
        let mut writes = self.0.writes();
        if !self.has_failed_to_sync() {
            *writes = Writes::Held(Held { len, kept: len, steps: Vec::new() });
        }
        Ok(())
    }

    /// Writes what is held. The next writes go to the file.
    ///
    /// # Errors
    ///
    /// What the file says. Then nothing can be written until the file is [held](Self::hold) again.
    pub(super) fn release(&self) -> io::Result<()> {
        let mut writes = self.0.writes();
        match std::mem::replace(&mut *writes, Writes::Refused) {
            Writes::Held(held) => held.steps.iter().try_for_each(|step| self.0.take(step))?,
            Writes::Through => {}
            Writes::Refused => return Err(refused()),
        }
        *writes = Writes::Through;
        self.keep_locks();
        Ok(())
    }

    /// Keeps the locks that the file has until this disk ends.
    pub(super) fn keep_locks(&self) {
        self.0.keeps_locks.store(true, Ordering::Relaxed);
    }

    /// Forgets what is held. Nothing can be written until the file is [held](Self::hold) again.
    pub(super) fn discard(&self) {
        *self.0.writes() = Writes::Refused;
    }

    /// Whether a sync has failed. Then it is not known which commits the file holds.
    pub(super) fn has_failed_to_sync(&self) -> bool {
        self.0.has_failed_to_sync.load(Ordering::Relaxed)
    }

    /// How many syncs the file has had.
    pub(super) fn syncs(&self) -> u64 {
        self.0.syncs.load(Ordering::Relaxed)
    }
}

/// The part of a file behind a place, as redb sees it.
#[derive(Debug)]
pub(super) struct Behind {
    disk: Disk,
    start: u64,
}

impl Behind {
    pub(super) fn new(disk: &Disk, start: u64) -> Self {
        Self { disk: disk.clone(), start }
    }

    fn at(&self, offset: u64) -> io::Result<u64> {
        self.start.checked_add(offset).ok_or(io::ErrorKind::FileTooLarge.into())
    }
}

/// The locks are those of the whole file.
impl StorageBackend for Behind {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.len()?.saturating_sub(self.start))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(self.at(offset)?, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(self.at(len)?)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(self.at(offset)?, data)
    }

    fn close(&self) -> io::Result<()> {
        self.disk.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.disk.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.disk.unlock_range(start, end)
    }
}

impl Shared {
    fn writes(&self) -> MutexGuard<'_, Writes> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, step: &Step<'_>) -> io::Result<()> {
        match step {
            Step::Write(at, bytes) => self.backend.write(*at, bytes),
            Step::Len(len) => self.backend.set_len(*len),
            Step::Sync => self.sync(),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let outcome = self.backend.sync_data();
        if outcome.is_err() {
            self.has_failed_to_sync.store(true, Ordering::Relaxed);
        }
        outcome
    }

    /// Does a step, now or later.
    fn step(&self, step: Step<'_>) -> io::Result<()> {
        let mut writes = self.writes();
        match &mut *writes {
            Writes::Through => {
                let outcome = self.take(&step);
                if self.has_failed_to_sync.load(Ordering::Relaxed) {
                    *writes = Writes::Refused;
                }
                outcome
            }
            Writes::Held(held) => {
                held.take(step);
                Ok(())
            }
            Writes::Refused => Err(refused()),
        }
    }
}

impl Held {
    fn take(&mut self, step: Step<'_>) {
        match &step {
            Step::Write(at, bytes) => self.len = self.len.max(at.saturating_add(bytes.len() as u64)),
            Step::Len(len) => (self.len, self.kept) = (*len, self.kept.min(*len)),
            Step::Sync => {}
        }
        self.steps.push(match step {
            Step::Write(at, bytes) => Step::Write(at, Cow::Owned(bytes.into_owned())),
            Step::Len(len) => Step::Len(len),
            Step::Sync => Step::Sync,
        });
    }

    fn read(&self, backend: &dyn StorageBackend, at: u64, out: &mut [u8]) -> io::Result<()> {
        let end = at.checked_add(out.len() as u64).filter(|end| *end <= self.len);
        end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let kept = usize::try_from(self.kept.saturating_sub(at)).unwrap_or(usize::MAX).min(out.len());
        let (from_file, empty) = out.split_at_mut(kept);
        empty.fill(0);
        if !from_file.is_empty() {
            backend.read(at, from_file)?;
        }
        for step in &self.steps {
            match step {
                Step::Write(start, bytes) => overlay((at, out), (*start, bytes)),
                Step::Len(len) => {
                    let left = usize::try_from(len.saturating_sub(at)).unwrap_or(usize::MAX);
                    out.get_mut(left..).unwrap_or_default().fill(0);
                }
                Step::Sync => {}
            }
        }
        Ok(())
    }
}

/// Copies the bytes at `start` over those of `out`, which are at `at`, as far as they have the same places.
fn overlay((at, out): (u64, &mut [u8]), (start, bytes): (u64, &[u8])) {
    let skipped = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let to = out.get_mut(skipped(start.saturating_sub(at))..).unwrap_or_default();
    let from = bytes.get(skipped(at.saturating_sub(start))..).unwrap_or_default();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

fn refused() -> io::Error {
    io::Error::other("nothing is written after an error")
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.writes() {
            Writes::Held(held) => Ok(held.len),
            Writes::Through | Writes::Refused => self.0.backend.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let writes = self.0.writes();
        match &*writes {
            Writes::Held(held) => held.read(&*self.0.backend, offset, out),
            Writes::Through | Writes::Refused => {
                drop(writes);
                self.0.backend.read(offset, out)
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.step(Step::Len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.step(Step::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.step(Step::Write(offset, Cow::Borrowed(data)))
    }

    fn close(&self) -> io::Result<()> {
        if self.0.keeps_locks.load(Ordering::Relaxed) { Ok(()) } else { self.0.backend.close() }
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        let is_locked = self.0.keeps_locks.load(Ordering::Relaxed);
        if is_locked { Ok(true) } else { self.0.backend.try_lock_range(start, end) }
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        let is_locked = self.0.keeps_locks.load(Ordering::Relaxed);
        if is_locked { Ok(()) } else { self.0.backend.unlock_range(start, end) }
    }
}

/// Its locks end with it.
impl Drop for Shared {
    fn drop(&mut self) {
        if self.keeps_locks.load(Ordering::Relaxed) && self.backend.close().is_err() {
            tracing::warn!("the lock of the database file could not be released before the process ends");
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.backend.fmt(f)
    }
}

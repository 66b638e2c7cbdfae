//! A disk for tests: it loses power, is full, or fails to sync.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use redb::StorageBackend;

use super::super::disk::Disk;
use super::super::file::initialize;

/// So short that a few commits fill a lane of the log.
pub(super) const LANE: u64 = 4096;

/// A disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(super) struct TestDisk(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    now: Vec<u8>,
    cut: Cut,
    /// What a power cut before each write and sync would have found.
    cuts: Option<Vec<Cut>>,
    /// How many writes and syncs there were.
    steps: u64,
    /// Writes of these steps fail, for the disk is full.
    is_full: std::ops::Range<u64>,
    /// How many halves of such a write are done all the same.
    room: usize,
    /// The sync at this step fails.
    fails_to_sync: Option<u64>,
    has_failed_to_sync: bool,
    /// The planted bug: a sync does nothing.
    is_liar: bool,
}

/// What a disk has when the power is cut.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut {
    synced: Vec<u8>,
    unsynced: Vec<Step>,
    /// The revision that was acknowledged before.
    pub acknowledged: u64,
}

#[derive(Debug, Clone)]
enum Step {
    Write(usize, Vec<u8>),
    Len(usize),
}

impl Step {
    fn take(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => {
                bytes.resize(bytes.len().max(at + written.len()), 0);
                bytes[*at..][..written.len()].copy_from_slice(written);
            }
            Self::Len(len) => bytes.resize(*len, 0),
        }
    }
}

impl Cut {
    /// The disk after the cut. Each write that was not synced was done, or not, or in part.
    pub(super) fn disk(&self, seed: u64) -> TestDisk {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut bytes = self.synced.clone();
        // At times all or none of them.
        let (kept, torn) = [(1.0, 0.0), (0.0, 0.0), (0.5, 0.5), (0.9, 0.5)][rng.random_range(0..4)];
        for step in &self.unsynced {
            match step {
                _ if rng.random_bool(kept) => step.take(&mut bytes),
                Step::Write(at, written) if rng.random_bool(torn) => {
                    let upto = rng.random_range(0..=written.len());
                    // Most are cut short. Of some the beginning is missing.
                    let from = if rng.random_bool(0.7) { 0 } else { rng.random_range(0..=upto) };
                    Step::Write(at + from, written[from..upto].to_vec()).take(&mut bytes);
                }
                Step::Write(..) | Step::Len(_) => {}
            }
        }
        TestDisk::new(bytes)
    }
}

impl Cut {
    /// The disk after the process was killed: the system still has what was not synced, and `writes` it, or not.
    pub(super) fn killed(&self, writes: bool) -> TestDisk {
        let mut now = self.synced.clone();
        for step in &self.unsynced {
            step.take(&mut now);
        }
        let mut cut = self.clone();
        if !writes {
            cut.unsynced.clear();
        }
        TestDisk(Arc::new(Mutex::new(Inner { now, cut, ..Inner::default() })))
    }
}

impl TestDisk {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let cut = Cut { synced: bytes.clone(), ..Cut::default() };
        Self(Arc::new(Mutex::new(Inner { now: bytes, cut, ..Inner::default() })))
    }

    /// A disk that has a new store: a file has its name only after that was made.
    pub(super) fn with_store() -> Self {
        let disk = Self::default();
        initialize(&Disk::new(disk.clone()), LANE).unwrap();
        Self::new(disk.bytes())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.inner().now.clone()
    }

    pub(super) fn steps(&self) -> u64 {
        self.inner().steps
    }

    /// Notes what a power cut would find, from now on, before each write and sync.
    pub(super) fn record_cuts(&self) {
        self.inner().cuts = Some(Vec::new());
    }

    /// The cuts noted, and one of just now.
    pub(super) fn cuts(&self) -> Vec<Cut> {
        let mut inner = self.inner();
        let mut cuts = inner.cuts.take().unwrap_or_default();
        cuts.push(inner.cut.clone());
        cuts
    }

    /// A commit was acknowledged.
    pub(super) fn acknowledge(&self, revision: u64) {
        self.inner().cut.acknowledged = revision;
    }

    /// Writes of these steps fail. They are done all the same by so many halves.
    pub(super) fn fill_up(&self, steps: std::ops::Range<u64>, halves: usize) {
        let mut inner = self.inner();
        (inner.is_full, inner.room) = (steps, halves);
    }

    pub(super) fn fail_to_sync(&self, step: u64) {
        self.inner().fails_to_sync = Some(step);
    }

    pub(super) fn has_failed_to_sync(&self) -> bool {
        self.inner().has_failed_to_sync
    }

    pub(super) fn lie(&self) {
        self.inner().is_liar = true;
    }
}

impl Inner {
    fn begin(&mut self) {
        assert!(!self.has_failed_to_sync, "something was written or synced after a sync had failed");
        self.steps += 1;
        let Self { cuts, cut, .. } = self;
        if let Some(cuts) = cuts {
            cuts.push(cut.clone());
        }
    }

    fn write(&mut self, step: Step) -> io::Result<()> {
        self.begin();
        let is_full = self.is_full.contains(&self.steps);
        let step = match step {
            Step::Len(_) if is_full => return Err(io::ErrorKind::StorageFull.into()),
            Step::Write(at, mut bytes) if is_full => {
                bytes.truncate(bytes.len() * self.room / 2);
                Step::Write(at, bytes)
            }
            step => step,
        };
        step.take(&mut self.now);
        self.cut.unsynced.push(step);
        if is_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for TestDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inner().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inner = self.inner();
        let at = usize::try_from(offset).unwrap();
        let found = inner.now.get(at..).and_then(|bytes| bytes.get(..out.len()));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner().write(Step::Len(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inner = self.inner();
        inner.begin();
        if inner.fails_to_sync == Some(inner.steps) {
            inner.has_failed_to_sync = true;
            return Err(io::Error::other("the sync of a test has failed"));
        }
        if !inner.is_liar {
            let Cut { synced, unsynced, .. } = &mut inner.cut;
            for step in unsynced.drain(..) {
                step.take(synced);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner().write(Step::Write(usize::try_from(offset).unwrap(), data.into()))
    }
}

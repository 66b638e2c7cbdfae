//! The log by itself, and what happens when it is full.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use replica::store::{Changes, Note, Noted, Outcome, Revision, StoreRequest};
use replica::{ReplicaId, RowDelta};

use super::super::Store;
use super::super::disk::Disk;
use super::super::fold::Pace;
use super::super::header::Header;
use super::super::log::Log;
use super::super::record::LogSize;
use super::disk::{LANE, TestDisk};
use super::open;
use crate::entry::{Entry, EntryKind};

/// An entry of about this length.
fn entry(rng: &mut SmallRng, len: usize) -> Entry {
    let note = Note { until: 0, text: (0..len).map(|_| rng.random()).collect() };
    let changes = Changes { notes: vec![Noted { note, value: 0 }], ..Changes::default() };
    Entry { changes, kind: EntryKind::Seal, first: None }
}

fn entries(log: &Log, above: u64) -> BTreeMap<u64, Entry> {
    let mut entries = BTreeMap::new();
    let mut revision = above;
    log.for_each(above, |_, entry| {
        revision += 1;
        entries.insert(revision, entry);
        Ok(true)
    })
    .unwrap();
    entries
}

/// Appends, folds and opens again in turn, as a map does it.
#[test]
fn a_log_has_what_was_appended_and_not_folded() {
    let mut rounds = 0;
    for seed in 0..20 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let test_disk = TestDisk::with_store();
        let disk = Disk::new(test_disk.clone());
        let header = Header::read(&disk).unwrap();
        let mut log = Log::open(&disk, header, (0, 0)).unwrap();
        let (mut all, mut folded, mut last) = (BTreeMap::new(), 0, 0);
        for _ in 0..200 {
            let most = [10, 300, 1500][rng.random_range(0..3)];
            let len = rng.random_range(0..most);
            let next = entry(&mut rng, len);
            let bytes = next.to_bytes().unwrap();
            if log.has_room(last + 1, bytes.len()) {
                last += 1;
                log.append(last, &bytes).unwrap();
                all.insert(last, next);
            } else {
                rounds += 1;
                assert!(!log.is_empty(), "an empty log has room for {len} bytes");
                folded = rng.random_range(folded..=last);
                all = all.split_off(&(folded + 1));
                log.forget(folded);
            }
            if rng.random_bool(0.2) {
                log = Log::open(&disk, header, (folded, 0)).unwrap();
                log.settle().unwrap();
            }
            assert_eq!(entries(&log, folded), all);
            let (space, free) = log.free(last + 1);
            assert!(space == LANE && free <= LANE, "{free} of {space} bytes are free");
        }
    }
    assert!(rounds > 100, "{rounds}");
}

fn open_log(disk: &TestDisk, folded: u64) -> Log {
    let disk = Disk::new(disk.clone());
    Log::open(&disk, Header::read(&disk).unwrap(), (folded, 0)).unwrap()
}

/// A log with this many entries of 99 bytes, the first two of them at the beginnings of the lanes.
fn log_with(disk: &TestDisk, count: u64) -> Log {
    let (mut log, mut rng) = (open_log(disk, 0), SmallRng::seed_from_u64(0));
    for revision in 1..=count {
        log.append(revision, &entry(&mut rng, 99).to_bytes().unwrap()).unwrap();
    }
    log
}

/// Else the next entries would go behind the copy, and perhaps over others.
#[test]
fn a_copy_of_entries_elsewhere_in_the_file_is_none() {
    let disk = TestDisk::with_store();
    assert!(log_with(&disk, 4).has_room(5, 3000));
    let mut bytes = disk.bytes();
    for lane in [4096, 8192] {
        bytes.copy_within(lane..lane + 512, lane + 2048);
    }
    assert!(open_log(&TestDisk::new(bytes), 0).has_room(5, 3000));
}

/// The entry that was cut is at another place than the one that gets its revision.
#[test]
fn an_entry_that_was_cut_is_never_taken_for_the_next_one() {
    let disk = TestDisk::with_store();
    log_with(&disk, 5);
    let mut bytes = disk.bytes();
    let behind_the_fifth = bytes[8192..12288].iter().rposition(|byte| *byte != 0).unwrap();
    bytes[8192 + behind_the_fifth - 50..12288].fill(0);
    let disk = TestDisk::new(bytes);
    let mut log = open_log(&disk, 0);
    assert_eq!(log.size().entries, 4);
    log.settle().unwrap();
    log.forget(4);
    let next = entry(&mut SmallRng::seed_from_u64(5), 9);
    log.append(5, &next.to_bytes().unwrap()).unwrap();
    assert_eq!(entries(&open_log(&disk, 4), 4), BTreeMap::from([(5, next)]));
}

/// A process that changes one counter after the other, and never has a moment to fold.
struct Busy {
    store: Store,
    counters: crdt::named::Counters<ReplicaId>,
    replica: ReplicaId,
    revision: u64,
}

impl Busy {
    fn new(store: Store) -> Self {
        let replica = "n0#00000001".parse().unwrap();
        Self { store, counters: crdt::named::Counters::new(), replica, revision: 0 }
    }

    /// Changes counters. Returns how many syncs that took.
    fn commit(&mut self, counters: std::ops::Range<u64>) -> u64 {
        let version = self.counters.version(&self.replica);
        for at in counters {
            self.counters.add(self.replica.clone(), format!("counter {at}").as_str(), 1).unwrap();
        }
        let rows: Vec<RowDelta> = self.counters.row_since(&self.replica, version).into_iter().collect();
        let before = self.store.figures().syncs;
        let changes = Changes { rows, ..Changes::default() };
        let commit = StoreRequest::Commit { expect: Revision(self.revision), changes, owner: None };
        let outcome = self.store.request(commit).unwrap();
        assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome}");
        self.revision += 1;
        self.store.figures().syncs - before
    }

    /// Another process finds all that was counted.
    fn check(self, disk: &TestDisk) {
        let Self { store, counters, replica, revision } = self;
        drop(store);
        let found = open(disk).unwrap().request(StoreRequest::Open).unwrap();
        let Outcome::Opened { record: Some(record), revision: found } = found else {
            panic!("there is no record")
        };
        assert_eq!(found, Revision(revision));
        assert_eq!(record.rows.get(&replica), counters.row_since(&replica, 0).as_ref());
    }
}

#[test]
fn a_log_that_fills_makes_room_a_slice_at_a_time() {
    let disk = TestDisk::with_store();
    let mut store = open(&disk).unwrap();
    let all = LogSize { entries: u64::MAX, bytes: u64::MAX };
    store.pace = Pace { worthwhile: all, batch: all, slice: 1, removed: 1 };
    let mut busy = Busy::new(store);
    // A hundred chunks.
    busy.commit(0..3200);
    let syncs: Vec<_> = (0..1500).map(|at| at * 33 % 3200).map(|at| busy.commit(at..at + 1)).collect();
    let most = syncs.iter().max().unwrap();
    let alone = syncs.iter().filter(|syncs| **syncs == 1).count();
    println!("{} syncs, {most} in one commit, {alone} commits with one", syncs.iter().sum::<u64>());
    assert!(*most <= 4, "a commit has waited for {most} syncs");
    assert!(alone > 100, "{alone}");
    assert!(busy.store.figures().log_bytes <= 2 * LANE);
    busy.check(&disk);
}

#[test]
fn an_entry_longer_than_the_log_is_written_all_the_same() {
    let disk = TestDisk::with_store();
    let mut busy = Busy::new(open(&disk).unwrap());
    for at in 0..10 {
        busy.commit(at..at + 1);
        busy.commit(at * 1000..(at + 1) * 1000);
        assert_eq!(busy.store.figures().log_bytes, 0, "all before it is folded, and it was never in the log");
    }
    busy.commit(0..1);
    busy.check(&disk);
}

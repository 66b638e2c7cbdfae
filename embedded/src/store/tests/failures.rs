//! A disk that is full for a while, and one that fails to sync.

use replica::store::{Outcome, Revision, StoreRequest};

use super::super::Store;
use super::disk::TestDisk;
use super::history::{History, node};
use super::power::NOW;
use super::{Fatal, open};

const STEPS: usize = 20;

/// Commits and folds. After an outcome other than "committed" it opens the record, as a process does.
fn run(history: &mut History, store: &mut Store) -> Result<(), Fatal> {
    store.name_node(&node())?;
    for _ in 0..STEPS {
        if history.now_and_then(0.4) {
            store.fold(NOW)?;
            continue;
        }
        let (outcome, record) = history.commit(store)?;
        match outcome {
            Outcome::Committed { revision } => {
                history.done(record);
                assert_eq!(revision, Revision(history.revision()));
                continue;
            }
            Outcome::NotDone | Outcome::Unknown => {}
            other => panic!("{other}"),
        }
        let is_certain = outcome == Outcome::NotDone;
        let revision = loop {
            match store.request(StoreRequest::Open)? {
                Outcome::Opened { revision: Revision(revision), .. } => break revision,
                Outcome::NotDone => {}
                other => panic!("{other}"),
            }
        };
        if revision == history.revision() {
            history.not_done();
        } else {
            assert!(!is_certain, "a commit was done, and its outcome said that it was not");
            history.done(record);
        }
        assert_eq!(revision, history.revision());
    }
    Ok(())
}

/// Fills the disk at its write number `at`, for some writes. Returns whether there was such a write.
fn fill_up(at: u64, writes: u64, halves: usize) -> bool {
    let disk = TestDisk::with_store();
    let mut store = open(&disk).unwrap();
    let mut history = History::new(at);
    let start = disk.steps() + at;
    disk.fill_up(start..start + writes, halves);
    run(&mut history, &mut store).unwrap();
    drop(store);
    let cut = disk.cuts().pop().unwrap();
    history.check(&mut open(&cut.disk(at)).unwrap(), history.revision()).unwrap();
    disk.steps() >= start
}

#[test]
fn a_full_disk_refuses_commits_and_loses_none() {
    let mut tried = 0;
    // Long enough for the first attempts to open the database again to fail too, or for one write.
    while fill_up(tried + 1, tried % 20, 0) {
        for halves in 0..3 {
            fill_up(tried + 1, 1, halves);
        }
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn a_sync_that_fails_ends_the_process_and_nothing_is_written_after_it() {
    let mut failed = 0;
    for at in 1.. {
        let disk = TestDisk::with_store();
        let mut store = open(&disk).unwrap();
        let mut history = History::new(at);
        let step = disk.steps() + at;
        disk.fail_to_sync(step);
        let ended = run(&mut history, &mut store);
        if disk.has_failed_to_sync() {
            failed += 1;
            let fatal = ended.unwrap_err().to_string();
            assert!(fatal.starts_with("test.redb: a sync has failed"), "{fatal}");
            assert!(store.request(StoreRequest::Open).is_err(), "the store goes on after a sync that failed");
        }
        drop(store);
        for seed in 0..4 {
            let cut = disk.cuts().pop().unwrap();
            history
                .check(&mut open(&cut.disk(seed)).unwrap(), history.revision())
                .map(|_| ())
                .or_else(may_be_done)
                .unwrap();
        }
        if disk.steps() < step {
            break;
        }
    }
    assert!(failed > 5, "{failed}");
}

/// The commit whose sync has failed may be there after all.
fn may_be_done(problem: String) -> Result<(), String> {
    if problem.starts_with("nobody has committed") { Ok(()) } else { Err(problem) }
}

//! Power cuts.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use replica::store::Outcome;

use super::disk::TestDisk;
use super::history::{History, node};
use super::{Store, open};

/// The time of all tests: notes expire before it and after it.
pub(super) const NOW: u64 = 100;

/// Commits, or folds with this probability, some steps, and notes what the disk has at each.
pub(super) fn run(
    history: &mut History,
    (store, disk): (&mut Store, &TestDisk),
    (steps, folds): (usize, f64),
) {
    for _ in 0..steps {
        if history.now_and_then(folds) {
            store.fold(NOW).unwrap();
            continue;
        }
        let (outcome, record) = history.commit(store).unwrap();
        assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome}");
        history.done(record);
        disk.acknowledge(history.revision());
    }
}

/// Cuts the power before each write and each sync of a history, in several ways.
fn cut_everywhere(seed: u64, is_liar: bool) -> Result<(), String> {
    let (mut history, mut rng) = (History::new(seed), SmallRng::seed_from_u64(seed));
    let mut disk = TestDisk::with_store();
    for life in 0..6 {
        if is_liar {
            disk.lie();
        }
        disk.record_cuts();
        disk.acknowledge(history.revision());
        let mut store = open(&disk).map_err(|error| error.to_string())?;
        history.check(&mut store, history.revision())?;
        store.name_node(&node()).unwrap();
        run(&mut history, (&mut store, &disk), (9, 0.4));
        if life % 2 == 0 {
            // A clean end, which writes too.
            drop(store);
        }
        let cuts = disk.cuts();
        for (at, cut) in cuts.iter().enumerate() {
            for way in 0..4 {
                let mut store = open(&cut.disk(seed + way)).map_err(|error| format!("cut {at}: {error}"))?;
                history.check(&mut store, cut.acknowledged).map_err(|error| format!("cut {at}: {error}"))?;
            }
        }
        // The next process goes on after one of these cuts.
        let cut = &cuts[rng.random_range(cuts.len() / 2..cuts.len())];
        disk = cut.disk(seed);
        let mut store = open(&disk).map_err(|error| error.to_string())?;
        let revision = history.check(&mut store, cut.acknowledged)?;
        history.restart(revision);
    }
    Ok(())
}

#[test]
fn what_was_committed_survives_a_power_cut_at_each_write_and_sync() {
    for seed in 0..3 {
        cut_everywhere(seed, false).unwrap();
    }
}

#[test]
fn an_answer_before_the_sync_is_found() {
    cut_everywhere(1, true).unwrap_err();
}

/// What a process finds, it shows. So a later power cut must not undo it.
fn find_after_kills(mut history: History, seed: u64, writes: bool) {
    let disk = TestDisk::with_store();
    let mut store = open(&disk).unwrap();
    store.name_node(&node()).unwrap();
    disk.record_cuts();
    disk.acknowledge(0);
    run(&mut history, (&mut store, &disk), (20, if writes { 0.4 } else { 0.0 }));
    for cut in disk.cuts() {
        let killed = cut.killed(writes);
        let mut next = open(&killed).unwrap();
        let found = history.check(&mut next, cut.acknowledged).unwrap();
        let cut = killed.cuts().pop().unwrap();
        history.check(&mut open(&cut.disk(seed)).unwrap(), found).unwrap();
    }
}

#[test]
fn a_process_makes_durable_what_it_finds_after_a_kill() {
    for seed in 0..10 {
        find_after_kills(History::new(seed), seed, true);
    }
}

/// After a sync that failed the system may hold bytes that it never writes again. The next process reads them all the same.
#[test]
fn a_process_makes_durable_what_it_finds_after_a_sync_that_failed() {
    for seed in 0..10 {
        find_after_kills(History::brief(seed), seed, false);
    }
}

//! Power cuts.

use replica::store::Outcome;

use super::disk::TestDisk;
use super::history::{History, node};
use super::{Store, open};

/// The time of all tests: notes expire before it and after it.
pub(super) const NOW: u64 = 100;

/// Commits and folds, some steps, and notes what the disk has at each.
pub(super) fn run(history: &mut History, (store, disk): (&mut Store, &TestDisk), steps: usize) {
    for _ in 0..steps {
        if history.now_and_then(0.4) {
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
    let mut history = History::new(seed);
    let mut disk = TestDisk::with_store();
    for life in 0..4 {
        if is_liar {
            disk.lie();
        }
        disk.record_cuts();
        disk.acknowledge(history.revision());
        let mut store = open(&disk).map_err(|error| error.to_string())?;
        history.check(&mut store, history.revision())?;
        store.name_node(&node()).unwrap();
        run(&mut history, (&mut store, &disk), 9);
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
        // The next process goes on after one of these cuts, or after the end.
        let cut = &cuts[cuts.len() - 1];
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

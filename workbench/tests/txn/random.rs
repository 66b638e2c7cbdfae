//! Random histories of databases whose isolation is known.

use workbench::txn::{Findings, Model, TransactionOutcome, check_list_append, check_rw_register};

use crate::database::{Isolation, Setup, lists, registers};
use crate::script::names;

/// What the checkers find in the histories of so many seeds: in lists, and in registers.
fn found(isolation: Isolation, seeds: u64) -> Vec<[Findings; 2]> {
    let setup =
        |seed| Setup { clients: 2 + usize::try_from(seed % 12).unwrap(), ..Setup::new(isolation, seed) };
    let check = |seed| {
        let list = check_list_append(&lists(setup(seed))).unwrap();
        [list, check_rw_register(&registers(setup(seed))).unwrap()]
    };
    (0..seeds).map(check).collect()
}

/// Every history holds that model, and many break this one.
#[track_caller]
fn holds_but_breaks(isolation: Isolation, holds: &[Model], breaks: Model) {
    let mut broken = [0, 0];
    for (seed, both) in found(isolation, 60).iter().enumerate() {
        for (findings, broken) in both.iter().zip(&mut broken) {
            for model in holds {
                let against: Vec<_> = findings.against(*model).map(|finding| &finding.text).collect();
                assert!(against.is_empty(), "seed {seed}, {model}: {against:?} of {:?}", names(findings));
            }
            *broken += u64::from(findings.against(breaks).next().is_some());
        }
    }
    println!("{isolation:?}: of 60 histories of lists and of registers {broken:?} break {breaks}");
    assert!(broken[0] > 40 && broken[1] > 5, "{isolation:?}: only {broken:?} break {breaks}");
}

#[test]
fn two_hundred_valid_histories_raise_no_alarm() {
    for (seed, both) in found(Isolation::StrictSerializable, 200).iter().enumerate() {
        for findings in both {
            assert_eq!(*findings, Findings::default(), "seed {seed}");
        }
    }
}

/// The histories above would prove little if nothing in them were aborted, unknown, read or concurrent.
#[test]
fn valid_histories_are_rich() {
    let history = lists(Setup::new(Isolation::StrictSerializable, 1));
    let count = |outcome| history.iter().filter(|transaction| transaction.outcome == outcome).count();
    assert!(count(TransactionOutcome::Aborted) > 3);
    assert!(count(TransactionOutcome::Unknown) > 10);
    let ends: Vec<_> = history.iter().filter_map(|transaction| transaction.completed).collect();
    let concurrent = history.iter().zip(&ends).filter(|(transaction, end)| transaction.invoked < **end);
    assert!(concurrent.count() > 50);
}

#[test]
fn a_serializable_database_with_stale_reads_is_not_strict() {
    let holds = [Model::Serializable, Model::SnapshotIsolation, Model::RepeatableRead];
    holds_but_breaks(Isolation::Serializable, &holds, Model::StrictSerializable);
}

#[test]
fn snapshot_isolation_has_write_skew() {
    let holds =
        [Model::StrongSnapshotIsolation, Model::StrongSessionSnapshotIsolation, Model::CursorStability];
    holds_but_breaks(Isolation::Snapshot, &holds, Model::Serializable);
}

#[test]
fn read_committed_has_read_skew() {
    holds_but_breaks(Isolation::ReadCommitted, &[Model::MonotonicAtomicView], Model::SnapshotIsolation);
}

#[test]
fn read_uncommitted_has_dirty_reads() {
    holds_but_breaks(Isolation::ReadUncommitted, &[Model::ReadUncommitted], Model::ReadCommitted);
}

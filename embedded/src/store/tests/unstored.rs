//! Processes that show counts before they are stored, and the replicas that they leave in a crash.

use replica::ReplicaId;
use replica::Tally;
use replica::store::{Changes, Outcome, Ownership, Revision, StoreRequest};

use super::disk::TestDisk;
use super::history::node;
use super::{Store, open};

/// A process starts on a disk. It commits its row, as the owner of a replica or of none.
fn begin(disk: &TestDisk, shows_unstored: bool, replica: &ReplicaId, owner: Option<bool>) -> Store {
    let mut store = open(disk).unwrap();
    store.name_node(&node()).unwrap();
    store.shows_unstored(shows_unstored);
    let (_, Revision(revision)) = found(&mut store);
    commit(&mut store, (revision, replica), owner);
    store
}

fn commit(store: &mut Store, (revision, replica): (u64, &ReplicaId), owner: Option<bool>) {
    let row = Tally { up: revision + 1, down: 0 }.row(replica.clone());
    let changes = Changes { rows: vec![row], ..Changes::default() };
    let incarnation = replica.incarnation();
    let owner = owner.map(|is_free| Ownership { replica: replica.clone(), incarnation, is_free });
    let commit = StoreRequest::Commit { expect: Revision(revision), changes, owner };
    assert!(matches!(store.request(commit).unwrap(), Outcome::Committed { .. }));
}

/// The owner that a process finds, and the revision.
fn found(store: &mut Store) -> (Option<Ownership>, Revision) {
    match store.request(StoreRequest::Open).unwrap() {
        Outcome::Opened { record, revision } => (record.and_then(|record| record.owner), revision),
        other => panic!("the store is not opened, but {other}"),
    }
}

/// The replica that is free for the next process.
fn free(disk: &TestDisk) -> Option<ReplicaId> {
    let (owner, _) = found(&mut open(disk).unwrap());
    owner.filter(|owner| owner.is_free).map(|owner| owner.replica)
}

#[test]
fn a_crash_frees_the_replica_unless_counts_were_shown_early() {
    for owner in [None, Some(false)] {
        for shows_unstored in [false, true] {
            let (disk, replica) = (TestDisk::with_store(), "n0#00000001".parse().unwrap());
            let mut store = begin(&disk, shows_unstored, &replica, owner);
            commit(&mut store, (1, &replica), owner);
            drop(store);
            assert_eq!(free(&disk), (!shows_unstored).then_some(replica), "{owner:?} {shows_unstored}");
        }
    }
}

/// The last commit of a process has all that it has shown.
#[test]
fn a_clean_end_frees_the_replica_also_if_counts_were_shown_early() {
    let (disk, replica) = (TestDisk::with_store(), "n0#00000001".parse().unwrap());
    let mut store = begin(&disk, true, &replica, None);
    commit(&mut store, (1, &replica), Some(true));
    drop(store);
    assert_eq!(free(&disk), Some(replica));
}

/// A process that has committed nothing changes nothing. One that has leaves its own replica.
#[test]
fn what_was_shown_early_is_remembered_until_another_process_commits() {
    let (disk, shown) = (TestDisk::with_store(), "n0#00000001".parse().unwrap());
    drop(begin(&disk, true, &shown, None));
    for shows_unstored in [false, true] {
        let mut store = open(&disk).unwrap();
        store.shows_unstored(shows_unstored);
        drop(store);
        assert_eq!(free(&disk), None);
    }
    let fresh = "n0#00000002".parse().unwrap();
    drop(begin(&disk, false, &fresh, None));
    assert_eq!(free(&disk), Some(fresh));
}

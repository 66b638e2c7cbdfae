//! Processes that end without a word. A copy of the directory stands for what such a process leaves.

use std::thread;
use std::time::Duration;

use embedded::{AckPolicy, Counters, Options};

/// Waits until all that was counted is stored, and copies the directory.
fn crash(counters: &Counters, directory: &tempfile::TempDir) -> tempfile::TempDir {
    let is_stored = (0..60_000).any(|_| {
        thread::sleep(Duration::from_millis(1));
        counters.status().unstored == 0
    });
    assert!(is_stored, "what is counted is stored after a while");
    let copy = tempfile::tempdir().unwrap();
    let file = "counters.redb";
    std::fs::copy(directory.path().join(file), copy.path().join(file)).unwrap();
    copy
}

/// How many replicas there are after three crashes. Each process counts once.
fn replicas_after_crashes(ack: AckPolicy) -> usize {
    let mut directory = tempfile::tempdir().unwrap();
    for process in 0..3 {
        let counters = Options { ack, ..Options::default() }.open(directory.path()).unwrap();
        assert_eq!(counters.add("a", 1).wait(), Ok(process + 1));
        directory = crash(&counters, &directory);
    }
    let counters = Counters::open(directory.path()).unwrap();
    assert_eq!(counters.value("a"), 3);
    counters.status().replicas
}

#[test]
fn after_a_crash_the_replica_is_the_same() {
    assert_eq!(replicas_after_crashes(AckPolicy::Store), 1);
}

/// An export may have counts that were lost. So their numbers must not return with another meaning.
#[test]
fn after_a_crash_with_acknowledgements_from_memory_the_replica_is_fresh() {
    assert_eq!(replicas_after_crashes(AckPolicy::Memory), 3);
}

//! Files that were changed since they were written.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::super::OpenError;
use super::disk::TestDisk;
use super::history::History;
use super::open;
use super::power::run;

/// A history, and the file that it leaves: after a clean end, or as a process that was killed leaves it.
fn file(seed: u64, is_clean: bool) -> (History, Vec<u8>) {
    let disk = TestDisk::with_store();
    let mut history = History::new(seed);
    let mut store = open(&disk).unwrap();
    run(&mut history, (&mut store, &disk), 40);
    let killed = disk.bytes();
    drop(store);
    (history, if is_clean { disk.bytes() } else { killed })
}

/// What may have happened to a file.
fn damage(rng: &mut SmallRng, bytes: &mut Vec<u8>) {
    let at = rng.random_range(0..bytes.len());
    match rng.random_range(0..8) {
        0..4 => bytes[at] ^= 1 << rng.random_range(0..8),
        4 => bytes[at] = rng.random(),
        5 => {
            let page = at / 4096 * 4096;
            bytes[page..][..4096].fill(0);
        }
        6 => bytes.truncate(at),
        _ => {
            let other = rng.random_range(0..bytes.len() / 4096) * 4096;
            bytes.copy_within(other..other + 4096, at / 4096 * 4096);
        }
    }
}

/// Opens a damaged file. It must be refused as damaged and left as it is, or have all from this revision on.
fn check(history: &History, damaged: &[u8], acknowledged: u64) -> Result<bool, String> {
    let disk = TestDisk::new(damaged.into());
    match open(&disk) {
        Ok(mut store) => history.check(&mut store, acknowledged).map(|_| true),
        Err(OpenError::Damaged { .. }) if disk.bytes() == damaged => Ok(false),
        Err(error) => Err(format!("the file was refused for another reason, or changed: {error}")),
    }
}

/// Damages files in many places.
fn damage_everywhere(is_clean: bool) {
    let mut opened = 0;
    for seed in 0..6 {
        let (history, bytes) = file(seed, is_clean);
        // The header says where everything is: each of its bytes, and a random one of the rest.
        for trial in 0..600 {
            let mut rng = SmallRng::seed_from_u64(trial);
            let mut damaged = bytes.clone();
            match usize::try_from(trial).unwrap() {
                at @ 0..320 => damaged[at] ^= 1 << rng.random_range(0..8),
                _ => damage(&mut rng, &mut damaged),
            }
            let known = history.revision() - u64::from(!is_clean);
            let outcome = check(&history, &damaged, known);
            opened +=
                u32::from(outcome.unwrap_or_else(|error| panic!("seed {seed}, trial {trial}: {error}")));
        }
    }
    println!("{opened} of 3600 damaged files were opened, with everything");
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    damage_everywhere(true);
}

/// Nobody can tell a last commit that was not complete from one that was damaged later. It may be undone.
#[test]
fn a_damaged_file_of_a_killed_process_loses_no_more_than_the_last_commit() {
    damage_everywhere(false);
}

#[test]
fn an_empty_file_is_no_new_store() {
    let disk = TestDisk::default();
    let error = open(&disk).err().unwrap().to_string();
    assert!(error.contains("it is empty"), "{error}");
    assert_eq!(disk.steps(), 0);
}

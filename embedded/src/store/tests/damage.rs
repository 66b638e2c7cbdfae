//! Files that were changed since they were written.

use std::ops::Range;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::super::OpenError;
use super::super::header::PAGE;
use super::disk::{LANE, TestDisk};
use super::history::History;
use super::open;
use super::power::run;

/// A history, and the file that it leaves: after a clean end, or as a process that was killed leaves it.
fn file((seed, folds): (u64, f64), is_clean: bool) -> (History, Vec<u8>) {
    let disk = TestDisk::with_store();
    let mut history = History::new(seed);
    let mut store = open(&disk).unwrap();
    run(&mut history, (&mut store, &disk), (40, folds));
    let killed = disk.bytes();
    drop(store);
    (history, if is_clean { disk.bytes() } else { killed })
}

/// What may have happened to a part of a file.
fn damage(rng: &mut SmallRng, bytes: &mut Vec<u8>, part: Range<usize>) {
    let at = rng.random_range(part);
    let page = at / 4096 * 4096;
    match rng.random_range(0..9) {
        0..4 => bytes[at] ^= 1 << rng.random_range(0..8),
        4 => bytes[at] = rng.random(),
        5 => bytes[page..][..4096].fill(0),
        6 => bytes.truncate(at),
        7 => bytes[at / 512 * 512..][..512].fill(0),
        _ => {
            let other = rng.random_range(0..bytes.len() / 4096) * 4096;
            bytes.copy_within(other..other + 4096, page);
        }
    }
}

/// Where the trial damages a file. Each page that says where everything is: each of its bytes.
fn part(trial: usize, len: usize) -> Range<usize> {
    let database = usize::try_from(PAGE + 2 * LANE).unwrap();
    match trial {
        0..320 => database + trial..database + trial + 1,
        320..360 => trial - 320..trial - 319,
        360..400 => trial - 360 + 4056..trial - 359 + 4056,
        400..800 => 4096..database,
        _ => 0..len,
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
    let (mut opened, mut refused) = (0, 0);
    // Some have folded nearly all, and some nearly nothing.
    for (seed, folds) in [0.4, 0.4, 0.4, 0.2, 0.0, 0.0].into_iter().enumerate() {
        let (history, bytes) = file((seed as u64, folds), is_clean);
        let known = history.revision() - u64::from(!is_clean);
        for trial in 0..1100 {
            let mut rng = SmallRng::seed_from_u64(trial as u64);
            let (mut damaged, part) = (bytes.clone(), part(trial, bytes.len()));
            match trial {
                0..400 => damaged[part.start] ^= 1 << rng.random_range(0..8),
                _ => damage(&mut rng, &mut damaged, part),
            }
            match check(&history, &damaged, known) {
                Ok(true) => opened += 1,
                Ok(false) => refused += 1,
                Err(error) => panic!("seed {seed}, trial {trial}: {error}"),
            }
        }
    }
    println!("{opened} damaged files were opened, with everything, and {refused} refused");
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

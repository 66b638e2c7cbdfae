//! Larger clusters, with dangers that come together: searches that take minutes and gigabytes.

use crate::backups::{BACK, TWO_RUNS, a_hint_that_is_late, after};
use crate::configurations::{alone, holds_and_shows, two, with_store_down, without_store};
use crate::forgets::{FORGET, forget};
use crate::many::{self, ONE_ADD};
use crate::rules::{ALL_ACKNOWLEDGED, FOR_READS, Rule};
use crate::setup::{Faults, NONE, Setup, StoreIs};
use crate::wishes::Wish::{Add, Batch, Reset};

/// A search that takes more steps than this is cut off, and fails.
const MOST: usize = 60_000_000;

const CRASH: Faults = Faults { crashes: 1, ..NONE };

fn holds(name: &str, setup: Setup) {
    holds_and_shows(ALL_ACKNOWLEDGED, name, setup, MOST);
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn two_ends_and_unknown_outcomes() {
    holds("two ends", alone(&[0, 0, 0], 1, Faults { ends: 2, unknowns: 1, ..NONE }));
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_crash_an_end_and_a_double() {
    holds("all but time", alone(&[0, 0], 0, Faults { ends: 1, doubles: 1, ..CRASH }));
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn records_that_never_stood_before() {
    let setup = alone(&[0], 0, Faults { ends: 1, doubles: 1, ..CRASH });
    holds("new records", Setup { rules: &[Rule::RecordIsNew], ..setup });
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn three_nodes() {
    holds("a crash of three", Setup { nodes: (3, 3), ..two(&[0, 1], 0, CRASH) });
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_crash_among_peers_and_time() {
    holds("a crash of two, and time", two(&[0, 1], 1, CRASH));
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_crash_at_the_start() {
    holds("a start and a crash", Setup { past: &[], ..two(&[0, 1], 0, CRASH) });
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn reads_across_a_crash_and_time() {
    let setup = Setup { rules: FOR_READS, store: StoreIs::Lagging, ..two(&[0, 1], 1, CRASH) };
    holds("reads of two, and time", setup);
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_death_while_the_store_may_be_down() {
    holds("a death without store", without_store(&[0, 1], 2, CRASH));
    holds("a death with a store that may answer", with_store_down(two(&[0], 2, CRASH)));
}

/// What is too large for every day since processes ask before they inherit.
#[test]
#[ignore = "takes minutes and gigabytes"]
fn more_adds() {
    let unknown = Faults { unknowns: 1, ..NONE };
    holds("late outcomes", alone(&[0, 0, 0], 4, Faults { unknowns: 2, ..NONE }));
    holds("refusals", alone(&[0, 0, 0], 4, Faults { refusals: 2, ..unknown }));
    holds("a double", alone(&[0, 0], 1, Faults { doubles: 1, ..unknown }));
    holds("two doubles", alone(&[0, 0], 0, Faults { doubles: 2, ..NONE }));
    holds("an end", alone(&[0], 1, Faults { ends: 1, ..unknown }));
    holds("an end and a double", alone(&[0, 0], 0, Faults { ends: 1, doubles: 1, ..NONE }));
    let batches = alone(&[0, 0, 0], 2, Faults { unknowns: 1, ..CRASH });
    holds("batches", Setup { batches: true, ..batches });
    holds("a crash of two", two(&[0, 1, 0], 0, CRASH));
    let setup = Setup { rules: FOR_READS, store: StoreIs::Lagging, ..two(&[0, 1], 0, CRASH) };
    holds("reads of two", setup);
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn records_that_go_back() {
    holds("a backup, and a late hint", a_hint_that_is_late());
    holds("a backup, and a crash", after(TWO_RUNS, &[0, 0], Faults { crashes: 1, ..BACK }));
    let setup = after(TWO_RUNS, &[0, 0], BACK);
    holds("a backup of three", Setup { nodes: (3, 3), calm: &[1, 2], ..setup });
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_forget_an_end_and_a_return() {
    let faults = Faults { ends: 1, returns: 1, ..FORGET };
    holds("a forget, an end and a return", forget(&[1, 1], faults));
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn many_counters() {
    let wishes = &[Add("a"), Batch("a", "b"), Reset("a")];
    holds("many counters, and time", many::talking(wishes, two(&[0, 0, 1], 1, CRASH)));
    let setup = many::talking(wishes, two(&[0, 1, 0], 1, CRASH));
    let setup = Setup { past: ONE_ADD, ..setup };
    holds("many counters and refusals", many::with_store_down(StoreIs::Unwilling, setup));
    let setup = Setup { nodes: (3, 3), past: ONE_ADD, ..many::many(wishes, two(&[0, 1, 2], 1, CRASH)) };
    holds("many counters of three", setup);
    holds("many counters and refusals of three", many::with_store_down(StoreIs::Unwilling, setup));
}

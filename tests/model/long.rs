//! Larger clusters, with dangers that come together: searches that take minutes and gigabytes.

use crate::configurations::{NONE, alone, holds_and_shows, two};
use crate::rules::{ALL_ACKNOWLEDGED, WITH_STORE_DOWN};
use crate::setup::{AckPolicy, Faults, Setup};

/// A search that takes more steps than this is cut off, and fails. Each million takes about 70 MB.
const MOST: usize = 60_000_000;

fn holds(name: &str, setup: Setup) {
    holds_and_shows(ALL_ACKNOWLEDGED, name, setup, MOST);
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn two_crashes_and_copies() {
    holds("two crashes, and copies", alone(&[0, 0, 0], 1, Faults { crashes: 2, duplicates: 1, ..NONE }));
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_crash_an_end_and_a_double() {
    holds("all but time", alone(&[0, 0], 0, Faults { crashes: 1, ends: 1, doubles: 1, ..NONE }));
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn two_ends() {
    holds("two ends", alone(&[0, 0], 0, Faults { ends: 2, ..NONE }));
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn three_nodes() {
    let faults = Faults { crashes: 1, duplicates: 1, ..NONE };
    holds("a crash of three, and copies", Setup { nodes: (3, 3), ..two(&[0, 1, 2], 0, faults) });
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_crash_among_peers_and_time() {
    holds("a crash of two, and time", two(&[0, 1], 1, Faults { crashes: 1, ..NONE }));
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_crash_at_the_start() {
    holds("a start and a crash", Setup { warm: false, ..two(&[0, 1], 0, Faults { crashes: 1, ..NONE }) });
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn a_death_while_the_store_may_be_down() {
    let ack = AckPolicy::Durable;
    let setup = Setup { ack, rules: WITH_STORE_DOWN, ..two(&[0], 2, Faults { crashes: 1, ..NONE }) };
    holds("a death with a store that may answer", setup);
}

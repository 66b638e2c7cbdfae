//! Records that go back to an earlier state: a process must not go on under its predecessor's replica where the record says that
//! less was counted than anybody knows.

use replica::AckPolicy;

use crate::configurations::{holds, two};
use crate::past::Past;
use crate::rules::WITH_BACKUPS;
use crate::setup::{Faults, NONE, Setup};

pub(crate) const BACK: Faults = Faults { backs: 1, ..NONE };

/// A process of node 0 has ended, and the next one has gone on under its replica, has counted and has ended. Node 1 knows it
/// all.
pub(crate) const TWO_RUNS: &[Past] = &[
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
    Past::Begins(0),
    Past::Settles,
    Past::Adds(0),
    Past::Settles,
    Past::Ticks(0),
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
];

/// As `TWO_RUNS`. Then node 1 has died.
const TWO_RUNS_AND_A_DEATH: &[Past] = &[
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
    Past::Begins(0),
    Past::Settles,
    Past::Adds(0),
    Past::Settles,
    Past::Ticks(0),
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
    Past::Dies(1),
];

/// As `TWO_RUNS`, but node 1 has not heard what node 0 counted last. It has counted itself, and as node 0 did not confirm that,
/// it reads the record of node 0.
const UNHEARD_OF: &[Past] = &[
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
    Past::Begins(0),
    Past::Settles,
    Past::Adds(0),
    Past::Stores,
    Past::Ends(0),
    Past::Stores,
    Past::Adds(1),
    Past::Stores,
    Past::Ticks(1),
    Past::Stores,
    Past::Ticks(1),
    Past::Ticks(1),
];

/// As `TWO_RUNS`, but the store has refused what node 0 counted last at first. So node 1 keeps a hint of it: its commit has not
/// been done yet, and node 1 has died.
pub(crate) const A_HINT_THAT_IS_LATE: &[Past] = &[
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
    Past::Begins(0),
    Past::Settles,
    Past::Adds(0),
    Past::Refuses(0),
    Past::Hears(0),
    Past::Hears(1),
    Past::Hears(0),
    Past::Ticks(0),
    Past::SettlesBut(1),
    Past::Ends(0),
    Past::SettlesBut(1),
    Past::Dies(1),
];

/// Node 0 has ended, and its record goes back before its next process begins, or later. Nothing befalls node 1.
pub(crate) fn after(past: &'static [Past], adds: &'static [u8], faults: Faults) -> Setup {
    let setup = Setup { past, calm: &[1], gossip_interval: Setup::TICK, ..two(adds, 0, faults) };
    Setup { rules: WITH_BACKUPS, ..setup }
}

/// The record says once more that the replica is free, as it was before the last process counted under it.
#[test]
fn a_record_that_goes_back_between_two_clean_runs() {
    holds("a backup", Setup { gossip_interval: NONE_AT_ALL, ..after(TWO_RUNS, &[0, 0], BACK) });
    holds("two backups", after(TWO_RUNS, &[0, 0], Faults { backs: 2, ..BACK }));
    holds("a backup, and copies", after(TWO_RUNS, &[0, 0], Faults { duplicates: 1, ..BACK }));
}
const NONE_AT_ALL: std::time::Duration = std::time::Duration::ZERO;
#[test]
fn a01() {
    holds("a backup, and time", Setup { ticks: 1, ..after(TWO_RUNS, &[0, 0], BACK) });
}
#[test]
fn a02() {
    holds("a backup, and a crash", after(TWO_RUNS, &[0, 0], Faults { crashes: 1, ..BACK }));
}
#[test]
fn a03() {
    let setup = after(TWO_RUNS, &[0, 0], BACK);
    holds("a backup, and a peer that is silent", Setup { silent: &[1], ticks: 1, ..setup });
}
#[test]
fn a04() {
    let setup = after(TWO_RUNS_AND_A_DEATH, &[0], Faults { returns: 1, ..BACK });
    holds("a backup, and a death", Setup { calm: &[], ..setup });
}
#[test]
fn a05() {
    let setup = Setup { ..after(UNHEARD_OF, &[0, 1, 0], BACK) };
    holds("a backup, and a load that is late", setup);
}
#[test]
fn a06() {
    let faults = Faults { returns: 1, ..BACK };
    let setup = Setup { ack: AckPolicy::Durable, calm: &[], ..after(A_HINT_THAT_IS_LATE, &[0], faults) };
    holds("a backup, and a hint that is late", setup);
}
#[test]
fn a07() {
    let setup = after(TWO_RUNS, &[0, 0], BACK);
    holds("a backup of three", Setup { nodes: (3, 3), calm: &[1, 2], ..setup });
}
#[test]
fn a08() {
    let lists: &[&[&[u8]]] = &[&[&[0, 1], &[0, 1], &[0]]];
    let setup = after(TWO_RUNS, &[0, 0], BACK);
    holds("a backup, and a shorter list", Setup { lists, ..setup });
}
#[test]
fn a09() {
    let setup = Setup { past: &[Past::Settles], ..after(TWO_RUNS, &[0, 0], Faults { ends: 2, ..BACK }) };
    holds("two ends and a backup", Setup { ..setup });
}

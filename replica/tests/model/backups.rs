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
    Past::Loses,
    Past::Ends(0),
    Past::Stores,
    Past::Loses,
    Past::Adds(1),
    Past::Stores,
    Past::Loses,
    Past::Ticks(1),
    Past::Stores,
    Past::Loses,
    Past::Ticks(1),
    Past::Ticks(1),
];

/// As `TWO_RUNS`, but the store has refused what node 0 counted last at first. So node 1 keeps a hint of it: its commit has not
/// been done yet, and node 1 has died.
const A_HINT_THAT_IS_LATE: &[Past] = &[
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

/// As `TWO_RUNS`, but what node 0 said last is still on its way to node 1.
pub(crate) const A_FRAME_THAT_IS_LATE: &[Past] = &[
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
    Past::Begins(0),
    Past::Settles,
    Past::Adds(0),
    Past::Stores,
    Past::Ticks(0),
    Past::Ends(0),
    Past::Stores,
];

/// The third process of node 0 has itself alone on its list.
pub(crate) const LATER_ALONE: &[&[&[u8]]] = &[&[&[0, 1], &[0, 1], &[0]]];

/// Node 0 has ended, and its record goes back before its next process begins, or later. Nothing befalls node 1.
pub(crate) fn after(past: &'static [Past], adds: &'static [u8], faults: Faults) -> Setup {
    let setup = Setup { past, calm: &[1], gossip_interval: Setup::TICK, ..two(adds, 0, faults) };
    Setup { rules: WITH_BACKUPS, ..setup }
}

/// Node 1 begins again, and answers node 0. The hint may get into its record until its first commit is done.
pub(crate) fn a_hint_that_is_late() -> Setup {
    let faults = Faults { returns: 1, ..BACK };
    Setup { ack: AckPolicy::Durable, calm: &[], ..after(A_HINT_THAT_IS_LATE, &[0], faults) }
}

/// The record says once more that the replica is free, as it was before the last process counted under it.
#[test]
fn a_record_that_goes_back_between_two_clean_runs() {
    holds("a backup", after(TWO_RUNS, &[0, 0], BACK));
    holds("a backup, and copies", after(TWO_RUNS, &[0, 0], Faults { duplicates: 1, ..BACK }));
    holds("two backups", after(TWO_RUNS, &[0, 0], Faults { backs: 2, ..BACK }));
}

#[test]
fn a_record_that_goes_back_and_a_death() {
    holds("a backup, and a crash", after(TWO_RUNS, &[0], Faults { crashes: 1, ..BACK }));
    let setup = after(TWO_RUNS_AND_A_DEATH, &[0], Faults { returns: 1, ..BACK });
    holds("a backup, and a death of the peer", Setup { calm: &[], ..setup });
}

/// The process asks in vain, or not for long enough.
#[test]
fn a_record_that_goes_back_and_time() {
    holds("a backup, and time", Setup { ticks: 1, ..after(TWO_RUNS, &[0, 0], BACK) });
    let setup = after(TWO_RUNS, &[0, 0], BACK);
    holds("a backup, and a silent peer", Setup { silent: &[1], ticks: 2, ..setup });
}

/// What a dead process has said or done arrives late: in a record that was loaded before it went back, in a frame, in a hint.
#[test]
fn a_record_that_goes_back_and_news_of_before() {
    holds("a backup, and a late load", after(UNHEARD_OF, &[0, 1, 0], BACK));
    holds("a backup, and a late frame", after(A_FRAME_THAT_IS_LATE, &[0, 0], BACK));
}

#[test]
fn a_record_that_goes_back_among_three() {
    let setup = after(TWO_RUNS, &[0], BACK);
    holds("a backup of three", Setup { nodes: (3, 3), calm: &[1, 2], ..setup });
}

/// Who is not on the list can't be asked.
#[test]
fn a_record_that_goes_back_and_a_list_that_shrinks() {
    let setup = after(TWO_RUNS, &[0, 0], BACK);
    holds("a backup, and a shorter list", Setup { lists: LATER_ALONE, ..setup });
    holds("a backup, and a peer that knows nobody", Setup { lists: &[&[&[0, 1]], &[&[1]]], ..setup });
}

//! Who counts under a replica, and whose counts stay: records that go back, lists that change, and nodes that are forgotten.

use replica::AckPolicy;

use crate::configurations::{alone, holds, holds_and_shows, two, with_store_down};
use crate::past::Past;
use crate::rules::{FORGOTTEN, FOR_READS, OF_FORGOTTEN, WITH_BACKUPS};
use crate::setup::{Faults, NONE, Setup, StoreIs};

const BACK: Faults = Faults { backs: 1, ..NONE };

/// A process of node 0 has ended, and the next one counts under its replica.
const INHERITED: &[Past] = &[Past::Settles, Past::Ends(0), Past::Settles, Past::Begins(0), Past::Settles];

/// So it was. It has counted, and ended too.
const INHERITED_AND_ENDED: &[Past] = &[
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
    Past::Begins(0),
    Past::Settles,
    Past::Adds(0),
    Past::Settles,
    Past::Ends(0),
    Past::Settles,
];

/// Records may go back.
pub(crate) fn with_backups(setup: Setup) -> Setup {
    Setup { rules: WITH_BACKUPS, ..setup }
}

fn b(name: &str, adds: &'static [u8], ticks: u8, faults: Faults) {
    holds(name, with_backups(Setup { timeless: &[1], past: INHERITED_AND_ENDED, ..two(adds, ticks, faults) }));
}
#[test]
fn t0() {
    b("a backup", &[0, 0], 0, BACK);
    b("two backups", &[0, 0], 0, Faults { backs: 2, ..BACK });
}
#[test]
fn t1() {
    let setup = Setup { gossip_interval: Setup::TICK, timeless: &[1], past: INHERITED_AND_ENDED, ..two(&[0, 0], 1, BACK) };
    holds("a backup and time", with_backups(setup));
}
#[test]
fn t2() {
    b("a backup, and a copy", &[0, 0], 0, Faults { duplicates: 1, ..BACK });
}
#[test]
fn t3() {
    let setup = Setup { gossip_interval: Setup::TICK, timeless: &[1], past: INHERITED_AND_ENDED, ..two(&[0, 0], 0, Faults { crashes: 1, ..BACK }) };
    holds("a backup and a crash", with_backups(setup));
}
#[test]
fn t4() {
    let lists: &[&[&[u8]]] = &[&[&[0, 1], &[0]]];
    let setup = two(&[0, 1], 0, Faults { crashes: 1, ..NONE });
    holds("a shorter list", Setup { lists, rules: FOR_READS, ..setup });
}
#[test]
fn t5() {
    let forget = Faults { forgets: 1, ..NONE };
    let setup = Setup { rules: OF_FORGOTTEN, ..two(&[1, 0], 0, forget) };
    holds_and_shows(FORGOTTEN, "a forget", setup, 3_000_000);
}
#[test]
fn t6() {
    let forget = Faults { forgets: 1, ..NONE };
    let setup = Setup { rules: OF_FORGOTTEN, ..two(&[1, 0], 0, forget) };
    holds_and_shows(FORGOTTEN, "a forget and a return", Setup { faults: Faults{ returns: 1, ..forget }, ..setup }, 3_000_000);
}
#[test]
fn t7() {
    let forget = Faults { forgets: 1, ..NONE };
    let setup = Setup { rules: OF_FORGOTTEN, ..two(&[1, 0], 0, forget) };
    let past = &[Past::Settles, Past::Dies(1)];
    holds_and_shows(FORGOTTEN, "a forget of a dead node", Setup { past, adds: &[0], ..setup }, 3_000_000);
    holds_and_shows(FORGOTTEN, "a forget of a dead node and a return", Setup { past,
        adds: &[0], faults: Faults{ returns: 1, ..forget }, ..setup }, 3_000_000);
}

#[test]
fn c1() {
    let past = &[
        Past::Settles, Past::Ends(0), Past::Settles, Past::Begins(0), Past::Settles,
        Past::Adds(0), Past::Stores, Past::Ends(0), Past::Stores,
        Past::Adds(1), Past::Stores, Past::Ticks(1), Past::Stores, Past::Ticks(1), Past::Ticks(1),
    ];
    let setup = Setup { past, timeless: &[0, 1], gossip_interval: Setup::TICK, ..two(&[0, 1, 0], 1, BACK) };
    holds("a late load", with_backups(setup));
}

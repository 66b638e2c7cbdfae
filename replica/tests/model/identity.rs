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
const FORGET: Faults = Faults { forgets: 1, ..NONE };
fn forget(setup: Setup) -> Setup {
    Setup { rules: OF_FORGOTTEN, ..setup }
}
#[test]
fn f1() {
    let setup = two(&[1, 0], 0, Faults { unknowns: 1, ..FORGET });
    holds_and_shows(FORGOTTEN, "forget and unknown", forget(setup), 3_000_000);
}
#[test]
fn f2() {
    let setup = two(&[1, 0], 0, Faults { doubles: 1, ..FORGET });
    holds_and_shows(FORGOTTEN, "forget and double", forget(setup), 3_000_000);
}
#[test]
fn f3() {
    let setup = two(&[1], 0, Faults { doubles: 1, returns: 1, ..FORGET });
    holds_and_shows(FORGOTTEN, "forget, double and return", forget(setup), 3_000_000);
}
#[test]
fn f4() {
    let setup = two(&[1], 0, Faults { crashes: 1, ..FORGET });
    holds_and_shows(FORGOTTEN, "forget and crash", forget(setup), 3_000_000);
}
#[test]
fn f5() {
    let mut rules = OF_FORGOTTEN.to_vec();
    rules.retain(|r| *r != crate::rules::Rule::Stored);
    rules.push(crate::rules::Rule::Survives);
    let setup = Setup { rules: rules.leak(), ..with_store_down(two(&[1, 0], 0, Faults { refusals: 1, ..FORGET })) };
    holds_and_shows(FORGOTTEN, "forget and refusal", setup, 3_000_000);
}
fn without_stored(setup: Setup) -> Setup {
    let mut rules = OF_FORGOTTEN.to_vec();
    rules.retain(|r| *r != crate::rules::Rule::Stored);
    rules.push(crate::rules::Rule::Survives);
    Setup { ack: AckPolicy::Durable, rules: rules.leak(), ..setup }
}
#[test]
fn g1() {
    let past = &[Past::Settles, Past::Adds(0), Past::Refuses(0), Past::Settles];
    let mut setup = without_stored(Setup { past, timeless: &[1], ..two(&[0], 1, Faults { ..FORGET }) });
    setup.rules = OF_FORGOTTEN.iter().copied().filter(|r| *r != crate::rules::Rule::Stored).chain([crate::rules::Rule::Survives]).collect::<Vec<_>>().leak();
    holds_and_shows(FORGOTTEN, "forget the holder of the own hint", setup, 3_000_000);
}
#[test]
fn g2() {
    let mut setup = without_stored(two(&[1, 0], 1, Faults { refusals: 1, ..FORGET }));
    setup.rules = OF_FORGOTTEN.iter().copied().filter(|r| *r != crate::rules::Rule::Stored).chain([crate::rules::Rule::Survives]).collect::<Vec<_>>().leak();
    holds_and_shows(FORGOTTEN, "forget, refusal, time", setup, 3_000_000);
}
#[test]
fn g3() {
    let past = &[Past::Settles, Past::Begins(0), Past::Stores, Past::Adds(0), Past::Ticks(0), Past::Ticks(0)];
    let setup = without_stored(Setup { past, ..two(&[0], 0, Faults { ..FORGET }) });
    holds_and_shows(FORGOTTEN, "forget the holder of the own hint", setup, 3_000_000);
}
#[test]
fn g4() {
    let past = &[Past::Settles, Past::Adds(1), Past::Refuses(1), Past::Hears(1), Past::Hears(2), Past::Hears(1), Past::Dies(1), Past::Stores, Past::Forgets(0), Past::Stores,
        Past::Adds(2), Past::Stores, Past::Ticks(2), Past::Ticks(2), Past::Ticks(2)];
    let setup = Setup { past, nodes: (3, 3), timeless: &[0, 1], gossip_interval: Setup::TICK, ..two(&[1, 2], 0, Faults { returns: 1, ..NONE }) };
    let setup = without_stored(setup);
    holds_and_shows(FORGOTTEN, "a node that returns is not sealed again", setup, 3_000_000);
}
const LATE_HINT: &[Past] = &[
    Past::Settles, Past::Ends(0), Past::Settles, Past::Begins(0), Past::Settles,
    Past::Adds(0), Past::Refuses(0), Past::Hears(0), Past::Hears(1), Past::Hears(0),
    Past::Ticks(0), Past::SettlesBut(1), Past::Ends(0), Past::SettlesBut(1), 
];
#[test]
fn h1() {
    let setup = Setup { past: LATE_HINT, ack: AckPolicy::Durable, gossip_interval: Setup::TICK, ..two(&[0], 0, Faults { crashes: 1, ..BACK }) };
    holds("a late hint", with_backups(setup));
}
#[test]
fn h2() {
    let setup = Setup { past: &[Past::Settles, Past::Ends(0), Past::Settles, Past::Begins(0), Past::Settles,
    Past::Adds(0), Past::Refuses(0), Past::Hears(0), Past::Hears(1), Past::Hears(0),
    Past::Ticks(0), Past::SettlesBut(1), Past::Ends(0), Past::SettlesBut(1), Past::Dies(1)], ack: AckPolicy::Durable, gossip_interval: Setup::TICK, ..two(&[0], 0, Faults { returns: 1, ..BACK }) };
    holds("a late hint, dead", with_backups(setup));
}

//! Lists of nodes that change, and nodes that are forgotten.

use replica::AckPolicy;

use crate::configurations::{holds, holds_and_shows, two};
use crate::past::Past;
use crate::rules::{FOR_READS, FORGOTTEN, OF_FORGOTTEN, OF_FORGOTTEN_WITH_STORE_DOWN};
use crate::setup::{Faults, NONE, Setup};

/// A search that takes more steps than this is cut off, and fails.
const MOST: usize = 3_000_000;

pub(crate) const FORGET: Faults = Faults { forgets: 1, ..NONE };
const CRASH: Faults = Faults { crashes: 1, ..NONE };

/// Node 0 may be asked to forget node 1.
pub(crate) fn forget(adds: &'static [u8], faults: Faults) -> Setup {
    Setup { rules: OF_FORGOTTEN, calm: &[0], ..two(adds, 0, faults) }
}

fn forgets(name: &str, setup: Setup) {
    holds_and_shows(FORGOTTEN, name, setup, MOST);
}

/// The store refuses some of what it is asked to do.
pub(crate) fn with_store_down(setup: Setup) -> Setup {
    Setup { ack: AckPolicy::Durable, rules: OF_FORGOTTEN_WITH_STORE_DOWN, ..setup }
}

/// What a node has shown it shows ever after, also of nodes that are not on its list any more.
#[test]
fn a_list_that_shrinks_or_grows() {
    let lists: &[&[&[u8]]] = &[&[&[0, 1], &[0]]];
    let reads = |lists| Setup { lists, rules: FOR_READS, calm: &[1], ..two(&[0, 1], 0, CRASH) };
    holds("a shorter list", reads(lists));
    holds("a longer list", reads(&[&[&[0], &[0, 1]]]));
}

#[test]
fn two_lists() {
    let lists: &[&[&[u8]]] = &[&[&[0]]];
    holds("two lists", Setup { lists, ..two(&[0, 1], 0, CRASH) });
}

#[test]
fn a_node_that_is_forgotten() {
    forgets("a forget", forget(&[1, 0], FORGET));
    forgets("a forget and an unknown outcome", forget(&[1, 0], Faults { unknowns: 1, ..FORGET }));
}

#[test]
fn a_node_that_returns() {
    holds_and_shows(FORGOTTEN, "a return", forget(&[1, 0], Faults { returns: 1, ..FORGET }), 60000);
    let past = &[Past::Settles, Past::Adds(1), Past::Settles, Past::Dies(1)];
    forgets("a return from death", Setup { past, ..forget(&[1, 0, 1], Faults { returns: 1, ..FORGET }) });
}
#[test]
fn b01() {
    forgets("a forget and a crash", Setup { calm: &[], ..forget(&[1, 0], Faults { crashes: 1, ..FORGET }) });
}
#[test]
fn b02() {
    forgets("a forget and a double", forget(&[1], Faults { doubles: 1, ..FORGET }));
}
#[test]
fn b021() {
    forgets("a forget, a double and a return", forget(&[1], Faults { doubles: 1, returns: 1, ..FORGET }));
}
#[test]
fn b03() {
    forgets("a forget and a refusal", with_store_down(forget(&[1, 0], Faults { refusals: 1, ..FORGET })));
}
#[test]
fn b04() {
    let setup = with_store_down(forget(&[1, 0], Faults { refusals: 1, ..FORGET }));
    forgets("a forget, a refusal and time", Setup { ticks: 1, ..setup });
}
#[test]
fn b05() {
    let past = &[Past::Settles, Past::Begins(0), Past::Stores, Past::Adds(0), Past::Ticks(0), Past::Ticks(0)];
    forgets("a hint for the forgetter", with_store_down(Setup { past, ..forget(&[0], FORGET) }));
}
#[test]
fn b06() {
    let past = &[
        Past::Settles,
        Past::Adds(1),
        Past::Refuses(1),
        Past::Hears(1),
        Past::Hears(2),
        Past::Hears(1),
        Past::Dies(1),
        Past::Stores,
        Past::Forgets(0),
        Past::Stores,
        Past::Adds(2),
        Past::Stores,
        Past::Ticks(2),
        Past::Ticks(2),
        Past::Ticks(2),
    ];
    let setup = Setup {
        past,
        nodes: (3, 3),
        gossip_interval: Setup::TICK,
        ..forget(&[1, 2], Faults { returns: 1, ..NONE })
    };
    holds("a hint of a node that returns", with_store_down(setup));
}

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
    Setup { rules: OF_FORGOTTEN, calm: &[0], gossip_interval: Setup::TICK, ..two(adds, 0, faults) }
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

/// One node has the other on its list, and not the other way round.
#[test]
fn two_lists() {
    holds("two lists", Setup { lists: &[&[&[0]]], ..two(&[0, 1], 0, CRASH) });
}

#[test]
fn a_node_that_is_forgotten() {
    forgets("a forget", forget(&[1, 0], FORGET));
    forgets("a forget, and an unknown outcome", forget(&[1, 0], Faults { unknowns: 1, ..FORGET }));
}

/// The forgotten node's first process may run on.
#[test]
fn a_node_that_returns() {
    let faults = Faults { returns: 1, ..FORGET };
    forgets("a return", forget(&[1, 0], faults));
    forgets("two forgets and a return", forget(&[1], Faults { forgets: 2, ..faults }));
    let past = &[Past::Settles, Past::Adds(1), Past::Settles, Past::Dies(1)];
    forgets("a return from death", Setup { past, ..forget(&[1, 1], faults) });
}

#[test]
fn a_node_that_is_forgotten_and_a_crash() {
    forgets("a forget, and a crash", forget(&[1], Faults { crashes: 1, ..FORGET }));
    forgets(
        "a forget, and a crash of the forgetter",
        Setup { calm: &[1], ..forget(&[1], Faults { crashes: 1, ..FORGET }) },
    );
}

#[test]
fn a_node_that_is_forgotten_and_a_double() {
    forgets("a forget, and a double", forget(&[1], Faults { doubles: 1, ..FORGET }));
    let faults = Faults { doubles: 1, returns: 1, ..FORGET };
    forgets("a forget, a double and a return", forget(&[1], faults));
}

/// Adds are acknowledged by peers. (Nobody crashes as well: a node that is forgotten is one that has died.)
#[test]
fn a_node_that_is_forgotten_while_the_store_is_down() {
    let setup = with_store_down(forget(&[1, 0], Faults { refusals: 1, ..FORGET }));
    forgets("a forget, and a refusal", Setup { ticks: 1, ..setup });
}

/// A hint of what the forgetter has counted itself.
#[test]
fn a_hint_for_the_forgetter() {
    let past = &[
        Past::Settles,
        Past::Begins(0),
        Past::Stores,
        Past::Loses,
        Past::Adds(0),
        Past::Ticks(0),
        Past::Ticks(0),
    ];
    forgets("a hint for the forgetter", with_store_down(Setup { past, ..forget(&[0], FORGET) }));
}

/// Node 2 holds a count of node 1 that is stored nowhere, and that node 0 knew nothing of when it forgot node 1. Node 2 sees to
/// it that it is stored, and does not forget node 1 anew.
#[test]
fn a_hint_that_one_node_alone_has() {
    let past = &[
        Past::Settles,
        Past::Adds(1),
        Past::Refuses(1),
        Past::Hears(1),
        Past::Hears(2),
        Past::Hears(1),
        Past::Dies(1),
        Past::Stores,
        Past::Loses,
        Past::Forgets(0),
        Past::Stores,
        Past::Loses,
        Past::Adds(2),
        Past::Stores,
        Past::Loses,
        Past::Ticks(2),
        Past::Ticks(2),
        Past::Ticks(2),
    ];
    let faults = Faults { returns: 1, ..NONE };
    holds(
        "a hint that one node alone has",
        with_store_down(Setup { past, nodes: (3, 3), ..forget(&[1, 2], faults) }),
    );
}

/// Node 1 is dead, and what it counted is stored nowhere but as a hint in the record of node 0, which forgets it.
pub(crate) fn a_hint_of_the_forgotten_node() -> Setup {
    let past = &[
        Past::Settles,
        Past::Adds(1),
        Past::Refuses(1),
        Past::Hears(1),
        Past::Hears(0),
        Past::Hears(1),
        Past::Dies(1),
        Past::Stores,
        Past::Loses,
    ];
    with_store_down(Setup { past, ..forget(&[1, 0], FORGET) })
}

/// A seal adds to the forgotten record what only a hint has. It drops no hint in that record.
#[test]
fn a_hint_and_a_forget() {
    forgets("a hint of the forgotten node", a_hint_of_the_forgotten_node());
    let past = &[
        Past::Settles,
        Past::Adds(2),
        Past::Refuses(2),
        Past::Hears(2),
        Past::Hears(1),
        Past::Hears(2),
        Past::Dies(2),
        Past::Stores,
        Past::Loses,
    ];
    let setup = Setup { past, nodes: (3, 3), ..forget(&[2, 0], FORGET) };
    forgets("a hint in the forgotten record", with_store_down(setup));
}

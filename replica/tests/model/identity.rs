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

/// The node has counted, ended cleanly, and its record goes back.
#[test]
fn a_record_that_goes_back_after_an_end() {
    let b = |name, adds, ticks, faults| {
        holds(name, with_backups(Setup { past: INHERITED_AND_ENDED, ..two(adds, ticks, faults) }));
    };
    b("a backup", &[0, 0], 0, BACK);
    b("a backup, and time", &[0, 0], 1, BACK);
    b("a backup, and a copy", &[0, 0], 0, Faults { duplicates: 1, ..BACK });
    b("two backups", &[0, 0], 0, Faults { backs: 2, ..BACK });
    b("a backup, and a crash", &[0, 0], 0, Faults { crashes: 1, ..BACK });
}
#[test]
fn t2() {
    let setup = two(&[0], 0, Faults { ends: 1, ..BACK });
    holds("an end and a backup", with_backups(Setup { past: INHERITED, ..setup }));
}

/// The last list of the node has the other node no more, and the next one again.
#[test]
fn a_list_that_shrinks() {
    let lists: &[&[&[u8]]] = &[&[&[0, 1], &[0]]];
    let setup = two(&[0, 1], 0, Faults { ends: 1, ..NONE });
    holds("a shorter list", Setup { lists, rules: FOR_READS, ..setup });
}

#[test]
fn a_node_that_is_forgotten() {
    let forget = Faults { forgets: 1, ..NONE };
    let setup = Setup { rules: OF_FORGOTTEN, ..two(&[1, 0], 0, forget) };
    holds_and_shows(FORGOTTEN, "a forget", setup, 3_000_000);
}

//! Small clusters, each with dangers of its own. No rule is broken in any state that they can reach.

use crate::rules::{ALL_ACKNOWLEDGED, FOR_READS, ONE_REFUSED, WITH_STORE_DOWN};
use crate::search::search;
use crate::setup::{AckPolicy, Faults, Setup};

/// A search that takes more steps than this is cut off, and fails: it would fill the memory before long.
const MOST: usize = 8_000_000;

pub(crate) const NONE: Faults = Faults { duplicates: 0, crashes: 0, ends: 0, doubles: 0, deaf: 0 };

/// One node, alone with the store.
pub(crate) fn alone(adds: &'static [u8], ticks: u8, faults: Faults) -> Setup {
    Setup { nodes: (1, 1), adds, ticks, faults, ..Setup::default() }
}

/// Two nodes that have met, and the store.
pub(crate) fn two(adds: &'static [u8], ticks: u8, faults: Faults) -> Setup {
    Setup { nodes: (2, 2), warm: true, adds, ticks, faults, ..Setup::default() }
}

/// Two nodes that have met, and no store: an add is acknowledged once a peer has confirmed it.
fn without_store(adds: &'static [u8], ticks: u8, faults: Faults) -> Setup {
    let ack = AckPolicy::Durable;
    Setup { ack, store: false, rules: WITH_STORE_DOWN, ..two(adds, ticks, faults) }
}

/// Visits all states, and checks that no rule is broken and that `what` has been seen.
pub(crate) fn holds_and_shows(what: &str, name: &str, setup: Setup, most: usize) {
    let found = search(name, setup, most);
    assert!(found.broken.is_empty(), "{name}: {:?}", found.broken);
    assert!(found.seen.contains(what), "{name}: not seen: {what}");
}

fn holds(name: &str, setup: Setup) {
    holds_and_shows(ALL_ACKNOWLEDGED, name, setup, MOST);
}

/// The store has done a compare-and-set, or will do it later, and the process that asked is dead.
#[test]
fn a_crash_amid_a_compare_and_set() {
    holds("a crash", alone(&[0, 0, 0], 1, Faults { crashes: 1, duplicates: 1, ..NONE }));
}

/// The store's answer to one incarnation reaches the next, and the one after that.
#[test]
fn answers_to_earlier_incarnations() {
    holds("two crashes", alone(&[0, 0], 1, Faults { crashes: 2, ..NONE }));
}

/// A request is sent again, the store counts as down, and then the answers to all come in any order.
#[test]
fn answers_that_are_late_doubled_or_lost() {
    holds("late answers", alone(&[0, 0, 0], 2, Faults { duplicates: 2, ..NONE }));
}

/// Both write the same record.
#[test]
fn two_processes_under_one_name() {
    holds("a double", alone(&[0, 0, 0], 0, Faults { doubles: 1, duplicates: 1, ..NONE }));
    holds("a double, and time", alone(&[0, 0], 1, Faults { doubles: 1, ..NONE }));
    holds("a double and a crash", alone(&[0, 0], 0, Faults { doubles: 1, crashes: 1, ..NONE }));
}

/// A process that was told to end is still writing its record, or its last messages are on their way, when its successor
/// begins.
#[test]
fn an_end_and_a_successor_that_does_not_wait_for_it() {
    holds("an end", alone(&[0, 0, 0], 0, Faults { ends: 1, duplicates: 1, ..NONE }));
    holds("an end, and time", alone(&[0], 1, Faults { ends: 1, ..NONE }));
    holds("an end and a crash", alone(&[0, 0], 0, Faults { ends: 1, crashes: 1, ..NONE }));
    holds("two ends", alone(&[0], 0, Faults { ends: 2, ..NONE }));
}

/// The double is one of the incarnation that ends, or of its successor.
#[test]
fn an_end_and_a_double() {
    holds("an end and a double", alone(&[0, 0], 0, Faults { ends: 1, doubles: 1, ..NONE }));
}

/// Adds and answers that are read at once share one compare-and-set.
#[test]
fn several_lines_at_once() {
    let faults = Faults { crashes: 1, duplicates: 1, ..NONE };
    holds("batches", Setup { batches: true, ..alone(&[0, 0, 0], 0, faults) });
}

/// The store is silent for so long that adds are refused, or given up, and then answers all the same.
#[test]
fn adds_refused_for_want_of_the_store() {
    let setup = alone(&[0, 0], 2, Faults { deaf: 1, ..NONE });
    holds_and_shows(ONE_REFUSED, "refusals", setup, MOST);
    let setup = alone(&[0, 0], 0, Faults { deaf: 1, ends: 1, ..NONE });
    holds_and_shows(ONE_REFUSED, "refusals and an end", setup, MOST);
}

/// A restarted node reads its own record and, from an old state of the store, all others. It hears gossip old and new.
#[test]
fn a_crash_among_peers() {
    holds("a crash of two", two(&[0, 1, 0], 0, Faults { crashes: 1, ..NONE }));
    holds("a crash of two, and copies", two(&[0, 1], 0, Faults { crashes: 1, duplicates: 1, ..NONE }));
}

/// As with two. The third node also tells the next incarnation what it has heard of the dead one.
#[test]
fn a_crash_among_three() {
    let faults = Faults { crashes: 1, ..NONE };
    holds("a crash of three", Setup { nodes: (3, 3), ..two(&[0, 1, 2], 0, faults) });
}

/// Gossip is doubled, lost, sent again and overtaken, and so are the store's answers.
#[test]
fn gossip_in_any_order() {
    holds("gossip and store", two(&[0, 1], 1, Faults { duplicates: 1, ..NONE }));
    holds("gossip", without_store(&[0, 1, 0], 2, Faults { duplicates: 1, ..NONE }));
}

/// Two nodes that begin at once: each gets messages before it knows its peer.
#[test]
fn a_start_from_nothing() {
    holds("a start", Setup { warm: false, ..two(&[0, 1], 0, Faults { duplicates: 1, ..NONE }) });
}

/// Without the store two nodes confirm each other's adds, and one of them dies.
#[test]
fn a_death_while_the_store_is_down() {
    holds("a death without store", without_store(&[0], 2, Faults { crashes: 1, ..NONE }));
}

/// Reads show only stored adds, and reads on a node never go back. One process runs at a time: of two at once either may be
/// behind the other.
#[test]
fn reads_across_a_crash() {
    let with_reads = |setup| Setup { rules: FOR_READS, ..setup };
    holds("reads of one", with_reads(alone(&[0, 0], 1, Faults { crashes: 1, duplicates: 1, ..NONE })));
    holds("reads of two", with_reads(two(&[0, 1], 0, Faults { crashes: 1, ..NONE })));
}

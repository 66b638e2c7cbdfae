//! Bugs, planted one at a time. Each is found, and by the rule that it breaks.

use crate::rules::{Rule, WITH_STORE_DOWN};
use crate::sabotage::Bug;
use crate::search::search;
use crate::setup::{AckPolicy, Faults, Setup};

/// No search for a planted bug takes more steps.
const MOST: usize = 5_000_000;

fn found(bug: &str, rule: Rule, setup: Setup) {
    let found = search(bug, setup, MOST);
    assert!(found.broken.contains(&*format!("{rule:?}")), "{bug}: found {:?}", found.broken);
}

fn alone(adds: &'static [u8], faults: Faults, bug: Bug) -> Setup {
    Setup { nodes: (1, 1), adds, faults, bug: Some(bug), ..Setup::default() }
}

#[test]
fn an_add_acknowledged_before_it_is_stored() {
    let setup = Setup { ack: AckPolicy::Memory, ..Setup::default() };
    found("acknowledged before it is stored", Rule::Stored, setup);
}

#[test]
fn message_ids_that_a_life_has_in_common_with_the_one_before() {
    let faults = Faults { crashes: 1, ..Faults::default() };
    found("the same message ids", Rule::Stored, alone(&[0], faults, Bug::SameIds));
}

#[test]
fn an_epoch_used_again_after_a_crash() {
    let faults = Faults { crashes: 1, ..Faults::default() };
    found("the epoch used again", Rule::Stored, alone(&[0, 0], faults, Bug::EpochReused));
}

#[test]
fn a_slot_written_whatever_is_there() {
    let faults = Faults { crashes: 1, ..Faults::default() };
    found("a plain write", Rule::SlotGrows, alone(&[0, 0], faults, Bug::PlainWrite));
}

#[test]
fn a_peer_that_counts_as_knowing_what_it_was_sent() {
    let setup = Setup {
        ack: AckPolicy::Durable,
        nodes: (2, 2),
        warm: true,
        store: false,
        ticks: 2,
        faults: Faults { crashes: 1, ..Faults::default() },
        rules: WITH_STORE_DOWN,
        bug: Some(Bug::KnownWhenSent),
        ..Setup::default()
    };
    found("known when sent", Rule::Survives, setup);
}

#[test]
fn an_add_counted_twice() {
    found("counted twice", Rule::CountedOnce, alone(&[0], Faults::default(), Bug::CountedTwice));
}

#[test]
fn a_refusal_of_what_may_have_been_done() {
    let faults = Faults { ends: 1, ..Faults::default() };
    found("refused, but done", Rule::Definite, alone(&[0], faults, Bug::IndefiniteRefused));
}

#[test]
fn a_client_told_twice() {
    found("told twice", Rule::AnsweredOnce, alone(&[0], Faults::default(), Bug::AnsweredTwice));
}

#[test]
fn a_panic() {
    let faults = Faults { doubles: 1, ..Faults::default() };
    found("a panic", Rule::NoPanic, alone(&[0], faults, Bug::Panics));
}

#[test]
fn a_read_of_what_is_not_stored() {
    let setup =
        Setup { ack: AckPolicy::Memory, rules: &[Rule::ShownIsStored], nodes: (1, 1), ..Setup::default() };
    found("shown before it is stored", Rule::ShownIsStored, setup);
}

#[test]
fn a_read_of_less_than_before_the_crash() {
    let faults = Faults { crashes: 1, ..Faults::default() };
    let rules = &[Rule::NeverBack];
    let setup = Setup { ack: AckPolicy::Memory, rules, faults, nodes: (1, 1), ..Setup::default() };
    found("reads go back", Rule::NeverBack, setup);
}

//! Bugs, planted one at a time. The search finds each, by the rule that it breaks.

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

/// Two nodes that confirm each other's adds, of which one dies.
fn without_store(adds: &'static [u8], ticks: u8, bug: Bug) -> Setup {
    Setup {
        ack: AckPolicy::Durable,
        nodes: (2, 2),
        warm: true,
        store: false,
        ticks,
        rules: WITH_STORE_DOWN,
        ..alone(adds, Faults { crashes: 1, ..Faults::default() }, bug)
    }
}

#[test]
fn an_add_acknowledged_before_it_is_stored() {
    let setup = Setup { ack: AckPolicy::Memory, ..Setup::default() };
    found("acknowledged before it is stored", Rule::Stored, setup);
}

#[test]
fn message_ids_that_an_incarnation_has_in_common_with_the_one_before() {
    let faults = Faults { crashes: 1, ..Faults::default() };
    found("the same message ids", Rule::Stored, alone(&[0], faults, Bug::SameIds));
}

/// There is no store, for the record would reveal the bug: a process that finds more of its replica there than it has
/// written confirms nothing.
#[test]
fn an_incarnation_number_used_again_after_a_crash() {
    found("the number used again", Rule::Survives, without_store(&[0, 0], 4, Bug::IncarnationReused));
}

#[test]
fn a_replica_left_to_the_next_process_too_soon() {
    let faults = Faults { doubles: 1, ..Faults::default() };
    found("free too soon", Rule::Stored, alone(&[0, 0], faults, Bug::FreeTooSoon));
}

#[test]
fn a_record_written_whatever_is_there() {
    let faults = Faults { crashes: 1, ..Faults::default() };
    found("a plain write", Rule::RecordGrows, alone(&[0, 0], faults, Bug::PlainWrite));
}

#[test]
fn a_peer_that_counts_as_knowing_all_that_it_was_sent() {
    found("known when sent", Rule::Survives, without_store(&[0], 4, Bug::KnownWhenSent));
}

#[test]
fn an_add_counted_twice() {
    found("counted twice", Rule::CountedOnce, alone(&[0], Faults::default(), Bug::CountedTwice));
}

#[test]
fn a_refusal_of_an_add_that_may_have_been_done() {
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
fn a_read_of_an_add_that_is_not_stored() {
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

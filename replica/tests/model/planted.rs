//! Bugs, planted one at a time. Each is found, and by the rule that it breaks.

use std::time::Duration;

use replica::{AckPolicy, Numbering};

use crate::backups::{A_FRAME_THAT_IS_LATE, BACK, LATER_ALONE, TWO_RUNS, a_hint_that_is_late, after};
use crate::configurations::{alone, two, with_store_down};
use crate::forgets::a_hint_of_the_forgotten_node;
use crate::rules::Rule;
use crate::saboteur::Bug;
use crate::search::search;
use crate::setup::{Faults, NONE, Setup, StoreIs};

/// No search for a planted bug takes more steps.
const MOST: usize = 5_000_000;

/// The rule is broken with the bug, and is the only one that is judged.
pub(crate) fn found(bug: Bug, rule: &'static [Rule], setup: Setup) {
    let name = format!("{bug:?}");
    let found = search(&name, Setup { bug: Some(bug), rules: rule, ..setup }, MOST);
    assert!(found.broken.iter().eq(rule), "{name}: found {:?}", found.broken);
}

/// The rule is broken with a policy that does not promise it.
fn found_with_memory(name: &str, rule: &'static [Rule], faults: Faults) {
    let setup = Setup { ack: AckPolicy::Memory, rules: rule, ..alone(&[0], 0, faults) };
    let found = search(name, setup, MOST);
    assert!(found.broken.iter().eq(rule), "{name}: found {:?}", found.broken);
}

/// Two nodes that confirm each other's adds, and may die.
fn without_store(adds: &'static [u8], faults: Faults) -> Setup {
    Setup { store: StoreIs::Unwilling, ..with_store_down(two(adds, 0, faults)) }
}

const CRASH: Faults = Faults { crashes: 1, ..NONE };
const END: Faults = Faults { ends: 1, ..NONE };
const DOUBLE: Faults = Faults { doubles: 1, ..NONE };

#[test]
fn an_add_acknowledged_before_it_is_stored() {
    found_with_memory("acknowledged before it is stored", &[Rule::Stored], NONE);
}

#[test]
fn a_read_of_what_is_not_stored() {
    found_with_memory("shown before it is stored", &[Rule::ShownIsStored], NONE);
}

#[test]
fn a_read_of_less_than_before_the_crash() {
    found_with_memory("reads go back", &[Rule::NeverBack], CRASH);
}

#[test]
fn tokens_used_again_after_a_crash() {
    found(Bug::IdsReused, &[Rule::Stored], Setup { stray_outcomes: true, ..alone(&[0], 0, CRASH) });
}

#[test]
fn frame_ids_used_again_after_a_crash() {
    found(Bug::IdsReused, &[Rule::Survives], without_store(&[0, 0], Faults { crashes: 2, ..NONE }));
}

/// The record would give it away: a process that finds more of its replica there than it has committed confirms nothing.
#[test]
fn an_incarnation_used_again_after_a_crash() {
    // By sums the later count replaces the earlier one. (By changes both have the same number, and each holder keeps its own.)
    let setup = Setup { numbering: Numbering::BySum, ..without_store(&[0, 0], CRASH) };
    found(Bug::IncarnationReused, &[Rule::Survives], setup);
}

#[test]
fn a_commit_without_its_condition() {
    let setup = alone(&[0, 0], 0, Faults { ends: 1, doubles: 1, ..NONE });
    found(Bug::NoCondition, &[Rule::Stored], setup);
}

#[test]
fn a_conflict_said_to_be_done() {
    found(Bug::ConflictIsDone, &[Rule::Stored], alone(&[0], 0, DOUBLE));
}

#[test]
fn a_fence_that_is_skipped() {
    let setup = Setup { store: StoreIs::Lagging, ..two(&[0, 1], 0, CRASH) };
    found(Bug::FenceSkipped, &[Rule::NeverBack], setup);
}

/// The dead process has shown the other node's add.
#[test]
fn a_load_that_failed_taken_for_an_empty_record() {
    let faults = Faults { refusals: 1, ..CRASH };
    found(Bug::FailedLoadIsEmpty, &[Rule::NeverBack], two(&[0, 1], 0, faults));
}

/// The same. The record that its successor has opened is older than both.
#[test]
fn an_old_open_taken_for_the_record() {
    let faults = Faults { old_opens: 1, ..CRASH };
    found(Bug::FirstOpenBelieved, &[Rule::NeverBack], two(&[0, 1], 0, faults));
}

#[test]
fn a_free_replica_given_twice() {
    found(Bug::FreeTwice, &[Rule::OneOwner], alone(&[0, 0], 0, Faults { ends: 1, doubles: 1, ..NONE }));
}

#[test]
fn a_replica_left_to_the_next_process_too_soon() {
    found(Bug::FreeTooSoon, &[Rule::Stored], alone(&[0, 0], 0, DOUBLE));
    found(Bug::FreeTooSoon, &[Rule::OneOwner], alone(&[0], 0, DOUBLE));
}

#[test]
fn a_peer_that_counts_as_knowing_what_it_was_sent() {
    found(Bug::KnownWhenSent, &[Rule::Survives], without_store(&[0, 0], CRASH));
}

/// The store has answered, and the answer waits to be read.
#[test]
fn a_stop_taken_for_silence() {
    let setup = Setup { ack: AckPolicy::Durable, ..two(&[0], 0, Faults { stops: 1, ..NONE }) };
    found(Bug::HeardAtOnce, &[Rule::Stored], setup);
}

#[test]
fn an_add_counted_twice() {
    found(Bug::CountedTwice, &[Rule::CountedOnce], alone(&[0], 0, NONE));
}

#[test]
fn a_refusal_of_what_may_have_been_done() {
    found(Bug::IndefiniteRefused, &[Rule::Definite], alone(&[0], 0, END));
}

#[test]
fn a_client_told_twice() {
    found(Bug::AnsweredTwice, &[Rule::AnsweredOnce], alone(&[0], 0, NONE));
}

#[test]
fn a_client_never_told() {
    found(Bug::NeverAnswered, &[Rule::AnsweredOnce], alone(&[0], 0, END));
    let setup = Setup { patience: 1, ..alone(&[0], 1, NONE) };
    found(Bug::NeverAnswered, &[Rule::AnsweredInTime], setup);
}

#[test]
fn a_panic() {
    found(Bug::Panics, &[Rule::NoPanic], alone(&[0], 0, DOUBLE));
}

#[test]
fn an_inheritance_that_does_not_ask() {
    let setup = || Setup { gossip_interval: Duration::ZERO, ..after(TWO_RUNS, &[0, 0], BACK) };
    found(Bug::InheritsUnasked, &[Rule::OneChain], setup());
    found(Bug::InheritsUnasked, &[Rule::Kept], Setup { numbering: Numbering::BySum, ..setup() });
}

#[test]
fn an_inheritance_that_does_not_ask_a_node_off_the_list() {
    let setup = Setup { lists: LATER_ALONE, ..after(TWO_RUNS, &[0, 0], BACK) };
    found(Bug::StrangersUnlisted, &[Rule::OneChain], setup);
}

#[test]
fn an_answer_given_before_the_hints_are_read() {
    found(Bug::AnswersTooSoon, &[Rule::OwnerHasMost], a_hint_that_is_late());
}

/// Both processes have asked about the record that says so.
#[test]
fn a_take_over_from_another_record_than_the_one_asked_about() {
    found(Bug::TakesOverNewer, &[Rule::OneOwner], alone(&[], 0, Faults { ends: 1, doubles: 1, ..NONE }));
}

#[test]
fn a_late_frame_that_is_believed() {
    let setup = Setup { ticks: 1, ..after(A_FRAME_THAT_IS_LATE, &[0], BACK) };
    found(Bug::NotWary, &[Rule::OwnerHasMost], setup);
}

#[test]
fn hints_that_are_dropped_too_early() {
    found(Bug::SealsWithoutRows, &[Rule::HintsStay], a_hint_of_the_forgotten_node());
}

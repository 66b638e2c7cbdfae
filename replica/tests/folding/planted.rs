//! The rules of the DESIGN, left out one at a time. Each time the model finds a way to lose an add, to count it twice, or to let
//! a read go back.

use crate::holds::{self, AMENDED, CARRYING, second_sealer};
use crate::search::search;
use crate::setup::{Amended, Bug, Left, Setup};
use crate::state::Rule;

const CRASH: Setup = Setup { amended: AMENDED, ..holds::CRASH };
const SILENT: Setup = Setup { amended: AMENDED, ..holds::SILENT };
const ZOMBIE: Setup = Setup { amended: AMENDED, ..holds::ZOMBIE };

/// The rule is broken with the bug. Most setups pass without it in `holds`.
fn found(bug: Bug, rule: Rule, setup: Setup) {
    let name = format!("{bug:?}");
    // Where confirmations are at stake they must be needed.
    let asks = matches!(
        bug,
        Bug::NoConfirmation | Bug::ConfirmedEarly | Bug::ConfirmsAnything | Bug::MergedBelowFloor
    );
    let amended = if asks { Amended { settles: false, ..AMENDED } } else { setup.amended };
    let found = search(&name, Setup { bug: Some(bug), amended, ..setup });
    assert_eq!(found.broken, Some(rule), "{name}");
}

#[test]
fn rule_1_a_number_below_the_seal() {
    let left = Left { starts: 2, ..ZOMBIE.left };
    found(Bug::NumberBelowSeal, Rule::Lost, Setup { silent: false, left, ..ZOMBIE });
}

#[test]
fn rule_1_a_number_without_the_clock() {
    let left = Left { crashes: 2, restores: 1, ..SILENT.left };
    found(Bug::NumberByRecordAlone, Rule::Lost, second_sealer(Setup { left, ..SILENT }));
}

#[test]
fn rule_7_a_record_that_went_back_under_a_process_below_the_seal() {
    let left = Left { restores: 1, ..ZOMBIE.left };
    found(Bug::RestoredUnderZombie, Rule::Lost, Setup { silent: false, left, ..ZOMBIE });
}

#[test]
fn rule_2_a_seal_announced_before_it_is_stored() {
    found(Bug::AnnouncedFirst, Rule::Lost, Setup { silent: false, ..ZOMBIE });
}

#[test]
fn rule_2_a_peer_that_confirms_what_comes_from_below_the_seal() {
    found(Bug::TakesFromBelow, Rule::Lost, ZOMBIE);
}

#[test]
fn rule_2_a_process_that_goes_on_below_the_seal() {
    found(Bug::GoesOn, Rule::Lost, Setup { silent: false, ..ZOMBIE });
}

#[test]
fn rule_3_one_answer_is_enough() {
    found(Bug::OneAnswers, Rule::Lost, Setup { peers: 2, ..SILENT });
}

#[test]
fn rule_3_confirmations() {
    let left = Left { peer_crashes: 1, ..ZOMBIE.left };
    let setup = Setup { peers: 2, left, ..ZOMBIE };
    for bug in [Bug::NoConfirmation, Bug::ConfirmedEarly, Bug::ConfirmsAnything] {
        found(bug, Rule::Back, setup);
    }
}

#[test]
fn rule_3_a_floor_apart_from_its_row() {
    found(Bug::FloorApart, Rule::Twice, Setup { peers: 2, ..SILENT });
    let left = Left { peer_crashes: 1, ..SILENT.left };
    found(Bug::HintWithoutFloor, Rule::Twice, Setup { left, ..SILENT });
}

#[test]
fn rule_3_rows_below_the_floor_that_come_later() {
    let left = Left { late_relays: 1, ..SILENT.left };
    found(Bug::MergedBelowFloor, Rule::Twice, Setup { left, ..SILENT });
}

#[test]
fn rule_4_a_fold_that_is_withdrawn() {
    let left = Left { unknowns: 1, ..CRASH.left };
    found(Bug::Withdrawn, Rule::Lost, Setup { left, ..CRASH });
}

#[test]
fn rule_5_a_seal_by_the_number_of_the_process() {
    let left = Left { starts: 2, ends: 1, ..CRASH.left };
    found(Bug::SealsByProcess, Rule::Lost, Setup { left, ..CRASH });
}

#[test]
fn rule_5_a_replica_inherited_below_a_larger_number() {
    let left = Left { starts: 2, ends: 1, ..ZOMBIE.left };
    found(Bug::InheritsBelow, Rule::Lost, Setup { silent: false, left, ..ZOMBIE });
}

#[test]
fn recovery_first() {
    let left = Left { peer_crashes: 1, ..SILENT.left };
    found(Bug::AnswersUnrecovered, Rule::Lost, Setup { left, ..SILENT });
}

#[test]
fn forgetting_reads_the_hints() {
    let left = Left { forgets: 1, ..SILENT.left };
    found(Bug::HintsForgotten, Rule::Lost, Setup { peers: 2, left, ..SILENT });
}

#[test]
fn a_fold_noted_too_late() {
    let left = Left { crashes: 1, ..ZOMBIE.left };
    let setup = Setup { sealed_is_dead: false, left, amended: CARRYING, ..ZOMBIE };
    found(Bug::NotedLate, Rule::Twice, second_sealer(setup));
}

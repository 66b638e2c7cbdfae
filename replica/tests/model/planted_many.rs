//! Bugs that many counters invite, planted one at a time. Each is found, and by the rule that it breaks.

use crate::configurations::two;
use crate::many::{self, ONE_ADD};
use crate::past::Past;
use crate::planted::found;
use crate::rules::Rule;
use crate::saboteur::Bug;
use crate::setup::{NONE, Setup};
use crate::wishes::Wish::{self, Add, Batch, Reset};

/// Two nodes to which nothing happens.
fn talking(wishes: &'static [Wish], adds: &'static [u8]) -> Setup {
    many::talking(wishes, two(adds, 0, NONE))
}

/// Both nodes have node 0's first add.
fn after_one_add(wishes: &'static [Wish], adds: &'static [u8]) -> Setup {
    Setup { past: ONE_ADD, ..many::many(wishes, two(adds, 2, NONE)) }
}

/// One process of node 1 confirms a delta, and the other one hears the next.
#[test]
fn a_delta_applied_over_a_gap() {
    let past = &[
        Past::Settles,
        Past::Adds(0),
        Past::Settles,
        Past::Adds(0),
        Past::Settles,
        Past::Begins(1),
        Past::Settles,
    ];
    let setup = talking(&[Add("a"), Add("b"), Add("a"), Add("b")], &[0, 0, 0, 0]);
    found(Bug::GapIgnored, &[Rule::Exact], Setup { past, ticks: 1, ..setup });
}

#[test]
fn a_version_that_is_claimed_and_not_covered() {
    found(Bug::VersionAhead, &[Rule::Exact], talking(&[Add("a")], &[0]));
}

#[test]
fn one_row_for_shown_and_unshown() {
    let setup = || talking(&[Add("a"), Add("a")], &[0, 0]);
    found(Bug::OneRow, &[Rule::Exact], setup());
    found(Bug::ShownTooSoon, &[Rule::Exact], setup());
}

#[test]
fn a_reset_counted_twice() {
    let wishes = &[Add("a"), Reset("a"), Reset("a")];
    found(Bug::ResetIsAnAdd, &[Rule::Value], after_one_add(wishes, &[0, 0, 1]));
    found(Bug::ResetToldTwice, &[Rule::SubtractedOnce], after_one_add(wishes, &[0, 1, 1]));
}

#[test]
fn a_baseline_dropped() {
    let setup = || after_one_add(&[Add("a"), Reset("a")], &[0, 0]);
    found(Bug::BaselineDropped, &[Rule::Value], setup());
    found(Bug::BaselineDropped, &[Rule::Exact], setup());
}

#[test]
fn a_batch_told_in_part() {
    found(Bug::BatchInPart, &[Rule::Whole], talking(&[Batch("a", "b")], &[0]));
}

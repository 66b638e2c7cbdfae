//! Bugs in the use of named counters, planted to see that the model finds them.

use crate::world::{World, step};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bug {
    /// A delta is applied although what it begins at is not covered.
    Gap,
    /// A part of a delta is applied without the others.
    PartAlone,
    /// A delta says that it covers what its actor has now, and not what the sender had.
    Claim,
    /// A reset takes the value away, as an add does: two at once count twice.
    ResetSubtracts,
    /// A reset notes nothing if another row has noted as much.
    BaselineDropped,
    /// A total that a source reports is added: reported again it counts again.
    TotalIsAdded,
}

/// How many random runs it takes until a value is wrong.
fn runs_until_found(bug: Bug) -> Option<usize> {
    let mut runner = TestRunner::deterministic();
    let steps = vec(step(), 60..120);
    (0..2000).find(|_| {
        let mut world = World::new(Some(bug));
        let steps = steps.new_tree(&mut runner).unwrap().current();
        steps.into_iter().any(|step| {
            world.step(step);
            world.wrong_value().is_some()
        })
    })
}

#[test]
fn each_planted_bug_is_found() {
    let all =
        [Bug::Gap, Bug::PartAlone, Bug::Claim, Bug::ResetSubtracts, Bug::BaselineDropped, Bug::TotalIsAdded];
    for bug in all {
        let found = runs_until_found(bug);
        assert!(found.is_some(), "{bug:?} was not found");
        println!("{bug:?}: found in run {}", found.unwrap() + 1);
    }
}

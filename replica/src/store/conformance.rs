//! A suite that every [store](crate::store) must pass.
//!
//! Say how to make your store, how to start a process on it, and how to run one request ([`Subject`]). Then [`check`] it.
//! This is the [reference store](super::memory) before the suite:
//!
//! ```
//! use replica::NodeId;
//! use replica::store::conformance::{Subject, check};
//! use replica::store::{Outcome, StoreRequest, memory::Memory};
//!
//! struct Shared(Memory);
//!
//! impl Subject for Shared {
//!     type Process = NodeId;
//!
//!     fn start(&mut self, node: &NodeId) -> NodeId {
//!         node.clone()
//!     }
//!
//!     fn run(&mut self, process: &mut NodeId, request: StoreRequest) -> Outcome {
//!         self.0.request(process, &request)
//!     }
//! }
//!
//! assert_eq!(check(|| Shared(Memory::default())), Ok(()));
//! ```
//!
//! A suite finds wrong answers, not wrong luck. Run it on a store as it is, and on one whose messages get lost
//! ([`Subject::loses_outcomes`]), each with many seeds.

mod checks;
mod runner;
mod seals;
mod walk;

use std::fmt;

use super::{Outcome, StoreRequest};
use crate::identity::NodeId;
use runner::Runner;

/// The nodes whose processes the suite starts: for a store that must be told the names beforehand.
pub const NODES: [&str; 3] = ["n0", "n1", "n2"];

/// A store, as the suite uses it.
pub trait Subject {
    /// A process of a node, with whatever it keeps about the store, such as revisions.
    type Process;

    /// A process of this node starts. Earlier ones may still run.
    fn start(&mut self, node: &NodeId) -> Self::Process;

    /// Runs one request to its end. The suite runs one at a time.
    fn run(&mut self, process: &mut Self::Process, request: StoreRequest) -> Outcome;

    /// Whether an outcome can be [`Unknown`](Outcome::Unknown) or [`NotDone`](Outcome::NotDone), or a commit or seal that
    /// was done a [`Conflict`](Outcome::Conflict). If so the suite reads the record to learn how it ended, and tries again. If not, such an outcome is a failure.
    fn loses_outcomes(&self) -> bool {
        false
    }

    /// Puts something in the place of this node's record that no replica has written. False if the store can't hold
    /// such a thing.
    fn plant_foreign(&mut self, _node: &NodeId) -> bool {
        false
    }
}

/// A rule that the store has broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    rule: &'static str,
    found: String,
}

impl Failure {
    /// What a store must do, as one sentence.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

/// The rule, and what the store did instead.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Here {}.", self.rule, self.found)
    }
}

impl std::error::Error for Failure {}

/// Checks one rule.
type Rule<S> = fn(&mut Runner<S>) -> Result<(), Failure>;

/// Checks a store, with a fresh and empty one for each rule. It takes some thousand requests.
///
/// # Errors
///
/// The first rule that the store breaks.
pub fn check<S: Subject>(mut fresh: impl FnMut() -> S) -> Result<(), Failure> {
    let rules: [Rule<S>; 14] = [
        checks::nothing_is_there_at_first,
        checks::what_was_committed_is_there,
        checks::a_commit_that_was_done_is_not_done_again,
        checks::a_stale_commit_is_a_conflict,
        checks::a_load_behind_a_fence_is_fresh,
        checks::changes_are_applied,
        checks::a_foreign_record_is_told,
        checks::nodes_with_a_record_are_listed,
        seals::a_sealed_record_has_a_seal_and_no_owner,
        seals::a_node_without_a_record_is_sealed_too,
        seals::seals_are_counted_and_lifted,
        seals::only_the_very_record_is_sealed,
        seals::a_commit_from_before_the_seal_is_a_conflict,
        walk::many_requests_end_as_they_should,
    ];
    rules.into_iter().try_for_each(|rule| rule(&mut Runner::new(fresh())))
}

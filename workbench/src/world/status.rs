//! A glance at a run under way, for those who watch it.

use super::{SetupFailure, World};

/// A glance at a run under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) phase: &'static str,
    pub(crate) operations: usize,
    pub(crate) faults: String,
    pub(crate) violations: u64,
}

impl World {
    /// Why the run never began, if it did not.
    pub(crate) fn setup_failure(&self) -> Option<&SetupFailure> {
        self.setup_failure.as_ref()
    }

    /// The state of the run, in a few words.
    pub(crate) fn status(&self) -> Status {
        Status {
            phase: self.phase.name(),
            operations: self.history.operations().len(),
            faults: self.faults.active(),
            violations: self.violations.counting(&self.plan.strict),
        }
    }
}

//! What ends a campaign early: a signal, or its time budget.

use std::time::Duration;

use crate::error::BenchError;
use crate::host::process::{Clock, Interrupt};

/// Notes SIGINT and SIGTERM while it exists. The second of them ends the program at once.
#[derive(Debug)]
pub(super) struct Stop {
    clock: Clock,
    budget: Option<Duration>,
    interrupt: Interrupt,
}

impl Stop {
    /// The budget runs from now on.
    pub(super) fn watch(budget: Option<Duration>) -> Result<Self, BenchError> {
        Ok(Self { clock: Clock::start(), budget, interrupt: Interrupt::watch_for_two()? })
    }

    /// Whether a signal came.
    pub(super) fn is_signalled(&self) -> bool {
        self.interrupt.is_set()
    }

    /// Whether the campaign is to end.
    pub(super) fn is_due(&self) -> bool {
        self.is_signalled() || self.budget.is_some_and(|budget| self.clock.now() >= budget)
    }
}

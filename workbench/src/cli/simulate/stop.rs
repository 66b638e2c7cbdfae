//! What ends a campaign early: a signal, or its time budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::error::BenchError;
use crate::host::process::Clock;

/// Notes SIGINT and SIGTERM while it exists. The second of them ends the program at once.
#[derive(Debug)]
pub(super) struct Stop {
    clock: Clock,
    budget: Option<Duration>,
    signal: Arc<AtomicBool>,
    registrations: Vec<SigId>,
}

impl Stop {
    /// The budget runs from now on.
    pub(super) fn watch(budget: Option<Duration>) -> Result<Self, BenchError> {
        let signal = Arc::new(AtomicBool::new(false));
        let mut registrations = Vec::new();
        for number in [SIGINT, SIGTERM] {
            // The order matters: the first signal is noted after it was asked whether there was one before.
            let second = flag::register_conditional_shutdown(number, 128 + number, Arc::clone(&signal));
            let first = flag::register(number, Arc::clone(&signal));
            for registered in [second, first] {
                registrations.push(registered.map_err(BenchError::io("cannot watch for signals"))?);
            }
        }
        Ok(Self { clock: Clock::start(), budget, signal, registrations })
    }

    /// Whether a signal came.
    pub(super) fn is_signalled(&self) -> bool {
        self.signal.load(Ordering::Relaxed)
    }

    /// Whether the campaign is to end.
    pub(super) fn is_due(&self) -> bool {
        self.is_signalled() || self.budget.is_some_and(|budget| self.clock.now() >= budget)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        for registration in self.registrations.drain(..) {
            low_level::unregister(registration);
        }
    }
}

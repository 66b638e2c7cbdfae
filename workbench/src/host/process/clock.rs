//! The only clock.
#![expect(
    clippy::disallowed_types,
    reason = "this host runs on the wall clock; all others are told the time"
)]

use std::time::Duration;
#[expect(
    clippy::disallowed_types,
    reason = "this host runs on the wall clock; all others are told the time"
)]
use std::time::Instant;

/// Time since the start of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

//! Whether the store answers.

use std::time::Duration;

use tracing::{info, warn};

/// How long after a refusal the store is asked again, at first and at most.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Whether the store answers.
#[derive(Debug, Clone)]
pub(super) struct Health {
    /// How long the store may be silent before it counts as down.
    timeout: Duration,
    is_down: bool,
    retry_after: Duration,
}

impl Health {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, is_down: false, retry_after: RETRY_AFTER.0 }
    }

    pub(super) fn is_down(&self) -> bool {
        self.is_down
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// It has been silent for longer than the timeout.
    pub(super) fn silent(&mut self) {
        if !std::mem::replace(&mut self.is_down, true) {
            warn!("the store does not answer");
        }
    }

    /// It has answered.
    pub(super) fn answered(&mut self) {
        if std::mem::take(&mut self.is_down) {
            info!("the store answers");
        }
    }

    /// It has committed.
    pub(super) fn committed(&mut self) {
        self.retry_after = RETRY_AFTER.0;
    }

    /// It has refused, or holds a record that can't be replaced. Returns for how long to leave it alone.
    pub(super) fn refused(&mut self) -> Duration {
        self.is_down = true;
        let pause = self.retry_after;
        self.retry_after = pause.saturating_mul(2).min(RETRY_AFTER.1);
        pause
    }
}

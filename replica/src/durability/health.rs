//! Whether the store answers.

use std::time::Duration;

use tracing::{info, warn};

/// The pause after a refusal before the store is asked again: the first, and the longest.
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

    /// Reports that the store has been silent for longer than the timeout.
    pub(super) fn silent(&mut self) {
        if !std::mem::replace(&mut self.is_down, true) {
            warn!("the store does not answer");
        }
    }

    /// Reports that the store has answered.
    pub(super) fn answered(&mut self) {
        if std::mem::take(&mut self.is_down) {
            info!("the store answers");
        }
    }

    /// Reports that the store has done a commit.
    pub(super) fn committed(&mut self) {
        self.retry_after = RETRY_AFTER.0;
    }

    /// Reports that the store has refused, or holds a foreign record. Returns how long to wait before the next request.
    pub(super) fn refused(&mut self) -> Duration {
        self.is_down = true;
        let pause = self.retry_after;
        self.retry_after = pause.saturating_mul(2).min(RETRY_AFTER.1);
        pause
    }
}

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
    /// It has refused a commit: that it answers otherwise does not mean that it commits.
    must_commit: bool,
    retry_after: Duration,
}

impl Health {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, is_down: false, must_commit: false, retry_after: RETRY_AFTER.0 }
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
        if !self.must_commit && std::mem::take(&mut self.is_down) {
            info!("the store answers");
        }
    }

    /// Reports that the store has done a commit.
    pub(super) fn committed(&mut self) {
        self.must_commit = false;
        self.retry_after = RETRY_AFTER.0;
    }

    /// It has refused to open the record or, if `to_commit`, to commit; or it holds a record that can't be replaced.
    /// Returns for how long to leave it alone.
    pub(super) fn refused(&mut self, to_commit: bool) -> Duration {
        self.is_down = true;
        self.must_commit |= to_commit;
        let pause = self.retry_after;
        self.retry_after = pause.saturating_mul(2).min(RETRY_AFTER.1);
        pause
    }
}

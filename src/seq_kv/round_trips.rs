//! Measures how soon the store answers, and so decides how long to wait for it.

use std::time::Duration;

/// After how many usual round trips without an answer a request is sent again, within the timeout.
const ROUND_TRIPS: u32 = 2;
const RESEND_AFTER_MIN: Duration = Duration::from_millis(25);

/// The longest wait for an answer to a read, however slow the store has been.
const PATIENCE_MAX: Duration = Duration::from_secs(4);

/// How long the store takes to answer.
#[derive(Debug, Clone)]
pub(super) struct RoundTrips {
    /// How long the store may be silent before it counts as down.
    timeout: Duration,
    /// The usual time until an answer, smoothed. `None` until the store has answered.
    usual: Option<Duration>,
}

impl RoundTrips {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, usual: None }
    }

    /// Reports that the store has answered, `after` how long.
    pub(super) fn measured(&mut self, after: Duration) {
        self.usual = Some(self.usual.map_or(after, |usual| (usual + after) / 2));
    }

    /// How long the store takes to answer at the moment; zero while that is not known.
    pub(super) fn usual(&self) -> Duration {
        self.usual.unwrap_or_default()
    }

    /// How long an answer to a read may take at the moment.
    pub(super) fn patience(&self) -> Duration {
        self.several().clamp(self.timeout, PATIENCE_MAX.max(self.timeout))
    }

    /// How long to wait before a request is sent again, if it has been open for `open_for`.
    pub(super) fn resend_after(&self, open_for: Duration) -> Duration {
        if open_for >= self.timeout {
            self.timeout / 4
        } else {
            self.several().clamp(RESEND_AFTER_MIN.min(self.timeout), self.timeout)
        }
    }

    fn several(&self) -> Duration {
        self.usual.map_or(self.timeout / 4, |once| once.saturating_mul(ROUND_TRIPS))
    }
}

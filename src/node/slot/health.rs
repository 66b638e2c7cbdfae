//! How the store does, judged by its answers.

use std::time::Duration;

use tracing::{info, warn};

/// How long after a refusal the store is asked again, at first and at most.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A request is sent again after so many usual round trips without an answer, within the timeout.
const ROUND_TRIPS: u32 = 2;
const RESEND_AFTER_MIN: Duration = Duration::from_millis(25);

/// No answer is waited for longer than this, however slow the store has been.
const PATIENCE_MAX: Duration = Duration::from_secs(4);

/// Whether the store answers, and how soon.
#[derive(Debug, Clone)]
pub(super) struct Health {
    /// How long the store may be silent before it counts as down.
    timeout: Duration,
    is_down: bool,
    /// How long the store takes to answer, smoothed, once it has answered.
    round_trip: Option<Duration>,
    retry_after: Duration,
}

impl Health {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, is_down: false, round_trip: None, retry_after: RETRY_AFTER.0 }
    }

    pub(super) fn is_down(&self) -> bool {
        self.is_down
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long the store takes to answer at the moment; zero while that is not known.
    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip.unwrap_or_default()
    }

    /// How long an answer may take at the moment.
    pub(super) fn patience(&self) -> Duration {
        self.usual_round_trips().clamp(self.timeout, PATIENCE_MAX.max(self.timeout))
    }

    /// How long an answer may take until the request is sent again.
    pub(super) fn resend_after(&self) -> Duration {
        if self.is_down {
            self.timeout / 4
        } else {
            self.usual_round_trips().clamp(RESEND_AFTER_MIN.min(self.timeout), self.timeout)
        }
    }

    fn usual_round_trips(&self) -> Duration {
        self.round_trip.map_or(self.timeout / 4, |once| once.saturating_mul(ROUND_TRIPS))
    }

    /// It has been silent for longer than the timeout.
    pub(super) fn silent(&mut self) {
        if !std::mem::replace(&mut self.is_down, true) {
            warn!("the store does not answer");
        }
    }

    /// It has answered, so long after it was asked; `None` if that was not measured.
    pub(super) fn answered(&mut self, after: Option<Duration>) {
        if std::mem::take(&mut self.is_down) {
            info!("the store answers");
        }
        if let Some(after) = after {
            self.round_trip = Some(self.round_trip.map_or(after, |smoothed| (smoothed + after) / 2));
        }
    }

    /// It has done what it was asked to.
    pub(super) fn obeyed(&mut self) {
        self.retry_after = RETRY_AFTER.0;
    }

    /// It has refused, or holds what can't be replaced: it is to be left alone for so long.
    pub(super) fn refused(&mut self) -> Duration {
        self.is_down = true;
        let pause = self.retry_after;
        self.retry_after = pause.saturating_mul(2).min(RETRY_AFTER.1);
        pause
    }
}

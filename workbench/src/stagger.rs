//! Jepsen's pacing: gaps drawn evenly between nothing and twice the mean.

use std::time::Duration;

use rand::RngExt;

use crate::seeds::Random;

/// Lateness up to this is the timer's, and is made up for, so that high rates are reached. In Jepsen it adds up.
const TIMER: Duration = Duration::from_millis(10);

/// When the next act is due. An act that could not be done in time is not made up for.
#[derive(Clone, Debug)]
pub(crate) struct Stagger {
    mean: Duration,
    due: Duration,
}

impl Stagger {
    /// The first act is due at `start`, the next ones `mean` later on average.
    pub(crate) fn new(mean: Duration, start: Duration) -> Self {
        Self { mean, due: start }
    }

    pub(crate) fn due(&self) -> Duration {
        self.due
    }

    /// Notes that an act was done at `now`, and draws the time of the next.
    pub(crate) fn done(&mut self, now: Duration, random: &mut Random) {
        let since = if now.saturating_sub(self.due) <= TIMER { self.due } else { now };
        self.due = since + self.mean.mul_f64(2.0 * random.random::<f64>());
    }
}

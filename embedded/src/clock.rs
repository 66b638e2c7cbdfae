//! The clocks. Nothing else here reads one.
#![expect(clippy::disallowed_types, reason = "a library with threads of its own is the shell of its replica")]

use std::time::{Duration, Instant, SystemTime};

/// A clock that never goes back, for the replica.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }
}

/// Milliseconds since 1970, for what must hold over restarts. It may go back.
pub(crate) fn unix_ms() -> u64 {
    millis(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// A time in milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

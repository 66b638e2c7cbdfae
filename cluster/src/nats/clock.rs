//! The clocks.
#![expect(clippy::disallowed_types, reason = "the shell reads the clock, and nothing else does")]

use std::time::{Duration, Instant, SystemTime};

/// The time in milliseconds since 1970, as the notes beside a record have it.
pub(super) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Tells how long something takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

//! The only clock.
#![expect(
    clippy::disallowed_types,
    reason = "this host runs on the wall clock; all others are told the time"
)]

use std::time::{Duration, Instant};

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

/// The time of day in UTC: `2026-01-31T23:59:59Z`.
#[cfg(feature = "cli")]
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

/// That time fit for a file name: `20260131T235959Z`.
#[cfg(feature = "cli")]
pub(crate) fn for_file_names(time: &str) -> String {
    time.chars().filter(|character| !matches!(character, '-' | ':')).collect()
}

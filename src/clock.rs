//! The node's only clock.
#![expect(clippy::disallowed_types, reason = "the shell is where the clock is read")]

use std::time::Duration;

/// The time since the node started.
#[derive(Clone, Copy)]
pub(crate) struct Clock(tokio::time::Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// Sleeps until `wake`, or for ever if it is `None`.
    pub(crate) async fn sleep_until(self, wake: Option<Duration>) {
        match wake {
            Some(wake) => tokio::time::sleep_until(self.0 + wake).await,
            None => std::future::pending().await,
        }
    }
}

//! What a service manager is told, and what it can't see: whether the counters still work.

use std::time::Duration;

use embedded::Counters;
use sd_notify::NotifyState;
use tracing::debug;

use crate::clock::Stopwatch;

/// How often the counters are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Tells the service manager, if there is one, that the server answers.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// Tells the service manager, if there is one, that the server ends.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// Returns once the database has failed. Until then it tells the watchdog of the service manager that the counters answer.
pub(crate) async fn until_failure(counters: &Counters) {
    let mut ticks = tokio::time::interval(LOOK);
    let watchdog = sd_notify::watchdog_enabled();
    let mut told = Stopwatch::start();
    loop {
        ticks.tick().await;
        if counters.failure().is_some() {
            return;
        }
        if watchdog.is_some_and(|most| told.elapsed() > most / 3) {
            tell(NotifyState::Watchdog);
            told = Stopwatch::start();
        }
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        debug!(%error, "the service manager can't be told");
    }
}

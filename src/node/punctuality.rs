//! When a request can have arrived at the earliest.
//!
//! A process can't see how long a line has waited for it: it may have been paused, or starved. But a request
//! that it finds now was not there when it last looked. It looks several times a second even when idle, so a
//! longer gap means that it did not run, and that what is read next may have waited since before the gap.

use std::time::Duration;

/// How often the node looks at the least.
const HEARTBEAT: Duration = Duration::from_millis(250);
/// A gap as long as this means that the process did not run.
const GAP: Duration = Duration::from_millis(500);
/// How long it takes at most, after a gap, until the backlog has been read: some of it was held outside, by
/// whoever fills the pipe.
const CATCH_UP: Duration = Duration::from_millis(200);

/// Keeps track of when the node last looked at its input.
#[derive(Debug, Clone, Default)]
pub(super) struct Punctuality {
    now: Duration,
    before: Duration,
    /// Until when, and since when the backlog may have been waiting.
    catching_up: Option<(Duration, Duration)>,
}

impl Punctuality {
    pub(super) fn new(now: Duration) -> Self {
        Self { now, before: now, catching_up: None }
    }

    /// The node looks at its input.
    pub(super) fn look(&mut self, now: Duration) {
        if now <= self.now {
            return;
        }
        if now.saturating_sub(self.now) >= GAP {
            let since = self.catching_up.map_or(self.now, |(_, since)| since);
            self.catching_up = Some((now + CATCH_UP, since));
        }
        self.catching_up = self.catching_up.filter(|(until, _)| now < *until);
        self.before = std::mem::replace(&mut self.now, now);
    }

    /// What is read now was not sent before this time.
    pub(super) fn earliest_arrival(&self) -> Duration {
        self.catching_up.map_or(self.before, |(_, since)| since)
    }

    pub(super) fn next_look(&self) -> Duration {
        self.now + HEARTBEAT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn without_a_gap_a_request_arrived_after_the_look_before() {
        let mut punctuality = Punctuality::new(ms(0));
        punctuality.look(ms(250));
        punctuality.look(ms(400));
        punctuality.look(ms(400));
        assert_eq!(punctuality.earliest_arrival(), ms(250));
    }

    #[test]
    fn after_a_gap_the_whole_backlog_may_be_as_old_as_the_gap() {
        let mut punctuality = Punctuality::new(ms(0));
        punctuality.look(ms(100));
        punctuality.look(ms(6000));
        assert_eq!(punctuality.earliest_arrival(), ms(100));
        punctuality.look(ms(6100));
        assert_eq!(punctuality.earliest_arrival(), ms(100), "held back outside the pipe");
        punctuality.look(ms(6199));
        punctuality.look(ms(6200));
        assert_eq!(punctuality.earliest_arrival(), ms(6199));
    }

    #[test]
    fn a_second_gap_while_catching_up_does_not_shorten_the_first() {
        let mut punctuality = Punctuality::new(ms(0));
        punctuality.look(ms(5000));
        punctuality.look(ms(5600));
        assert_eq!(punctuality.earliest_arrival(), ms(0));
    }
}

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
/// How long after a gap, and after the last look that followed hard upon another, the backlog counts as not yet
/// read: some of it was held outside, by whoever fills the pipe.
const CATCH_UP: Duration = Duration::from_millis(200);
/// How long that goes on at most.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);
/// Looks no further apart than this mean that the input keeps coming.
const BUSY: Duration = Duration::from_millis(10);

/// Keeps track of when the node last looked at its input.
#[derive(Debug, Clone, Default)]
pub(super) struct Punctuality {
    now: Duration,
    before: Duration,
    catching_up: Option<CatchingUp>,
}

/// The backlog of a gap is being read.
#[derive(Debug, Clone, Copy)]
struct CatchingUp {
    /// The backlog may have been waiting since then.
    since: Duration,
    /// It has been read by then, if no more comes,
    until: Duration,
    /// and by then in any case.
    at_most: Duration,
}

impl Punctuality {
    pub(super) fn new(now: Duration) -> Self {
        Self { now, before: now, catching_up: None }
    }

    /// The node looks at its input. `Some`: it has not run for so long.
    pub(super) fn look(&mut self, now: Duration) -> Option<Duration> {
        let distance = now.saturating_sub(self.now);
        if distance.is_zero() {
            return None;
        }
        let gap = (distance >= GAP).then_some(distance);
        let unread = self.catching_up.filter(|backlog| self.now < backlog.until);
        self.catching_up = unread.filter(|backlog| now < backlog.until);
        if gap.is_some() {
            let since = unread.map_or(self.now, |backlog| backlog.since);
            self.catching_up = Some(CatchingUp { since, until: now + CATCH_UP, at_most: now + CATCH_UP_MAX });
        } else if let Some(backlog) = self.catching_up.as_mut().filter(|_| distance <= BUSY) {
            backlog.until = (now + CATCH_UP).min(backlog.at_most);
        }
        self.before = std::mem::replace(&mut self.now, now);
        gap
    }

    /// What is read now was not sent before this time.
    pub(super) fn earliest_arrival(&self) -> Duration {
        self.catching_up.map_or(self.before, |backlog| backlog.since)
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
        assert_eq!(punctuality.look(ms(5000)), Some(ms(5000)));
        punctuality.look(ms(5150));
        assert_eq!(punctuality.look(ms(5660)), Some(ms(510)));
        assert_eq!(punctuality.earliest_arrival(), ms(0), "the first backlog had not been read");
    }

    #[test]
    fn a_gap_right_after_the_backlog_was_read_stands_for_itself() {
        let mut punctuality = Punctuality::new(ms(0));
        punctuality.look(ms(1000));
        punctuality.look(ms(1200));
        punctuality.look(ms(2000));
        assert_eq!(punctuality.earliest_arrival(), ms(1200));
    }

    #[test]
    fn the_backlog_lasts_as_long_as_input_keeps_coming_but_not_for_ever() {
        let mut punctuality = Punctuality::new(ms(0));
        for i in 0..90 {
            punctuality.look(ms(5000 + i * 10));
        }
        assert_eq!(punctuality.earliest_arrival(), ms(0));
        for i in 90..120 {
            punctuality.look(ms(5000 + i * 10));
        }
        assert_ne!(punctuality.earliest_arrival(), ms(0));
    }
}

//! Stalls: times in which this process stood still, and which say nothing of the store.
//!
//! The store answers a process that is stopped, or that a busy machine does not run, but the process reads the answer later. So a timer
//! that comes late proves no silence. After such a stall the answers that wait have some time to be handed in, and only then the store
//! is judged. The grace is given once: a machine that is always late must not hide a store that is down.

use std::time::Duration;

/// Tells up to which time all input was handled, as far as it can be told.
#[derive(Debug)]
pub(crate) struct Stalls {
    /// A timer that is later than this was held up.
    late: Duration,
    /// How long what waits may take to be handed in.
    grace: Duration,
    heard: Duration,
    catches_up_until: Option<Duration>,
}

impl Stalls {
    /// For a store that counts as down once it has not answered for so long.
    pub(crate) fn new(store_timeout: Duration) -> Self {
        Self { late: store_timeout / 2, grace: store_timeout, heard: Duration::ZERO, catches_up_until: None }
    }

    /// The process runs at this time. Its timer was due at `due`.
    pub(crate) fn look(&mut self, now: Duration, due: Option<Duration>) {
        match self.catches_up_until {
            Some(until) if now < until => {}
            None if due.is_some_and(|due| now > due + self.late) => {
                self.catches_up_until = Some(now + self.grace);
            }
            Some(_) | None => {
                self.catches_up_until = None;
                self.heard = now;
            }
        }
    }

    /// All input from before this time was handled.
    pub(crate) fn heard(&self) -> Duration {
        self.heard
    }

    /// When the time comes that all input was handled, if it is not now.
    pub(crate) fn catches_up_until(&self) -> Option<Duration> {
        self.catches_up_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(50);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_timer_that_comes_in_time_has_heard_all() {
        let mut stalls = Stalls::new(TIMEOUT);
        for (now, due) in [(10, None), (60, Some(60)), (125, Some(100))] {
            stalls.look(ms(now), due.map(ms));
            assert_eq!((stalls.heard(), stalls.catches_up_until()), (ms(now), None));
        }
    }

    #[test]
    fn after_a_stall_what_waits_has_some_time() {
        let mut stalls = Stalls::new(TIMEOUT);
        stalls.look(ms(10), None);
        for now in [8_000, 8_001, 8_049] {
            stalls.look(ms(now), Some(ms(60)));
            assert_eq!((stalls.heard(), stalls.catches_up_until()), (ms(10), Some(ms(8_050))), "{now}");
        }
        stalls.look(ms(8_050), Some(ms(8_050)));
        assert_eq!((stalls.heard(), stalls.catches_up_until()), (ms(8_050), None));
    }

    #[test]
    fn a_machine_that_is_always_late_hides_no_silence() {
        let mut stalls = Stalls::new(TIMEOUT);
        for turn in 1..100 {
            let now = ms(turn * 80);
            stalls.look(now, Some(now.saturating_sub(ms(70))));
            assert!(stalls.heard() + ms(80) >= now, "{turn}");
        }
    }
}

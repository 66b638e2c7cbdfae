//! The stall detector: it tells the earliest time at which a line that is read now can have been handed in.
//!
//! A process can't see how long a line has waited. It may be stopped or starved at any moment, for any time, also between
//! two of its own steps. So nothing follows from when it ran. Two facts hold under every schedule. Each is dated by a
//! clock that was read before the look at the input:
//!
//! * The look found the input empty. So all bytes that are read later were handed in later.
//! * The writer of the input holds back at most `HELD_BACK` bytes. So when a byte is handed in, all earlier bytes but the
//!   last `HELD_BACK` have been read.
//!
//! The first fact has an exception. A pipe that was full can be empty while its writer, which was blocked, still holds
//! older lines. Then the pipe counts as empty only after `REFILL`, in which the writer goes on, and only if the pipe was
//! not full again.

use std::collections::VecDeque;
use std::time::Duration;

/// How often the node looks at its input at the least.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// A pipe may have been full if so many bytes were read before it was empty. Linux's pipes hold 64 KiB in 16 pages, and a
/// write that does not fit into the rest of a page begins a new one: at worst the pages are half used.
const MAY_BE_FULL: u64 = 32 << 10;

/// A blocked writer goes on within this time once the pipe has room.
const REFILL: Duration = Duration::from_millis(200);

/// How many bytes the pipe and its writer hold together, at most. Only a flood is dated by it: an input that no look finds
/// empty.
const HELD_BACK: u64 = 16 << 20;

/// After how many bytes the time of another read is kept.
const DATE_EVERY: u64 = 1 << 20;

/// Two events further apart mean that the process did not run in between.
const STALL: Duration = Duration::from_millis(500);

/// Tells from the looks at the input how long a line may have waited to be read.
#[derive(Debug, Clone, Default)]
pub struct StallDetector {
    /// A line that is read now was not handed in before this time.
    earliest: Duration,
    /// Bytes read since the input was last found empty.
    in_one_go: u64,
    /// The input may have been full until it was found empty at this time.
    may_have_been_full: Option<Duration>,
    /// Bytes read since `earliest` was last dated by an empty input.
    read: u64,
    /// Places among these bytes, with times: the bytes after the place were not read before the time.
    dated: VecDeque<(u64, Duration)>,
    /// When the node last looked.
    looked: Duration,
    /// When the last event was, and the last one that followed a stall.
    now: Duration,
    stalled: Option<Duration>,
}

impl StallDetector {
    /// A process that starts now.
    pub fn new(now: Duration) -> Self {
        Self { earliest: now, looked: now, now, ..Self::default() }
    }

    /// Reports a look at the input and the number of bytes that were read: 0 if the input was empty. `at` was read off the
    /// clock before the look.
    pub fn looked(&mut self, at: Duration, bytes: usize) {
        self.looked = at;
        if bytes == 0 {
            return self.found_empty(at);
        }
        if self.dated.back().is_none_or(|(place, _)| place + DATE_EVERY <= self.read) {
            self.dated.push_back((self.read, at));
        }
        while let Some((_, time)) = self.dated.pop_front_if(|(place, _)| *place + HELD_BACK <= self.read) {
            self.earliest = self.earliest.max(time);
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.in_one_go = self.in_one_go.saturating_add(bytes);
        self.read = self.read.saturating_add(bytes);
    }

    fn found_empty(&mut self, at: Duration) {
        if std::mem::take(&mut self.in_one_go) >= MAY_BE_FULL {
            self.may_have_been_full = Some(at);
        }
        if self.may_have_been_full.is_none_or(|since| since + REFILL <= at) {
            self.may_have_been_full = None;
            self.earliest = self.earliest.max(at);
            self.read = 0;
            self.dated.clear();
        }
    }

    /// Reports that an event is handled at this time.
    pub fn event(&mut self, now: Duration) {
        if now.saturating_sub(self.now) >= STALL {
            self.stalled = Some(now);
        }
        self.now = now;
    }

    /// The earliest time at which a line that is read now can have been handed in. All lines from before that time have
    /// been handled. So a peer whose answer has not come was silent at least until then.
    pub fn earliest(&self) -> Duration {
        self.earliest
    }

    /// When a look that finds the input empty proves that nothing more was handed in before `deadline`.
    pub fn known_at(&self, deadline: Duration) -> Duration {
        self.refilled_at().map_or(deadline, |refilled| deadline.max(refilled))
    }

    /// When a pipe that may have been full can count as empty. `None` if it was not full.
    pub fn refilled_at(&self) -> Option<Duration> {
        self.may_have_been_full.map(|since| since + REFILL)
    }

    /// Whether the process has run since that time without a stall. Only then is a time that it measured the store's, and
    /// not its own.
    pub fn ran_since(&self, time: Duration) -> bool {
        self.stalled.is_none_or(|stalled| stalled < time)
    }

    /// When the node must look again at the latest. A line that it finds then can be as old as the look before.
    pub fn next_look(&self) -> Duration {
        self.looked + HEARTBEAT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_line_was_handed_in_after_the_last_look_that_found_the_input_empty() {
        let mut stalls = StallDetector::new(ms(0));
        stalls.looked(ms(250), 0);
        stalls.looked(ms(400), 100);
        assert_eq!(stalls.earliest(), ms(250));
        stalls.looked(ms(410), 0);
        assert_eq!(stalls.earliest(), ms(410));
    }

    #[test]
    fn no_time_that_passes_and_no_event_makes_a_line_younger() {
        let mut stalls = StallDetector::new(ms(0));
        stalls.looked(ms(100), 0);
        for now in (6000..20_000).step_by(7) {
            stalls.event(ms(now));
            stalls.looked(ms(now), 80);
            assert_eq!(stalls.earliest(), ms(100));
        }
    }

    #[test]
    fn after_a_full_pipe_its_writer_may_hold_older_lines_for_a_moment() {
        let mut stalls = StallDetector::new(ms(0));
        stalls.looked(ms(100), 0);
        stalls.looked(ms(6000), 65_536);
        stalls.looked(ms(6001), 0);
        assert_eq!(stalls.earliest(), ms(100), "found empty, but the writer has not gone on yet");
        assert_eq!(stalls.known_at(ms(6100)), ms(6201));
        stalls.looked(ms(6002), 65_536);
        stalls.looked(ms(6202), 0);
        assert_eq!(stalls.earliest(), ms(100), "it was full again");
        stalls.looked(ms(6300), 100);
        stalls.looked(ms(6401), 0);
        assert_eq!(stalls.earliest(), ms(100));
        stalls.looked(ms(6402), 0);
        assert_eq!(stalls.earliest(), ms(6402));
        assert_eq!(stalls.known_at(ms(6100)), ms(6100));
    }

    #[test]
    fn half_a_pipe_counts_as_full_and_less_does_not() {
        for (bytes, is_dated) in [(MAY_BE_FULL - 1, true), (MAY_BE_FULL, false)] {
            let mut stalls = StallDetector::new(ms(0));
            stalls.looked(ms(10), 1);
            stalls.looked(ms(11), usize::try_from(bytes).unwrap() - 1);
            stalls.looked(ms(20), 0);
            assert_eq!(stalls.earliest() == ms(20), is_dated, "{bytes}");
        }
    }

    #[test]
    fn a_flood_is_dated_by_what_its_writer_can_hold_back() {
        let mut stalls = StallDetector::new(ms(0));
        let step = 64 << 10;
        for look in 0..2000_u64 {
            stalls.looked(ms(look), step);
            let before = (look * step as u64).saturating_sub(HELD_BACK);
            let expected = ms(before / DATE_EVERY * DATE_EVERY / step as u64);
            assert_eq!(stalls.earliest(), expected, "look {look}");
            assert!(stalls.dated.len() <= 17);
        }
    }

    #[test]
    fn a_stall_spoils_what_was_measured_across_it() {
        let mut stalls = StallDetector::new(ms(0));
        stalls.event(ms(499));
        assert!(stalls.ran_since(ms(0)));
        stalls.event(ms(999));
        assert!(!stalls.ran_since(ms(999)));
        assert!(stalls.ran_since(ms(1000)));
    }
}

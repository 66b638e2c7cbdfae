//! A node, as the world knows it.

use std::time::Duration;

/// One node, across all its incarnations.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct Node {
    /// The present incarnation, counted from 1. It is 0 before the first.
    pub(crate) incarnation: u32,
    pub(crate) is_up: bool,
    /// Whether it has been asked to end and has not ended yet.
    pub(crate) is_ending: bool,
    /// Whether it is mute: Maelstrom ignores the further output of this incarnation.
    pub(crate) is_mute: bool,
    /// Whether this incarnation has answered `init`.
    pub(crate) is_ready: bool,
    /// The client that waits for the answer to `init`.
    pub(crate) init_client: Option<u64>,
    /// The message that it sent instead of the answer to `init`.
    pub(crate) init_missed: Option<String>,
    /// When this incarnation began.
    pub(crate) started: Duration,
    /// When this incarnation was last paused, and when resumed.
    pause: Option<(Duration, Option<Duration>)>,
    /// How many more times it will stand still before it runs for good, if it was just resumed.
    pub(crate) stutters: Option<u32>,
}

impl Node {
    /// Begins a new incarnation and returns its number.
    pub(crate) fn start(&mut self, now: Duration) -> u32 {
        let incarnation = self.incarnation + 1;
        *self = Self { incarnation, is_up: true, started: now, ..Self::default() };
        incarnation
    }

    /// Pauses the node from now on. Stops while it stutters belong to the same pause.
    pub(crate) fn pause(&mut self, now: Duration) {
        let since = self.last_pause(now).filter(|_| self.stutters.is_some()).map_or(now, |(from, _)| from);
        self.pause = Some((since, None));
    }

    pub(crate) fn resume(&mut self, now: Duration) {
        self.pause = self.last_pause(now).map(|(from, until)| (from, Some(until)));
    }

    pub(crate) fn is_paused(&self) -> bool {
        matches!(self.pause, Some((_, None)))
    }

    /// The last pause of this incarnation: from when until when.
    pub(crate) fn last_pause(&self, now: Duration) -> Option<(Duration, Duration)> {
        self.pause.map(|(from, until)| (from, until.unwrap_or(now)))
    }

    /// Ends the present incarnation.
    pub(crate) fn end(&mut self) {
        *self = Self { incarnation: self.incarnation, started: self.started, ..Self::default() };
    }

    /// Whether the world waits for its answer to `init`.
    pub(crate) fn is_starting(&self) -> bool {
        self.is_up && self.init_client.is_some()
    }
}

//! What the world knows of a node.

use std::time::Duration;

/// One node, across all the incarnations of its process.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct Node {
    /// The present incarnation, counted from 1; 0 before the first.
    pub(crate) incarnation: u32,
    pub(crate) is_up: bool,
    /// It has been asked to end and has not yet.
    pub(crate) is_ending: bool,
    /// Maelstrom's reader has choked on what it printed and hears nothing more in this incarnation.
    pub(crate) is_mute: bool,
    /// It has answered `init` in this incarnation.
    pub(crate) is_ready: bool,
    /// The client that waits for the answer to `init`.
    pub(crate) init_client: Option<u64>,
    /// What it sent in the place of the answer to `init`.
    pub(crate) init_missed: Option<String>,
    /// When this incarnation began.
    pub(crate) started: Duration,
    /// When it was last paused in this incarnation, and when resumed.
    pause: Option<(Duration, Option<Duration>)>,
    /// It has been resumed, and will stand still so many more times before it runs for good.
    pub(crate) stutters: Option<u32>,
}

impl Node {
    /// Begins a new incarnation and returns its number.
    pub(crate) fn start(&mut self, now: Duration) -> u32 {
        let incarnation = self.incarnation + 1;
        *self = Self { incarnation, is_up: true, started: now, ..Self::default() };
        incarnation
    }

    /// Stands still from now on. To stand still again while it stutters is the same pause.
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

    /// From when until when it last stood still, in this incarnation.
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

//! Stutter: after a pause a node may stand still a few more times before it runs for good.
//!
//! A busy machine does not run a process for long after it is resumed. The process may look at the clock or at its input,
//! and then stand still again. That can mislead it about how old its input is.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::RngExt;

use super::World;
use super::event::Action;
use super::timers::Timer;

/// How often a node stands still again.
const TIMES: RangeInclusive<u32> = 0..=3;
/// How long it stands still each time, in milliseconds.
const STILL_MS: RangeInclusive<u64> = 50..=700;
/// How long it runs in between, in milliseconds, if it has time to read.
const RUNS_MS: RangeInclusive<u64> = 1..=20;

impl World {
    /// A paused node is resumed. It may stand still again a few times before it runs for good.
    pub(super) fn begin_to_run(&mut self, now: Duration, index: usize) {
        let times = self.stutter_random.random_range(TIMES);
        if let Some(node) = self.nodes.get_mut(index) {
            node.stutters = Some(times);
        }
        self.go_on(now, index);
    }

    pub(super) fn somebody_stutters(&self) -> bool {
        self.nodes.iter().any(|node| node.stutters.is_some())
    }

    /// Stops a node that stutters once more, or lets it run.
    pub(super) fn stutter(&mut self, now: Duration, index: usize, incarnation: u32) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        if node.incarnation != incarnation || !node.is_up || node.stutters.is_none() {
            return;
        }
        if node.is_paused() {
            return self.go_on(now, index);
        }
        node.pause(now);
        self.actions.push_back(Action::Pause { node: index });
        self.forget_malformed(index);
        self.stand_still(now, index, incarnation);
    }

    /// Lets a node run: for good, for a moment, or for too short a time to read anything.
    fn go_on(&mut self, now: Duration, index: usize) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let incarnation = node.incarnation;
        let Some(left) = node.stutters.filter(|left| *left > 0) else {
            node.stutters = None;
            node.resume(now);
            self.actions.push_back(Action::Resume { node: index });
            self.has_news = true;
            return;
        };
        node.stutters = Some(left - 1);
        if self.stutter_random.random() {
            self.actions.push_back(Action::Glimpse { node: index });
            return self.stand_still(now, index, incarnation);
        }
        node.resume(now);
        self.actions.push_back(Action::Resume { node: index });
        let runs = Duration::from_millis(self.stutter_random.random_range(RUNS_MS));
        self.timers.set(now + runs, Timer::Stutter { node: index, incarnation });
    }

    fn stand_still(&mut self, now: Duration, index: usize, incarnation: u32) {
        let still = Duration::from_millis(self.stutter_random.random_range(STILL_MS));
        self.timers.set(now + still, Timer::Stutter { node: index, incarnation });
    }
}

//! Timers: the reasons to wake up, and their times.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use crate::endpoint::Endpoint;

/// A reason to wake up. A timer is never cancelled: when it fires and is not needed any more, it is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    StartServices,
    StartNode(usize),
    /// A deliverer's message is due.
    Lane(Endpoint),
    /// A slow service has the answer of that number.
    Answer(u64),
    /// The time of that incarnation for its answer to `init` is over.
    InitTimeout {
        node: usize,
        incarnation: u32,
    },
    /// The time for the answer to a worker's request is over.
    OpTimeout {
        worker: usize,
        operation: usize,
    },
    /// A node that stutters stands still again, or runs.
    Stutter {
        node: usize,
        incarnation: u32,
    },
    /// The time of a node to end after SIGTERM is over.
    EndTimeout {
        node: usize,
        incarnation: u32,
    },
}

/// A timer with its time and its number.
type Set = (Duration, u64, Timer);

/// Timers in the order of their times. Those with equal times are in the order of setting.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Set>>,
    /// The timers that were set in the order of their times: most, since every request has the same timeout. There are
    /// many of them, and a heap would have to sort them.
    queue: VecDeque<Set>,
    next: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Duration, timer: Timer) {
        let set = (at, self.next, timer);
        self.next += 1;
        let fits = self.queue.back().is_none_or(|last| last.0 <= at);
        if fits && matches!(timer, Timer::OpTimeout { .. }) {
            self.queue.push_back(set);
        } else {
            self.heap.push(Reverse(set));
        }
    }

    fn first(&self) -> Option<&Set> {
        let in_heap = self.heap.peek().map(|Reverse(set)| set);
        in_heap.into_iter().chain(self.queue.front()).min()
    }

    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.first().map(|(at, _, _)| *at)
    }

    /// Takes one timer that is due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Timer> {
        let first = *self.first().filter(|(at, _, _)| *at <= now)?;
        if self.queue.front() == Some(&first) {
            self.queue.pop_front();
        } else {
            self.heap.pop();
        }
        Some(first.2)
    }
}

//! Timers: the reasons to wake up, and their times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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

/// Timers in the order of their times. Those with equal times are in the order of setting.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Duration, u64, Timer)>>,
    next: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Duration, timer: Timer) {
        self.heap.push(Reverse((at, self.next, timer)));
        self.next += 1;
    }

    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Takes one timer that is due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Timer> {
        self.next_at().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse((_, _, timer))| timer)
    }
}

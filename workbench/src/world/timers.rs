//! What is to be looked at again, and when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::endpoint::Endpoint;

/// A reason to wake up. One that has lost its point is ignored when it fires, never cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    StartServices,
    StartNode(usize),
    /// A deliverer's message is due.
    Lane(Endpoint),
    /// A slow service has the answer of that number.
    Answer(u64),
    /// `init` in that incarnation of the node has waited long enough.
    InitTimeout {
        node: usize,
        incarnation: u32,
    },
    /// A worker's request of that number has.
    OpTimeout {
        worker: usize,
        operation: usize,
    },
    /// A node that stutters stands still again, or goes on.
    Stutter {
        node: usize,
        incarnation: u32,
    },
    /// A node that was asked to end has had its time.
    EndTimeout {
        node: usize,
        incarnation: u32,
    },
}

/// Timers in the order of their times, and of setting among equals.
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

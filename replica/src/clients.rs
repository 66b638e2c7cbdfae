//! Clients: the requests that wait for an answer, what each waits for, and until when.

mod queue;

use std::time::Duration;

use crate::config::MAX_PENDING;
use crate::context::Context;
use crate::seam::{Refusal, Reply, Ticket};
use crate::tally::Tally;
pub(crate) use queue::Pending;
use queue::Queue;

/// The requests that wait for an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients {
    /// Adds that are counted, each with the own count that must be safe before it is acknowledged.
    counted: Queue<Tally>,
    /// Adds that are not counted yet. Either this process has not chosen its replica, or the store is down and the policy
    /// demands its confirmation.
    uncounted: Queue<i64>,
    reads: Queue<()>,
}

impl Clients {
    /// Whether no more adds may wait.
    pub(crate) fn has_too_many_adds(&self) -> bool {
        self.counted.len() + self.uncounted.len() >= MAX_PENDING
    }

    /// Whether no more reads may wait.
    pub(crate) fn has_too_many_reads(&self) -> bool {
        self.reads.len() >= MAX_PENDING
    }

    /// An add that is counted waits until the own count with it is safe.
    pub(crate) fn await_safety(&mut self, counted: Tally, pending: Pending) {
        self.counted.push(counted, pending);
    }

    /// An add waits until it may be counted.
    pub(crate) fn hold_add(&mut self, delta: i64, pending: Pending) {
        self.uncounted.push(delta, pending);
    }

    /// A read waits until reads are served.
    pub(crate) fn hold_read(&mut self, pending: Pending) {
        self.reads.push((), pending);
    }

    /// Whether an add waits to be counted.
    pub(crate) fn holds_adds(&self) -> bool {
        !self.uncounted.is_empty()
    }

    /// The oldest add that is held uncounted.
    pub(crate) fn next_uncounted(&mut self) -> Option<(i64, Pending)> {
        self.uncounted.pop_if(|_| true)
    }

    /// Adds are counted and wait for somebody to confirm them.
    pub(crate) fn any_waits_for_confirmation(&self) -> bool {
        !self.counted.is_empty()
    }

    /// Acknowledges the adds that are safe, and refuses those that have waited too long.
    pub(crate) fn answer_adds(&mut self, is_safe: impl Fn(Tally) -> bool, cx: &mut Context<'_>) {
        while let Some((_, add)) = self.counted.pop_if(|counted| is_safe(*counted)) {
            cx.reply(add.ticket, Ok(Reply::Added));
        }
        while let Some(add) = self.counted.pop_expired(cx.now) {
            cx.reply(add.ticket, Err(Refusal::NotKnownDurable));
        }
        while let Some(add) = self.uncounted.pop_expired(cx.now) {
            cx.reply(add.ticket, Err(Refusal::StoreSilent));
        }
    }

    /// Refuses reads that have waited to the end of their time.
    pub(crate) fn refuse_late_reads(&mut self, cx: &mut Context<'_>) {
        while let Some(read) = self.reads.pop_expired(cx.now) {
            cx.reply(read.ticket, Err(Refusal::NotRecovered));
        }
    }

    /// Answers the reads that were held.
    pub(crate) fn answer_reads(&mut self, value: i128, cx: &mut Context<'_>) {
        while let Some(((), read)) = self.reads.pop_if(|()| true) {
            cx.reply(read.ticket, Ok(Reply::Value(value)));
        }
    }

    /// Refuses the adds that are not counted, for no add will be counted any more.
    pub(crate) fn refuse_uncounted(&mut self, cx: &mut Context<'_>) {
        while let Some((_, add)) = self.uncounted.pop_if(|_| true) {
            cx.reply(add.ticket, Err(Refusal::ShuttingDown));
        }
    }

    /// Refuses the requests that wait, for this node was forgotten.
    pub(crate) fn refuse_forgotten(&mut self, cx: &mut Context<'_>) {
        while let Some((_, add)) = self.uncounted.pop_if(|_| true) {
            cx.reply(add.ticket, Err(Refusal::Forgotten));
        }
        while let Some(((), read)) = self.reads.pop_if(|()| true) {
            cx.reply(read.ticket, Err(Refusal::Forgotten));
        }
    }

    /// Refuses all requests that still wait, for nothing more will come.
    pub(crate) fn refuse_all(&mut self, cx: &mut Context<'_>) {
        self.refuse_uncounted(cx);
        while let Some(((), read)) = self.reads.pop_if(|()| true) {
            cx.reply(read.ticket, Err(Refusal::EndedBeforeRecovered));
        }
        while let Some((_, add)) = self.counted.pop_if(|_| true) {
            cx.reply(add.ticket, Err(Refusal::EndedBeforeDurable));
        }
    }

    /// When the time of the next client is up.
    pub(crate) fn next_tick(&self) -> Option<Duration> {
        let Self { counted, uncounted, reads } = self;
        [counted.next_expiry(), uncounted.next_expiry(), reads.next_expiry()].into_iter().flatten().min()
    }
}

impl Pending {
    pub(crate) fn new(ticket: Ticket, answer_by: Duration) -> Self {
        Self { ticket, answer_by }
    }
}

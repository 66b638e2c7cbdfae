//! Clients: the requests that wait for an answer, what each waits for, and until when.

mod queue;
mod waits;

use std::time::Duration;

use crate::config::MAX_PENDING;
use crate::context::Context;
use crate::own::Order;
use crate::seam::{Name, Refusal, Reply, Ticket};
pub(crate) use queue::Pending;
use queue::Queue;
pub(crate) use waits::Wait;
use waits::Waits;

/// The requests that wait for an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients {
    /// Changes that are counted, each with its number, which must be safe before it is acknowledged, and its answer.
    counted: Queue<(u64, Reply)>,
    /// Changes that are not counted yet. This process has not chosen its replica, or the store is down and the policy demands
    /// its confirmation.
    uncounted: Queue<Order>,
    reads: Queue<Name>,
    pub(crate) waits: Waits,
}

impl Clients {
    /// Whether no more changes may wait.
    pub(crate) fn has_too_many_changes(&self) -> bool {
        self.counted.len() + self.uncounted.len() >= MAX_PENDING
    }

    /// Whether no more reads may wait.
    pub(crate) fn has_too_many_reads(&self) -> bool {
        self.reads.len() >= MAX_PENDING
    }

    /// A change that is counted waits until its number is safe.
    pub(crate) fn await_safety(&mut self, number: u64, reply: Reply, pending: Pending) {
        self.counted.push((number, reply), pending);
    }

    /// A change waits until it may be counted.
    pub(crate) fn hold_change(&mut self, order: Order, pending: Pending) {
        self.uncounted.push(order, pending);
    }

    /// A read waits until reads are served.
    pub(crate) fn hold_read(&mut self, counter: Name, pending: Pending) {
        self.reads.push(counter, pending);
    }

    /// Whether a change waits to be counted.
    pub(crate) fn holds_changes(&self) -> bool {
        !self.uncounted.is_empty()
    }

    /// The oldest change that is held uncounted, if it is `ready`.
    pub(crate) fn next_uncounted(&mut self, ready: impl FnOnce(&Order) -> bool) -> Option<(Order, Pending)> {
        self.uncounted.pop_if(ready)
    }

    /// Changes are counted and wait for somebody to confirm them.
    pub(crate) fn any_waits_for_confirmation(&self) -> bool {
        !self.counted.is_empty()
    }

    /// Acknowledges the changes up to number `safe`, and refuses those that have waited too long.
    pub(crate) fn answer_changes(&mut self, safe: u64, cx: &mut Context<'_>) {
        while let Some(((_, reply), change)) = self.counted.pop_if(|(number, _)| *number <= safe) {
            cx.reply(change.ticket, Ok(reply));
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
    pub(crate) fn answer_reads(&mut self, value: impl Fn(&str) -> i128, cx: &mut Context<'_>) {
        while let Some((counter, read)) = self.reads.pop_if(|_| true) {
            cx.reply(read.ticket, Ok(Reply::Value(value(&counter))));
        }
    }

    /// Refuses the changes that are not counted, for none will be counted any more.
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
        while let Some((_, read)) = self.reads.pop_if(|_| true) {
            cx.reply(read.ticket, Err(Refusal::Forgotten));
        }
        self.waits.refuse(Refusal::Forgotten, cx);
    }

    /// Refuses all requests that still wait, for nothing more will come.
    pub(crate) fn refuse_all(&mut self, cx: &mut Context<'_>) {
        self.refuse_uncounted(cx);
        while let Some((_, read)) = self.reads.pop_if(|_| true) {
            cx.reply(read.ticket, Err(Refusal::EndedBeforeRecovered));
        }
        while let Some((_, add)) = self.counted.pop_if(|_| true) {
            cx.reply(add.ticket, Err(Refusal::EndedBeforeDurable));
        }
        self.waits.refuse(Refusal::EndedBeforeReached, cx);
    }

    /// When the time of the next client is up.
    pub(crate) fn next_tick(&self) -> Option<Duration> {
        let Self { counted, uncounted, reads, waits } = self;
        [counted.next_expiry(), uncounted.next_expiry(), reads.next_expiry(), waits.next_expiry()]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Pending {
    pub(crate) fn new(ticket: Ticket, answer_by: Duration) -> Self {
        Self { ticket, answer_by }
    }
}

//! Changes: when they are counted, and when they are answered.

use tracing::debug;

use super::Parts;
use crate::clients::Pending;
use crate::config::AckPolicy;
use crate::context::Context;
use crate::own::{Order, Verdict};
use crate::replication::check_import;
use crate::seam::{Change, Refusal, Reply};
use crate::tally::RowDelta;

impl Parts {
    pub(super) fn change(&mut self, order: Order, pending: Pending, cx: &mut Context<'_>) {
        if self.shut_down_by.is_some() {
            return cx.reply(pending.ticket, Err(Refusal::ShuttingDown));
        }
        if self.clients.has_too_many_changes() {
            return cx.reply(pending.ticket, Err(Refusal::TooManyAdds));
        }
        if let Err(refusal) = order.change.check_bounds() {
            return cx.reply(pending.ticket, Err(refusal));
        }
        if self.ack == AckPolicy::Memory {
            // A change is answered at once, so it can't wait to learn whether a predecessor's replica is free.
            self.durability.choose_fresh_replica();
        }
        match self.durability.verdict(&order) {
            Verdict::Refused(refusal) => cx.reply(pending.ticket, Err(refusal)),
            // Changes that wait come first: a client that sends several at once expects them to be counted in its order.
            Verdict::Counts if !self.clients.holds_changes() => self.count(&order, pending, cx),
            Verdict::Counts | Verdict::Waits => self.clients.hold_change(order, pending),
        }
    }

    /// Counts the changes that were held and may be counted now.
    pub(super) fn count_held(&mut self, cx: &mut Context<'_>) {
        loop {
            let Self { durability, clients, .. } = self;
            let mut verdict = Verdict::Waits;
            let is_ready = |order: &Order| {
                verdict = durability.verdict(order);
                verdict != Verdict::Waits
            };
            let Some((order, pending)) = clients.next_uncounted(is_ready) else { return };
            match verdict {
                Verdict::Refused(refusal) => cx.reply(pending.ticket, Err(refusal)),
                Verdict::Counts | Verdict::Waits => self.count(&order, pending, cx),
            }
        }
    }

    fn count(&mut self, order: &Order, pending: Pending, cx: &mut Context<'_>) {
        let in_place = self.count_in_place(order);
        let counted =
            in_place.unwrap_or_else(|| self.durability.count(order, self.replication.state().rows()));
        let reply = match counted {
            Ok(reply) => reply,
            Err(refusal) => {
                debug!(%refusal, "a change is refused");
                return cx.reply(pending.ticket, Err(refusal));
            }
        };
        self.answer_once_safe(reply, pending, cx);
    }

    /// Counts an add in the state itself, if it may be shown at once. It is the short way of what [`show`](Self::show) does.
    fn count_in_place(&mut self, order: &Order) -> Option<Result<Reply, Refusal>> {
        let Order { change: Change::Add(counter, delta), tells, note: None } = order else { return None };
        if *delta == 0 || !self.durability.counts_in_place() {
            return None;
        }
        let added = self.replication.add(self.durability.own().replica(), counter, *delta)?;
        Some(added.map(|number| {
            self.durability.counted_in_place(number);
            if *tells { Reply::Value(self.rows().value(counter)) } else { Reply::Counted }
        }))
    }

    /// Answers a change that is counted, once it is as durable as the policy demands.
    fn answer_once_safe(&mut self, reply: Reply, pending: Pending, cx: &mut Context<'_>) {
        match self.ack {
            AckPolicy::Memory => cx.reply(pending.ticket, Ok(reply)),
            AckPolicy::Store | AckPolicy::Durable => {
                self.clients.await_safety(self.durability.own().number(), reply, pending);
            }
        }
    }

    /// Merges exported rows: all of them, or none. What of them no record is known to hold becomes a part of the own record, as a
    /// row or a hint, in one commit with the number that the import takes.
    pub(super) fn import(&mut self, rows: Vec<RowDelta>, pending: Pending, cx: &mut Context<'_>) {
        if let Err(refusal) = self.check_import(&rows).and_then(|()| self.durability.mark()) {
            return cx.reply(pending.ticket, Err(refusal));
        }
        self.replication.import(rows, self.durability.own().replica());
        self.answer_once_safe(Reply::Counted, pending, cx);
    }

    fn check_import(&self, rows: &[RowDelta]) -> Result<(), Refusal> {
        if self.shut_down_by.is_some() {
            Err(Refusal::ShuttingDown)
        } else if self.clients.has_too_many_changes() {
            Err(Refusal::TooManyAdds)
        } else if !self.own().has_chosen() || !self.durability.has_recovered() {
            Err(Refusal::NotRecovered)
        } else {
            check_import(rows, self.own(), self.rows())
        }
    }
}

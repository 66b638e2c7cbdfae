//! What a member does unasked, when it is time.

use std::time::Duration;

use rand::Rng;
use tracing::info;

use super::{Member, Recovery};
use crate::config::{AckPolicy, RECOVER_WITHIN, SHUT_DOWN_WITHIN};
use crate::message::{ErrorCode, Outgoing, Say};
use crate::node::sweep::StoreView;

impl Member {
    /// Does all that is due; true if the node is done.
    pub(super) fn wake(&mut self, now: Duration, rng: &mut dyn Rng, out: &mut Vec<Outgoing>) -> bool {
        if self.settle_until.is_some_and(|until| now < until) && self.shut_down_by.is_none() {
            return false;
        }
        self.settle_until = None;
        self.slot.notice_silence(self.arrivals.earliest());
        self.recover(now, out);
        self.count_parked(now, out);
        self.show();
        self.poll_slot(now, out);
        self.poll_sweep(now, out);
        self.poll_peers(now, rng, out);
        self.settle(now, out);
        let finished = self.shut_down_by.is_some_and(|by| self.slot.is_clean() || now >= by);
        if finished {
            self.finish(now, out);
        }
        finished
    }

    /// Begins a clean shutdown: nothing is counted from now on, and all that was gets into the slot.
    pub(super) fn shut_down(&mut self, now: Duration, out: &mut Vec<Outgoing>) {
        info!("shutting down");
        self.shut_down_by.get_or_insert(now + SHUT_DOWN_WITHIN);
        self.slot.close();
        while let Some((_, client)) = self.parked.pop_if(|_| true) {
            client.refuse(ErrorCode::TemporarilyUnavailable, "shutting down: not counted", now, out);
        }
    }

    fn count_parked(&mut self, now: Duration, out: &mut Vec<Outgoing>) {
        while self.may_count()
            && let Some((delta, client)) = self.parked.pop_if(|_| true)
        {
            self.count(delta, client, now, out);
        }
    }

    pub(super) fn poll_slot(&mut self, now: Duration, out: &mut Vec<Outgoing>) {
        if let Some((msg_id, say)) = self.slot.poll(&self.own, &self.state, now, &mut self.ids) {
            out.push(Outgoing::request(self.store.clone(), msg_id, say));
        }
    }

    fn poll_sweep(&mut self, now: Duration, out: &mut Vec<Outgoing>) {
        let store = self.store_view();
        let Self { sweep, ids, peers, slot, arrivals, .. } = self;
        let unreachable = || if slot.is_down() { Vec::new() } else { peers.unreachable().cloned().collect() };
        sweep.give_up(arrivals.earliest(), now);
        sweep.poll(unreachable, &store, now, ids, out);
    }

    fn store_view(&self) -> StoreView {
        StoreView { slot_writes: self.slot.writes(), patience: self.slot.patience() }
    }

    fn poll_peers(&mut self, now: Duration, rng: &mut dyn Rng, out: &mut Vec<Outgoing>) {
        let hurry = self.ack == AckPolicy::Durable && self.slot.is_down() && !self.adds.is_empty();
        self.peers.poll(&self.state, now, hurry, &mut self.ids, rng, out);
    }

    /// Goes on with the recovery, as far as it has got.
    fn recover(&mut self, now: Duration, out: &mut Vec<Outgoing>) {
        if !self.has_swept && self.slot.writes() > 0 && self.slot.has_earlier_lives() {
            self.has_swept = true;
            let store = self.store_view();
            self.sweep.begin(self.peers.names().cloned().collect(), &store, now, &mut self.ids, out);
            if let Recovery::Slot { by } = self.recovery {
                self.recovery = Recovery::Sweep { by };
            }
        }
        let heard = self.arrivals.earliest();
        match self.recovery {
            Recovery::Ahead => self.recovery = Recovery::Slot { by: now + RECOVER_WITHIN },
            Recovery::Slot { by } if self.slot.writes() > 0 || heard >= by => self.recovery = Recovery::Over,
            Recovery::Sweep { by } if self.sweep.is_resting() || heard >= by => {
                self.recovery = Recovery::Over;
            }
            Recovery::Slot { .. } | Recovery::Sweep { .. } | Recovery::Over => {}
        }
        if self.recovery == Recovery::Over || self.slot.is_down() {
            self.own.settle();
        }
    }

    /// Answers whoever can be answered now, or can't be made to wait any longer.
    fn settle(&mut self, now: Duration, out: &mut Vec<Outgoing>) {
        let safe = self.safe_progress();
        while let Some((_, client)) = self.adds.pop_if(|progress| *progress <= safe) {
            client.answer(Say::AddOk, now, out);
        }
        while let Some(client) = self.adds.pop_expired(now) {
            client.refuse(ErrorCode::Timeout, "counted, but not known to be durable", now, out);
        }
        while let Some(client) = self.parked.pop_expired(now) {
            client.refuse(
                ErrorCode::TemporarilyUnavailable,
                "the store does not answer: not counted",
                now,
                out,
            );
        }
        while !self.holds_reads()
            && let Some(((), client)) = self.reads.pop_if(|()| true)
        {
            client.answer(Say::ReadOk(self.state.counts().value()), now, out);
        }
    }

    /// The own progress up to which adds are safe by the policy.
    fn safe_progress(&self) -> u128 {
        let stored = self.slot.stored().progress();
        match self.ack {
            AckPolicy::Durable if self.slot.is_down() => stored.max(self.peers.most_held(self.own.replica())),
            AckPolicy::Store | AckPolicy::Durable | AckPolicy::Memory => stored,
        }
    }

    /// Answers everybody who still waits: nothing more will come.
    pub(super) fn finish(&mut self, now: Duration, out: &mut Vec<Outgoing>) {
        self.settle(now, out);
        while let Some(((), client)) = self.reads.pop_if(|()| true) {
            client.refuse(ErrorCode::TemporarilyUnavailable, "shut down before it had recovered", now, out);
        }
        while let Some((_, client)) = self.adds.pop_if(|_| true) {
            client.refuse(ErrorCode::Timeout, "shut down before it was known to be durable", now, out);
        }
    }

    pub(in crate::node) fn next_wake(&self) -> Duration {
        let look = self.arrivals.next_look();
        if let Some(until) = self.settle_until {
            return until.min(look);
        }
        let recover_by = match self.recovery {
            Recovery::Slot { by } | Recovery::Sweep { by } => Some(self.arrivals.known_at(by)),
            Recovery::Ahead | Recovery::Over => None,
        };
        let anybody_to_read = !self.slot.is_down() && self.peers.unreachable().next().is_some();
        [
            self.slot.next_wake(&self.arrivals),
            self.sweep.next_wake(anybody_to_read, &self.arrivals),
            self.peers.next_wake(&self.state),
            self.adds.next_expiry(),
            self.parked.next_expiry(),
            recover_by,
            self.shut_down_by,
        ]
        .into_iter()
        .flatten()
        .fold(look, Duration::min)
    }
}

//! What goes wrong with the servers.

use std::time::Duration;

use rand::RngExt;

use super::tally::Met;
use super::{Event, JetStream, Proposal};
use crate::world::plan::{Outage, ms};

impl JetStream {
    /// Silent: the majority is lost. Refusing: no leader is elected. Forgetting: one leader after the other dies.
    pub(super) fn fail(&mut self, outage: Outage, now: Duration) {
        self.now = now;
        self.outage = Some(outage);
        match outage {
            Outage::Silent => {
                self.tally.note(Met::MajorityLost);
                self.has_majority = false;
                let stays = self.leader.unwrap_or_default();
                (0..self.servers.len())
                    .filter(|server| *server != stays)
                    .for_each(|server| self.go_down(server));
                let pending: Vec<_> = self.pending.iter().map(|proposal| proposal.call).collect();
                for call in pending {
                    self.lose(call);
                }
                // It takes some time until the leader notices.
                let notices = self.now + ms(self.rng.random_range(1..1500));
                self.schedule(notices, Event::StepDown);
            }
            Outage::Refusing => self.leader = None,
            Outage::Forgetting => self.leader_dies(),
        }
    }

    fn go_down(&mut self, server: usize) {
        self.servers[server].is_up = false;
        self.lose_readers(server);
    }

    pub(super) fn leader_dies(&mut self) {
        if let (Some(leader), true) = (self.leader, self.has_majority) {
            self.leader = None;
            self.go_down(leader);
        }
        if self.outage.is_none_or(|outage| outage == Outage::Forgetting) {
            let soon = self.now + ms(self.rng.random_range(20..500));
            let elected = if self.is_healed { self.now } else { soon.min(self.heal_at) };
            self.trouble = self.trouble.max(elected);
            self.schedule(elected, Event::Elect);
        }
    }

    /// A leader is elected. Of the proposals before it some prefix is kept, and is committed.
    pub(super) fn elect(&mut self) {
        let may_be = self.outage.is_none_or(|outage| outage == Outage::Forgetting);
        if self.leader.is_some() || !may_be {
            return;
        }
        self.tally.note(Met::Election);
        let others: Vec<usize> = (0..self.servers.len()).filter(|at| self.servers[*at].is_up).collect();
        let leader = if others.is_empty() { 0 } else { others[self.rng.random_range(0..others.len())] };
        self.all_come_up(leader);
        let kept = self.rng.random_range(0..=self.pending.len());
        let dropped: Vec<Proposal> = self.pending.drain(kept..).collect();
        for proposal in dropped {
            self.tally.note(Met::ProposalDropped);
            self.tally.note(Met::TimeoutAndNeverDone);
            self.lose(proposal.call);
        }
        (0..kept).for_each(|_| self.tally.note(Met::ProposalKept));
        self.commit(kept);
        if self.outage == Some(Outage::Forgetting) {
            let again = self.now + ms(self.rng.random_range(50..800));
            self.schedule(again, Event::LeaderDies);
        }
    }

    /// Servers that were down come up, and catch up later.
    fn all_come_up(&mut self, leader: usize) {
        let upto = self.committed.len();
        for server in 0..self.servers.len() {
            self.servers[server].is_up = true;
            if server != leader {
                let lag = if self.is_healed { self.hop } else { self.hang() };
                self.trouble = self.trouble.max(self.now + lag + self.hop);
                self.after(lag, Event::Apply(server, upto));
            }
        }
        self.leader = Some(leader);
        self.catch_up(leader, upto);
        self.wake_readers(leader);
    }

    /// All is in order again.
    pub(super) fn recover(&mut self, now: Duration) {
        self.now = now;
        if self.outage.take().is_some() {
            self.trouble = self.trouble.max(now);
        }
        self.has_majority = true;
        match self.leader {
            None => self.elect(),
            Some(leader) => {
                self.all_come_up(leader);
                if let Some(last) = self.pending.last() {
                    let last = last.call;
                    self.after(self.hop, Event::Commit(last));
                }
            }
        }
    }

    /// All faults end.
    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.lose_torn_reads();
        let upto = self.committed.len();
        (0..self.servers.len()).for_each(|server| self.after(self.hop, Event::Apply(server, upto)));
    }

    pub(super) fn last_trouble(&self, now: Duration) -> Duration {
        if self.outage.is_some() { now } else { self.trouble }
    }
}

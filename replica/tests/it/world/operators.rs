//! What operators do to a world: records go back, the list of nodes changes, nodes are forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt;
use replica::store::{Record, StoreRequest};
use replica::{Frame, Input, NodeId, Refusal, ReplicaId, Reply, RowDelta};

use super::ledger::{Checked, name};
use super::plan::{Fault, ms};
use super::storage::within;
use super::{ANSWER_WITHIN, Event, Sent, World};

impl World {
    /// The nodes on the list.
    pub(super) fn listed_nodes(&self) -> impl Iterator<Item = usize> {
        (0..self.plan.nodes).filter(|node| self.listed[*node])
    }

    pub(super) fn list(&self) -> BTreeSet<NodeId> {
        self.listed_nodes().map(name).collect()
    }

    /// The list changes. It is never empty. Processes that run hear of it at different times, or never.
    pub(super) fn put_on_list(&mut self, node: usize, is_listed: bool) {
        if self.listed[node] == is_listed || self.listed_nodes().eq([node]) {
            return;
        }
        self.listed[node] = is_listed;
        self.seen.lists += 1;
        for process in 0..self.processes.len() {
            if self.processes[process].is_there() && self.rng.random_bool(0.7) {
                let at = self.now + within(ms(1500), &mut self.rng);
                self.schedule(at, Event::HearsList(process));
            }
        }
    }

    /// The record of the node, or the whole store, is again what it was.
    pub(super) fn go_back(&mut self, node: Option<usize>) {
        let before = self.ledger.recorded(&self.records);
        if let Some(node) = node {
            let to = self.earlier(node);
            self.records.go_back(node, to, self.now);
        } else {
            let to = within(self.now, &mut self.rng);
            (0..self.plan.nodes).for_each(|node| self.records.go_back(node, to, self.now));
        }
        self.seen.backs += 1;
        for node in 0..self.plan.nodes {
            self.seals[node] = self.seal_number(&name(node));
        }
        let (ledger, view) = self.ledger_and_view();
        ledger.records_went_back(&before, &view);
    }

    /// Some earlier time at which the node's record had just changed. Often it said then that a replica is free.
    fn earlier(&mut self, node: usize) -> Duration {
        let changes: Vec<(Duration, bool)> = self.records.changes(node).collect();
        let Some((_, earlier)) = changes.split_last() else { return Duration::ZERO };
        let wants_free = self.rng.random_bool(0.6) && earlier.iter().any(|(_, is_free)| *is_free);
        let fits = |(_, is_free): &&(Duration, bool)| *is_free || !wants_free;
        let times: Vec<Duration> = earlier.iter().filter(fits).map(|(at, _)| *at).collect();
        if times.is_empty() || self.rng.random_bool(0.1) {
            return Duration::ZERO;
        }
        times[self.rng.random_range(0..times.len())]
    }

    /// A process has gone. Its frames that relay counts of other nodes are lost: they may speak of a replica that is
    /// inherited meanwhile from a record that went back, and nobody can tell then. That hole is known.
    pub(super) fn lose_relays(&mut self, process: usize) {
        let incarnation = self.processes[process].replica.incarnation();
        let is_relay = |from: &NodeId, frame: &Frame| {
            let part = frame.claim.part.iter().map(|part| part.delta());
            let mut rows = frame.claim.rows.iter().chain(part);
            frame.incarnation == incarnation && rows.any(|row| speaks_of_others(row, from))
        };
        self.queue.retain(|_, event| match event {
            Event::Message { from, message: Sent::Frame(frame), .. } => !is_relay(&name(*from), frame),
            _ => true,
        });
        for process in &mut self.processes {
            process.inbox.retain(|(_, input)| match input {
                Input::Peer { from, frame } => !is_relay(from, frame),
                _ => true,
            });
        }
    }

    /// An operator asks some process of another node to forget this one.
    pub(super) fn ask_to_forget(&mut self, node: usize) -> Checked {
        let there = |at: &usize| self.processes[*at].is_there() && self.processes[*at].node != node;
        let others: Vec<usize> = (0..self.processes.len()).filter(there).collect();
        if others.is_empty() {
            return Ok(());
        }
        let process = others[self.rng.random_range(0..others.len())];
        let ticket = self.ledger.ask_to_forget(process, node);
        let answer_by = self.now + ANSWER_WITHIN;
        self.tell(process, Input::Forget { ticket, answer_by, node: name(node) })
    }

    /// An operator is answered. If the node may not be forgotten, it is often tried again, by some other process.
    pub(super) fn note_forget(&mut self, node: usize, result: &Result<Reply, Refusal>) {
        let is_over = matches!(result, Ok(_) | Err(Refusal::NoSuchNode));
        let goes_on = if self.is_healed { !self.listed[node] } else { self.rng.random_bool(0.8) };
        if !is_over && goes_on {
            let at = self.now + ms(self.rng.random_range(100..1000));
            self.schedule(at, Event::Forget(node));
        }
    }

    /// Nodes that are off the list are forgotten, if the plan wants that. A node that is just returning may do so after it
    /// was forgotten: so it is asked for once all faults have ended, and once more when no process of such a node is left.
    pub(super) fn forget_unlisted(&mut self) -> Checked {
        let records = self.records.all();
        let unlisted = records.filter(|(node, record)| !self.listed[*node] && !record.is_sealed());
        let unlisted = unlisted.map(|(node, _)| node).filter(|_| self.plan.forgets_at_last);
        unlisted.collect::<Vec<_>>().into_iter().try_for_each(|node| self.ask_to_forget(node))
    }

    /// Nodes that were to be forgotten at last are.
    pub(super) fn are_forgotten(&self) -> Checked {
        let mut records = self.records.all();
        match records.find(|(node, record)| !self.listed[*node] && !record.is_sealed()) {
            Some((node, _)) if self.plan.forgets_at_last => {
                Err(format!("{} is not forgotten, and nothing hinders that", name(node)))
            }
            _ => Ok(()),
        }
    }

    /// A seal has arrived at the store. If the node was forgotten by it, its processes must end once they find out. After
    /// the last fault a listed node starts again.
    pub(super) fn may_be_forgotten(&mut self, sealed: &NodeId) -> Checked {
        let Some(node) = (0..self.plan.nodes).find(|node| name(*node) == *sealed) else { return Ok(()) };
        let number = self.seal_number(sealed);
        if std::mem::replace(&mut self.seals[node], number) == number {
            return Ok(());
        }
        self.seen.forgets += 1;
        for process in self.running(node) {
            self.processes[process].is_ending = true;
            if self.is_healed {
                self.end(process);
            }
        }
        if self.is_healed && self.listed[node] {
            self.calm_since = self.now + ms(10);
            self.schedule(self.calm_since, Event::Fault(Fault::Start(node)));
            // An operator may have waited for the process that has ended.
            return self.forget_unlisted();
        }
        Ok(())
    }

    fn seal_number(&self, node: &NodeId) -> u64 {
        let seal = self.records.record(node).and_then(|record| record.seal);
        seal.map_or(0, |seal| seal.number)
    }

    /// In the end the store is still read now and then for nodes that are off the list and not forgotten.
    pub(super) fn may_read_in_quiet(&self, request: &StoreRequest) -> bool {
        let is_unlisted = |node: &NodeId| {
            let is_sealed = self.records.record(node).is_some_and(Record::is_sealed);
            !is_sealed && !self.list().contains(node)
        };
        match request {
            StoreRequest::Load { node } => is_unlisted(node),
            StoreRequest::Fence | StoreRequest::Nodes => {
                (0..self.plan.nodes).any(|node| is_unlisted(&name(node)))
            }
            StoreRequest::Open | StoreRequest::Commit { .. } | StoreRequest::Seal { .. } => false,
        }
    }

    /// An answer that no process has given to this frame, if it asks and the [sabotage](super::Sabotage) wants one.
    pub(super) fn forges_answer(&self, peer: &NodeId, frame: &Frame) -> Option<Frame> {
        let of = self.processes.iter().rfind(|process| name(process.node) == *peer);
        let incarnation = of.map_or(frame.incarnation, |process| process.replica.incarnation());
        self.sabotage.forges_answer(frame, incarnation)
    }
}

/// Whether a row is another node's, or has a baseline that says what other nodes had counted.
fn speaks_of_others(row: &RowDelta, node: &NodeId) -> bool {
    let is_other = |replica: &ReplicaId| replica.node() != node.as_str();
    let mut baselines = row.items().filter_map(|item| item.entry.more).map(|more| &more.baseline.counts);
    is_other(row.actor()) || baselines.any(|counts| counts.iter().any(|(replica, _)| is_other(replica)))
}

//! Probes: the bench's own reads after the last heal, which tell when the nodes converged. They are no operations.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::World;
use super::clients::Role;

use crate::reply::{Reply, ReplyContent};
use crate::report::ProbedValue;
use crate::workload::Request;

/// How often each node is asked. The bench does not wait for its answer, for a node may drop requests after a pause.
const INTERVAL: Duration = Duration::from_millis(100);
/// How many of the last probes of a node may be unanswered if the node still counts as answering.
const GRACE: u64 = 10;

/// The probers, one for each node.
#[derive(Debug)]
pub(crate) struct Probes {
    probers: BTreeMap<usize, Prober>,
    due: Duration,
}

#[derive(Clone, Debug, Default)]
struct Prober {
    client: Option<u64>,
    /// The number of the last probe, and of the last one that was answered with a value.
    asked: u64,
    answered: u64,
    /// Each value that the node showed, and since when.
    shown: Vec<(i64, Duration)>,
}

impl Probes {
    pub(crate) fn new(nodes: Range<usize>) -> Self {
        Self { probers: nodes.map(|node| (node, Prober::default())).collect(), due: Duration::MAX }
    }

    pub(crate) fn due(&self) -> Duration {
        self.due
    }

    /// The time from the last heal until all nodes showed one value for good. `None` if they never did.
    pub(crate) fn convergence(&self, healed_at: Option<Duration>) -> Option<Duration> {
        let last: Option<Vec<(i64, Duration)>> = self.probers.values().map(Prober::shows).collect();
        let last = last?;
        let (value, _) = *last.first()?;
        let agreed = last.iter().all(|(other, _)| *other == value);
        let since = last.iter().map(|(_, since)| *since).max()?;
        agreed.then(|| since.saturating_sub(healed_at.unwrap_or(since)))
    }

    /// Each change of a value that a probe saw.
    pub(crate) fn changes(&self) -> Vec<ProbedValue> {
        let of = |(node, prober): (&usize, &Prober)| {
            let node = *node;
            let values = prober.shown.clone().into_iter();
            values.map(move |(value, at)| ProbedValue { node, at, value })
        };
        self.probers.iter().flat_map(of).collect()
    }
}

impl Prober {
    /// The value that the node shows, if it still answers, and since when.
    fn shows(&self) -> Option<(i64, Duration)> {
        self.shown.last().copied().filter(|_| self.asked - self.answered <= GRACE)
    }
}

impl World {
    pub(super) fn begin_probes(&mut self, now: Duration) {
        self.probes.due = now;
        for node in self.plan.nodes() {
            let client = self.clients.join(Role::Probe { node });
            self.probes.probers.get_mut(&node).into_iter().for_each(|prober| prober.client = Some(client));
        }
    }

    /// Asks every node.
    pub(super) fn send_probes(&mut self, now: Duration) {
        if now < self.probes.due {
            return;
        }
        self.probes.due = now + INTERVAL;
        for node in self.plan.nodes() {
            let Some(prober) = self.probes.probers.get_mut(&node) else { continue };
            let Some(client) = prober.client else { continue };
            prober.asked += 1;
            let body = Request::read().body(prober.asked);
            self.send_from_client(now, client, node, body);
        }
    }

    pub(super) fn probe_replied(&mut self, now: Duration, node: usize, body: &str) {
        let Some(prober) = self.probes.probers.get_mut(&node) else { return };
        let reply = Reply::to(Request::read().rpc(), body);
        let number = reply.in_reply_to.filter(|number| *number > prober.answered && *number <= prober.asked);
        if let (Some(number), ReplyContent::Fits { value: Some(value) }) = (number, reply.content) {
            prober.answered = number;
            if prober.shown.last().is_none_or(|(shown, _)| *shown != value) {
                prober.shown.push((value, now));
            }
        }
    }
}

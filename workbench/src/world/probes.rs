//! Reads of the bench's own, after the last heal, that tell when the nodes came to agree. They are no operations.

use std::time::Duration;

use serde_json::json;

use super::World;
use super::clients::Role;
use super::timers::Timer;

use crate::reply::{Reply, ReplyContent};

/// How often each node is asked.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long an answer may take before the node is asked anew.
const TIMEOUT: Duration = Duration::from_secs(5);

/// One prober a node, and what they saw.
#[derive(Debug)]
pub(crate) struct Probes {
    probers: Vec<Prober>,
    due: Duration,
}

#[derive(Clone, Debug, Default)]
struct Prober {
    client: Option<u64>,
    next_msg_id: u64,
    pending: Option<u64>,
    /// The value that the node last showed, and since when it shows it.
    shows: Option<(i64, Duration)>,
}

impl Probes {
    pub(crate) fn new(node_count: usize) -> Self {
        Self { probers: vec![Prober::default(); node_count], due: Duration::MAX }
    }

    pub(crate) fn due(&self) -> Duration {
        self.due
    }

    /// The time from the last heal to the first of the answers from which on all nodes showed one and the same value;
    /// `None` if they never did.
    pub(crate) fn convergence(&self, healed_at: Option<Duration>) -> Option<Duration> {
        let shown: Option<Vec<(i64, Duration)>> = self.probers.iter().map(|prober| prober.shows).collect();
        let shown = shown?;
        let (value, _) = *shown.first()?;
        let agreed = shown.iter().all(|(other, _)| *other == value);
        let since = shown.iter().map(|(_, since)| *since).max()?;
        agreed.then(|| since.saturating_sub(healed_at.unwrap_or(since)))
    }
}

impl World {
    pub(super) fn begin_probes(&mut self, now: Duration) {
        self.probes.due = now;
        for node in 0..self.plan.node_count {
            let client = self.clients.join(Role::Probe { node });
            self.probes.probers.get_mut(node).into_iter().for_each(|prober| prober.client = Some(client));
        }
    }

    /// Asks every node that owes no answer.
    pub(super) fn send_probes(&mut self, now: Duration) {
        if now < self.probes.due {
            return;
        }
        self.probes.due = now + INTERVAL;
        for node in 0..self.plan.node_count {
            self.send_probe(now, node);
        }
    }

    fn send_probe(&mut self, now: Duration, node: usize) {
        let Some(prober) = self.probes.probers.get_mut(node).filter(|prober| prober.pending.is_none()) else {
            return;
        };
        let Some(client) = prober.client else { return };
        prober.next_msg_id += 1;
        let msg_id = prober.next_msg_id;
        prober.pending = Some(msg_id);
        self.timers.set(now + TIMEOUT, Timer::ProbeTimeout { node, msg_id });
        self.send_from_client(now, client, node, json!({"type": "read", "msg_id": msg_id}).to_string());
    }

    pub(super) fn probe_replied(&mut self, now: Duration, node: usize, body: &str) {
        let Some(prober) = self.probes.probers.get_mut(node) else { return };
        let reply = Reply::parse(body, "read_ok", true);
        if prober.pending.is_none() || reply.in_reply_to != prober.pending {
            return;
        }
        prober.pending = None;
        match reply.content {
            ReplyContent::Fits { value: Some(value) }
                if prober.shows.is_none_or(|(shown, _)| shown != value) =>
            {
                prober.shows = Some((value, now));
            }
            ReplyContent::Fits { .. } => {}
            ReplyContent::Error { .. } | ReplyContent::Breaks(_) => prober.shows = None,
        }
    }

    pub(super) fn probe_timed_out(&mut self, node: usize, msg_id: u64) {
        let late = self.probes.probers.get_mut(node).filter(|prober| prober.pending == Some(msg_id));
        if let Some(prober) = late {
            prober.pending = None;
            prober.shows = None;
        }
    }
}

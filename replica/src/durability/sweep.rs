//! A sweep reads other nodes' records: those of unreachable peers, and, after a restart, those of all nodes.
//!
//! It begins with a fence, and so sees whatever was stored before. If a commit was done since the last sweep, that was the
//! fence, and the sweep sees whatever was stored before that commit. After a restart that is all that matters: what earlier
//! processes have shown was stored before. Peers that stay unreachable are read again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tracing::debug;

use crate::context::Context;
use crate::identity::NodeId;
use crate::store::{Outcome, Record, StoreRequest, Token};

/// The pause after a sweep that brought news, and the longest one. It doubles after each sweep without news.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

/// So many counters are read a second at most, in the mean, so that long records don't take a node's time. But no pause is longer than this.
const READ_A_SECOND: u64 = 10_000;
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The pause after a sweep that failed, if clients wait for it.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// The records that a sweep reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Targets {
    pub nodes: BTreeSet<NodeId>,
    /// Read also those of all nodes that the store lists, but these. `None`: it is not asked to list them.
    pub and_listed_but: Option<BTreeSet<NodeId>>,
}

/// What a sweep has read.
#[derive(Debug)]
pub(super) enum Swept {
    /// The record of a node; an empty one, if it has none.
    Record(NodeId, Record),
    /// The names that the store lists.
    Names(BTreeSet<NodeId>),
}

/// Reads other nodes' records.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    phase: Phase,
    /// When the last sweep failed to read something, if it did.
    failed_at: Option<Duration>,
    /// How many commits had been done when the last sweep began.
    seen_commits: u64,
    /// The next sweep must not take an earlier commit for its fence.
    needs_fence: bool,
    pause: Duration,
    /// How many counters the last sweep has read.
    read: u64,
}

#[derive(Debug, Clone)]
enum Phase {
    /// The next sweep begins at this time, if there is a record to read.
    Resting(Duration),
    /// A fence is open. After it these records are read.
    Fencing { token: Token, targets: Targets },
    /// These records are being read, and perhaps the names of all nodes.
    Loading { open: BTreeMap<Token, NodeId>, names: Option<Token>, targets: Targets },
}

impl Sweep {
    pub(super) fn new() -> Self {
        let phase = Phase::Resting(Duration::ZERO);
        Self { phase, failed_at: None, seen_commits: 0, needs_fence: false, pause: PAUSE.0, read: 0 }
    }

    /// No sweep is under way.
    pub(super) fn is_resting(&self) -> bool {
        matches!(self.phase, Phase::Resting(_))
    }

    /// The last sweep has read all that it was to read.
    pub(super) fn is_complete(&self) -> bool {
        self.is_resting() && self.failed_at.is_none()
    }

    /// When a sweep that failed is to be begun again, if recovery needs it. `in_haste`: clients wait for that.
    pub(super) fn retry_at(&self, in_haste: bool) -> Option<Duration> {
        match (self.failed_at, &self.phase) {
            (Some(failed_at), Phase::Resting(_)) if in_haste => Some(failed_at + RETRY_AFTER),
            (Some(_), Phase::Resting(until)) => Some(*until),
            (_, Phase::Resting(_) | Phase::Fencing { .. } | Phase::Loading { .. }) => None,
        }
    }

    /// Begins a sweep if it is time and there is anybody to read. So many commits have been done.
    pub(super) fn poll(
        &mut self,
        targets: impl FnOnce() -> BTreeSet<NodeId>,
        commits: u64,
        cx: &mut Context<'_>,
    ) {
        match self.phase {
            Phase::Resting(until) if cx.now >= until => {
                let nodes = targets();
                if !nodes.is_empty() {
                    self.begin(Targets { nodes, and_listed_but: None }, commits, cx);
                }
            }
            Phase::Resting(_) | Phase::Fencing { .. } | Phase::Loading { .. } => {}
        }
    }

    /// Begins a sweep over `targets` now. It replaces one that is under way.
    pub(super) fn begin(&mut self, targets: Targets, commits: u64, cx: &mut Context<'_>) {
        self.failed_at = None;
        self.read = 0;
        let needs_fence = std::mem::take(&mut self.needs_fence);
        let has_committed = std::mem::replace(&mut self.seen_commits, commits) < commits;
        if has_committed && !needs_fence {
            self.load(targets, cx);
        } else {
            self.phase = Phase::Fencing { token: cx.ask_store(StoreRequest::Fence), targets };
        }
    }

    fn load(&mut self, targets: Targets, cx: &mut Context<'_>) {
        let names = targets.and_listed_but.is_some().then(|| cx.ask_store(StoreRequest::Nodes));
        let open = targets.nodes.iter().map(|node| (load(node, cx), node.clone())).collect();
        self.phase = Phase::Loading { open, names, targets };
        self.rest_if_done(cx.now);
    }

    /// From now on only what is read behind a fence of now counts. A sweep that is under way begins anew.
    pub(super) fn begin_anew(&mut self, cx: &mut Context<'_>) {
        self.needs_fence = true;
        if let Phase::Fencing { targets, .. } | Phase::Loading { targets, .. } = &self.phase {
            let targets = targets.clone();
            self.phase = Phase::Fencing { token: cx.ask_store(StoreRequest::Fence), targets };
        }
    }

    /// Handles the outcome of a request, if the sweep made it.
    pub(super) fn outcome(&mut self, token: Token, outcome: Outcome, cx: &mut Context<'_>) -> Option<Swept> {
        match &mut self.phase {
            Phase::Fencing { token: asked, targets } if *asked == token => {
                let targets = targets.clone();
                match outcome {
                    Outcome::Fenced => self.load(targets, cx),
                    outcome => {
                        debug!(%outcome, "the store refuses a fence");
                        self.failed_at = Some(cx.now);
                        self.rest(cx.now);
                    }
                }
                None
            }
            Phase::Loading { names, .. } if *names == Some(token) => {
                *names = None;
                let listed = self.listed(outcome, cx);
                self.rest_if_done(cx.now);
                listed.map(Swept::Names)
            }
            Phase::Loading { open, .. } => {
                let node = open.remove(&token)?;
                let record = match outcome {
                    Outcome::Loaded(record) => {
                        let record = record.unwrap_or_default();
                        self.read += record.entries();
                        Some(record)
                    }
                    outcome => {
                        debug!(%node, %outcome, "the store does not tell a record");
                        self.failed_at = Some(cx.now);
                        None
                    }
                };
                self.rest_if_done(cx.now);
                record.map(|record| Swept::Record(node, record))
            }
            Phase::Resting(_) | Phase::Fencing { .. } => None,
        }
    }

    /// The store lists all nodes: the records that are not being read yet are read too.
    fn listed(&mut self, outcome: Outcome, cx: &mut Context<'_>) -> Option<BTreeSet<NodeId>> {
        match (outcome, &mut self.phase) {
            (Outcome::Nodes(names), Phase::Loading { open, targets, .. }) => {
                let listed: BTreeSet<NodeId> = names.into_iter().collect();
                let unread = listed.difference(&targets.nodes);
                let unread = unread.filter(|node| {
                    !targets.and_listed_but.as_ref().is_some_and(|skipped| skipped.contains(*node))
                });
                open.extend(unread.map(|node| (load(node, cx), node.clone())));
                Some(listed)
            }
            (outcome, _) => {
                debug!(%outcome, "the store does not list the nodes");
                self.failed_at = Some(cx.now);
                None
            }
        }
    }

    fn rest_if_done(&mut self, now: Duration) {
        if matches!(&self.phase, Phase::Loading { open, names: None, .. } if open.is_empty()) {
            self.rest(now);
        }
    }

    /// Reports that a record brought news, so that the next sweep comes soon.
    pub(super) fn brought_news(&mut self, now: Duration) {
        self.pause = PAUSE.0;
        if self.is_resting() {
            self.rest(now);
        }
    }

    fn rest(&mut self, now: Duration) {
        let for_its_size =
            Duration::from_millis(self.read.saturating_mul(1_000) / READ_A_SECOND).min(LONGEST_PAUSE);
        self.phase = Phase::Resting(now + self.pause.max(for_its_size));
        self.pause = self.pause.saturating_mul(2).min(PAUSE.1);
    }

    /// When [`poll`](Self::poll) is due again, if there is a record to read and no outcome comes before.
    pub(super) fn next_tick(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Resting(until) => Some(*until),
            Phase::Fencing { .. } | Phase::Loading { .. } => None,
        }
    }
}

fn load(node: &NodeId, cx: &mut Context<'_>) -> Token {
    cx.ask_store(StoreRequest::Load { node: node.clone() })
}

//! A sweep reads other nodes' records: those of unreachable peers, and, after a restart, those of all nodes.
//!
//! It begins with a fence, and so sees whatever was stored before. If a commit was done since the last sweep, that was the
//! fence, and the sweep sees whatever was stored before that commit. After a restart that is all that matters: what earlier
//! processes have shown was stored before. Peers that stay unreachable are read again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use tracing::debug;

use crate::context::Context;
use crate::frame::Claim;
use crate::identity::NodeId;
use crate::store::{Outcome, StoreRequest, Token};

/// The pause after a sweep that brought news, and the longest one. It doubles after each sweep without news.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

/// The pause after a sweep that failed and is needed for recovery.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Reads other nodes' records.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    phase: Phase,
    /// When the last sweep failed to read something, if it did.
    failed_at: Option<Duration>,
    /// How many commits had been done when the last sweep began.
    seen_commits: u64,
    pause: Duration,
}

#[derive(Debug, Clone)]
enum Phase {
    /// The next sweep begins at this time, if there is a record to read.
    Resting(Duration),
    /// A fence is open. After it these records are read.
    Fencing { token: Token, targets: Vec<NodeId> },
    /// These records are being read.
    Loading { open: BTreeMap<Token, NodeId> },
}

impl Sweep {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Resting(Duration::ZERO), failed_at: None, seen_commits: 0, pause: PAUSE.0 }
    }

    fn is_resting(&self) -> bool {
        matches!(self.phase, Phase::Resting(_))
    }

    /// The last sweep has read all that it was to read.
    pub(super) fn is_complete(&self) -> bool {
        self.is_resting() && self.failed_at.is_none()
    }

    /// When a sweep that failed is to be begun again, if recovery needs it.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.failed_at.filter(|_| self.is_resting()).map(|at| at + RETRY_AFTER)
    }

    /// Begins a sweep if it is time and there is anybody to read. So many commits have been done.
    pub(super) fn poll(&mut self, targets: impl FnOnce() -> Vec<NodeId>, commits: u64, cx: &mut Context<'_>) {
        match self.phase {
            Phase::Resting(until) if cx.now >= until => {
                let targets = targets();
                if !targets.is_empty() {
                    self.begin(targets, commits, cx);
                }
            }
            Phase::Resting(_) | Phase::Fencing { .. } | Phase::Loading { .. } => {}
        }
    }

    /// Begins a sweep over `targets` now. It replaces one that is under way.
    pub(super) fn begin(&mut self, targets: Vec<NodeId>, commits: u64, cx: &mut Context<'_>) {
        self.failed_at = None;
        if targets.is_empty() {
            self.phase = Phase::Resting(cx.now);
        } else if std::mem::replace(&mut self.seen_commits, commits) < commits {
            self.load(targets, cx);
        } else {
            self.phase = Phase::Fencing { token: cx.ask_store(StoreRequest::Fence), targets };
        }
    }

    fn load(&mut self, targets: Vec<NodeId>, cx: &mut Context<'_>) {
        let load = |node: NodeId| (cx.ask_store(StoreRequest::Load { node: node.clone() }), node);
        self.phase = Phase::Loading { open: targets.into_iter().map(load).collect() };
    }

    /// Handles the outcome of a request, if the sweep made it. `Some` if it brings counts, which must be merged.
    pub(super) fn outcome(&mut self, token: Token, outcome: Outcome, cx: &mut Context<'_>) -> Option<Claim> {
        match &mut self.phase {
            Phase::Fencing { token: asked, targets } if *asked == token => {
                let targets = std::mem::take(targets);
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
            Phase::Loading { open } => {
                let node = open.remove(&token)?;
                if open.is_empty() {
                    self.rest(cx.now);
                }
                match outcome {
                    Outcome::Loaded(record) => record.map(|record| record.claim()),
                    outcome => {
                        debug!(%node, %outcome, "the store does not tell a peer's record");
                        self.failed_at = Some(cx.now);
                        None
                    }
                }
            }
            Phase::Resting(_) | Phase::Fencing { .. } => None,
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
        self.phase = Phase::Resting(now + self.pause);
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

//! A sweep reads other nodes' records: those of unreachable peers, and, after a restart, those of all nodes.
//!
//! It begins with a fence, so that it sees everything that was stored before. A commit since the last sweep is a fence too.

use std::collections::BTreeMap;
use std::time::Duration;

use tracing::debug;

use crate::context::Context;
use crate::frame::Claim;
use crate::identity::NodeId;
use crate::store::{Outcome, StoreRequest, Token};

/// The pause before the next sweep: the first, after one that brought news, and the longest. It doubles each time.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

/// Reads other nodes' records.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    phase: Phase,
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
        Self { phase: Phase::Resting(Duration::ZERO), seen_commits: 0, pause: PAUSE.0 }
    }

    pub(super) fn is_resting(&self) -> bool {
        matches!(self.phase, Phase::Resting(_))
    }

    /// Begins a sweep if it is due and there is a record to read. `commits` is how many commits have been done.
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

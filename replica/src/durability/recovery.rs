//! Recovery, and all other reading of other nodes' records.
//!
//! A process whose node had a record before reads all records once: those of the roster, and those of the nodes that the
//! store lists. Afterwards it reads those of silent nodes. Whenever the roster changes it asks the store again which nodes
//! there are: a node may have joined and left between two lists.

use std::collections::BTreeSet;
use std::time::Duration;

use super::sweep::{Sweep, Swept, Targets};
use crate::config::RECOVER_WITHIN;
use crate::context::{Clock, Context};
use crate::identity::NodeId;
use crate::store::{Outcome, Token};

/// How far this process has recovered what earlier incarnations of the node may have shown or told.
#[derive(Debug, Clone)]
pub(super) struct Recovery {
    me: NodeId,
    phase: Phase,
    /// How long reads wait, if the store is not down.
    within: Duration,
    /// Since when they wait. Set by the first tick.
    since: Option<Duration>,
    /// Since when the store is down, if it is.
    down_since: Option<Duration>,
    /// They have waited to the end of their time.
    is_late: bool,
    names: Names,
    sweep: Sweep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The own record is being opened and written.
    Record,
    /// The node had a record before, so all other records are being read.
    Sweep,
    /// All that there was has been read.
    Over,
}

/// Whether the store has said which nodes there are, since the roster has last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// It is to be asked.
    Wanted,
    /// It is being asked.
    Asked,
    Known,
}

impl Recovery {
    pub(super) fn new(me: NodeId, within: Option<Duration>) -> Self {
        let within = within.unwrap_or_default().max(RECOVER_WITHIN);
        let (names, sweep) = (Names::Wanted, Sweep::new());
        let (since, down_since) = (None, None);
        Self { me, phase: Phase::Record, within, since, down_since, is_late: false, names, sweep }
    }

    /// Until when reads wait.
    fn by(&self) -> Option<Duration> {
        let times = [self.since.map(|at| at + self.within), self.down_since.map(|at| at + RECOVER_WITHIN)];
        times.into_iter().flatten().min()
    }

    /// Whether all records have been read that there were when this process began.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether reads have waited to the end of their time.
    pub(super) fn is_late(&self) -> bool {
        self.is_late
    }

    /// Judges whether reads have waited long enough.
    pub(super) fn notice_lateness(&mut self, is_store_down: bool, cx: &Context<'_>) {
        self.since.get_or_insert(cx.now);
        self.down_since = is_store_down.then(|| self.down_since.unwrap_or(cx.now));
        self.is_late |= self.by().is_some_and(|by| cx.heard >= by);
    }

    /// Goes on. `has_predecessor`, once the record is known: whether it existed when this process began. `everybody` are
    /// the nodes whose records are read, beside those that the store lists.
    pub(super) fn poll(
        &mut self,
        has_predecessor: Option<bool>,
        everybody: impl FnOnce() -> BTreeSet<NodeId>,
        commits: u64,
        cx: &mut Context<'_>,
    ) {
        match (self.phase, has_predecessor) {
            (Phase::Record, Some(true)) => self.read_all(everybody(), commits, cx),
            (Phase::Record, Some(false)) => self.phase = Phase::Over,
            (Phase::Sweep, _) if self.sweep.is_complete() => self.phase = Phase::Over,
            (Phase::Sweep, _) if self.retries_at().is_some_and(|at| cx.now >= at) => {
                self.read_all(everybody(), commits, cx);
            }
            (Phase::Record | Phase::Sweep | Phase::Over, _) => {}
        }
    }

    /// Reads all records. The own one is among them as long as nothing was committed: what was opened may have been old.
    fn read_all(&mut self, mut everybody: BTreeSet<NodeId>, commits: u64, cx: &mut Context<'_>) {
        self.phase = Phase::Sweep;
        if commits == 0 {
            everybody.insert(self.me.clone());
        }
        self.read_listed(everybody, BTreeSet::new(), commits, cx);
    }

    /// Reads the records of these nodes, and of all others that the store lists, but `skipped` ones and this node.
    fn read_listed(
        &mut self,
        nodes: BTreeSet<NodeId>,
        mut skipped: BTreeSet<NodeId>,
        commits: u64,
        cx: &mut Context<'_>,
    ) {
        self.names = Names::Asked;
        skipped.insert(self.me.clone());
        self.sweep.begin(Targets { nodes, and_listed_but: Some(skipped) }, commits, cx);
    }

    /// When a sweep that failed is begun again: recovery needs everybody's record.
    fn retries_at(&self) -> Option<Duration> {
        match self.phase {
            Phase::Sweep => self.sweep.retry_at(!self.is_late),
            Phase::Record | Phase::Over => None,
        }
    }

    /// Reads the records of `silent` nodes, if that is due. If the store is to be asked which nodes there are, also those of
    /// nodes that are not among the `peers`.
    pub(super) fn poll_silent(
        &mut self,
        silent: impl FnOnce() -> BTreeSet<NodeId>,
        peers: impl FnOnce() -> BTreeSet<NodeId>,
        commits: u64,
        cx: &mut Context<'_>,
    ) {
        if !self.is_over() || !self.sweep.is_resting() {
            return;
        }
        if self.names == Names::Asked {
            // The last sweep has ended without them.
            self.names = Names::Wanted;
        }
        if self.names == Names::Known {
            self.sweep.poll(silent, commits, cx);
        } else if self.sweep.retry_at(false).is_none_or(|at| cx.now >= at) {
            self.read_listed(silent(), peers(), commits, cx);
        }
    }

    /// The roster has changed.
    pub(super) fn roster_changed(&mut self) {
        self.names = Names::Wanted;
    }

    /// What was asked for before must not be merged any more: it is asked for anew.
    pub(super) fn read_anew(&mut self, cx: &mut Context<'_>) {
        self.sweep.begin_anew(cx);
    }

    /// Reports that a record has brought new counts.
    pub(super) fn brought_news(&mut self, now: Duration) {
        self.sweep.brought_news(now);
    }

    /// Handles the outcome of a request, if it is one of these.
    pub(super) fn outcome(&mut self, token: Token, outcome: Outcome, cx: &mut Context<'_>) -> Option<Swept> {
        let swept = self.sweep.outcome(token, outcome, cx)?;
        if matches!(swept, Swept::Names(_)) && self.names == Names::Asked {
            self.names = Names::Known;
        }
        Some(swept)
    }

    /// When something is due again. `waits` says whether anything waits for the end of the time that reads wait.
    /// `is_anybody_silent` says whether there is a record to read, and is `None` while the store is down.
    pub(super) fn next_tick(
        &self,
        waits: bool,
        is_anybody_silent: Option<bool>,
        clock: Clock,
    ) -> Option<Duration> {
        let by = self.by().filter(|_| waits && !self.is_late);
        let by = by.and_then(|by| clock.awaits(by));
        let reads =
            is_anybody_silent.is_some_and(|silent| self.is_over() && (silent || self.names != Names::Known));
        let sweep = self.sweep.next_tick().filter(|_| reads);
        [by, self.retries_at(), sweep].into_iter().flatten().min()
    }
}

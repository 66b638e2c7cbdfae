//! Forgetting: an operator ends a node for good, and this node seals its record.
//!
//! The seal is a compare-and-set of the record that was loaded. A process of the forgotten node that still runs can't commit
//! after it: it opens its record anew, finds the seal and ends. Nothing that the node knew is lost:
//!
//! * Its rows stay in its record, and everybody goes on counting them. So do the hints in its record: whoever loads it finds
//!   them.
//! * Hints *for* it that other nodes hold can't be stored by the node itself any more. Whoever holds such a hint adds it to the
//!   sealed record. Then it counts as stored.

use std::collections::VecDeque;
use std::time::Duration;

use tracing::{debug, info};

use crate::clients::Pending;
use crate::config::MAX_FORGETS;
use crate::context::Context;
use crate::identity::NodeId;
use crate::seam::{Refusal, Reply};
use crate::state::State;
use crate::store::{Outcome, Record, StoreRequest, Token};

/// The pause after an attempt that the store did not do.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// The pause after counts of a forgotten node were stored, or could not be.
const LEFT_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The nodes that are being forgotten, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Forgetting {
    waiting: VecDeque<Job>,
    phase: Phase,
    not_before: Duration,
}

/// A node whose record is to be sealed.
#[derive(Debug, Clone)]
struct Job {
    node: NodeId,
    /// Who asked. `None`: the record is sealed, and lacks counts that this node holds.
    asked_by: Option<Pending>,
    /// Whether there is such a node even if it has no record.
    is_known: bool,
}

/// How far the first job has got.
#[derive(Debug, Clone, Default)]
enum Phase {
    #[default]
    Idle,
    Fencing(Token),
    Loading(Token),
    /// The record was loaded, and is being merged.
    Loaded(Option<Record>),
    Sealing(Token, Record),
}

impl Forgetting {
    /// An operator asks to forget a node.
    pub(super) fn forget(&mut self, node: NodeId, pending: Pending, is_known: bool, cx: &mut Context<'_>) {
        if self.waiting.len() >= MAX_FORGETS {
            return cx.reply(pending.ticket, Err(Refusal::TooManyForgets));
        }
        self.waiting.push_back(Job { node, asked_by: Some(pending), is_known });
    }

    /// Goes on with the first job. `left` is a forgotten node of which this node holds counts that are not stored.
    pub(super) fn poll(&mut self, left: Option<&NodeId>, state: &State, cx: &mut Context<'_>) {
        if self.waiting.is_empty()
            && let Some(node) = left
        {
            self.waiting.push_back(Job { node: node.clone(), asked_by: None, is_known: true });
        }
        let Some(job) = self.waiting.front() else { return };
        match std::mem::take(&mut self.phase) {
            Phase::Idle if cx.now >= self.not_before => {
                self.phase = Phase::Fencing(cx.ask_store(StoreRequest::Fence));
            }
            Phase::Loaded(None) if !job.is_known => self.end(Err(Refusal::NoSuchNode), cx),
            // The node has returned, and stores its own counts. Nobody has asked to forget it again.
            Phase::Loaded(record)
                if job.asked_by.is_none() && !record.as_ref().is_some_and(Record::is_sealed) =>
            {
                self.end(Ok(Reply::Forgotten), cx);
            }
            Phase::Loaded(record) => self.seal(record, state, cx),
            phase => self.phase = phase,
        }
    }

    /// Begins the first job anew: a record that was asked for before must not be merged any more.
    pub(super) fn begin_anew(&mut self) {
        if matches!(self.phase, Phase::Fencing(_) | Phase::Loading(_)) {
            self.phase = Phase::Idle;
        }
    }

    /// Seals the record of the first job, unless it is and lacks nothing.
    fn seal(&mut self, from: Option<Record>, state: &State, cx: &mut Context<'_>) {
        let Some(job) = self.waiting.front() else { return };
        let before = from.clone().unwrap_or_default();
        let rows = state.rows_of(job.node.as_str(), |replica| Some(before.version(replica)));
        if before.is_sealed() && rows.is_empty() {
            return self.end(Ok(Reply::Forgotten), cx);
        }
        let mut sealed = before;
        sealed.seal(&rows);
        let node = job.node.clone();
        self.phase = Phase::Sealing(cx.ask_store(StoreRequest::Seal { node, from, rows }), sealed);
    }

    /// Handles the outcome of a request, if it is one of these. It may bring a record, which must be merged.
    ///
    /// # Errors
    ///
    /// The outcome, if the request was another part's.
    pub(super) fn outcome(
        &mut self,
        token: Token,
        outcome: Outcome,
        cx: &mut Context<'_>,
    ) -> Result<Option<(NodeId, Record)>, Outcome> {
        let (Phase::Fencing(asked) | Phase::Loading(asked) | Phase::Sealing(asked, _)) = &self.phase else {
            return Err(outcome);
        };
        let Some(job) = self.waiting.front().filter(|_| *asked == token) else { return Err(outcome) };
        let node = job.node.clone();
        Ok(match (std::mem::take(&mut self.phase), outcome) {
            (Phase::Fencing(_), Outcome::Fenced) => {
                self.phase = Phase::Loading(cx.ask_store(StoreRequest::Load { node }));
                None
            }
            // The record has changed. Without a fence the same old one may be loaded again and again.
            (Phase::Sealing(..), Outcome::Conflict) => {
                self.phase = Phase::Fencing(cx.ask_store(StoreRequest::Fence));
                None
            }
            (Phase::Loading(_), Outcome::Loaded(record)) => {
                self.phase = Phase::Loaded(record.clone());
                Some((node, record.unwrap_or_default()))
            }
            (Phase::Sealing(_, sealed), Outcome::Sealed) => {
                info!(%node, "the node is forgotten: its counts stay");
                self.end(Ok(Reply::Forgotten), cx);
                Some((node, sealed))
            }
            (_, outcome) => {
                debug!(%node, %outcome, "the record is not sealed");
                self.not_before = cx.now + RETRY_AFTER;
                None
            }
        })
    }

    /// The first job is over.
    fn end(&mut self, result: Result<Reply, Refusal>, cx: &mut Context<'_>) {
        self.phase = Phase::Idle;
        match self.waiting.pop_front().and_then(|job| job.asked_by) {
            Some(pending) => cx.reply(pending.ticket, result),
            None => self.not_before = cx.now + LEFT_AGAIN_AFTER,
        }
    }

    /// Refuses the operators who have waited too long.
    pub(super) fn refuse_late(&mut self, cx: &mut Context<'_>) {
        let is_late = |job: &Job| job.asked_by.as_ref().is_some_and(|pending| pending.answer_by <= cx.now);
        if !self.waiting.iter().any(is_late) {
            return;
        }
        if self.waiting.front().is_some_and(is_late) {
            self.phase = Phase::Idle;
        }
        let (late, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(is_late);
        self.waiting = waiting;
        refuse(late, cx);
    }

    /// Refuses all operators who wait.
    pub(super) fn refuse_all(&mut self, cx: &mut Context<'_>) {
        self.phase = Phase::Idle;
        refuse(std::mem::take(&mut self.waiting), cx);
    }

    /// When [`poll`](Self::poll) is due again, if no outcome comes before. It is not called while the store is down.
    pub(super) fn next_tick(&self, is_store_down: bool) -> Option<Duration> {
        let until = self.waiting.iter().filter_map(|job| Some(job.asked_by.as_ref()?.answer_by));
        let waits = matches!(self.phase, Phase::Idle) && !self.waiting.is_empty() && !is_store_down;
        until.chain(waits.then_some(self.not_before)).min()
    }
}

fn refuse(jobs: VecDeque<Job>, cx: &mut Context<'_>) {
    for pending in jobs.into_iter().filter_map(|job| job.asked_by) {
        cx.reply(pending.ticket, Err(Refusal::NotForgotten));
    }
}

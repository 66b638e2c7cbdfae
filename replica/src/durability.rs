//! Durability: the count of this process, the node's record in the store, and the counts that are read from the store.
//!
//! # The record
//!
//! Every commit puts the whole count of this process into the node's record; [`store_sync`] has the details. While the
//! store answers, clients and peers see a count only after that. So reads never go back, not even over a crash.
//!
//! # Choosing a replica
//!
//! A process counts under a replica of its own, or under one that its predecessor has handed on. It must not count before
//! it has chosen. It chooses once it knows the record, or after [`RECOVER_WITHIN`] without it.
//!
//! # Recovery
//!
//! A process whose node has counted before reads its own record, and then all others ([`sweep`]). So it recovers the counts
//! that its predecessors may have shown. Its reads wait for that, for [`RECOVER_WITHIN`] at most.

mod changes;
mod health;
mod store_sync;
mod sweep;

use std::collections::BTreeMap;
use std::time::Duration;

use crdt::Overflow;
use tracing::info;

use crate::config::{AckPolicy, Config, RECOVER_WITHIN};
use crate::context::{Clock, Context};
use crate::frame::Claim;
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::own::Own;
use crate::state::State;
use crate::store::{Outcome, Token};
use crate::tally::Tally;
use store_sync::{News, StoreSync};
use sweep::Sweep;

/// This process's count, the node's record, and recovery.
#[derive(Debug, Clone)]
pub(crate) struct Durability {
    ack: AckPolicy,
    own: Own,
    store_sync: StoreSync,
    sweep: Sweep,
    recovery: Recovery,
    /// Whether the sweep that a predecessor calls for has begun.
    has_swept: bool,
}

/// How far this process has recovered the counts that earlier incarnations of the node may have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recovery {
    /// Before the first tick.
    Ahead,
    /// The own record is being opened and written.
    Record { by: Duration },
    /// The process has a predecessor, so all other records are being read.
    Sweep { by: Duration },
    /// Reads are served.
    Over,
}

/// How much of the own count may be seen.
pub(crate) struct Shown {
    pub tally: Tally,
    /// The store lacks some of it, so peers are to keep it as a hint.
    pub needs_hint: bool,
}

/// What was read in the store, to be merged.
pub(crate) struct Found {
    pub claim: Claim,
    /// Whether they are from another node's record.
    pub by_sweep: bool,
}

impl Durability {
    pub(crate) fn new(config: &Config, node: &NodeId, incarnation: Incarnation) -> Self {
        Self {
            ack: config.ack,
            own: Own::new(node, incarnation),
            store_sync: StoreSync::new(config),
            sweep: Sweep::new(),
            recovery: Recovery::Ahead,
            has_swept: false,
        }
    }

    /// The replica of this process, and its count.
    pub(crate) fn own(&self) -> &Own {
        &self.own
    }

    /// Whether an add may be counted now. With `AckPolicy::Store` it must not be counted while the store is down, for then
    /// it could be neither acknowledged nor refused.
    pub(crate) fn may_count(&self) -> bool {
        self.own.has_chosen() && !(self.ack == AckPolicy::Store && self.is_store_down())
    }

    /// Chooses the own replica rather than waiting for a predecessor's.
    pub(crate) fn choose_fresh_replica(&mut self) {
        self.own.choose_fresh();
    }

    /// Counts an add.
    pub(crate) fn count(&mut self, delta: i64) -> Result<(), Overflow> {
        self.own.add(delta)?;
        self.store_sync.touch();
        Ok(())
    }

    /// How much of the own count clients and peers may see. Counts that are not stored could be lost in a crash, and reads
    /// would go back. They are shown only where more can't be had: with `AckPolicy::Memory`, or while the store is down.
    pub(crate) fn shown(&self) -> Shown {
        let shows_all = match self.ack {
            AckPolicy::Memory => true,
            AckPolicy::Durable => self.is_store_down(),
            AckPolicy::Store => false,
        };
        let stored = self.store_sync.stored();
        let tally = if shows_all { self.own.counted() } else { stored };
        let needs_hint = self.ack != AckPolicy::Memory && !tally.is_within(stored);
        Shown { tally, needs_hint }
    }

    /// The own sequence number that is certain to be stored.
    pub(crate) fn stored_sequence(&self) -> u128 {
        self.store_sync.stored().sequence()
    }

    /// Whether a peer's confirmation acknowledges an add.
    pub(crate) fn peers_suffice(&self) -> bool {
        self.ack == AckPolicy::Durable && self.is_store_down()
    }

    pub(crate) fn is_store_down(&self) -> bool {
        self.store_sync.is_down()
    }

    /// Whether reads wait for the recovery. With `AckPolicy::Memory` they don't, for reads may go back over a crash there.
    pub(crate) fn holds_reads(&self) -> bool {
        self.recovery != Recovery::Over && self.ack != AckPolicy::Memory
    }

    /// The rows of the own record, if they are known.
    pub(crate) fn recorded(&self) -> Option<&BTreeMap<ReplicaId, Tally>> {
        self.store_sync.rows()
    }

    /// Marks the record as needing a write, for it may lack counts that were merged.
    pub(crate) fn touch(&mut self) {
        self.store_sync.touch();
    }

    /// Reports that a sweep has brought new counts.
    pub(crate) fn sweep_brought_news(&mut self, now: Duration) {
        self.sweep.brought_news(now);
    }

    /// Begins the clean end: commits the rest, and hands the replica on. No add may be counted any more.
    pub(crate) fn close(&mut self) {
        self.store_sync.close();
    }

    /// Whether the record holds everything, and no request about it is open.
    pub(crate) fn is_clean(&self) -> bool {
        self.store_sync.is_clean()
    }

    /// Judges whether the store is silent.
    pub(crate) fn notice_silence(&mut self, cx: &Context<'_>) {
        self.store_sync.notice_silence(cx);
    }

    /// Goes on with the recovery, as far as it has got. `everybody` are the nodes whose records a sweep reads.
    pub(crate) fn recover(&mut self, everybody: impl Fn() -> Vec<NodeId>, cx: &mut Context<'_>) {
        if !self.has_swept && self.store_sync.commits() > 0 && self.store_sync.has_predecessor() {
            self.has_swept = true;
            self.sweep.begin(everybody(), self.store_sync.commits(), cx);
            if let Recovery::Record { by } = self.recovery {
                self.recovery = Recovery::Sweep { by };
            }
        }
        if self.retries_sweep_at().is_some_and(|at| cx.now >= at) {
            self.sweep.begin(everybody(), self.store_sync.commits(), cx);
        }
        match self.recovery {
            Recovery::Ahead => self.recovery = Recovery::Record { by: cx.now + RECOVER_WITHIN },
            Recovery::Record { by } if self.store_sync.commits() > 0 || cx.heard >= by => {
                self.recovery = Recovery::Over;
            }
            Recovery::Sweep { by } if self.sweep.is_complete() || cx.heard >= by => {
                self.recovery = Recovery::Over;
            }
            Recovery::Record { .. } | Recovery::Sweep { .. } | Recovery::Over => {}
        }
        if self.recovery == Recovery::Over || self.is_store_down() {
            self.own.choose_fresh();
        }
    }

    /// When a sweep that failed is begun again: recovery needs everybody's record.
    fn retries_sweep_at(&self) -> Option<Duration> {
        match self.recovery {
            Recovery::Sweep { .. } => self.sweep.retry_at(),
            Recovery::Ahead | Recovery::Record { .. } | Recovery::Over => None,
        }
    }

    /// Opens or commits the record, if that is due.
    pub(crate) fn poll_record(&mut self, state: &State, cx: &mut Context<'_>) {
        self.store_sync.poll(&self.own, state, cx);
    }

    /// Reads the records of unreachable nodes, if that is due.
    pub(crate) fn poll_sweep(&mut self, unreachable: impl FnOnce() -> Vec<NodeId>, cx: &mut Context<'_>) {
        if !self.is_store_down() {
            self.sweep.poll(unreachable, self.store_sync.commits(), cx);
        }
    }

    /// Handles the outcome of a request to the store.
    pub(crate) fn outcome(
        &mut self,
        (token, outcome): (Token, Outcome),
        state: &State,
        cx: &mut Context<'_>,
    ) -> Option<Found> {
        if !self.store_sync.awaits(token) {
            let claim = self.sweep.outcome(token, outcome, cx)?;
            return Some(Found { claim, by_sweep: true });
        }
        match self.store_sync.outcome(outcome, &self.own, state, cx)? {
            News::NoRecord => {
                self.own.choose_fresh();
                None
            }
            News::Found { claim, has_free } => {
                if !has_free {
                    self.own.choose_fresh();
                }
                Some(Found { claim, by_sweep: false })
            }
            News::Inherited(replica, stored) => {
                self.inherit(replica, stored, state);
                None
            }
        }
    }

    /// Goes on under a predecessor's replica, from the larger of what is stored and what others have told of it. A larger
    /// claim that comes later is refused.
    fn inherit(&mut self, replica: ReplicaId, stored: Tally, state: &State) {
        info!(%replica, %stored, "goes on where its predecessor ended");
        let mut counted = Tally::of(state.counts(), &replica);
        counted.raise(stored);
        self.own.inherit(replica, counted);
        self.store_sync.touch();
    }

    /// When something is due again. `is_anybody_unreachable` says whether a sweep would have a record to read.
    pub(crate) fn next_tick(&self, is_anybody_unreachable: bool, clock: Clock) -> Option<Duration> {
        let recovered_by = match self.recovery {
            Recovery::Record { by } | Recovery::Sweep { by } => clock.awaits(by),
            Recovery::Ahead | Recovery::Over => None,
        };
        let sweeps = is_anybody_unreachable && !self.is_store_down();
        let sweep = self.sweep.next_tick().filter(|_| sweeps);
        let parts = [recovered_by, self.retries_sweep_at(), self.store_sync.next_tick(clock), sweep];
        parts.into_iter().flatten().min()
    }
}

//! Durability: what this process has counted, the node's record in the store, and what is read back from the store.
//!
//! # The record
//!
//! Every commit puts all that this process has counted into the node's record; [`store_sync`] has the details. Until
//! then it is not shown to clients or peers, while the store answers. So reads never go back, not even over a crash.
//!
//! # Under which replica
//!
//! A process counts under a replica of its own, or under one that its predecessor has handed on. It must not count before
//! it has chosen: that is once the record is known, or cannot be had for [`RECOVER_WITHIN`].
//!
//! # Recovery
//!
//! A process whose node has counted before reads its own record, then everybody's ([`sweep`]): so it knows again what
//! its predecessors may have shown. Its reads wait for that, for [`RECOVER_WITHIN`] at most.

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

/// This process's count, and the way of it into the store and back.
#[derive(Debug, Clone)]
pub(crate) struct Durability {
    ack: AckPolicy,
    own: Own,
    record: StoreSync,
    sweep: Sweep,
    recovery: Recovery,
    /// Everybody's record was read, or is being read, since the own one was found to have a predecessor.
    has_swept: bool,
}

/// Whether this process knows what earlier incarnations of the node knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recovery {
    /// Before the first tick.
    Ahead,
    /// The own record is being opened and written.
    Record { by: Duration },
    /// The node has a predecessor: everybody's record is being read.
    Sweep { by: Duration },
    /// Reads are served.
    Over,
}

/// What was read in the store, to be merged.
pub(crate) struct Found {
    pub claim: Claim,
    /// It stood in another node's record.
    pub by_sweep: bool,
}

impl Durability {
    pub(crate) fn new(config: &Config, node: &NodeId, incarnation: Incarnation) -> Self {
        Self {
            ack: config.ack,
            own: Own::new(node, incarnation),
            record: StoreSync::new(config),
            sweep: Sweep::new(),
            recovery: Recovery::Ahead,
            has_swept: false,
        }
    }

    /// What this process has counted, and under which replica.
    pub(crate) fn own(&self) -> &Own {
        &self.own
    }

    /// Whether an add may be counted now. With `AckPolicy::Store` it must not be while the store is down: it could then
    /// be neither acknowledged nor refused.
    pub(crate) fn may_count(&self) -> bool {
        self.own.may_count() && !(self.ack == AckPolicy::Store && self.is_store_down())
    }

    /// Chooses the own replica rather than waiting for a predecessor's.
    pub(crate) fn choose_own_replica(&mut self) {
        self.own.choose_own();
    }

    /// Counts.
    pub(crate) fn count(&mut self, delta: i64) -> Result<(), Overflow> {
        self.own.add(delta)?;
        self.record.touch();
        Ok(())
    }

    /// How much of the own count clients and peers may see, and whether it is stored. Counts that are not stored could be
    /// lost in a crash, and reads would go back. They are shown only where more can't be had: with `AckPolicy::Memory`,
    /// or while the store is down.
    pub(crate) fn shown(&self) -> (Tally, bool) {
        let shows_all = match self.ack {
            AckPolicy::Memory => true,
            AckPolicy::Durable => self.is_store_down(),
            AckPolicy::Store => false,
        };
        let stored = self.record.stored();
        let shown = if shows_all { self.own.counted() } else { stored };
        (shown, self.ack == AckPolicy::Memory || shown.is_within(stored))
    }

    /// How far the store is certain to hold the own count.
    pub(crate) fn stored_sequence(&self) -> u128 {
        self.record.stored().sequence()
    }

    /// Whether a peer's confirmation acknowledges an add.
    pub(crate) fn peers_suffice(&self) -> bool {
        self.ack == AckPolicy::Durable && self.is_store_down()
    }

    pub(crate) fn is_store_down(&self) -> bool {
        self.record.is_down()
    }

    /// Whether reads wait until this process knows again what earlier ones may have shown. With `AckPolicy::Memory`
    /// nothing of the kind is promised.
    pub(crate) fn holds_reads(&self) -> bool {
        self.recovery != Recovery::Over && self.ack != AckPolicy::Memory
    }

    /// The rows in the own record, as far as they are known.
    pub(crate) fn recorded(&self) -> Option<&BTreeMap<ReplicaId, Tally>> {
        self.record.rows()
    }

    /// The record may lack something that was merged.
    pub(crate) fn touch(&mut self) {
        self.record.touch();
    }

    /// A sweep has brought something new.
    pub(crate) fn sweep_brought_news(&mut self, now: Duration) {
        self.sweep.brought_news(now);
    }

    /// Nothing will be counted any more: commits the rest, and hands the replica on.
    pub(crate) fn close(&mut self) {
        self.record.close();
    }

    /// The record holds everything, and no request about it is open.
    pub(crate) fn is_clean(&self) -> bool {
        self.record.is_clean()
    }

    /// Judges whether the store is silent.
    pub(crate) fn notice_silence(&mut self, cx: &Context<'_>) {
        self.record.notice_silence(cx);
    }

    /// Goes on with the recovery, as far as it has got. `everybody` are the nodes whose records a sweep reads.
    pub(crate) fn recover(&mut self, everybody: impl FnOnce() -> Vec<NodeId>, cx: &mut Context<'_>) {
        if !self.has_swept && self.record.commits() > 0 && self.record.has_predecessor() {
            self.has_swept = true;
            self.sweep.begin(everybody(), self.record.commits(), cx);
            if let Recovery::Record { by } = self.recovery {
                self.recovery = Recovery::Sweep { by };
            }
        }
        match self.recovery {
            Recovery::Ahead => self.recovery = Recovery::Record { by: cx.now + RECOVER_WITHIN },
            Recovery::Record { by } if self.record.commits() > 0 || cx.heard >= by => {
                self.recovery = Recovery::Over;
            }
            Recovery::Sweep { by } if self.sweep.is_resting() || cx.heard >= by => {
                self.recovery = Recovery::Over;
            }
            Recovery::Record { .. } | Recovery::Sweep { .. } | Recovery::Over => {}
        }
        if self.recovery == Recovery::Over || self.is_store_down() {
            self.own.choose_own();
        }
    }

    /// Opens or commits the record, if that is due.
    pub(crate) fn poll_record(&mut self, state: &State, cx: &mut Context<'_>) {
        self.record.poll(&self.own, state, cx);
    }

    /// Reads the records of nodes that can't be reached, if that is due.
    pub(crate) fn poll_sweep(&mut self, unreachable: impl FnOnce() -> Vec<NodeId>, cx: &mut Context<'_>) {
        if !self.is_store_down() {
            self.sweep.poll(unreachable, self.record.commits(), cx);
        }
    }

    /// Takes the outcome of a request to the store.
    pub(crate) fn outcome(
        &mut self,
        (token, outcome): (Token, Outcome),
        state: &State,
        cx: &mut Context<'_>,
    ) -> Option<Found> {
        if !self.record.awaits(token) {
            let claim = self.sweep.outcome(token, outcome, cx)?;
            return Some(Found { claim, by_sweep: true });
        }
        match self.record.outcome(outcome, &self.own, state, cx)? {
            News::Nothing => {
                self.own.choose_own();
                None
            }
            News::Found { claim, has_free } => {
                if !has_free {
                    self.own.choose_own();
                }
                Some(Found { claim, by_sweep: false })
            }
            News::Inherited(replica, stored) => {
                self.inherit(replica, stored, state);
                None
            }
        }
    }

    /// Goes on under a predecessor's replica. What is known to have been counted under it was: a later claim of more is
    /// not admitted.
    fn inherit(&mut self, replica: ReplicaId, stored: Tally, state: &State) {
        info!(%replica, %stored, "goes on where its predecessor ended");
        let mut counted = Tally::of(state.counts(), &replica);
        counted.raise(stored);
        self.own.inherit(replica, counted);
        self.record.touch();
    }

    /// When something is due again. `is_anybody_unreachable` says whether a sweep would have anybody to read.
    pub(crate) fn next_tick(&self, is_anybody_unreachable: bool, clock: Clock) -> Option<Duration> {
        let recovered_by = match self.recovery {
            Recovery::Record { by } | Recovery::Sweep { by } => clock.awaits(by),
            Recovery::Ahead | Recovery::Over => None,
        };
        let sweeps = is_anybody_unreachable && !self.is_store_down();
        let sweep = self.sweep.next_tick().filter(|_| sweeps);
        [recovered_by, self.record.next_tick(clock), sweep].into_iter().flatten().min()
    }
}

//! Durability: the count of this process, the node's record in the store, and the counts that are read from the store.
//!
//! # The record
//!
//! Every commit puts the whole count of this process into the node's record; [`store_sync`] has the details. While the
//! store answers, clients and peers see a count only after that. So reads never go back, not even over a crash.
//!
//! # Choosing a replica
//!
//! A process counts under a replica of its own, or under one that its predecessor has handed on ([`inheritance`]). It must
//! not count before it has chosen. It chooses once it knows the record, or after [`RECOVER_WITHIN`] without it.
//!
//! # Recovery
//!
//! A process whose node has a record reads that, and then all others ([`recovery`]). So it recovers the counts that its
//! predecessors may have shown. Its reads wait for that, for [`RECOVER_WITHIN`] at most, or longer if records may be long. Its
//! answers to the inquiries of peers wait for as long as it takes.

mod changes;
mod forgetting;
mod found;
mod health;
mod inheritance;
mod outline;
mod recovery;
mod store_sync;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tracing::info;

use crate::clients::Pending;
use crate::config::{AckPolicy, Config};
use crate::context::{Clock, Context};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::own::{Order, Own, Verdict};
use crate::seam::{Refusal, Reply};
use crate::state::State;
use crate::store::{Outcome, Record, Token};
use crate::tally::Rows;
use forgetting::Forgetting;
pub(crate) use found::{Found, ReadRecord};
use inheritance::Candidate;
use recovery::Recovery;
use store_sync::{News, StoreSync};
use sweep::Swept;

/// This process's count, the node's record, and recovery.
#[derive(Debug, Clone)]
pub(crate) struct Durability {
    ack: AckPolicy,
    node: NodeId,
    own: Own,
    store_sync: StoreSync,
    forgetting: Forgetting,
    recovery: Recovery,
    /// The replica that a predecessor has handed on, until this process has chosen.
    candidate: Option<Candidate>,
}

impl Durability {
    pub(crate) fn new(config: &Config, node: &NodeId, incarnation: Incarnation) -> Self {
        Self {
            ack: config.ack,
            node: node.clone(),
            own: Own::new(node, incarnation, config.numbering),
            store_sync: StoreSync::new(config),
            forgetting: Forgetting::default(),
            recovery: Recovery::new(node.clone(), config.recover_within),
            candidate: None,
        }
    }

    /// The replica of this process, and what it has counted.
    pub(crate) fn own(&self) -> &Own {
        &self.own
    }

    /// What is to become of a change now. With `AckPolicy::Store` none must be counted while the store is down, for then it
    /// could be neither acknowledged nor refused. Nor must one with a note, which only the store can keep. One that tells values
    /// waits for the recovery, as reads do.
    pub(crate) fn verdict(&self, order: &Order) -> Verdict {
        let is_down = self.is_store_down();
        if order.note.is_some() && is_down {
            Verdict::Refused(Refusal::StoreSilent)
        } else if self.own.has_chosen()
            && !(self.ack == AckPolicy::Store && is_down)
            && !(order.tells && self.holds_reads())
        {
            Verdict::Counts
        } else {
            Verdict::Waits
        }
    }

    /// Chooses the own replica rather than waiting for a predecessor's.
    pub(crate) fn choose_fresh_replica(&mut self) {
        if !self.own.has_chosen() {
            self.own.choose_fresh();
            self.candidate = None;
            self.store_sync.touch();
        }
    }

    /// Whether an add may be counted in the state itself: everything is shown at once, and nothing waits to be.
    pub(crate) fn counts_in_place(&self) -> bool {
        self.ack == AckPolicy::Memory && self.own.numbers_each_change() && !self.own.has_unshown()
    }

    /// An add was counted in the state itself.
    pub(crate) fn counted_in_place(&mut self, number: u64) {
        self.own.counted_in_place(number);
        self.store_sync.touch();
    }

    /// Counts a change. `shown` are the rows of the state.
    pub(crate) fn count(&mut self, order: &Order, shown: &Rows) -> Result<Reply, Refusal> {
        let reply = self.own.count(order, shown)?;
        self.store_sync.touch();
        Ok(reply)
    }

    /// Takes a number for an import: once the store has it, it has what is merged with it. While the store is down that can't
    /// be waited for.
    pub(crate) fn mark(&mut self) -> Result<(), Refusal> {
        if self.is_store_down() {
            return Err(Refusal::StoreSilent);
        }
        self.own.mark()?;
        self.store_sync.touch();
        Ok(())
    }

    /// Whether clients and peers may see all of the own row. What is not stored could be lost in a crash, and reads would go
    /// back. It is shown only where more can't be had: with `AckPolicy::Memory`, or while the store is down.
    pub(crate) fn shows_all(&self) -> bool {
        match self.ack {
            AckPolicy::Memory => true,
            AckPolicy::Durable => self.is_store_down() && !self.own.waits_for_store(self.stored()),
            AckPolicy::Store => false,
        }
    }

    /// Forgets those changes of the own row that the state shows by now, and the notes that are stored.
    pub(crate) fn settle(&mut self, shown: &Rows) {
        self.own.settle(shown, self.store_sync.stored());
    }

    /// Whether peers keep what the store lacks of the own row as a hint.
    pub(crate) fn needs_hints(&self) -> bool {
        self.ack != AckPolicy::Memory
    }

    /// The version of the own row that is certain to be stored.
    pub(crate) fn stored(&self) -> u64 {
        self.store_sync.stored()
    }

    /// Whether a peer's confirmation acknowledges an add. Not of one that is not shown here: peers can have that from the store.
    pub(crate) fn peers_suffice(&self) -> bool {
        self.ack == AckPolicy::Durable && self.shows_all()
    }

    pub(crate) fn is_store_down(&self) -> bool {
        self.store_sync.is_down()
    }

    /// Whether reads wait for the recovery. With `AckPolicy::Memory` they don't, for reads may go back over a crash there.
    pub(crate) fn holds_reads(&self) -> bool {
        !self.recovery.is_over() && !self.recovery.is_late() && self.ack != AckPolicy::Memory
    }

    /// Whether this process knows all that earlier processes of its node may have shown or told.
    pub(crate) fn has_recovered(&self) -> bool {
        self.recovery.is_over()
    }

    /// The version of each row of the own record, if they are known.
    pub(crate) fn recorded(&self) -> Option<&BTreeMap<ReplicaId, u64>> {
        self.store_sync.record().map(|record| &record.rows)
    }

    /// Marks the record as needing a write, for it may lack counts that were merged.
    pub(crate) fn touch(&mut self) {
        self.store_sync.touch();
    }

    /// Reports that a sweep has brought new counts.
    pub(crate) fn sweep_brought_news(&mut self, now: Duration) {
        self.recovery.brought_news(now);
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

    /// Goes on with the recovery, as far as it has got. `everybody` are the nodes whose records a sweep reads, beside those
    /// that the store lists. `adds_wait` says that adds wait for this process to choose its replica.
    pub(crate) fn recover(
        &mut self,
        everybody: impl FnOnce() -> BTreeSet<NodeId>,
        adds_wait: bool,
        cx: &mut Context<'_>,
    ) {
        let knows_record = self.store_sync.commits() > 0 || self.candidate.is_some();
        let has_predecessor = knows_record.then(|| self.store_sync.has_predecessor());
        self.recovery.notice_lateness(self.store_sync.is_down(), cx);
        self.recovery.poll(has_predecessor, everybody, self.store_sync.commits(), cx);
        let asks_too_long =
            self.candidate.as_ref().is_some_and(|candidate| cx.heard >= candidate.until(adds_wait));
        if asks_too_long {
            info!("not every node has said in time what it holds: this process counts under a new replica");
        }
        if self.recovery.is_late() || self.is_store_down() || asks_too_long {
            self.choose_fresh_replica();
        }
    }

    /// Whether this process waits for every node to say what it holds of a replica.
    pub(crate) fn asks(&self) -> bool {
        self.candidate.as_ref().is_some_and(|candidate| !candidate.is_settled())
    }

    /// Whether somebody holds more of the replica that is free than the record: this is the highest version that this node has
    /// heard of. Then the store went back, and this process counts under a new replica.
    pub(crate) fn gives_up_inheriting(&mut self, heard_of: impl FnOnce(&ReplicaId) -> u64) -> bool {
        let Some(candidate) = &self.candidate else { return false };
        let gives_up = candidate.is_behind(heard_of(candidate.replica()));
        if gives_up {
            self.choose_fresh_replica();
        }
        gives_up
    }

    /// Every node has said what it holds of the replica that is free, and nobody holds more than the record: takes it over.
    pub(crate) fn inherit(&mut self) {
        if let Some(candidate) = &mut self.candidate {
            candidate.settle();
            self.store_sync.take_over();
        }
    }

    /// Opens or commits the record, if that is due.
    pub(crate) fn poll_record(&mut self, state: &State, cx: &mut Context<'_>) {
        self.store_sync.poll(&self.own, state, cx);
    }

    /// Reads the records of silent nodes, if that is due. If the store is to be asked which nodes there are, also those of nodes
    /// that are not among the `peers`.
    pub(crate) fn poll_sweep(
        &mut self,
        silent: impl FnOnce() -> BTreeSet<NodeId>,
        peers: impl FnOnce() -> BTreeSet<NodeId>,
        cx: &mut Context<'_>,
    ) {
        if !self.is_store_down() {
            self.recovery.poll_silent(silent, peers, self.store_sync.commits(), cx);
        }
    }

    /// The list of nodes has changed: there may be nodes with a record that this process has not heard of.
    pub(crate) fn roster_changed(&mut self) {
        self.recovery.roster_changed();
    }

    /// A peer was told what this node holds. So what the store is about to tell, and was asked before, must not be merged.
    pub(crate) fn read_anew(&mut self, cx: &mut Context<'_>) {
        self.recovery.read_anew(cx);
        self.forgetting.begin_anew();
    }

    /// An operator asks to forget a node.
    pub(crate) fn forget(&mut self, node: NodeId, pending: Pending, is_known: bool, cx: &mut Context<'_>) {
        self.forgetting.forget(node, pending, is_known, cx);
    }

    /// Goes on with forgetting nodes. `left` is a forgotten node of which this node holds counts that are not stored.
    pub(crate) fn poll_forgetting(&mut self, left: Option<&NodeId>, state: &State, cx: &mut Context<'_>) {
        self.forgetting.refuse_late(cx);
        if !self.is_store_down() {
            self.forgetting.poll(left, state, cx);
        }
    }

    /// Refuses the forgets that wait: this process ends.
    pub(crate) fn refuse_forgets(&mut self, cx: &mut Context<'_>) {
        self.forgetting.refuse_all(cx);
    }

    /// Handles the outcome of a request to the store.
    pub(crate) fn outcome(
        &mut self,
        (token, outcome): (Token, Outcome),
        state: &State,
        cx: &mut Context<'_>,
    ) -> Option<Found> {
        if !self.store_sync.awaits(token) {
            return match self.forgetting.outcome(token, outcome, cx) {
                Ok(record) => Some(self.loaded(record?, true)),
                Err(outcome) => match self.recovery.outcome(token, outcome, cx)? {
                    Swept::Record(node, record) => Some(self.loaded((node, record), false)),
                    Swept::Names(names) => Some(Found::Names(names)),
                },
            };
        }
        match self.store_sync.outcome(outcome, &self.own, state, cx)? {
            News::NoRecord => {
                self.choose_fresh_replica();
                None
            }
            News::Found { claim, seal, free } => {
                let free = self.find_free(free, cx);
                let node = self.node.clone();
                Some(Found::Record(ReadRecord { node, claim, seal, free, is_fresh: false }))
            }
            News::Stored(row) => Some(Found::Stored(row)),
            News::Sealed => Some(Found::Forgotten),
            News::Inherited(replica, stored) => {
                self.inherited(replica, stored, state);
                None
            }
        }
    }

    /// A record was loaded. The own one is loaded only to see whether it is sealed. If it is by the seal that this process has
    /// lifted, the store went back: it is lifted again.
    fn loaded(&mut self, (node, record): (NodeId, Record), is_fresh: bool) -> Found {
        if node == self.node && self.store_sync.is_sealed_since(&record) {
            return Found::Forgotten;
        }
        if node == self.node && record.is_sealed() {
            self.store_sync.open_again();
        }
        Found::Record(ReadRecord {
            node,
            claim: Box::new(record.claim()),
            seal: record.seal,
            free: None,
            is_fresh,
        })
    }

    /// The replica that the opened record says is free, with the version of its row there, if this process may go on under it.
    fn find_free(&mut self, free: Option<(ReplicaId, u64)>, cx: &Context<'_>) -> Option<ReplicaId> {
        if self.own.has_chosen() {
            return None;
        }
        let since = self.candidate.as_ref().map_or(cx.now, Candidate::since);
        self.candidate = free.map(|(replica, stored)| Candidate::new(replica, stored, since));
        if self.candidate.is_none() {
            self.choose_fresh_replica();
        }
        self.candidate.as_ref().map(|candidate| candidate.replica().clone())
    }

    /// Goes on under a predecessor's replica, from the larger of what is stored and what others have told of it. A larger
    /// claim that comes later is refused.
    fn inherited(&mut self, replica: ReplicaId, stored: u64, state: &State) {
        info!(%replica, %stored, "goes on where its predecessor ended");
        let version = state.rows().version(&replica);
        debug_assert!(version >= stored, "the record was merged before the replica was taken over");
        self.own.inherit(replica, version.max(stored));
        self.candidate = None;
        self.store_sync.touch();
    }

    /// When something is due again. `is_anybody_silent` says whether a sweep would have a record to read.
    pub(crate) fn next_tick(&self, is_anybody_silent: bool, clock: Clock) -> Option<Duration> {
        let waits = !self.recovery.is_over() || !self.own.has_chosen();
        let is_anybody_silent = (!self.is_store_down()).then_some(is_anybody_silent);
        let recovery = self.recovery.next_tick(waits, is_anybody_silent, clock);
        let asks_until = self.candidate.iter().flat_map(Candidate::deadlines);
        let asks_until = asks_until.filter_map(|at| clock.awaits(at)).min();
        let forgets = self.forgetting.next_tick(self.is_store_down());
        let parts = [recovery, asks_until, self.store_sync.next_tick(clock), forgets];
        parts.into_iter().flatten().min()
    }
}

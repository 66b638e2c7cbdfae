//! The three parts of a replica, and the order in which they act.

mod changes;
mod waiting;

use std::time::Duration;

use rand::Rng;
use tracing::{error, info};

use crate::clients::{Clients, Pending};
use crate::config::{AckPolicy, Config, SHUT_DOWN_WITHIN};
use crate::context::{Clock, Context};
use crate::durability::{Durability, Found, ReadRecord};
use crate::frame::{Frame, Inquiry};
use crate::identity::{Incarnation, NodeId};
use crate::machine::PeerStatus;
use crate::own::{Order, Own};
use crate::replication::{Awaits, Merged, Replication};
use crate::seam::{Effect, Input, Name, Refusal, Reply, Request};
use crate::store::{Outcome, Token};
use crate::tally::{Rows, Tally};

/// The parts, wired.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    ack: AckPolicy,
    durability: Durability,
    replication: Replication,
    clients: Clients,
    shut_down_by: Option<Duration>,
    is_done: bool,
}

impl Parts {
    pub(crate) fn new(config: &Config, me: NodeId, incarnation: Incarnation, rng: &mut dyn Rng) -> Self {
        Self {
            ack: config.ack,
            durability: Durability::new(config, &me, incarnation),
            replication: Replication::new(config, me, incarnation, rng),
            clients: Clients::default(),
            shut_down_by: None,
            is_done: false,
        }
    }

    /// The replica of this process, and its count.
    pub(crate) fn own(&self) -> &Own {
        self.durability.own()
    }

    /// All rows that this node holds and shows.
    pub(crate) fn rows(&self) -> &Rows {
        self.replication.state().rows()
    }

    /// The count of this process in a world with one counter, shown or not.
    pub(crate) fn counted(&self) -> Tally {
        self.own().counted(self.rows())
    }

    pub(crate) fn stored(&self) -> u64 {
        self.durability.stored()
    }

    /// The number of the last change that is as durable as the policy demands.
    pub(crate) fn safe(&self) -> u64 {
        match self.ack {
            AckPolicy::Memory => self.own().number(),
            AckPolicy::Durable if self.durability.peers_suffice() => {
                self.stored().max(self.replication.covered_by_a_peer(self.own().replica()))
            }
            AckPolicy::Durable | AckPolicy::Store => self.stored(),
        }
    }

    /// What is known of each peer.
    pub(crate) fn peers(&self) -> impl Iterator<Item = PeerStatus> {
        self.replication.statuses(self.own().replica())
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.own().has_chosen() && !self.durability.holds_reads()
    }

    pub(crate) fn has_recovered(&self) -> bool {
        self.durability.has_recovered()
    }

    pub(crate) fn is_store_down(&self) -> bool {
        self.durability.is_store_down()
    }

    pub(crate) fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        if self.is_done {
            return refuse_after_the_end(&input, cx);
        }
        if !matches!(input, Input::Client { .. } | Input::Tick { .. }) {
            self.clients.waits.note_news();
        }
        match input {
            Input::Roster(nodes) => {
                self.durability.roster_changed();
                self.replication.set_roster(nodes);
            }
            Input::Client { ticket, answer_by, request } => match request {
                Request::Change(change) => {
                    let order = Order { change, tells: false, note: None };
                    self.change(order, Pending::new(ticket, answer_by), cx);
                }
                Request::ChangeAndTell { change, note } => {
                    let order = Order { change, tells: true, note };
                    self.change(order, Pending::new(ticket, answer_by), cx);
                }
                Request::Read(counter) => self.read(counter, Pending::new(ticket, answer_by), cx),
                Request::Await(until) => self.wait(until, Pending::new(ticket, answer_by), cx),
            },
            Input::Forget { ticket, answer_by, node } => {
                self.forget(node, Pending::new(ticket, answer_by), cx);
            }
            Input::Import { ticket, answer_by, rows } => {
                self.import(rows, Pending::new(ticket, answer_by), cx);
            }
            Input::Peer { from, frame } => self.receive(&from, frame, cx),
            Input::Store { token, outcome } => self.store_answers(token, outcome, cx),
            Input::Tick { .. } => self.tick(cx),
            Input::Shutdown => self.shut_down(cx),
            Input::Closed => {
                self.shut_down(cx);
                self.durability.poll_record(self.replication.state(), cx);
                self.finish(cx);
            }
        }
    }

    /// Does all that is due. The order matters, for each step may depend on those before.
    fn tick(&mut self, cx: &mut Context<'_>) {
        debug_assert!(self.replication.has_roster(), "a roster must be given before the first tick");
        // Whether the store is down decides what may be counted, shown and acknowledged below.
        self.durability.notice_silence(cx);
        // Recovery may choose the replica under which to count.
        self.recover(cx);
        // Adds that were held are counted before the record is committed, so that they go with that commit.
        self.count_held(cx);
        self.show();
        // An add's way to the store is the longest: it goes first. Nothing below depends on it.
        self.durability.poll_record(self.replication.state(), cx);
        self.durability.poll_sweep(|| self.replication.silent(), || self.replication.peers(), cx);
        self.durability.poll_forgetting(
            self.replication.forgotten_with_unstored(),
            self.replication.state(),
            cx,
        );
        let awaits = Awaits {
            confirmation: self.durability.peers_suffice() && self.clients.any_waits_for_confirmation(),
            held: self.clients.waits.held(),
            anything: !self.clients.waits.is_empty(),
        };
        self.replication.poll(awaits, self.durability.own().replica(), cx);
        // Clients come last: their answers depend on all steps above.
        self.answer(cx);
        if self.shut_down_by.is_some_and(|by| self.durability.is_clean() || cx.now >= by) {
            self.finish(cx);
        }
    }

    /// Goes on with the recovery. It may choose the replica to count under: a predecessor's, once every node has said that
    /// it holds no more of it than the record.
    fn recover(&mut self, cx: &mut Context<'_>) {
        if self.durability.has_recovered() && self.replication.owes_answers() {
            self.show();
        }
        let Self { durability, replication, clients, .. } = self;
        durability.recover(|| replication.peers(), clients.holds_changes(), cx);
        if durability.has_recovered() && replication.recovered(cx) {
            durability.read_anew(cx);
        }
        if !durability.asks() {
            return replication.stop_asking();
        }
        if durability.gives_up_inheriting(|replica| replication.heard_of(replica))
            || !durability.has_recovered()
        {
            return;
        }
        if let Some(node) = replication.any_stranger() {
            info!(%node, "a node that the store lists is not on the roster, so it can't be asked: list it, or forget it");
            durability.choose_fresh_replica();
        } else if replication.have_answered() {
            durability.inherit();
        }
    }

    fn read(&mut self, counter: Name, pending: Pending, cx: &mut Context<'_>) {
        // With `AckPolicy::Memory` adds may have been acknowledged since the last tick.
        self.show();
        if !self.durability.holds_reads() {
            cx.reply(pending.ticket, Ok(Reply::Value(self.rows().value(&counter))));
        } else if self.clients.has_too_many_reads() {
            cx.reply(pending.ticket, Err(Refusal::TooManyReads));
        } else {
            self.clients.hold_read(counter, pending);
        }
    }

    fn receive(&mut self, from: &NodeId, frame: Frame, cx: &mut Context<'_>) {
        if matches!(frame.inquiry, Some(Inquiry::Surveys(_))) {
            // The answer says what is shown. With `AckPolicy::Memory` adds may have been acknowledged since the last tick.
            self.show();
        }
        let merged = self.replication.receive(from, frame, self.durability.own(), cx);
        self.note(merged);
        if merged.told_holding {
            self.durability.read_anew(cx);
        }
    }

    fn store_answers(&mut self, token: Token, outcome: Outcome, cx: &mut Context<'_>) {
        match self.durability.outcome((token, outcome), self.replication.state(), cx) {
            Some(Found::Record(read)) => self.found(read, cx),
            Some(Found::Names(names)) => self.replication.list(names),
            Some(Found::Stored(row)) => self.replication.show(&row, None),
            Some(Found::Forgotten) => return self.be_forgotten(cx),
            None => {}
        }
        if let Some(recorded) = self.durability.recorded() {
            self.replication.note_stored(recorded);
        }
        // The store may have brought some of the own row into the state.
        self.durability.settle(self.replication.state().rows());
        self.show();
    }

    /// Merges a record, and notes what else it says.
    fn found(&mut self, read: ReadRecord, cx: &Context<'_>) {
        let ReadRecord { node, claim, seal, free, is_fresh } = read;
        let merged = self.replication.merge_found(*claim, self.durability.own());
        self.note(merged);
        if merged.is_news && node != *self.replication.me() {
            self.durability.sweep_brought_news(cx.now);
        }
        if let Some(free) = free {
            self.replication.ask_about(free);
        }
        self.replication.learn_seal(&node, seal, is_fresh);
    }

    fn note(&mut self, merged: Merged) {
        if merged.touches_record {
            self.durability.touch();
        }
    }

    /// Shows clients and peers as much of the own row as they may see.
    fn show(&mut self) {
        let Self { durability, replication, clients, .. } = self;
        let own = durability.own();
        if !own.has_unshown() || !durability.shows_all() {
            return;
        }
        let shown = replication.state().rows().version(own.replica());
        if own.has_chosen() && own.number() > shown {
            let row = own.row_since(replication.state().rows(), shown);
            let stored = durability.needs_hints().then(|| durability.stored());
            replication.show(&row, stored);
            clients.waits.note_news();
        }
        durability.settle(replication.state().rows());
    }

    /// Answers the clients that can be answered now, and those that have waited too long.
    fn answer(&mut self, cx: &mut Context<'_>) {
        let safe = if self.clients.any_waits_for_confirmation() { self.safe() } else { self.stored() };
        self.clients.answer_changes(safe, cx);
        if !self.durability.holds_reads() {
            let rows = self.replication.state().rows();
            self.clients.answer_reads(|counter| rows.value(counter), cx);
        }
        self.clients.refuse_late_reads(cx);
        self.replication.settle_survey();
        self.answer_waits(cx);
    }

    /// Begins a clean shutdown: counts no add from now on, and commits the rest to the record.
    fn shut_down(&mut self, cx: &mut Context<'_>) {
        info!("shutting down");
        self.shut_down_by.get_or_insert(cx.now + SHUT_DOWN_WITHIN);
        self.durability.close();
        self.clients.refuse_uncounted(cx);
    }

    fn forget(&mut self, node: NodeId, pending: Pending, cx: &mut Context<'_>) {
        if self.shut_down_by.is_some() {
            cx.reply(pending.ticket, Err(Refusal::NotForgotten));
        } else if node == *self.replication.me() {
            cx.reply(pending.ticket, Err(Refusal::ForgetsItself));
        } else {
            let is_known = self.replication.knows(&node);
            self.durability.forget(node, pending, is_known, cx);
        }
    }

    /// This node was forgotten: ends this process. It stores nothing and acknowledges nothing any more.
    fn be_forgotten(&mut self, cx: &mut Context<'_>) {
        error!(node = %self.replication.me(), "this node was forgotten by an operator: the process ends");
        self.clients.refuse_forgotten(cx);
        self.end(cx);
    }

    /// Ends the replica: answers all clients that still wait.
    fn finish(&mut self, cx: &mut Context<'_>) {
        self.answer(cx);
        self.end(cx);
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.clients.refuse_all(cx);
        self.durability.refuse_forgets(cx);
        self.is_done = true;
        cx.effects.push_back(Effect::Done);
    }

    /// When to tick next, if no input comes before.
    pub(crate) fn next_tick(&self, clock: Clock) -> Option<Duration> {
        let is_anybody_silent = self.replication.is_anybody_silent();
        [
            self.durability.next_tick(is_anybody_silent, clock),
            self.replication.next_tick(),
            self.clients.next_tick(),
            self.shut_down_by,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// A replica that is done refuses everything that it is asked.
fn refuse_after_the_end(input: &Input, cx: &mut Context<'_>) {
    match input {
        Input::Client { ticket, request: Request::Change(_) | Request::ChangeAndTell { .. }, .. }
        | Input::Import { ticket, .. } => {
            cx.reply(*ticket, Err(Refusal::ShuttingDown));
        }
        Input::Client { ticket, request: Request::Read(_), .. } => {
            cx.reply(*ticket, Err(Refusal::EndedBeforeRecovered));
        }
        Input::Client { ticket, request: Request::Await(_), .. } => {
            cx.reply(*ticket, Err(Refusal::EndedBeforeReached));
        }
        Input::Forget { ticket, .. } => cx.reply(*ticket, Err(Refusal::NotForgotten)),
        Input::Roster(_)
        | Input::Peer { .. }
        | Input::Store { .. }
        | Input::Tick { .. }
        | Input::Shutdown
        | Input::Closed => {}
    }
}

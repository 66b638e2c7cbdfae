//! Requests that are submitted together.

use std::time::Duration;

use replica::{Change, Input, Name, NodeId, Refusal, Reply, Request, Ticket, Until};

use crate::Refused;
use crate::clock::{millis, unix_ms};
use crate::engine::Engine;
use crate::group::Done;
use crate::keys::{Known, MAX_KEY};

/// Requests that are submitted together: see [`Counters::submit`](crate::Counters::submit). Each takes the next place among
/// the answers. No other request comes between them.
#[derive(Debug)]
pub struct Session<'a> {
    engine: &'a mut Engine,
    /// Whether a change before is not known to be durable. Then reads wait with it.
    has_changed: bool,
}

impl<'a> Session<'a> {
    pub(crate) fn new(engine: &'a mut Engine) -> Self {
        engine.begin();
        Self { engine, has_changed: false }
    }

    /// The value of a counter, with all that this process has counted before, stored or not. `None` if nobody has counted it
    /// since it was reset. It takes no place. Show it to nobody but with the answers of this group, after a
    /// [`read`](Self::read).
    pub fn peek(&self, name: &Name) -> Option<i128> {
        self.engine.replica.counted_value(name)
    }

    /// The value of a counter, as a [`read`](Self::read) at this place would tell it. `None` if nobody has counted it since it was
    /// reset. It takes no place. Show it to nobody but with the answers of this group, after a
    /// [`read_barrier`](Self::read_barrier).
    pub fn get(&self, name: &Name) -> Option<i128> {
        if self.has_changed {
            return self.peek(name);
        }
        self.engine.rows().counted_value(name)
    }

    /// Takes a place that is answered once all that [`get`](Self::get) has returned so far may be shown: at once, if nothing was
    /// changed in this group.
    pub fn read_barrier(&mut self) {
        if self.has_changed {
            return self.barrier();
        }
        let Some(ticket) = self.engine.place() else { return };
        let is_done = self.engine.is_done();
        let reply = if is_done { Err(Refused::Failed) } else { Ok(Done::new(Reply::Counted, false)) };
        self.engine.settle(ticket, reply);
    }

    /// Reads a counter: [`Reply::Value`], 0 if nobody has counted it.
    ///
    /// If changes were submitted before, the value includes them, and the answer comes once they are durable. Otherwise the value
    /// is the one that everybody sees, and the answer is there at once.
    pub fn read(&mut self, name: &Name) {
        let Some(ticket) = self.engine.place() else { return };
        let request = if self.has_changed {
            let change = Change::Add(name.clone(), 0);
            Request::ChangeAndTell { change, note: None }
        } else {
            Request::Read(name.clone())
        };
        self.ask(ticket, request);
    }

    /// Changes counters, and tells their values: [`Reply::Value`] after an add or a report, [`Reply::Reset`] what was subtracted,
    /// [`Reply::Values`] for a batch.
    pub fn change(&mut self, change: Change) {
        self.change_by(change, |change| Request::ChangeAndTell { change, note: None });
    }

    /// As [`change`](Self::change), without the values: [`Reply::Counted`], or [`Reply::Reset`].
    pub fn count(&mut self, change: Change) {
        self.change_by(change, Request::Change);
    }

    fn change_by(&mut self, change: Change, request: impl FnOnce(Change) -> Request) {
        let Some(ticket) = self.engine.place() else { return };
        self.has_changed = true;
        if self.lacks_room(&change) {
            return self.engine.settle(ticket, Err(Refusal::TooManyCounters.into()));
        }
        self.ask(ticket, request(change));
    }

    /// Whether changes would be held uncounted for now: the process has not recovered, or the store is down, and the policy demands
    /// it. Then [`peek`](Self::peek) does not see them.
    pub fn holds_changes(&self) -> bool {
        self.engine.holds_changes()
    }

    /// As [`change`](Self::change), once for each `key`: a repeated request is answered, and changes nothing. The key is stored in the
    /// same commit as the change, and is remembered for [`Options::key_window`](crate::Options::key_window).
    pub fn change_once(&mut self, key: &str, change: Change) {
        let Some(ticket) = self.engine.place() else { return };
        self.has_changed = true;
        if key.is_empty() || key.len() > MAX_KEY {
            return self.engine.settle(ticket, Err(Refused::KeyTooLong));
        }
        let now = unix_ms();
        match self.engine.keys.look_up(key, &change, now) {
            Known::Unread => self.engine.settle(ticket, Err(Refused::KeysUnread)),
            Known::New if self.engine.is_name_shared => self.engine.settle(ticket, Err(Refused::NameShared)),
            Known::New if self.engine.keys.is_full(self.engine.options.max_keys) => {
                self.engine.settle(ticket, Err(Refused::TooManyKeys));
            }
            Known::New if self.lacks_room(&change) => {
                self.engine.settle(ticket, Err(Refusal::TooManyCounters.into()));
            }
            Known::New => {
                let until = now.saturating_add(millis(self.engine.options.key_window));
                let note = self.engine.keys.begin(ticket, key, &change, until);
                self.ask(ticket, Request::ChangeAndTell { change, note: Some(note) });
            }
            Known::Reused => self.engine.settle(ticket, Err(Refused::KeyReused)),
            Known::Done(value) => {
                let reply = match &change {
                    Change::Reset(_) => Reply::Reset(value),
                    Change::Add(..) | Change::Report { .. } => Reply::Value(value),
                    Change::Batch(_) => Reply::Counted,
                };
                self.engine.settle(ticket, Ok(Done::new(reply, true)));
            }
            Known::Open => {
                // It is known to be done once all that is counted by now is durable.
                self.engine.keys.join(ticket, key);
                self.ask(ticket, Request::Change(Change::Batch(Vec::new())));
            }
        }
    }

    /// Waits until this node shows, or its peers have, so much: [`Reply::Reached`], or [`Reply::Held`]. After this time the answer is
    /// [`Reply::NotReached`], or how many peers have it.
    ///
    /// A read in this group does not wait for it. Read once it is answered.
    pub fn wait_until(&mut self, until: Until, within: Duration) {
        let Some(ticket) = self.engine.place() else { return };
        let request = Request::Await(until);
        self.hand(ticket, within, |answer_by| Input::Client { ticket, answer_by, request });
    }

    /// How many peers are known to have the changes of this node's replica up to this [number](crate::Done::number). It takes no place.
    pub fn held(&self, number: u64) -> usize {
        let peers = self.engine.replica.peers();
        peers.into_iter().filter(|peer| peer.covers >= Some(number)).count()
    }

    /// Takes a place that is answered once all changes before are durable.
    pub fn barrier(&mut self) {
        let Some(ticket) = self.engine.place() else { return };
        self.ask(ticket, Request::Change(Change::Batch(Vec::new())));
    }

    pub(crate) fn import(&mut self, rows: Vec<replica::RowDelta>) {
        let Some(ticket) = self.engine.place() else { return };
        let within = self.engine.options.answer_within;
        self.hand(ticket, within, |answer_by| Input::Import { ticket, answer_by, rows });
    }

    pub(crate) fn forget(&mut self, node: NodeId) {
        let Some(ticket) = self.engine.place() else { return };
        let within = self.engine.options.answer_within;
        self.hand(ticket, within, |answer_by| Input::Forget { ticket, answer_by, node });
    }

    /// Ends the group.
    pub(crate) fn end(self) -> crate::Group {
        if self.engine.needs_tick() {
            self.engine.tick();
        }
        self.engine.end()
    }

    fn ask(&mut self, ticket: Ticket, request: Request) {
        let within = self.engine.options.answer_within;
        self.hand(ticket, within, |answer_by| Input::Client { ticket, answer_by, request });
    }

    fn hand(&mut self, ticket: Ticket, within: Duration, input: impl FnOnce(Duration) -> Input) {
        if self.engine.is_done() {
            return self.engine.settle(ticket, Err(Refused::Failed));
        }
        self.engine.handle(input(self.engine.now() + within));
    }

    /// Whether a change would make more counters than there may be.
    fn lacks_room(&self, change: &Change) -> bool {
        let rows = self.engine.rows();
        let most = self.engine.options.max_counters;
        let is_new = |name: &Name| !rows.contains(name) && self.engine.replica.counted_value(name).is_none();
        match change {
            Change::Add(name, _) | Change::Report { counter: name, .. } => rows.len() >= most && is_new(name),
            Change::Batch(steps) => {
                rows.len() + steps.len() > most
                    && rows.len() + steps.iter().filter(|(name, _)| is_new(name)).count() > most
            }
            Change::Reset(_) => false,
        }
    }
}

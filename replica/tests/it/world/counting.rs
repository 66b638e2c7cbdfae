//! What processes count: found out from outside, by the requests that they are given and the numbers that they reach.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use replica::{AckPolicy, Change, Effect, Input, Replica, ReplicaId, Request, Ticket};

use super::World;
use super::ledger::{Checked, Counted};
use super::past::{Versions, resets};
use super::plan::Kind;

/// What a process has counted.
pub(crate) struct Counting {
    /// The replica that it counts under.
    pub(crate) under: ReplicaId,
    pub(crate) number: u64,
    /// The changes that it holds uncounted, oldest first.
    held: VecDeque<(Ticket, Change)>,
    /// The versions of the rows that it shows.
    pub(crate) shown: Versions,
}

/// An input, as far as something may be counted with it.
pub(crate) enum Cause {
    Asked(Ticket, Change),
    /// An import takes a number.
    Imported(Ticket),
    Tick,
    Other,
}

impl Counting {
    pub(crate) fn new(replica: &Replica) -> Self {
        let under = replica.id().clone();
        Self { under, number: 0, held: VecDeque::new(), shown: Versions::new() }
    }

    /// What the process sees: all that it shows, and all that it has counted.
    fn seen(&self) -> Versions {
        let mut seen = self.shown.clone();
        seen.see(&self.under, self.number);
        seen
    }

    /// Whether this process has covered that number of a replica, shown or not.
    pub(crate) fn has(&self, replica: &ReplicaId, number: u64) -> bool {
        self.shown.counter().get(replica) >= number || self.under == *replica && self.number >= number
    }
}

impl Cause {
    pub(crate) fn of(input: &Input) -> Self {
        match input {
            Input::Client {
                ticket,
                request: Request::Change(change) | Request::ChangeAndTell { change, .. },
                ..
            } => Self::Asked(*ticket, change.clone()),
            Input::Import { ticket, .. } => Self::Imported(*ticket),
            Input::Tick { .. } => Self::Tick,
            Input::Client { .. }
            | Input::Roster(_)
            | Input::Forget { .. }
            | Input::Peer { .. }
            | Input::Store { .. }
            | Input::Shutdown
            | Input::Closed => Self::Other,
        }
    }
}

impl World {
    /// A process was given an input, and wants this done. What has it counted? A change is counted at once, or held. Those that
    /// are held are counted by ticks, in their order. Each change takes the next number, unless it changes nothing.
    pub(super) fn note_counted(&mut self, process: usize, cause: Cause, effects: &[Effect]) -> Checked {
        if *self.processes[process].replica.id() != self.processes[process].counting.under {
            self.inherit(process)?;
        }
        let refused = refused(effects);
        let it = &mut self.processes[process];
        it.counting.held.retain(|(ticket, _)| !refused.contains(ticket));
        let mut new = it.replica.number() - it.counting.number;
        match cause {
            Cause::Asked(ticket, _) if refused.contains(&ticket) => {}
            Cause::Asked(ticket, change) => {
                let waits = !self.processes[process].counting.held.is_empty();
                if new > 0 || !waits && self.is_done_in_vain(process, (ticket, &change)) {
                    new -= self.count(process, ticket, &change)?;
                } else {
                    self.processes[process].counting.held.push_back((ticket, change));
                }
            }
            Cause::Tick => {
                while let Some((ticket, change)) = self.next_held(process, new) {
                    new -= self.count(process, ticket, &change)?;
                }
            }
            Cause::Imported(ticket) if refused.contains(&ticket) => {}
            Cause::Imported(ticket) => new -= self.count(process, ticket, &Change::Batch(Vec::new()))?,
            Cause::Other => {}
        }
        if new > 0 { Err("a process has counted a change that nobody asked for".into()) } else { Ok(()) }
    }

    /// The oldest change that is held, if it is known to be counted. So many numbers are not explained yet.
    fn next_held(&mut self, process: usize, new: u64) -> Option<(Ticket, Change)> {
        let (ticket, change) = self.processes[process].counting.held.front()?;
        let is_counted = new > 0 || self.is_done_in_vain(process, (*ticket, change));
        if is_counted { self.processes[process].counting.held.pop_front() } else { None }
    }

    /// Whether a change is counted, and changes nothing.
    fn is_done_in_vain(&self, process: usize, (ticket, change): (Ticket, &Change)) -> bool {
        !self.takes_number(ticket)
            && !self.changes_something(process, change)
            && self.may_count(process, ticket)
    }

    /// Whether a process counts now, what it has held too. If a change tells values, it waits for the recovery, as reads do.
    fn may_count(&self, process: usize, ticket: Ticket) -> bool {
        let replica = &self.processes[process].replica;
        let needs_store = self.plan.config.ack == AckPolicy::Store;
        let waits = self.ledger.tells(ticket) && !replica.is_ready();
        replica.has_chosen() && !(needs_store && replica.is_store_down()) && !waits
    }

    /// Whether a request takes a number even if it changes nothing.
    fn takes_number(&self, ticket: Ticket) -> bool {
        self.ledger.has_note(ticket) || self.ledger.import_of(ticket).is_some()
    }

    fn changes_something(&self, process: usize, change: &Change) -> bool {
        let counting = &self.processes[process].counting;
        !self.past.outcome(&counting.under, change, &counting.seen()).entries.is_empty()
    }

    /// A process counts a change. Returns how many numbers that takes: one, or none if it changes nothing and has no note.
    fn count(&mut self, process: usize, ticket: Ticket, change: &Change) -> Result<u64, String> {
        let takes_number = self.takes_number(ticket);
        let seen = self.processes[process].counting.seen();
        let tells = self.ledger.tells(ticket);
        if tells {
            let (ledger, view) = self.ledger_and_view();
            ledger.goes_back(process, &seen, &view)?;
        }
        let Self { past, ledger, processes, .. } = self;
        let counting = &mut processes[process].counting;
        if past.number(&counting.under) != counting.number {
            return Err(format!("two processes count under {}", counting.under));
        }
        let made = past.outcome(&counting.under, change, &seen);
        let observed = resets(change).map(|counter| (counter.clone(), ledger.observed(counter, &seen)));
        let observed: BTreeMap<_, _> = observed.collect();
        let is_change = !made.entries.is_empty();
        let takes = u64::from(is_change || takes_number);
        counting.number += takes;
        if takes > 0 {
            past.count(&counting.under, made.entries);
        }
        let (replica, number) = (counting.under.clone(), counting.number);
        let is_batch = matches!(change, Change::Batch(_));
        let (told, seen) = (made.told, tells.then_some(seen));
        ledger.count(ticket, Counted { replica, number, is_change, is_batch, told, seen, observed })?;
        Ok(takes)
    }

    /// A process goes on under its predecessor's replica. If the store went back, that has counted more than anybody holds.
    fn inherit(&mut self, process: usize) -> Checked {
        let replica = &self.processes[process].replica;
        let (under, number) = (replica.id().clone(), replica.number());
        if number > self.past.number(&under) {
            return Err(format!("{under} is inherited at {number}, and has not counted so far"));
        }
        if number < self.past.number(&under) {
            if !self.plan.has(Kind::Backs) {
                return Err(format!("{under} is inherited at {number}, and has counted more"));
            }
            let (ledger, view) = self.ledger_and_view();
            ledger.note_losses(&view);
            self.ledger.cut(&under, number);
            self.records.cut(&under, number);
            self.past.cut(&under, number);
        }
        let counting = &mut self.processes[process].counting;
        (counting.under, counting.number) = (under, number);
        Ok(())
    }
}

/// The requests that are refused for certain.
fn refused(effects: &[Effect]) -> BTreeSet<Ticket> {
    let refused = effects.iter().filter_map(|effect| match effect {
        Effect::Reply { ticket, result: Err(refusal) } if !refusal.may_have_counted() => Some(*ticket),
        Effect::Reply { .. } | Effect::Send { .. } | Effect::Store { .. } | Effect::Done => None,
    });
    refused.collect()
}

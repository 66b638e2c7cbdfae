//! What processes count: found out from outside, by the requests that they are given and the numbers that they reach.

use std::collections::{BTreeSet, VecDeque};

use replica::{Change, Effect, Input, Replica, ReplicaId, Request, Ticket};

use super::World;
use super::ledger::{Checked, Counted, Observed};
use super::past::Versions;
use super::plan::{Kind, ms};

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
    Tick,
    Other,
}

impl Counting {
    pub(crate) fn new(replica: &Replica) -> Self {
        let under = replica.id().clone();
        Self { under, number: 0, held: VecDeque::new(), shown: Versions::new() }
    }

    /// Whether this process has covered that number of a replica, shown or not.
    pub(crate) fn has(&self, replica: &ReplicaId, number: u64) -> bool {
        self.shown.counter().get(replica) >= number || self.under == *replica && self.number >= number
    }
}

impl Cause {
    pub(crate) fn of(input: &Input) -> Self {
        match input {
            Input::Client { ticket, request: Request::Change(change), .. } => {
                Self::Asked(*ticket, change.clone())
            }
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
                if new > 0 || self.is_done_in_vain(process, &change) {
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
            Cause::Other => {}
        }
        if new > 0 { Err("a process has counted a change that nobody asked for".into()) } else { Ok(()) }
    }

    /// The oldest change that is held, if it is known to be counted. So many numbers are not explained yet.
    fn next_held(&mut self, process: usize, new: u64) -> Option<(Ticket, Change)> {
        let (_, change) = self.processes[process].counting.held.front()?;
        let is_counted = new > 0 && !self.must_wait(process, change) || self.is_done_in_vain(process, change);
        if is_counted { self.processes[process].counting.held.pop_front() } else { None }
    }

    /// Whether a change is counted, and changes nothing.
    fn is_done_in_vain(&self, process: usize, change: &Change) -> bool {
        !self.changes_something(process, change)
            && !self.must_wait(process, change)
            && self.may_count(process)
    }

    /// Whether a process would count an add now, that changes its counter.
    fn may_count(&self, process: usize) -> bool {
        let mut probe = self.processes[process].replica.clone();
        while probe.poll_effect().is_some() {}
        let request = Request::Change(Change::Add(self.plan.names[0].clone(), 1));
        let answer_by = self.now + ms(1000);
        probe.handle(self.now, Input::Client { ticket: Ticket(u64::MAX), answer_by, request });
        probe.number() > self.processes[process].replica.number()
    }

    fn must_wait(&self, process: usize, change: &Change) -> bool {
        let Change::Reset(counter) = change else { return false };
        let Counting { under, shown, .. } = &self.processes[process].counting;
        self.past.last_reset(under, counter) > shown.counter().get(under)
    }

    fn changes_something(&self, process: usize, change: &Change) -> bool {
        let Counting { under, shown, .. } = &self.processes[process].counting;
        !self.past.outcome(under, change, shown).is_empty()
    }

    /// A process counts a change. Returns how many numbers that takes: one, or none if it changes nothing.
    fn count(&mut self, process: usize, ticket: Ticket, change: &Change) -> Result<u64, String> {
        let Self { past, ledger, processes, .. } = self;
        let Counting { under, number, shown, .. } = &mut processes[process].counting;
        if past.number(under) != *number {
            return Err(format!("two processes count under {under}"));
        }
        let entries = past.outcome(under, change, shown);
        let (value, observed) = match change {
            Change::Reset(counter) => (past.value(counter, shown), ledger.observed(counter, shown)),
            Change::Add(..) | Change::Batch(_) | Change::Report { .. } => (0, Observed::default()),
        };
        let is_change = !entries.is_empty();
        let takes = u64::from(is_change);
        *number += takes;
        if is_change {
            past.count(under, change, entries);
        }
        let counted = Counted { replica: under.clone(), number: *number, is_change, value, observed };
        ledger.count(ticket, counted)?;
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
            self.storage.records.cut(&under, number);
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

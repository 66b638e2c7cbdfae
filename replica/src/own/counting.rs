//! Counting: what a change does to the own row.

use std::collections::BTreeMap;

use crdt::named::{ChangeError, Entry};

use super::Own;
use crate::config::{MAX_COUNTERS, MAX_NOTE, MAX_PENDING, MAX_SOURCES, Numbering};
use crate::identity::ReplicaId;
use crate::seam::{Change, Name, Refusal, Reply, Step};
use crate::store::{Note, Noted};
use crate::tally::{Rows, THE_COUNTER};

/// A change as a client asked for it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub change: Change,
    /// Whether the answer tells the values.
    pub tells: bool,
    pub note: Option<Note>,
}

/// What is to become of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Counts,
    /// It may be counted later.
    Waits,
    Refused(Refusal),
}

impl Own {
    /// Counts a change: all of it or, if it is refused, none. Returns the answer, to be given once the change is durable.
    pub(crate) fn count(&mut self, order: &Order, shown: &Rows) -> Result<Reply, Refusal> {
        debug_assert!(self.has_chosen, "nothing is counted under a replica that may be another's");
        let Order { change, tells, note } = order;
        if self.numbering == Numbering::BySum && (note.is_some() || !change.only_adds_to(THE_COUNTER)) {
            return Err(Refusal::OneCounterOnly);
        }
        if note.is_some() && self.notes.len() >= MAX_PENDING {
            return Err(Refusal::TooManyAdds);
        }
        let before = self.number;
        let reply = match change {
            Change::Add(counter, delta) => {
                self.add(counter, *delta, shown)?;
                self.tell(*tells, counter, shown)
            }
            Change::Reset(counter) => Reply::Reset(self.reset(counter, shown)?),
            Change::Report { counter, source, total } => {
                self.report(counter, (source, *total), shown)?;
                self.tell(*tells, counter, shown)
            }
            Change::Batch(steps) => {
                let values = self.step_all(steps, shown, *tells)?;
                if *tells { Reply::Values(values.into()) } else { Reply::Counted }
            }
        };
        if let Some(note) = note {
            self.keep(note, &reply, before)?;
        }
        Ok(reply)
    }

    /// Keeps a note until it is stored, with its change's number. A change that changes nothing takes one for its note.
    fn keep(&mut self, note: &Note, reply: &Reply, before: u64) -> Result<(), Refusal> {
        if self.number == before {
            self.number = self.next_number(1)?;
        }
        debug_assert!(note.text.len() <= MAX_NOTE, "the world makes notes, and no long ones");
        self.notes.push_back((self.number, Noted { note: note.clone(), value: reply.value() }));
        self.bound = self.number;
        Ok(())
    }

    /// Takes a number without a change. Once the store has it, it has all that the record lacks by now.
    pub(crate) fn mark(&mut self) -> Result<(), Refusal> {
        if self.numbering == Numbering::BySum {
            return Err(Refusal::OneCounterOnly);
        }
        self.number = self.next_number(1)?;
        self.bound = self.number;
        Ok(())
    }

    fn tell(&self, tells: bool, counter: &Name, shown: &Rows) -> Reply {
        if tells { Reply::Value(self.unshown.value(shown, &self.replica, counter)) } else { Reply::Counted }
    }

    /// The number of the next change, which counts so much.
    fn next_number(&self, counts: u128) -> Result<u64, Refusal> {
        let step = match self.numbering {
            Numbering::ByChange => 1,
            Numbering::BySum => counts,
        };
        u64::try_from(u128::from(self.number) + step).map_err(|_| Refusal::Overflow)
    }

    fn entry(&self, shown: &Rows, counter: &Name) -> Entry<ReplicaId> {
        self.unshown.entry(shown, &self.replica, counter)
    }

    fn add(&mut self, counter: &Name, delta: i64, shown: &Rows) -> Result<(), Refusal> {
        if delta == 0 {
            return Ok(());
        }
        let number = self.next_number(delta.unsigned_abs().into())?;
        if self.unshown.add_again(counter, delta, number).map_err(|_| Refusal::Overflow)? {
            self.number = number;
            return Ok(());
        }
        let slot = self.unshown.slot(shown, &self.replica, counter);
        let entry = slot.map(|slot| self.unshown.entry_at(shown, &self.replica, slot));
        let mut entry = entry.unwrap_or_default();
        entry.add(delta).map_err(|_| Refusal::Overflow)?;
        if slot.is_none() {
            self.check_room([counter].into_iter(), shown)?;
        }
        self.unshown.set((shown, &self.replica), counter, (slot, number, entry));
        self.number = number;
        Ok(())
    }

    /// Subtracts what is shown of a counter, and what this process has counted beyond that. Returns how much.
    fn reset(&mut self, counter: &Name, shown: &Rows) -> Result<i128, Refusal> {
        let mut entry = self.entry(shown, counter);
        let (value, is_news) = self.reset_entry(counter, &mut entry, shown);
        if is_news {
            let number = self.next_number(1)?;
            self.set_all(vec![(counter, entry)], number, shown)?;
        }
        Ok(value)
    }

    /// Resets the entry that this process has of a counter. Returns the value that this subtracts, and whether it is news.
    fn reset_entry(&self, counter: &Name, entry: &mut Entry<ReplicaId>, shown: &Rows) -> (i128, bool) {
        let value = shown.value_with(counter, (&self.replica, entry.borrowed()));
        let observed = shown.observed_with(counter, (&self.replica, entry.borrowed()));
        (value, entry.reset(&observed))
    }

    /// Takes a source's total.
    fn report(&mut self, counter: &Name, (source, total): (&Name, u64), shown: &Rows) -> Result<(), Refusal> {
        let mut entry = self.entry(shown, counter);
        let known = shown.totals(counter);
        let has_room = known.len() < MAX_SOURCES || known.contains(source);
        match entry.report(source, total) {
            Ok(false) => return Ok(()),
            Ok(true) if has_room => {}
            Ok(true) | Err(ChangeError::Sources) => return Err(Refusal::TooManySources),
            Err(ChangeError::Overflow | ChangeError::Full) => return Err(Refusal::Overflow),
        }
        let number = self.next_number(1)?;
        self.set_all(vec![(counter, entry)], number, shown)
    }

    /// Does all steps of a batch under one number. If it `tells`: returns the value after each add, and what each reset subtracts.
    fn step_all(&mut self, steps: &[(Name, Step)], shown: &Rows, tells: bool) -> Result<Vec<i128>, Refusal> {
        let mut entries = BTreeMap::new();
        let mut values = Vec::with_capacity(if tells { steps.len() } else { 0 });
        let mut sum = 0_u128;
        for (counter, step) in steps {
            let (entry, is_changed) =
                entries.entry(counter).or_insert_with(|| (self.entry(shown, counter), false));
            match step {
                Step::Add(delta) => {
                    entry.add(*delta).map_err(|_| Refusal::Overflow)?;
                    sum += u128::from(delta.unsigned_abs());
                    *is_changed |= *delta != 0;
                    if tells {
                        values.push(shown.value_with(counter, (&self.replica, entry.borrowed())));
                    }
                }
                Step::Reset => {
                    let (value, is_news) = self.reset_entry(counter, entry, shown);
                    *is_changed |= is_news;
                    values.extend(tells.then_some(value));
                }
            }
        }
        entries.retain(|_, (_, is_changed)| *is_changed);
        if !entries.is_empty() {
            let number = self.next_number(sum)?;
            let entries = entries.into_iter().map(|(counter, (entry, _))| (counter, entry)).collect();
            self.set_all(entries, number, shown)?;
        }
        Ok(values)
    }

    /// Sets the entries of these counters, as they are after change `number`.
    fn set_all(
        &mut self,
        entries: Vec<(&Name, Entry<ReplicaId>)>,
        number: u64,
        shown: &Rows,
    ) -> Result<(), Refusal> {
        self.check_room(entries.iter().map(|(counter, _)| *counter), shown)?;
        for (counter, entry) in entries {
            let slot = self.unshown.slot(shown, &self.replica, counter);
            self.unshown.set((shown, &self.replica), counter, (slot, number, entry));
        }
        self.number = number;
        Ok(())
    }

    /// The counters that are new here must have room.
    fn check_room<'a>(&self, counters: impl Iterator<Item = &'a Name>, shown: &Rows) -> Result<(), Refusal> {
        let held = shown.len() + self.unshown.new_counters();
        let new = counters.filter(|counter| !shown.contains(counter)).count();
        if new > 0 && held + new > MAX_COUNTERS { Err(Refusal::TooManyCounters) } else { Ok(()) }
    }
}

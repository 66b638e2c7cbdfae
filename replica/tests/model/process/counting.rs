//! Which changes a process counts, in a world with many counters: the entries of the [ledger](crate::ledger).
//!
//! A replica says how far it has counted, not what. It counts a change when it is asked for, or on a later tick, first come first
//! served. What it has answered does not wait any more. A reset that has nothing to subtract takes no number.

use crdt::named::EntryRef;
use replica::{AckPolicy, Input, Replica, Rows};

use super::Process;
use super::Step;
use crate::generator::Generator;
use crate::ledger::Counted;
use crate::setup::Setup;

/// A replica before an input that may make it count.
pub(super) struct Before {
    /// The change that the input asks for.
    change: Option<usize>,
    number: u64,
    rows: Rows,
}

impl Before {
    pub(super) fn of(replica: &Replica<Generator>, input: &Input, setup: &Setup) -> Option<Self> {
        let change = match input {
            Input::Client { ticket, .. } => {
                Some(usize::try_from(ticket.0).ok().filter(|change| *change < setup.wishes.len())?)
            }
            Input::Tick { .. } => None,
            Input::Roster(_)
            | Input::Forget { .. }
            | Input::Peer { .. }
            | Input::Store { .. }
            | Input::Shutdown
            | Input::Closed => return None,
        };
        let (number, rows) = (replica.number(), replica.state().clone());
        setup.is_named().then_some(Self { change, number, rows })
    }
}

impl Process {
    /// Notes which changes an input has made the replica count: the change that the input asks for, or those that waited.
    pub(super) fn note_counted(&mut self, before: Option<Before>, setup: &Setup, step: &mut Step) {
        let Some(before) = before else { return };
        let mut numbers = before.number + 1..=self.replica.number();
        if let Some(change) = before.change {
            match numbers.next() {
                Some(number) => self.note(change, number, &before, setup, step),
                None if self.may_wait(change, &before, setup) => self.uncounted.push(change),
                None => {}
            }
            return;
        }
        let counts = !numbers.is_empty() || self.replica.number() > 0 && !self.may_not_count(setup);
        while let Some(change) = self.uncounted.first().copied() {
            // A reset that has nothing to subtract takes no number.
            let comes_to_nothing = self.comes_to_nothing(change, &before, setup);
            match if comes_to_nothing { None } else { numbers.next() } {
                Some(number) => self.note(change, number, &before, setup, step),
                None if counts && comes_to_nothing && !self.has_unshown_reset(change, &before, setup) => {}
                None => return,
            }
            self.uncounted.remove(0);
        }
    }

    fn note(&mut self, change: usize, number: u64, before: &Before, setup: &Setup, step: &mut Step) {
        let replica = self.replica.id().clone();
        let seen = setup.wishes[change].resets().map(|counter| before.rows.observed(counter));
        let counted = Counted { change, replica, number, seen: seen.unwrap_or_default() };
        self.counted.push(counted.clone());
        step.counted.push(counted);
    }

    /// Whether a change that took no number may wait to be counted.
    fn may_wait(&self, change: usize, before: &Before, setup: &Setup) -> bool {
        setup.wishes[change].resets().is_none()
            || self.counted.is_empty()
            || self.may_not_count(setup)
            || self.has_unshown_reset(change, before, setup)
    }

    fn may_not_count(&self, setup: &Setup) -> bool {
        setup.ack == AckPolicy::Store && self.replica.is_store_down()
    }

    fn has_unshown_reset(&self, change: usize, before: &Before, setup: &Setup) -> bool {
        let wish = setup.wishes[change];
        let shown = before.rows.version(self.replica.id());
        let mut unshown = self.counted.iter().filter(|counted| counted.number > shown);
        wish.resets().is_some() && unshown.any(|counted| setup.wishes[counted.change] == wish)
    }

    fn comes_to_nothing(&self, change: usize, before: &Before, setup: &Setup) -> bool {
        let Some(counter) = setup.wishes[change].resets() else { return false };
        let own = self.replica.id();
        let slot = before.rows.slot(own, counter);
        let entry = slot.and_then(|slot| before.rows.entry(own, slot));
        let mut entry = entry.map(EntryRef::to_entry).unwrap_or_default();
        !entry.reset(&before.rows.observed(counter))
    }
}

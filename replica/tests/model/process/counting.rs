//! Which changes a process counts, in a world with many counters: the entries of the [ledger](crate::ledger).
//!
//! A replica says how far it has counted, not what. It counts a change when it is asked for, or on a later tick, first come first
//! served. What it has answered does not wait any more. A reset that has nothing to subtract takes no number.

use crdt::named::{Entry, EntryRef};
use replica::{AckPolicy, Input, Replica, ReplicaId, Rows};

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
            | Input::Import { .. }
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
                None if self.may_wait(change, setup) => self.uncounted.push(change),
                None => {}
            }
            return;
        }
        let counts = self.counts(setup);
        while let Some(change) = self.uncounted.first().copied() {
            // A reset that has nothing to subtract takes no number.
            let comes_to_nothing = self.comes_to_nothing(change, &before, setup);
            match if comes_to_nothing { None } else { numbers.next() } {
                Some(number) => self.note(change, number, &before, setup, step),
                None if counts && comes_to_nothing => {}
                None => return,
            }
            self.uncounted.remove(0);
        }
    }

    fn note(&mut self, change: usize, number: u64, before: &Before, setup: &Setup, step: &mut Step) {
        let replica = self.replica.id().clone();
        let seen = setup.wishes[change].resets().map(|counter| {
            let own = self.own_entry(counter, before, setup);
            before.rows.observed_with(counter, (&replica, own.borrowed()))
        });
        let counted = Counted { change, replica, number, seen: seen.unwrap_or_default() };
        self.counted.push(counted.clone());
        step.counted.push(counted);
    }

    /// Whether a change that took no number may wait to be counted. It does so behind others.
    fn may_wait(&self, change: usize, setup: &Setup) -> bool {
        let is_reset = setup.wishes[change].resets().is_some();
        !is_reset || !self.uncounted.is_empty() || !self.counts(setup)
    }

    /// Whether it counts the changes that are asked of it.
    fn counts(&self, setup: &Setup) -> bool {
        self.replica.has_chosen() && !(setup.ack == AckPolicy::Store && self.replica.is_store_down())
    }

    fn comes_to_nothing(&self, change: usize, before: &Before, setup: &Setup) -> bool {
        let Some(counter) = setup.wishes[change].resets() else { return false };
        let mut own = self.own_entry(counter, before, setup);
        let observed = before.rows.observed_with(counter, (self.replica.id(), own.borrowed()));
        !own.reset(&observed)
    }

    /// All that this process has counted of a counter, shown or not: what it shows, and the changes above that.
    fn own_entry(&self, counter: &str, before: &Before, setup: &Setup) -> Entry<ReplicaId> {
        let (rows, own) = (&before.rows, self.replica.id());
        let entry = rows.slot(own, counter).and_then(|slot| rows.entry(own, slot));
        let mut entry = entry.map(EntryRef::to_entry).unwrap_or_default();
        let shown = rows.version(own);
        for Counted { change, seen, .. } in self.counted.iter().filter(|counted| counted.number > shown) {
            let wish = setup.wishes[*change];
            for _ in wish.adds_to().into_iter().filter(|other| *other == counter) {
                entry.add(Setup::delta(*change)).expect("small");
            }
            if wish.resets() == Some(counter) {
                entry.reset(seen);
            }
        }
        entry
    }
}

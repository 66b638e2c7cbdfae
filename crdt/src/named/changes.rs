//! What an actor changes in its own row.

use super::entry::plus;
use super::{Batch, ChangeError, Counters};
use crate::ToActor;

impl<A: Ord + Clone> Counters<A> {
    /// Adds `delta` to a counter for `actor`, and returns the number of the change: the new version of the actor's row.
    ///
    /// It makes the counter if there is none. A `delta` of 0 changes nothing and makes nothing. Costs a search for the actor,
    /// and a look-up for the name: some 50 ns.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// assert_eq!(counters.add("n0", "views", 3)?, 1);
    /// assert_eq!(counters.add("n0", "likes", -1)?, 2);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError`] if the actor's increments or decrements would pass `u64::MAX`, or there is no room for another counter.
    /// Nothing is changed then.
    pub fn add(&mut self, actor: impl ToActor<A>, name: &str, delta: i64) -> Result<u64, ChangeError> {
        if delta == 0 {
            return Ok(self.version(actor));
        }
        let place = self.place(&actor);
        let row = place.ok().and_then(|at| self.rows.get(at));
        let slot = row.zip(self.names.find(name)).and_then(|(row, name)| row.find(name));
        let before = row.zip(slot).map_or((0, 0), |(row, slot)| row.counts(slot));
        let after = plus(before, delta)?;
        if slot.is_none() {
            self.names.room_for(1, name.len())?;
        }
        let (at, number) = match place {
            Ok(at) => (at, self.versions.inc(actor)?),
            Err(at) => {
                let actor = actor.to_actor();
                let number = self.versions.inc(&actor)?;
                (self.make_row(at, actor), number)
            }
        };
        let Self { names, rows, .. } = self;
        if let Some(row) = rows.get_mut(at) {
            let at = match slot {
                Some(slot) => slot,
                None => row.create(names.intern(name)?),
            };
            row.raise(at, number, after);
            if slot.is_none() {
                row.note_births(number);
            }
        }
        Ok(number)
    }

    /// A batch of changes by `actor`, which share one number: another state has all of them or none.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// let mut batch = counters.change("n0");
    /// batch.add("oslo", -5)?.add("rome", 5)?;
    /// assert_eq!(batch.commit()?, 1);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn change(&mut self, actor: impl ToActor<A>) -> Batch<'_, A> {
        Batch::new(self, actor.to_actor())
    }
}

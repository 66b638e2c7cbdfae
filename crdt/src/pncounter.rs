mod names;
mod traits;

use crate::ledger::Ledger;
use crate::{GCounter, Overflow, PnIter, Slot, ToActor};

/// A counter that goes up and down: what each actor added, and what it took away; the value is the difference of the
/// sums.
///
/// It has every method of [`GCounter`]. Each id is held once, with two counts: searches and comparisons of ids cost the same,
/// passes over the counts twice as much. With serde it is written as two of these, `{"p":{…},"n":{…}}`.
///
/// Source: Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of Convergent and Commutative Replicated
/// Data Types*, 2011, specification 7.
///
/// ```
/// use crdt::PnCounter;
///
/// let mut counter = PnCounter::<String>::new();
/// counter.add("n0", 3)?;
/// counter.add("n1", -5)?;
/// assert_eq!(counter.value(), -2);
/// # Ok::<(), crdt::Overflow>(())
/// ```
pub struct PnCounter<A> {
    pub(crate) ledger: Ledger<A, 2>,
}

/// The sides of an entry.
pub(crate) const INCREMENTS: usize = 0;
pub(crate) const DECREMENTS: usize = 1;

impl<A> PnCounter<A> {
    /// An empty counter. Allocates nothing.
    ///
    /// ```
    /// assert!(crdt::PnCounter::<u64>::new().is_empty());
    /// ```
    pub const fn new() -> Self {
        Self { ledger: Ledger::new() }
    }

    /// The sum of all increments less the sum of all decrements. It can't overflow. One pass over the counts.
    ///
    /// ```
    /// # use crdt::PnCounter;
    /// let mut counter = PnCounter::<u64>::new();
    /// counter.add(1, i64::MIN)?;
    /// assert_eq!(counter.value(), i128::from(i64::MIN));
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub fn value(&self) -> i128 {
        let [increments, decrements] = self.ledger.sums();
        increments.cast_signed() - decrements.cast_signed()
    }

    /// How many actors have counted, up or down. It is kept, not counted.
    ///
    /// ```
    /// let counter: crdt::PnCounter<u64> = [(1, (5, 0)), (2, (0, 1)), (3, (0, 0))].into_iter().collect();
    /// assert_eq!(counter.len(), 2);
    /// ```
    pub const fn len(&self) -> usize {
        self.ledger.len()
    }

    /// Whether nothing was ever counted. A counter that went up and down again is not empty.
    ///
    /// ```
    /// # use crdt::PnCounter;
    /// let mut counter = PnCounter::<u64>::new();
    /// counter.add(1, 5)?;
    /// counter.add(1, -5)?;
    /// assert!(counter.value() == 0 && !counter.is_empty());
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The actors with their increments and decrements, in the order of their ids.
    ///
    /// ```
    /// let counter: crdt::PnCounter<&str> = [("b", (0, 2)), ("a", (3, 1))].into_iter().collect();
    /// assert!(counter.iter().eq([(&"a", (3, 1)), (&"b", (0, 2))]));
    /// ```
    pub fn iter(&self) -> PnIter<'_, A> {
        PnIter::new(self.ledger.iter())
    }

    /// Whether both have the very same table of ids, so that a merge of the two is one pass of `max`, and a search for
    /// each recent id that is not in the table yet.
    /// See [`GCounter::shares_ids`].
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<u64>::new();
    /// counter.add(1, -5)?;
    /// assert!(counter.shares_ids(&counter.clone()));
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    #[inline]
    pub fn shares_ids(&self, other: &Self) -> bool {
        self.ledger.shares_ids(&other.ledger)
    }
}

impl<A: Ord + Clone> PnCounter<A> {
    /// A counter of these increments and decrements. Costs what merging the two costs.
    ///
    /// ```
    /// # use crdt::{GCounter, PnCounter};
    /// let up: GCounter<u64> = [(1, 5)].into_iter().collect();
    /// assert_eq!(PnCounter::from_parts(GCounter::new(), up).value(), -5);
    /// ```
    pub fn from_parts(increments: GCounter<A>, decrements: GCounter<A>) -> Self {
        let mut ledger = increments.ledger.into_side(INCREMENTS);
        if !decrements.is_empty() {
            ledger.merge(&decrements.ledger.into_side(DECREMENTS));
        }
        Self { ledger }
    }

    /// What was added, as a counter that shares the ids. Costs a copy of the counts.
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<u64>::new();
    /// counter.add(1, 5)?;
    /// assert_eq!(counter.increments().value(), 5);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    #[must_use]
    pub fn increments(&self) -> GCounter<A> {
        GCounter { ledger: self.ledger.of_side(INCREMENTS) }
    }

    /// What was taken away, as a counter that shares the ids. Costs a copy of the counts.
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<u64>::new();
    /// counter.add(1, -5)?;
    /// assert_eq!(counter.decrements().value(), 5);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    #[must_use]
    pub fn decrements(&self) -> GCounter<A> {
        GCounter { ledger: self.ledger.of_side(DECREMENTS) }
    }

    /// Adds `n`, which may be negative, for `actor`, and returns the actor's new balance. Adding 0 leaves no entry.
    ///
    /// Costs one comparison of ids if it is the actor of the last two calls, else a search among them.
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<String>::new();
    /// counter.add("n0", 3)?;
    /// assert_eq!(counter.add("n0", -5)?, -2);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the actor's increments or decrements would pass `u64::MAX`; nothing is changed.
    #[inline]
    pub fn add(&mut self, actor: impl ToActor<A>, n: i64) -> Result<i128, Overflow> {
        let found = self.ledger.find(&actor);
        self.ledger.add(found, amounts(n), || actor.to_actor()).map(balance)
    }

    /// As [`add`](Self::add), for the actor of `slot`: one comparison instead of a search, once the slot has found
    /// its place.
    ///
    /// ```
    /// # use crdt::{Overflow, PnCounter, Slot};
    /// let mut counter = PnCounter::<String>::new();
    /// let mut own = Slot::new("n0");
    /// counter.add_at(&mut own, 3)?;
    /// assert_eq!(counter.add_at(&mut own, -5)?, -2);
    /// # Ok::<(), Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the actor's increments or decrements would pass `u64::MAX`; nothing is changed.
    #[inline]
    pub fn add_at(&mut self, slot: &mut Slot<A>, n: i64) -> Result<i128, Overflow> {
        let found = self.ledger.find_slot(slot);
        self.ledger.add(found, amounts(n), || slot.actor.clone()).map(balance)
    }

    /// Raises the increments and the decrements of `actor` to these, as merging a counter of this one entry would.
    /// Returns whether that changed anything.
    ///
    /// ```
    /// let mut counter = crdt::PnCounter::<String>::new();
    /// assert!(counter.raise("n0", 5, 2));
    /// assert!(!counter.raise("n0", 4, 2));
    /// assert_eq!(counter.get("n0"), 3);
    /// ```
    #[inline]
    pub fn raise(&mut self, actor: impl ToActor<A>, increments: u64, decrements: u64) -> bool {
        let found = self.ledger.find(&actor);
        self.ledger.raise(found, [increments, decrements], || actor.to_actor())
    }

    /// As [`raise`](Self::raise), for the actor of `slot`.
    ///
    /// ```
    /// # use crdt::{PnCounter, Slot};
    /// let mut counter = PnCounter::<String>::new();
    /// let mut slot = Slot::new("n0");
    /// assert!(counter.raise_at(&mut slot, 3, 1));
    /// assert!(!counter.raise_at(&mut slot, 3, 1));
    /// ```
    #[inline]
    pub fn raise_at(&mut self, slot: &mut Slot<A>, increments: u64, decrements: u64) -> bool {
        let found = self.ledger.find_slot(slot);
        self.ledger.raise(found, [increments, decrements], || slot.actor.clone())
    }

    /// The balance of one actor: its increments less its decrements. It takes every name that [`add`](Self::add) takes.
    /// Costs a search among the ids.
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<String>::new();
    /// counter.add("n0", -5)?;
    /// assert_eq!(counter.get("n0"), -5);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "names are given as they are to `add`")]
    pub fn get(&self, actor: impl ToActor<A>) -> i128 {
        balance(self.ledger.get(&actor))
    }

    /// The increments and the decrements of one actor. It takes every name that [`add`](Self::add) takes. Costs a search
    /// among the ids.
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<String>::new();
    /// counter.add("n0", 3)?;
    /// counter.add("n0", -5)?;
    /// assert_eq!(counter.counts("n0"), (3, 5));
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "names are given as they are to `add`")]
    pub fn counts(&self, actor: impl ToActor<A>) -> (u64, u64) {
        self.ledger.get(&actor).into()
    }

    /// Takes in all that `other` knows. Returns whether anything changed. See [`GCounter::merge`].
    ///
    /// ```
    /// # let (mut a, mut b) = (crdt::PnCounter::<String>::new(), crdt::PnCounter::<String>::new());
    /// b.add("n1", -4)?;
    /// assert!(a.merge(&b));
    /// assert_eq!(a.value(), -4);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    #[inline]
    pub fn merge(&mut self, other: &Self) -> bool {
        self.ledger.merge(&other.ledger)
    }

    /// As [`merge`](Self::merge), but only with the entries that `accept` lets in, given the id, its increments and
    /// decrements here, and what they would become. See [`GCounter::merge_if`].
    ///
    /// ```
    /// let mut counter: crdt::PnCounter<u64> = [(1, (3, 0))].into_iter().collect();
    /// let heard = [(1, (3, u64::MAX)), (2, (5, 1))].into_iter().collect();
    /// assert!(counter.merge_if(&heard, |_, now, then| then.1 - now.1 <= 1_000_000));
    /// assert_eq!((counter.counts(&1), counter.counts(&2)), ((3, 0), (5, 1)));
    /// ```
    pub fn merge_if(
        &mut self,
        other: &Self,
        mut accept: impl FnMut(&A, (u64, u64), (u64, u64)) -> bool,
    ) -> bool {
        self.ledger.merge_if(&other.ledger, |id, now, then| accept(id, now.into(), then.into()))
    }

    /// As merging `others` one by one, faster where they share this counter's ids: four are read in one pass.
    ///
    /// ```
    /// let counters: Vec<crdt::PnCounter<u64>> = (1..=9).map(|n| [(n, (n, 1))].into_iter().collect()).collect();
    /// let mut all = crdt::PnCounter::new();
    /// assert!(all.merge_all(&counters));
    /// assert_eq!(all.value(), 36);
    /// ```
    pub fn merge_all<'a>(&mut self, others: impl IntoIterator<Item = &'a Self>) -> bool
    where
        A: 'a,
    {
        self.ledger.merge_all(others.into_iter().map(|other| &other.ledger))
    }

    /// What `other` lacks: the increments and the decrements that are larger here. Empty if `other` holds all of
    /// `self`. See [`GCounter::delta_since`].
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<String>::new();
    /// counter.add("n0", 3)?;
    /// let before = counter.clone();
    /// counter.add("n0", -1)?;
    /// let delta = counter.delta_since(&before);
    /// assert!(delta.increments().is_empty() && delta.value() == -1);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn delta_since(&self, other: &Self) -> Self {
        Self { ledger: self.ledger.difference(&other.ledger) }
    }

    /// Shares the ids of `other`, if that has all that are counted here. Returns whether the two share them now.
    /// See [`GCounter::share_ids`].
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<String>::new();
    /// counter.add("n0", 3)?;
    /// assert!(crdt::PnCounter::new().share_ids(&counter));
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub fn share_ids(&mut self, other: &Self) -> bool {
        self.ledger.share_ids(&other.ledger)
    }
}

const fn amounts(n: i64) -> [u64; 2] {
    if n < 0 { [0, n.unsigned_abs()] } else { [n.unsigned_abs(), 0] }
}

fn balance([increments, decrements]: [u64; 2]) -> i128 {
    i128::from(increments) - i128::from(decrements)
}

mod names;
mod traits;

use crate::ledger::Ledger;
use crate::{Iter, Overflow, Slot, ToActor};

/// A counter that only grows: one count per actor, merged by maximum; the value is their sum.
///
/// An actor is whoever adds: give each process lifetime an id of its own, and no count is ever lost or doubled,
/// however often and in whatever order states are merged.
///
/// Source: Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of Convergent and Commutative Replicated
/// Data Types*, 2011, specification 6; deltas: Almeida, Shoker, Baquero, *Delta State Replicated Data Types*, 2018.
///
/// ```
/// use crdt::GCounter;
///
/// let mut counter = GCounter::<String>::new();
/// assert_eq!(counter.add("n0", 3), Ok(3));
/// assert_eq!(counter.add("n1", 4), Ok(4));
/// assert_eq!(counter.value(), 7);
/// ```
///
/// # Representation
///
/// The ids are a sorted table that counters share; the counts are plain numbers beside it. Counters come to share a
/// table by cloning, by merging and by [`delta_since`](Self::delta_since), and then a merge is one pass of `max`.
/// A table may hold ids that have no count here: they are not entries, and nothing but the speed shows them.
///
/// A new id of a large counter goes into a short list beside the table. When that has grown to one in 12 of the ids, it
/// is woven into the table, which is copied if it is shared.
pub struct GCounter<A> {
    pub(crate) ledger: Ledger<A, 1>,
}

impl<A> GCounter<A> {
    /// An empty counter. Allocates nothing.
    ///
    /// ```
    /// assert!(crdt::GCounter::<u64>::new().is_empty());
    /// ```
    pub const fn new() -> Self {
        Self { ledger: Ledger::new() }
    }

    /// The sum of all counts. It can't overflow. One pass over the counts.
    ///
    /// ```
    /// let counter: crdt::GCounter<u64> = [(1, u64::MAX), (2, u64::MAX)].into_iter().collect();
    /// assert_eq!(counter.value(), 2 * u128::from(u64::MAX));
    /// ```
    pub fn value(&self) -> u128 {
        let [sum] = self.ledger.sums();
        sum
    }

    /// How many actors have a count. It is kept, not counted.
    ///
    /// ```
    /// let counter: crdt::GCounter<u64> = [(1, 5), (2, 0)].into_iter().collect();
    /// assert_eq!(counter.len(), 1);
    /// ```
    pub const fn len(&self) -> usize {
        self.ledger.len()
    }

    /// Whether no actor has a count.
    ///
    /// ```
    /// let counter: crdt::GCounter<u64> = [(2, 0)].into_iter().collect();
    /// assert!(counter.is_empty());
    /// ```
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The actors with their counts, in the order of their ids.
    ///
    /// ```
    /// let counter: crdt::GCounter<&str> = [("b", 2), ("a", 1)].into_iter().collect();
    /// assert!(counter.iter().eq([(&"a", 1), (&"b", 2)]));
    /// ```
    pub fn iter(&self) -> Iter<'_, A> {
        Iter::new(self.ledger.iter())
    }

    /// Whether both have the very same table of ids, so that a merge of the two is one pass of `max`, and a search for
    /// each recent id that is not in the table yet.
    ///
    /// ```
    /// let a: crdt::GCounter<u64> = [(1, 5), (2, 6)].into_iter().collect();
    /// assert!(a.shares_ids(&a.clone()));
    /// ```
    #[inline]
    pub fn shares_ids(&self, other: &Self) -> bool {
        self.ledger.shares_ids(&other.ledger)
    }
}

impl<A: Ord + Clone> GCounter<A> {
    /// Adds `n` to the count of `actor`, and returns its new count. Adding 0 leaves no entry.
    ///
    /// Costs one comparison of ids if it is the actor of the last two calls, else a search among them; through a [`Slot`]
    /// it always costs one comparison, see [`add_at`](Self::add_at).
    ///
    /// ```
    /// # use crdt::{GCounter, Overflow};
    /// let mut counter = GCounter::<String>::new();
    /// counter.add("n0", 3)?;
    /// assert_eq!(counter.add("n0", 4)?, 7);
    /// # Ok::<(), Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the count would pass `u64::MAX`; nothing is changed.
    #[inline]
    pub fn add(&mut self, actor: impl ToActor<A>, n: u64) -> Result<u64, Overflow> {
        let found = self.ledger.find(&actor);
        self.ledger.add(found, [n], || actor.to_actor()).map(|[count]| count)
    }

    /// As [`add`](Self::add), for the actor of `slot`: one comparison instead of a search, once the slot has found
    /// its place.
    ///
    /// ```
    /// # use crdt::{GCounter, Overflow, Slot};
    /// let mut counter = GCounter::<String>::new();
    /// let mut own = Slot::new("n0");
    /// counter.add_at(&mut own, 3)?;
    /// assert_eq!(counter.add_at(&mut own, 4)?, 7);
    /// # Ok::<(), Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the count would pass `u64::MAX`; nothing is changed.
    #[inline]
    pub fn add_at(&mut self, slot: &mut Slot<A>, n: u64) -> Result<u64, Overflow> {
        let found = self.ledger.find_slot(slot);
        self.ledger.add(found, [n], || slot.actor.clone()).map(|[count]| count)
    }

    /// Raises the count of `actor` to `count`, as merging a counter of this one entry would. Returns whether that
    /// changed anything.
    ///
    /// ```
    /// let mut counter = crdt::GCounter::<String>::new();
    /// assert!(counter.raise("n0", 3));
    /// assert!(!counter.raise("n0", 2));
    /// assert_eq!(counter.get("n0"), 3);
    /// ```
    #[inline]
    pub fn raise(&mut self, actor: impl ToActor<A>, count: u64) -> bool {
        let found = self.ledger.find(&actor);
        self.ledger.raise(found, [count], || actor.to_actor())
    }

    /// As [`raise`](Self::raise), for the actor of `slot`.
    ///
    /// ```
    /// # use crdt::{GCounter, Slot};
    /// let mut counter = GCounter::<String>::new();
    /// let mut slot = Slot::new("n0");
    /// assert!(counter.raise_at(&mut slot, 3));
    /// assert!(!counter.raise_at(&mut slot, 3));
    /// ```
    #[inline]
    pub fn raise_at(&mut self, slot: &mut Slot<A>, count: u64) -> bool {
        let found = self.ledger.find_slot(slot);
        self.ledger.raise(found, [count], || slot.actor.clone())
    }

    /// The count of one actor, 0 if it is unknown. It takes every name that [`add`](Self::add) takes. Costs a search among
    /// the ids.
    ///
    /// ```
    /// let counter: crdt::GCounter<String> = [("n0".to_string(), 3)].into_iter().collect();
    /// assert_eq!(counter.get("n0"), 3);
    /// assert_eq!(counter.get("n1"), 0);
    /// ```
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "names are given as they are to `add`")]
    pub fn get(&self, actor: impl ToActor<A>) -> u64 {
        let [count] = self.ledger.get(&actor);
        count
    }

    /// Takes in all that `other` knows: per actor the larger count. Returns whether anything changed.
    ///
    /// With a shared table it is one pass of `max` over the counts; else the ids are walked, and if they turn out to be
    /// the same, the table of `other` is shared from then on. Allocates if an id is new here, and to copy recent ids that
    /// a clone shares, before their counts change.
    ///
    /// ```
    /// # use crdt::{GCounter, Overflow};
    /// let (mut a, mut b) = (GCounter::<String>::new(), GCounter::<String>::new());
    /// a.add("n0", 3)?;
    /// b.add("n1", 4)?;
    /// assert!(a.merge(&b));
    /// assert!(!a.merge(&b), "again: nothing new");
    /// assert_eq!(a.value(), 7);
    /// # Ok::<(), Overflow>(())
    /// ```
    #[inline]
    pub fn merge(&mut self, other: &Self) -> bool {
        self.ledger.merge(&other.ledger)
    }

    /// As [`merge`](Self::merge), but only with the entries that `accept` lets in. It is asked about each entry that
    /// would change something, in the order of the ids: the id, its count here, and the larger count in `other`.
    /// Returns whether anything changed. If `accept` panics, nothing has.
    ///
    /// A count can't be taken back: one entry of `u64::MAX`, from a peer that lies or is broken, ends all counting for
    /// that actor. Where peers are not trusted, refuse what can't be:
    ///
    /// ```
    /// let mut counter: crdt::GCounter<String> = [("n0".to_string(), 3)].into_iter().collect();
    /// let heard = [("n0".to_string(), u64::MAX), ("n1".to_string(), 5)].into_iter().collect();
    /// let mut refused = 0;
    /// counter.merge_if(&heard, |_, now, then| {
    ///     let plausible = then - now <= 1_000_000;
    ///     refused += usize::from(!plausible);
    ///     plausible
    /// });
    /// assert_eq!((counter.get("n0"), counter.get("n1"), refused), (3, 5, 1));
    /// ```
    pub fn merge_if(&mut self, other: &Self, mut accept: impl FnMut(&A, u64, u64) -> bool) -> bool {
        self.ledger.merge_if(&other.ledger, |id, [now], [then]| accept(id, now, then))
    }

    /// As merging `others` one by one, faster where they share this counter's ids: four are read in one pass.
    ///
    /// ```
    /// let counters: Vec<crdt::GCounter<u64>> = (1..=9).map(|n| [(n, n)].into_iter().collect()).collect();
    /// let mut all = crdt::GCounter::new();
    /// assert!(all.merge_all(&counters));
    /// assert_eq!(all.value(), 45);
    /// ```
    pub fn merge_all<'a>(&mut self, others: impl IntoIterator<Item = &'a Self>) -> bool
    where
        A: 'a,
    {
        self.ledger.merge_all(others.into_iter().map(|other| &other.ledger))
    }

    /// What `other` lacks: the entries that are larger here. Empty if `other` holds all of `self`, and then nothing
    /// is allocated. Merging the result into `other` has the effect of merging `self`.
    ///
    /// The result shares this counter's ids if these are few (up to 128) or if many of them are new (one in 64 or more):
    /// it then holds 8 bytes for each of the ids. Else it has a small table of its own.
    ///
    /// ```
    /// # use crdt::{GCounter, Overflow};
    /// let mut counter: GCounter<String> = [("n0".to_string(), 3), ("n1".to_string(), 4)].into_iter().collect();
    /// let before = counter.clone();
    /// counter.add("n1", 1)?;
    /// assert!(counter.delta_since(&before).iter().eq([(&"n1".to_string(), 5)]));
    /// assert!(before.delta_since(&counter).is_empty());
    /// # Ok::<(), Overflow>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn delta_since(&self, other: &Self) -> Self {
        Self { ledger: self.ledger.difference(&other.ledger) }
    }

    /// Shares the table of ids of `other`, if that has all ids counted here. Returns whether the two share now.
    ///
    /// Merging does this by itself where the ids are the same. It is worth a call of its own for a counter that
    /// will often be compared to `other` but holds only a part of its ids, such as what a peer is known to have.
    ///
    /// ```
    /// let all: crdt::GCounter<u64> = [(1, 5), (2, 6)].into_iter().collect();
    /// let mut part: crdt::GCounter<u64> = [(2, 3)].into_iter().collect();
    /// assert!(part.share_ids(&all));
    /// assert_eq!(part.len(), 1);
    /// ```
    pub fn share_ids(&mut self, other: &Self) -> bool {
        self.ledger.share_ids(&other.ledger)
    }
}

//! Methods and traits that have the names of the standard library's, in terms of the others. As those of `GCounter`.

use super::PnCounter;
use crate::{IntoIter, Overflow, ToActor};
use core::iter::Sum;

impl<A> PnCounter<A> {
    /// The actors that have counted, up or down, in the order of their ids.
    ///
    /// ```
    /// let counter = crdt::PnCounter::from([("b", (0, 2)), ("a", (1, 0))]);
    /// assert!(counter.keys().eq([&"a", &"b"]));
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = &A> + Clone {
        self.iter().map(|(actor, _)| actor)
    }

    /// The increments and the decrements, in the order of the actors' ids.
    ///
    /// ```
    /// let counter = crdt::PnCounter::from([("b", (0, 2)), ("a", (1, 0))]);
    /// assert!(counter.values().eq([(1, 0), (0, 2)]));
    /// ```
    pub fn values(&self) -> impl Iterator<Item = (u64, u64)> + Clone {
        self.iter().map(|(_, counts)| counts)
    }
}

impl<A: Ord + Clone> PnCounter<A> {
    /// Adds one for `actor`, and returns the actor's new balance. As [`add`](Self::add).
    ///
    /// ```
    /// let mut counter = crdt::PnCounter::<String>::new();
    /// counter.inc("n0")?;
    /// assert_eq!(counter.inc("n0")?, 2);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the actor's increments would pass `u64::MAX`; nothing is changed.
    pub fn inc(&mut self, actor: impl ToActor<A>) -> Result<i128, Overflow> {
        self.add(actor, 1)
    }

    /// Takes one away for `actor`, and returns the actor's new balance. As [`add`](Self::add).
    ///
    /// ```
    /// let mut counter = crdt::PnCounter::<String>::new();
    /// counter.inc("n0")?;
    /// assert_eq!(counter.dec("n0")?, 0);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the actor's decrements would pass `u64::MAX`; nothing is changed.
    pub fn dec(&mut self, actor: impl ToActor<A>) -> Result<i128, Overflow> {
        self.add(actor, -1)
    }

    /// Whether `actor` has counted, up or down. Costs a search among the ids.
    ///
    /// ```
    /// let counter = crdt::PnCounter::from([("n0", (3, 3)), ("n1", (0, 0))]);
    /// assert!(counter.contains("n0") && !counter.contains("n1"));
    /// ```
    pub fn contains(&self, actor: impl ToActor<A>) -> bool {
        self.counts(actor) != (0, 0)
    }

    /// Whether each has increments or decrements that are larger than the other's.
    ///
    /// ```
    /// # use crdt::PnCounter;
    /// let (a, b) = (PnCounter::from([("n0", (3, 0))]), PnCounter::from([("n0", (0, 1))]));
    /// assert!(a.concurrent(&b) && !a.concurrent(&a));
    /// ```
    pub fn concurrent(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_none()
    }
}

/// From increments and decrements by actor, by maximum; zeros are dropped.
///
/// ```
/// assert_eq!(crdt::PnCounter::from([("n0", (3, 0)), ("n1", (0, 0)), ("n0", (2, 1))]).value(), 2);
/// ```
impl<A: Ord + Clone, const N: usize> From<[(A, (u64, u64)); N]> for PnCounter<A> {
    fn from(entries: [(A, (u64, u64)); N]) -> Self {
        entries.into_iter().collect()
    }
}

/// By increments and decrements by actor, by maximum; zeros are dropped.
impl<'a, A: Ord + Clone> Extend<(&'a A, (u64, u64))> for PnCounter<A> {
    fn extend<I: IntoIterator<Item = (&'a A, (u64, u64))>>(&mut self, entries: I) {
        self.extend(entries.into_iter().map(|(actor, counts)| (actor.clone(), counts)));
    }
}

/// All of them merged: of an actor that is in several, the largest increments and the largest decrements.
///
/// ```
/// # use crdt::PnCounter;
/// let counters = [PnCounter::from([("n0", (3, 0))]), PnCounter::from([("n0", (2, 1)), ("n1", (4, 0))])];
/// assert_eq!(counters.iter().sum::<PnCounter<&str>>().value(), 6);
/// ```
impl<'a, A: Ord + Clone> Sum<&'a Self> for PnCounter<A> {
    fn sum<I: Iterator<Item = &'a Self>>(counters: I) -> Self {
        let mut all = Self::new();
        all.merge_all(counters);
        all
    }
}

/// All of them merged: of an actor that is in several, the largest increments and the largest decrements.
impl<A: Ord + Clone> Sum for PnCounter<A> {
    fn sum<I: Iterator<Item = Self>>(counters: I) -> Self {
        counters.fold(Self::new(), |mut all, counter| {
            all.merge(&counter);
            all
        })
    }
}

/// The ids are cloned, for other counters may share them.
impl<A: Clone> IntoIterator for PnCounter<A> {
    type Item = (A, (u64, u64));
    type IntoIter = IntoIter<A, (u64, u64)>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter::new(self.iter().map(|(actor, counts)| (actor.clone(), counts)))
    }
}

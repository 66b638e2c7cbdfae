//! Methods and traits that have the names of the standard library's, in terms of the others.

use super::GCounter;
use crate::{IntoIter, Overflow, ToActor};
use core::iter::Sum;

impl<A> GCounter<A> {
    /// The actors that have a count, in the order of their ids.
    ///
    /// ```
    /// let counter = crdt::GCounter::from([("b", 2), ("a", 1)]);
    /// assert!(counter.keys().eq([&"a", &"b"]));
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = &A> + Clone {
        self.iter().map(|(actor, _)| actor)
    }

    /// The counts, in the order of the actors' ids.
    ///
    /// ```
    /// let counter = crdt::GCounter::from([("b", 2), ("a", 1)]);
    /// assert!(counter.values().eq([1, 2]));
    /// ```
    pub fn values(&self) -> impl Iterator<Item = u64> + Clone {
        self.iter().map(|(_, count)| count)
    }
}

impl<A: Ord + Clone> GCounter<A> {
    /// Adds one for `actor`, and returns its new count. As [`add`](Self::add).
    ///
    /// ```
    /// let mut counter = crdt::GCounter::<String>::new();
    /// counter.inc("n0")?;
    /// assert_eq!(counter.inc("n0")?, 2);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the count would pass `u64::MAX`; nothing is changed.
    pub fn inc(&mut self, actor: impl ToActor<A>) -> Result<u64, Overflow> {
        self.add(actor, 1)
    }

    /// Whether `actor` has a count. Costs a search among the ids.
    ///
    /// ```
    /// let counter = crdt::GCounter::from([("n0", 3), ("n1", 0)]);
    /// assert!(counter.contains("n0") && !counter.contains("n1"));
    /// ```
    pub fn contains(&self, actor: impl ToActor<A>) -> bool {
        self.get(actor) > 0
    }

    /// Whether each has a count that is larger than the other's.
    ///
    /// ```
    /// let (a, b) = (crdt::GCounter::from([("n0", 3)]), crdt::GCounter::from([("n1", 1)]));
    /// assert!(a.concurrent(&b) && !a.concurrent(&a));
    /// ```
    pub fn concurrent(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_none()
    }
}

/// By maximum; zero counts are dropped.
///
/// ```
/// assert_eq!(crdt::GCounter::from([("n0", 3), ("n1", 0), ("n0", 2)]).value(), 3);
/// ```
impl<A: Ord + Clone, const N: usize> From<[(A, u64); N]> for GCounter<A> {
    fn from(entries: [(A, u64); N]) -> Self {
        entries.into_iter().collect()
    }
}

/// By maximum; zero counts are dropped.
impl<'a, A: Ord + Clone> Extend<(&'a A, u64)> for GCounter<A> {
    fn extend<I: IntoIterator<Item = (&'a A, u64)>>(&mut self, entries: I) {
        self.extend(entries.into_iter().map(|(actor, count)| (actor.clone(), count)));
    }
}

/// All of them merged: of an actor that is in several, the largest count.
///
/// ```
/// # use crdt::GCounter;
/// let all: GCounter<&str> = [GCounter::from([("n0", 3)]), GCounter::from([("n0", 2), ("n1", 4)])].iter().sum();
/// assert_eq!(all.value(), 7);
/// ```
impl<'a, A: Ord + Clone> Sum<&'a Self> for GCounter<A> {
    fn sum<I: Iterator<Item = &'a Self>>(counters: I) -> Self {
        let mut all = Self::new();
        all.merge_all(counters);
        all
    }
}

/// All of them merged: of an actor that is in several, the largest count.
impl<A: Ord + Clone> Sum for GCounter<A> {
    fn sum<I: Iterator<Item = Self>>(counters: I) -> Self {
        counters.fold(Self::new(), |mut all, counter| {
            all.merge(&counter);
            all
        })
    }
}

/// The ids are cloned, for other counters may share them.
impl<A: Clone> IntoIterator for GCounter<A> {
    type Item = (A, u64);
    type IntoIter = IntoIter<A>;

    fn into_iter(self) -> IntoIter<A> {
        IntoIter::new(self.iter().map(|(actor, count)| (actor.clone(), count)))
    }
}

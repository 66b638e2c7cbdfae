use crate::{Delta, GCounter, Merge, Overflow, ToActor};
use core::cmp::Ordering;

/// Which events of which actor a replica has seen: per actor the number of the last one.
///
/// Events of an actor are numbered 1, 2, 3 and so on, and an actor's event is never seen before the ones that precede it.
/// So one number stands for all events up to it. A replica that can see event 3 without event 2 needs a set beside it
/// ("dotted" version vectors); this type would claim that it has seen both.
///
/// It is a [`GCounter`] whose sum means nothing, and it costs and is written as one. `<=` is "has seen no more than".
///
/// Source: Parker et al., *Detection of Mutual Inconsistency in Distributed Systems*, 1983.
///
/// ```
/// use crdt::VersionVector;
///
/// let mut ada = VersionVector::<String>::new();
/// let mut bob = ada.clone();
/// assert_eq!(ada.inc("ada")?, 1); // ada's first event
/// assert_eq!(bob.inc("bob")?, 1);
/// assert!(ada.concurrent(&bob));
/// bob.merge(&ada);
/// assert!(ada < bob && bob.contains("ada", 1) && !bob.contains("ada", 2));
/// # Ok::<(), crdt::Overflow>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "A: serde::Serialize",
        deserialize = "A: Ord + Clone + serde::Deserialize<'de>"
    ))
)]
pub struct VersionVector<A>(GCounter<A>);

impl<A> VersionVector<A> {
    /// Nothing seen yet. Allocates nothing.
    ///
    /// ```
    /// assert!(crdt::VersionVector::<u64>::new().counter().is_empty());
    /// ```
    pub const fn new() -> Self {
        Self(GCounter::new())
    }

    /// The number of the last event seen, by actor: [`iter`](GCounter::iter), [`get`](GCounter::get),
    /// [`len`](GCounter::len) and all else that only reads.
    ///
    /// ```
    /// let seen: crdt::VersionVector<u64> = [(7, 3)].into_iter().collect();
    /// assert_eq!(seen.counter().get(&7), 3);
    /// ```
    pub const fn counter(&self) -> &GCounter<A> {
        &self.0
    }

    /// As [`counter`](Self::counter), by value.
    ///
    /// ```
    /// let seen: crdt::VersionVector<u64> = [(7, 3)].into_iter().collect();
    /// assert_eq!(seen.into_counter().len(), 1);
    /// ```
    pub fn into_counter(self) -> GCounter<A> {
        self.0
    }
}

impl<A: Ord + Clone> VersionVector<A> {
    /// Sees the next event of `actor`, and returns its number. Costs an [`add`](GCounter::add).
    ///
    /// ```
    /// let mut seen = crdt::VersionVector::<String>::new();
    /// seen.inc("ada")?;
    /// assert_eq!(seen.inc("ada")?, 2);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the actor's events are used up, at `u64::MAX`; nothing is changed.
    pub fn inc(&mut self, actor: impl ToActor<A>) -> Result<u64, Overflow> {
        self.0.add(actor, 1)
    }

    /// Sees all events of `actor` up to `number`. Returns whether that is news. Costs a [`raise`](GCounter::raise).
    ///
    /// ```
    /// let mut seen = crdt::VersionVector::<String>::new();
    /// assert!(seen.see("ada", 3));
    /// assert!(!seen.see("ada", 2));
    /// ```
    pub fn see(&mut self, actor: impl ToActor<A>, number: u64) -> bool {
        self.0.raise(actor, number)
    }

    /// Makes comparing and merging with `other` cheaper: see [`GCounter::share_ids`].
    ///
    /// ```
    /// let all: crdt::VersionVector<u64> = [(1, 3), (2, 4)].into_iter().collect();
    /// assert!(crdt::VersionVector::new().share_ids(&all));
    /// ```
    pub fn share_ids(&mut self, other: &Self) -> bool {
        self.0.share_ids(&other.0)
    }

    /// Whether event `number` of `actor` was seen. Events begin at 1: number 0 is always seen. Costs a search.
    ///
    /// ```
    /// let seen: crdt::VersionVector<u64> = [(7, 3)].into_iter().collect();
    /// assert!(seen.contains(&7, 2) && !seen.contains(&7, 4) && !seen.contains(&8, 1));
    /// ```
    pub fn contains(&self, actor: impl ToActor<A>, number: u64) -> bool {
        number <= self.0.get(actor)
    }

    /// Whether each has seen an event that the other has not.
    ///
    /// ```
    /// # use crdt::VersionVector;
    /// let (a, b) = (VersionVector::<u64>::from([(1, 1)]), VersionVector::from([(2, 1)]));
    /// assert!(a.concurrent(&b) && !a.concurrent(&a));
    /// ```
    pub fn concurrent(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_none()
    }

    /// What both have seen: per actor the smaller number. One pass, with a search per actor.
    ///
    /// What every replica has seen is the meet of all of them: what is at or below it can be forgotten.
    ///
    /// ```
    /// # use crdt::VersionVector;
    /// let a = VersionVector::from([("ada", 3), ("bob", 1)]);
    /// let b = VersionVector::from([("ada", 2)]);
    /// assert_eq!(a.meet(&b), b);
    /// ```
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        self.0.iter().map(|(actor, n)| (actor.clone(), n.min(other.0.get(actor)))).collect()
    }

    /// Sees all that `other` has seen. Returns whether anything changed. Costs a [`merge`](GCounter::merge).
    ///
    /// ```
    /// # use crdt::VersionVector;
    /// let mut seen = VersionVector::from([("ada", 3)]);
    /// assert!(seen.merge(&VersionVector::from([("bob", 1)])));
    /// ```
    pub fn merge(&mut self, other: &Self) -> bool {
        self.0.merge(&other.0)
    }

    /// The actors of which `other` has seen less. Empty if `other` has seen it all.
    ///
    /// ```
    /// # use crdt::VersionVector;
    /// let (old, new) = (VersionVector::from([("ada", 3)]), VersionVector::from([("ada", 3), ("bob", 1)]));
    /// assert_eq!(new.delta_since(&old), VersionVector::from([("bob", 1)]));
    /// ```
    #[must_use]
    pub fn delta_since(&self, other: &Self) -> Self {
        Self(self.0.delta_since(&other.0))
    }
}

impl<A: Ord + Clone> Merge for VersionVector<A> {
    fn merge(&mut self, other: &Self) -> bool {
        Self::merge(self, other)
    }

    fn covers(&self, other: &Self) -> bool {
        other <= self
    }

    fn is_bottom(&self) -> bool {
        self.0.is_empty()
    }
}

impl<A: Ord + Clone> Delta for VersionVector<A> {
    fn delta_since(&self, other: &Self) -> Self {
        Self::delta_since(self, other)
    }
}

impl<A> Default for VersionVector<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// The lattice order: `a <= b` if `b` has seen all that `a` has. Concurrent vectors are not comparable.
impl<A: Ord + Clone> PartialOrd for VersionVector<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.0.partial_cmp(&other.0)
    }
}

impl<A> From<GCounter<A>> for VersionVector<A> {
    fn from(counter: GCounter<A>) -> Self {
        Self(counter)
    }
}

/// Per actor the last event seen; of a doubled actor the larger number.
impl<A: Ord + Clone, const N: usize> From<[(A, u64); N]> for VersionVector<A> {
    fn from(entries: [(A, u64); N]) -> Self {
        entries.into_iter().collect()
    }
}

/// Per actor the last event seen; of a doubled actor the larger number.
impl<A: Ord + Clone> FromIterator<(A, u64)> for VersionVector<A> {
    fn from_iter<I: IntoIterator<Item = (A, u64)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

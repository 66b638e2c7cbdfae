use crate::{Delta, Merge, Overflow, ToActor};
use alloc::collections::BTreeMap;
use alloc::collections::btree_map;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::iter::FusedIterator;

/// A counter that only grows: one count per actor, merged by maximum, the value is their sum.
///
/// ```
/// use crdt::GCounter;
///
/// let mut counter = GCounter::<String>::new();
/// assert_eq!(counter.add("n0", 3), Ok(3));
/// assert_eq!(counter.value(), 3);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GCounter<A> {
    counts: BTreeMap<A, u64>,
}

impl<A: Ord + Clone> GCounter<A> {
    /// An empty counter.
    pub const fn new() -> Self {
        Self { counts: BTreeMap::new() }
    }

    /// Adds `n` to the count of `actor` and returns its new count. Adding 0 leaves no entry.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the count would pass `u64::MAX`; nothing is changed.
    pub fn add(&mut self, actor: impl ToActor<A>, n: u64) -> Result<u64, Overflow> {
        let actor = actor.to_actor();
        let sum = self.get(&actor).checked_add(n).ok_or(Overflow)?;
        if n > 0 {
            self.counts.insert(actor, sum);
        }
        Ok(sum)
    }

    /// The count of one actor, 0 if it is unknown.
    pub fn get<Q: Ord + ?Sized>(&self, actor: &Q) -> u64
    where
        A: Borrow<Q>,
    {
        self.counts.get(actor).copied().unwrap_or(0)
    }

    /// The sum of all counts.
    pub fn value(&self) -> u128 {
        self.counts.values().map(|&n| u128::from(n)).sum()
    }

    /// How many actors have a count.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no actor has a count.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The actors with their counts, in the order of their ids.
    pub fn iter(&self) -> Iter<'_, A> {
        Iter(self.counts.iter())
    }

    /// Takes in all that `other` knows: per actor the larger count. Returns whether anything changed.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut changed = false;
        for (actor, n) in other {
            if n > self.get(actor) {
                self.counts.insert(actor.clone(), n);
                changed = true;
            }
        }
        changed
    }

    /// What `other` lacks: the entries that are larger here. Empty if `other` holds all of `self`.
    #[must_use]
    pub fn delta_since(&self, other: &Self) -> Self {
        self.iter().filter(|&(actor, n)| n > other.get(actor)).map(|(actor, n)| (actor.clone(), n)).collect()
    }
}

impl<A: Ord + Clone> Merge for GCounter<A> {
    fn merge(&mut self, other: &Self) -> bool {
        Self::merge(self, other)
    }
}

impl<A: Ord + Clone> Delta for GCounter<A> {
    fn delta_since(&self, other: &Self) -> Self {
        Self::delta_since(self, other)
    }
}

impl<A> Default for GCounter<A> {
    fn default() -> Self {
        Self { counts: BTreeMap::new() }
    }
}

/// The lattice order: `a <= b` if no count is larger in `a`. Two states that each know something the other lacks
/// are not comparable.
impl<A: Ord + Clone> PartialOrd for GCounter<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let below = self.iter().all(|(actor, n)| n <= other.get(actor));
        let above = other.iter().all(|(actor, n)| n <= self.get(actor));
        match (below, above) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (false, false) => None,
        }
    }
}

/// By maximum; zero counts are dropped.
impl<A: Ord + Clone> Extend<(A, u64)> for GCounter<A> {
    fn extend<I: IntoIterator<Item = (A, u64)>>(&mut self, entries: I) {
        for (actor, n) in entries {
            if n > self.get(&actor) {
                self.counts.insert(actor, n);
            }
        }
    }
}

/// By maximum; zero counts are dropped.
impl<A: Ord + Clone> FromIterator<(A, u64)> for GCounter<A> {
    fn from_iter<I: IntoIterator<Item = (A, u64)>>(entries: I) -> Self {
        let mut counter = Self::new();
        counter.extend(entries);
        counter
    }
}

impl<'a, A: Ord + Clone> IntoIterator for &'a GCounter<A> {
    type Item = (&'a A, u64);
    type IntoIter = Iter<'a, A>;

    fn into_iter(self) -> Iter<'a, A> {
        self.iter()
    }
}

impl<A: Ord + Clone + fmt::Debug> fmt::Debug for GCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

/// The value.
impl<A: Ord + Clone> fmt::Display for GCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// Iterates over actors and counts in the order of the ids.
#[derive(Clone, Debug)]
pub struct Iter<'a, A>(btree_map::Iter<'a, A, u64>);

impl<'a, A> Iterator for Iter<'a, A> {
    type Item = (&'a A, u64);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(actor, &n)| (actor, n))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<A> ExactSizeIterator for Iter<'_, A> {}
impl<A> FusedIterator for Iter<'_, A> {}

use crate::{Delta, Max, Merge};
use core::cmp::Reverse;

/// The smallest value that any replica has seen. The bottom is that none was seen yet.
///
/// `<=` is the order of the lattice: a state with a smaller value is above. See [`Max`], of which this is the mirror.
///
/// ```
/// use crdt::{Merge, Min};
///
/// let mut first_seen = Min::new(1_700_000_900);
/// assert!(first_seen.merge(&Min::new(1_700_000_000)));
/// assert_eq!(first_seen.get(), Some(&1_700_000_000));
/// assert!(first_seen > Min::default());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Min<T>(Max<Reverse<T>>);

impl<T> Min<T> {
    /// With `value` as the only one seen.
    ///
    /// ```
    /// assert_eq!(crdt::Min::new(3).get(), Some(&3));
    /// ```
    pub const fn new(value: T) -> Self {
        Self(Max::new(Reverse(value)))
    }

    /// The smallest value seen, if any was.
    ///
    /// ```
    /// # use crdt::Min;
    /// assert_eq!(Min::<u32>::default().get(), None);
    /// ```
    pub fn get(&self) -> Option<&T> {
        self.0.get().map(|Reverse(value)| value)
    }

    /// As [`get`](Self::get), by value.
    ///
    /// ```
    /// # use crdt::Min;
    /// assert_eq!(Min::new(3).into_inner(), Some(3));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner().map(|Reverse(value)| value)
    }
}

impl<T: Ord> Min<T> {
    /// Takes in one more value. Returns whether it is the smallest so far.
    ///
    /// ```
    /// let mut lowest = crdt::Min::default();
    /// assert!(lowest.observe(3));
    /// assert!(!lowest.observe(4));
    /// ```
    pub fn observe(&mut self, value: T) -> bool {
        self.0.observe(Reverse(value))
    }
}

impl<T> Default for Min<T> {
    fn default() -> Self {
        Self(Max::default())
    }
}

impl<T> From<T> for Min<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Ord + Clone> Merge for Min<T> {
    fn merge(&mut self, other: &Self) -> bool {
        self.0.merge(&other.0)
    }

    fn covers(&self, other: &Self) -> bool {
        self.0.covers(&other.0)
    }
}

impl<T: Ord + Clone> Delta for Min<T> {
    fn delta_since(&self, other: &Self) -> Self {
        Self(self.0.delta_since(&other.0))
    }
}

use crate::{Delta, Merge};

/// The largest value that any replica has seen. The bottom is that none was seen yet.
///
/// Any `Ord` type will do: numbers, times, texts, `bool` (once true, always true), tuples. For the smallest value see
/// [`Min`](crate::Min). With serde it is written as an `Option`: the value, or null.
///
/// ```
/// use crdt::{Max, Merge};
///
/// let mut peak = Max::new(17);
/// assert!(peak.merge(&Max::new(19)));
/// assert!(!peak.merge(&Max::new(18)));
/// assert_eq!(peak.get(), Some(&19));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Max<T>(Option<T>);

impl<T> Max<T> {
    /// With `value` as the only one seen.
    ///
    /// ```
    /// assert_eq!(crdt::Max::new(3).get(), Some(&3));
    /// ```
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The largest value seen, if any was.
    ///
    /// ```
    /// # use crdt::Max;
    /// assert_eq!(Max::<u32>::default().get(), None);
    /// ```
    pub const fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// As [`get`](Self::get), by value.
    ///
    /// ```
    /// # use crdt::Max;
    /// assert_eq!(Max::new(3).into_inner(), Some(3));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

impl<T: Ord> Max<T> {
    /// Takes in one more value. Returns whether it is the largest so far.
    ///
    /// ```
    /// let mut peak = crdt::Max::default();
    /// assert!(peak.observe(3));
    /// assert!(!peak.observe(2));
    /// ```
    pub fn observe(&mut self, value: T) -> bool {
        let larger = self.0.as_ref().is_none_or(|largest| *largest < value);
        if larger {
            self.0 = Some(value);
        }
        larger
    }
}

impl<T> Default for Max<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<T> for Max<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Ord + Clone> Merge for Max<T> {
    fn merge(&mut self, other: &Self) -> bool {
        let larger = *self < *other;
        if larger {
            self.clone_from(other);
        }
        larger
    }

    fn covers(&self, other: &Self) -> bool {
        other <= self
    }
}

impl<T: Ord + Clone> Delta for Max<T> {
    fn delta_since(&self, other: &Self) -> Self {
        if self > other { self.clone() } else { Self::default() }
    }
}

use crate::{Delta, Max, Merge};

/// A value that the latest write replaces, by a clock that the writer gives: "last writer wins". The bottom is that
/// nothing was written yet.
///
/// The rule: the larger clock wins; of two writes with the same clock the larger value wins. So every replica keeps the
/// same one, whatever it heard first. A clock that can't be the same twice, such as `(milliseconds, replica)`, leaves
/// nothing to the values.
///
/// Of concurrent writes all but one are lost, by design. A clock that runs ahead wins until the others have passed it.
/// With serde it is written as `[clock, value]`, or null.
///
/// Source: Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of Convergent and Commutative Replicated
/// Data Types*, 2011, specification 8.
///
/// ```
/// use crdt::{Lww, Merge};
///
/// let mut here = Lww::new("red", 1);
/// let there = Lww::new("blue", 2);
/// assert!(here.merge(&there));
/// assert_eq!(here.get(), Some(&"blue"));
/// assert!(!here.merge(&Lww::new("azure", 2)), "the same clock: blue is larger");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Lww<T, Clock = u64>(Max<(Clock, T)>);

impl<T, Clock> Lww<T, Clock> {
    /// With one write.
    ///
    /// ```
    /// let name = crdt::Lww::new("Ada", (1_700_000_000, "n0"));
    /// assert_eq!(name.get(), Some(&"Ada"));
    /// ```
    pub const fn new(value: T, clock: Clock) -> Self {
        Self(Max::new((clock, value)))
    }

    /// The value of the winning write, if there was any.
    ///
    /// ```
    /// # use crdt::Lww;
    /// assert_eq!(Lww::<u32>::default().get(), None);
    /// ```
    pub fn get(&self) -> Option<&T> {
        self.0.get().map(|(_, value)| value)
    }

    /// The clock of the winning write. The next write needs a larger one to win for sure.
    ///
    /// ```
    /// # use crdt::Lww;
    /// assert_eq!(Lww::new("red", 7).clock(), Some(&7));
    /// ```
    pub fn clock(&self) -> Option<&Clock> {
        self.0.get().map(|(clock, _)| clock)
    }
}

impl<T: Ord, Clock: Ord> Lww<T, Clock> {
    /// Writes. Returns whether the write wins over what was there.
    ///
    /// ```
    /// let mut colour = crdt::Lww::new("red", 2);
    /// assert!(colour.set("blue", 3));
    /// assert!(!colour.set("green", 1), "older");
    /// ```
    pub fn set(&mut self, value: T, clock: Clock) -> bool {
        self.0.observe((clock, value))
    }
}

impl<T, Clock> Default for Lww<T, Clock> {
    fn default() -> Self {
        Self(Max::default())
    }
}

impl<T: Ord + Clone, Clock: Ord + Clone> Merge for Lww<T, Clock> {
    fn merge(&mut self, other: &Self) -> bool {
        self.0.merge(&other.0)
    }

    fn covers(&self, other: &Self) -> bool {
        self.0.covers(&other.0)
    }
}

impl<T: Ord + Clone, Clock: Ord + Clone> Delta for Lww<T, Clock> {
    fn delta_since(&self, other: &Self) -> Self {
        Self(self.0.delta_since(&other.0))
    }
}

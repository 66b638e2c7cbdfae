use crate::{Delta, GCounter, Merge, Overflow, ToActor};
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;

/// A counter that goes up and down: two [`GCounter`]s, one of what was added and one of what was taken away; the
/// value is their difference.
///
/// All operations cost what they cost on the two counters. With serde it is written as `{"p":{…},"n":{…}}`.
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
#[derive(PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "A: serde::Serialize",
        deserialize = "A: Ord + Clone + serde::Deserialize<'de>"
    ))
)]
pub struct PnCounter<A> {
    p: GCounter<A>,
    n: GCounter<A>,
}

impl<A> PnCounter<A> {
    /// An empty counter. Allocates nothing.
    ///
    /// ```
    /// assert!(crdt::PnCounter::<u64>::new().is_empty());
    /// ```
    pub const fn new() -> Self {
        Self { p: GCounter::new(), n: GCounter::new() }
    }

    /// A counter of these increments and decrements.
    ///
    /// ```
    /// # use crdt::{GCounter, PnCounter};
    /// let up: GCounter<u64> = [(1, 5)].into_iter().collect();
    /// assert_eq!(PnCounter::from_parts(GCounter::new(), up).value(), -5);
    /// ```
    pub const fn from_parts(increments: GCounter<A>, decrements: GCounter<A>) -> Self {
        Self { p: increments, n: decrements }
    }

    /// The sum of all increments less the sum of all decrements. It can't overflow.
    ///
    /// ```
    /// # use crdt::PnCounter;
    /// let mut counter = PnCounter::<u64>::new();
    /// counter.add(1, i64::MIN)?;
    /// assert_eq!(counter.value(), i128::from(i64::MIN));
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub fn value(&self) -> i128 {
        self.p.value().cast_signed() - self.n.value().cast_signed()
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
    pub fn is_empty(&self) -> bool {
        self.p.is_empty() && self.n.is_empty()
    }

    /// What was added.
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<u64>::new();
    /// counter.add(1, 5)?;
    /// assert_eq!(counter.increments().value(), 5);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub const fn increments(&self) -> &GCounter<A> {
        &self.p
    }

    /// What was taken away.
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<u64>::new();
    /// counter.add(1, -5)?;
    /// assert_eq!(counter.decrements().value(), 5);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub const fn decrements(&self) -> &GCounter<A> {
        &self.n
    }
}

impl<A: Ord + Clone> PnCounter<A> {
    /// Adds `n`, which may be negative, for `actor`, and returns the actor's new balance. Adding 0 leaves no entry.
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
    pub fn add(&mut self, actor: impl ToActor<A>, n: i64) -> Result<i128, Overflow> {
        let amount = n.unsigned_abs();
        if n < 0 {
            let up = self.p.count_of(&actor);
            self.n.add(actor, amount).map(|down| i128::from(up) - i128::from(down))
        } else {
            let down = self.n.count_of(&actor);
            self.p.add(actor, amount).map(|up| i128::from(up) - i128::from(down))
        }
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
    pub fn raise(&mut self, actor: impl ToActor<A> + Copy, increments: u64, decrements: u64) -> bool {
        self.p.raise(actor, increments) | self.n.raise(actor, decrements)
    }

    /// The balance of one actor: its increments less its decrements.
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<String>::new();
    /// counter.add("n0", -5)?;
    /// assert_eq!(counter.get("n0"), -5);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub fn get<Q: Ord + ?Sized>(&self, actor: &Q) -> i128
    where
        A: Borrow<Q>,
    {
        i128::from(self.p.get(actor)) - i128::from(self.n.get(actor))
    }

    /// Takes in all that `other` knows. Returns whether anything changed.
    ///
    /// ```
    /// # let (mut a, mut b) = (crdt::PnCounter::<String>::new(), crdt::PnCounter::<String>::new());
    /// b.add("n1", -4)?;
    /// assert!(a.merge(&b));
    /// assert_eq!(a.value(), -4);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub fn merge(&mut self, other: &Self) -> bool {
        self.p.merge(&other.p) | self.n.merge(&other.n)
    }

    /// What `other` lacks. Empty if `other` holds all of `self`.
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
    #[must_use]
    pub fn delta_since(&self, other: &Self) -> Self {
        Self { p: self.p.delta_since(&other.p), n: self.n.delta_since(&other.n) }
    }

    /// Shares the tables of ids of `other`, where it can. Returns whether both are shared now.
    /// See [`GCounter::share_ids`].
    ///
    /// ```
    /// # let mut counter = crdt::PnCounter::<String>::new();
    /// counter.add("n0", 3)?;
    /// assert!(crdt::PnCounter::new().share_ids(&counter));
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub fn share_ids(&mut self, other: &Self) -> bool {
        self.p.share_ids(&other.p) & self.n.share_ids(&other.n)
    }
}

impl<A: Ord + Clone> Merge for PnCounter<A> {
    fn merge(&mut self, other: &Self) -> bool {
        Self::merge(self, other)
    }
}

impl<A: Ord + Clone> Delta for PnCounter<A> {
    fn delta_since(&self, other: &Self) -> Self {
        Self::delta_since(self, other)
    }
}

/// Shares the ids and copies the counts.
impl<A> Clone for PnCounter<A> {
    fn clone(&self) -> Self {
        Self { p: self.p.clone(), n: self.n.clone() }
    }

    fn clone_from(&mut self, other: &Self) {
        self.p.clone_from(&other.p);
        self.n.clone_from(&other.n);
    }
}

impl<A> Default for PnCounter<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// The lattice order: both parts must agree.
impl<A: Ord + Clone> PartialOrd for PnCounter<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.p.partial_cmp(&other.p)?, self.n.partial_cmp(&other.n)?) {
            (a, b) if a == b => Some(a),
            (Ordering::Equal, a) | (a, Ordering::Equal) => Some(a),
            _ => None,
        }
    }
}

impl<A: fmt::Debug> fmt::Debug for PnCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PnCounter").field("p", &self.p).field("n", &self.n).finish()
    }
}

/// The value.
impl<A> fmt::Display for PnCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

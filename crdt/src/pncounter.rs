use crate::{Delta, GCounter, Merge, Overflow, ToActor};
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;

/// A counter that goes up and down: two [`GCounter`]s, the value is their difference.
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
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "A: Ord + Clone + serde::Serialize",
        deserialize = "A: Ord + Clone + serde::Deserialize<'de>"
    ))
)]
pub struct PnCounter<A> {
    p: GCounter<A>,
    n: GCounter<A>,
}

impl<A: Ord + Clone> PnCounter<A> {
    /// An empty counter.
    pub const fn new() -> Self {
        Self { p: GCounter::new(), n: GCounter::new() }
    }

    /// A counter of these increments and decrements.
    pub const fn from_parts(increments: GCounter<A>, decrements: GCounter<A>) -> Self {
        Self { p: increments, n: decrements }
    }

    /// Adds `n`, which may be negative, for `actor`, and returns the actor's new balance.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the actor's increments or decrements would pass `u64::MAX`; nothing is changed.
    pub fn add(&mut self, actor: impl ToActor<A>, n: i64) -> Result<i128, Overflow> {
        let actor = actor.to_actor();
        let side = if n < 0 { &mut self.n } else { &mut self.p };
        side.add(&actor, n.unsigned_abs())?;
        Ok(self.get(&actor))
    }

    /// The balance of one actor: its increments less its decrements.
    pub fn get<Q: Ord + ?Sized>(&self, actor: &Q) -> i128
    where
        A: Borrow<Q>,
    {
        i128::from(self.p.get(actor)) - i128::from(self.n.get(actor))
    }

    /// The sum of all increments less the sum of all decrements.
    pub fn value(&self) -> i128 {
        self.p.value().cast_signed() - self.n.value().cast_signed()
    }

    /// Whether nothing was ever counted.
    pub fn is_empty(&self) -> bool {
        self.p.is_empty() && self.n.is_empty()
    }

    /// What was added.
    pub const fn increments(&self) -> &GCounter<A> {
        &self.p
    }

    /// What was taken away.
    pub const fn decrements(&self) -> &GCounter<A> {
        &self.n
    }

    /// Takes in all that `other` knows. Returns whether anything changed.
    pub fn merge(&mut self, other: &Self) -> bool {
        let p = self.p.merge(&other.p);
        let n = self.n.merge(&other.n);
        p | n
    }

    /// What `other` lacks. Empty if `other` holds all of `self`.
    #[must_use]
    pub fn delta_since(&self, other: &Self) -> Self {
        Self { p: self.p.delta_since(&other.p), n: self.n.delta_since(&other.n) }
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

impl<A> Default for PnCounter<A> {
    fn default() -> Self {
        Self { p: GCounter::default(), n: GCounter::default() }
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

impl<A: Ord + Clone + fmt::Debug> fmt::Debug for PnCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PnCounter").field("p", &self.p).field("n", &self.n).finish()
    }
}

/// The value.
impl<A: Ord + Clone> fmt::Display for PnCounter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// A join-semilattice: states that can be merged in any order, any number of times, with the same result.
///
/// Laws, for all states `a`, `b`, `c` (checked by [`laws`](crate::laws)):
///
/// * associative: merging `b` and then `c` into `a` equals merging (`b` merged with `c`) into `a`;
/// * commutative: `a` merged with `b` equals `b` merged with `a`;
/// * idempotent: merging `a` into itself changes nothing and returns `false`;
/// * exact: `merge` returns `true` if and only if the state changed.
///
/// Source: Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of Convergent and Commutative Replicated
/// Data Types*, 2011, section 2.3.
///
/// ```
/// use crdt::Merge;
///
/// /// Merges all states of any such type.
/// fn join<T: Merge + Default>(states: &[T]) -> T {
///     states.iter().fold(T::default(), |mut all, state| {
///         all.merge(state);
///         all
///     })
/// }
///
/// let states: [crdt::GCounter<u64>; 2] = [[(1, 5)].into_iter().collect(), [(2, 6)].into_iter().collect()];
/// assert_eq!(join(&states).value(), 11);
/// ```
pub trait Merge {
    /// Takes in all that `other` knows. Returns whether anything changed.
    ///
    /// ```
    /// # use crdt::{GCounter, Merge};
    /// let mut state = GCounter::<u64>::new();
    /// let heard = [(1, 5)].into_iter().collect();
    /// assert!(Merge::merge(&mut state, &heard));
    /// assert!(!Merge::merge(&mut state, &heard));
    /// ```
    fn merge(&mut self, other: &Self) -> bool;
}

/// A state that can say what another one lacks.
///
/// Laws, for all states `a`, `b`: merging `a.delta_since(&b)` into `b` gives the same as merging `a` into `b`,
/// and changes nothing if and only if `b` already held all of `a`.
///
/// Source: Almeida, Shoker, Baquero, *Delta State Replicated Data Types*, 2018, section 4; the exact difference:
/// Enes, Almeida, Baquero, Leitão, *Efficient Synchronization of State-based CRDTs*, 2019.
///
/// ```
/// use crdt::Delta;
///
/// /// Brings `to` up to date, and returns what had to be sent for it.
/// fn sync<T: Delta>(from: &T, to: &mut T) -> T {
///     let delta = from.delta_since(to);
///     to.merge(&delta);
///     delta
/// }
///
/// let from: crdt::GCounter<u64> = [(1, 5), (2, 6)].into_iter().collect();
/// let mut to = [(1, 5)].into_iter().collect();
/// assert_eq!(sync(&from, &mut to).len(), 1);
/// assert_eq!(from, to);
/// ```
pub trait Delta: Merge {
    /// The smallest state that, merged into `other`, has the effect of merging `self`.
    ///
    /// ```
    /// # use crdt::{Delta, PnCounter};
    /// let mut state = PnCounter::<u64>::new();
    /// state.add(1, -5)?;
    /// assert_eq!(Delta::delta_since(&state, &PnCounter::new()), state);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    #[must_use]
    fn delta_since(&self, other: &Self) -> Self;
}

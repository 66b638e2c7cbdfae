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
pub trait Merge {
    /// Takes in all that `other` knows. Returns whether anything changed.
    fn merge(&mut self, other: &Self) -> bool;
}

/// A state that can say what another one lacks.
///
/// Laws, for all states `a`, `b`: merging `a.delta_since(&b)` into `b` gives the same as merging `a` into `b`,
/// and changes nothing if and only if `b` already held all of `a`.
///
/// Source: Almeida, Shoker, Baquero, *Delta State Replicated Data Types*, 2018, section 4; the exact difference:
/// Enes, Almeida, Baquero, Leitão, *Efficient Synchronization of State-based CRDTs*, 2019.
pub trait Delta: Merge {
    /// The smallest state that, merged into `other`, has the effect of merging `self`.
    #[must_use]
    fn delta_since(&self, other: &Self) -> Self;
}

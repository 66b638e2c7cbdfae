/// A join-semilattice with a bottom: states that can be merged in any order, any number of times, with the same result.
///
/// The bottom is [`Default`]: the state of whoever has heard nothing yet.
///
/// Laws, for all states `a`, `b`, `c` (checked by [`laws`](crate::laws)):
///
/// * associative: merging `b` and then `c` into `a` equals merging (`b` merged with `c`) into `a`;
/// * commutative: `a` merged with `b` equals `b` merged with `a`;
/// * idempotent: merging `a` into itself changes nothing and returns `false`;
/// * neutral bottom: merging the bottom changes nothing, and merging `a` into the bottom gives `a`;
/// * exact: `merge` returns `true` if and only if the state changed;
/// * ordered: `a` covers `b` if and only if merging `b` into `a` changes nothing.
///
/// Equality is `==`. The order is [`covers`](Self::covers), not `<=`: the `<=` of a standard tuple, set or map
/// compares one element after the other, which says nothing of what was merged. The `<=` of the types of this crate is
/// that of the lattice.
///
/// Source: Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of Convergent and Commutative Replicated
/// Data Types*, 2011, section 2.3.
///
/// # Which types have it
///
/// The counters, [`VersionVector`](crate::VersionVector), [`Max`](crate::Max), [`Min`](crate::Min),
/// [`Lww`](crate::Lww); `Option` of these; tuples of up to six, half by half; `BTreeSet` and `HashSet` by union; `BTreeMap`
/// and `HashMap` key by key. `bool` is `Max<bool>` (once true, always true) or `Min<bool>`.
///
/// Not offered are lexicographic pairs, in which the larger first half brings its second half along: where two first
/// halves are concurrent, both second halves are dropped. With a first half that is totally ordered this can't happen, and
/// that pair is [`Lww`](crate::Lww).
///
/// # A type of your own
///
/// Merge the fields one by one, with `|` and not `||`, which would skip the second field:
///
/// ```
/// use crdt::{GCounter, Max, Merge, laws};
///
/// #[derive(Clone, Debug, Default, PartialEq)]
/// struct Page {
///     views: GCounter<String>,
///     longest_visit: Max<u32>,
/// }
///
/// impl Merge for Page {
///     fn merge(&mut self, other: &Self) -> bool {
///         self.views.merge(&other.views) | self.longest_visit.merge(&other.longest_visit)
///     }
/// }
///
/// let mut page = Page { longest_visit: Max::new(30), ..Page::default() };
/// page.views.add("n0", 3)?;
/// let other = Page { longest_visit: Max::new(40), ..Page::default() };
/// laws::merge(&[Page::default(), page, other])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Maps
///
/// A `BTreeMap` of lattices is one. Write `Merge::merge(&mut here, &there)` for it. The standard library has an unstable
/// `BTreeMap::merge` of its own (as of Rust 1.95), which `here.merge(&there)` will mean one day. Until then the compiler
/// warns. All other types can be called either way.
///
/// ```
/// use crdt::{GCounter, Merge};
/// use std::collections::BTreeMap;
///
/// let there = BTreeMap::from([("views", GCounter::from_iter([("n0", 3)]))]);
/// let mut here = BTreeMap::new();
/// assert!(Merge::merge(&mut here, &there));
/// ```
///
/// # What is no lattice
///
/// A plain number has several merges, so it has none of its own. The compiler says which types to choose from:
///
/// ```compile_fail,E0277
/// # use crdt::Merge;
/// let mut peaks = std::collections::BTreeMap::from([("n0", 3)]); // write `Max::new(3)` or `Min::new(3)`
/// Merge::merge(&mut peaks, &Default::default());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `merge`",
    label = "not a lattice",
    note = "a number, a flag, a time of which the largest or smallest counts: `crdt::Max<T>` or `crdt::Min<T>`",
    note = "a value that the latest write replaces: `crdt::Lww<T, Clock>`",
    note = "a number that several replicas add to: `crdt::GCounter<Id>` or `crdt::PnCounter<Id>`",
    note = "a struct of your own: `impl crdt::Merge`, field by field"
)]
pub trait Merge: Default + Clone {
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

    /// Whether merging `other` would change nothing: `other` is at or below this state in the order of the lattice.
    ///
    /// Two states of which neither covers the other are concurrent. As it stands it merges into a clone; the types of
    /// this crate compare instead.
    ///
    /// ```
    /// # use crdt::Merge;
    /// use std::collections::BTreeSet;
    ///
    /// let (small, large) = (BTreeSet::from([2]), BTreeSet::from([1, 2]));
    /// assert!(large.covers(&small) && !small.covers(&large));
    /// assert!(small > large, "for `<` of a set is another order");
    /// ```
    fn covers(&self, other: &Self) -> bool {
        !self.clone().merge(other)
    }

    /// Whether nothing is known here: the state is the bottom. A delta that is the bottom need not be sent.
    ///
    /// ```
    /// # use crdt::{GCounter, Merge};
    /// assert!(GCounter::<u64>::new().is_bottom());
    /// ```
    fn is_bottom(&self) -> bool {
        Self::default().covers(self)
    }
}

/// A state that can say what another one lacks.
///
/// Laws, for all states `a`, `b` (checked by [`laws`](crate::laws)):
///
/// * merging `a.delta_since(&b)` into `b` gives the same as merging `a` into `b`;
/// * the delta is the bottom if and only if `b` covers `a`;
/// * `a` covers the delta.
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
///
/// A type without it can still be sent whole:
///
/// ```compile_fail,E0277
/// # #[derive(Clone, Default)]
/// struct Whole(crdt::Max<u32>);
/// # impl crdt::Merge for Whole {
/// #     fn merge(&mut self, other: &Self) -> bool { self.0.merge(&other.0) }
/// # }
/// fn send(state: &impl crdt::Delta) {}
/// send(&Whole::default()); // write `impl crdt::Delta for Whole`
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `delta_since`",
    label = "no deltas",
    note = "`impl crdt::Delta`, field by field; the least of it that is lawful is \
            `if other.covers(self) {{ Self::default() }} else {{ self.clone() }}`"
)]
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

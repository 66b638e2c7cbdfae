use crate::{GCounter, Merge, PnCounter};
use alloc::sync::Arc;

/// How much of a counter a reset has seen, and the value leaves out: for each actor increments and decrements, and for
/// each source a total.
///
/// Baselines merge by maximum. So two resets of the same counts, at once, subtract them once; and an add that a reset had not
/// seen is above the baseline, and counts.
///
/// ```
/// use crdt::named::Counters;
///
/// let mut counters = Counters::<String>::new();
/// counters.add("n0", "views", 5)?;
/// let seen = counters.observed("views");
/// assert_eq!(seen.counts.counts("n0"), (5, 0));
/// # Ok::<(), crdt::named::ChangeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Baseline<A> {
    /// Increments and decrements by actor.
    pub counts: PnCounter<A>,
    /// Totals by source.
    pub totals: GCounter<Arc<str>>,
}

impl<A> Default for Baseline<A> {
    fn default() -> Self {
        Self { counts: PnCounter::new(), totals: GCounter::new() }
    }
}

/// By maximum.
impl<A: Ord + Clone> Merge for Baseline<A> {
    fn merge(&mut self, other: &Self) -> bool {
        self.counts.merge(&other.counts) | self.totals.merge(&other.totals)
    }

    fn covers(&self, other: &Self) -> bool {
        self.counts.covers(&other.counts) && self.totals.covers(&other.totals)
    }

    fn is_bottom(&self) -> bool {
        self.counts.is_empty() && self.totals.is_empty()
    }
}

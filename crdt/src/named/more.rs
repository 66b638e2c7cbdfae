use super::Baseline;
use crate::{GCounter, Merge};
use alloc::sync::Arc;

/// What few entries have: totals that clients reported, and what resets have seen.
///
/// ```
/// use crdt::named::Counters;
///
/// let mut counters = Counters::<String>::new();
/// let mut batch = counters.change("n0");
/// batch.report("views", "sensor-7", 41)?;
/// batch.commit()?;
/// let entry = counters.entry("n0", 0).unwrap();
/// assert_eq!(entry.more.unwrap().totals.get("sensor-7"), 41);
/// # Ok::<(), crdt::named::ChangeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct More<A> {
    /// By source the largest total that was reported to this replica.
    pub totals: GCounter<Arc<str>>,
    /// What this replica's resets have seen.
    pub baseline: Baseline<A>,
}

impl<A> Default for More<A> {
    fn default() -> Self {
        Self { totals: GCounter::new(), baseline: Baseline::default() }
    }
}

/// By maximum.
impl<A: Ord + Clone> Merge for More<A> {
    fn merge(&mut self, other: &Self) -> bool {
        self.totals.merge(&other.totals) | self.baseline.merge(&other.baseline)
    }

    fn covers(&self, other: &Self) -> bool {
        self.totals.covers(&other.totals) && self.baseline.covers(&other.baseline)
    }

    fn is_bottom(&self) -> bool {
        self.totals.is_empty() && self.baseline.is_bottom()
    }
}

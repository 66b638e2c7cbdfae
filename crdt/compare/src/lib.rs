//! The contestants, behind one trait, and the data they all get.
#![expect(clippy::disallowed_types, reason = "a HashMap by hand is one of the contestants")]
#![expect(missing_docs, reason = "benches are its only users")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a bench may panic")]

mod limit;
mod ours;
mod peers;

pub use limit::{Limit, memcpy};
pub use ours::{Apart, Shared};
pub use peers::{BTree, CrdtKit, Crdts, Hash, Lattices, Yrs};

use criterion::Criterion;
use std::time::Duration;

pub const SIZES: [u64; 6] = [3, 16, 128, 1024, 16_384, 1 << 20];

/// An id made from a number.
pub trait Id: Ord + Clone + std::hash::Hash + std::fmt::Debug + 'static {
    const NAME: &'static str;
    fn make(n: u64) -> Self;
}

impl Id for String {
    const NAME: &'static str = "String";
    fn make(n: u64) -> Self {
        format!("n{n}")
    }
}

impl Id for u64 {
    const NAME: &'static str = "u64";
    fn make(n: u64) -> Self {
        n
    }
}

/// A counter of any make.
pub trait Contestant: Clone {
    type Id: Id;
    fn name() -> String;
    /// Ids ascend by number.
    fn build(entries: &[(u64, u64)]) -> Self;
    /// A counter of the same ids with other counts, as near to `self` as the make allows.
    #[must_use]
    fn sibling(&self, entries: &[(u64, u64)]) -> Self {
        let _ = self;
        Self::build(entries)
    }
    /// Whether `merge` needs a counter of its own.
    const BY_VALUE: bool;
    fn merge_value(&mut self, other: Self);
    fn merge_ref(&mut self, other: &Self);
    fn value(&self) -> u128;
    fn add(&mut self, id: &Self::Id, n: u32);
    /// Those that have no difference copy everything.
    fn delta_since(&self, other: &Self) -> Option<Self>;
}

/// A stream of numbers that is the same in every run (splitmix64).
pub struct Numbers(pub u64);

impl Iterator for Numbers {
    type Item = u64;
    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(z ^ (z >> 31))
    }
}

/// `n` entries with counts from 1 to a million.
pub fn entries(n: u64, seed: u64) -> Vec<(u64, u64)> {
    (0..n).zip(Numbers(seed)).map(|(id, count)| (id, count % 1_000_000 + 1)).collect()
}

/// Short, for there are many: medians of ten samples.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .nresamples(1000)
        .warm_up_time(Duration::from_millis(60))
        .measurement_time(Duration::from_millis(200))
        .configure_from_args()
}

//! The contestants, behind one trait, the data they all get, and the table that `cargo bench` prints.
#![expect(missing_docs, reason = "benches are its only users")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a bench may panic")]

mod by_hand;
mod limit;
mod machine;
mod ours;
mod peers;
mod races;
mod readme;
mod table;
mod timing;

pub use by_hand::{BTree, Hash, SearchedBTree};
pub use limit::{Limit, memcpy};
pub use machine::{machine, today};
pub use ours::{Apart, Shared};
pub use peers::{CrdtKit, Crdts, Lattices, LatticesTree, VERSIONS, Yrs};
pub use races::{Effort, Race, races};
pub use readme::{Unmarked, between_markers};
pub use table::{Cell, Row, Table};

/// An id made from a number.
pub trait Id: Ord + Clone + std::hash::Hash + std::fmt::Debug + 'static {
    const NAME: &'static str;
    fn make(n: u64) -> Self;
    /// The number that it was made from.
    fn number(&self) -> u64;
}

impl Id for String {
    const NAME: &'static str = "String";
    fn make(n: u64) -> Self {
        format!("n{n}")
    }

    fn number(&self) -> u64 {
        self.trim_start_matches('n').parse().unwrap()
    }
}

impl Id for u64 {
    const NAME: &'static str = "u64";
    fn make(n: u64) -> Self {
        n
    }

    fn number(&self) -> u64 {
        *self
    }
}

/// A counter of any make.
pub trait Contestant: Clone + 'static {
    type Id: Id;
    /// The crate, or the map, that it is made of.
    const MAKE: &'static str;
    fn name() -> String {
        format!("{} {}", Self::MAKE, Self::Id::NAME)
    }
    /// Ids ascend by number.
    fn build(entries: &[(u64, u64)]) -> Self;
    /// A counter of the same ids with other counts, as near to `self` as the make allows.
    #[must_use]
    fn sibling(&self, entries: &[(u64, u64)]) -> Self {
        let _ = self;
        Self::build(entries)
    }
    /// A copy that shares nothing with `self`.
    #[must_use]
    fn detached(&self) -> Self {
        self.clone()
    }
    /// Whether `merge` needs a counter of its own.
    const BY_VALUE: bool;
    fn merge_value(&mut self, other: Self);
    fn merge_ref(&mut self, other: &Self);
    fn value(&self) -> u128;
    fn add(&mut self, id: &Self::Id, n: u32);
    /// `None` where the make has no difference.
    fn delta_since(&self, other: &Self) -> Option<Self>;
    /// All counts above zero, by the numbers of their ids.
    fn counts(&self) -> Vec<(u64, u64)>;
}

/// A contestant that is written as JSON.
pub trait Json: Contestant {
    fn to_json(&self) -> Vec<u8>;
    /// From bytes to the merged state.
    fn merge_json(&mut self, json: &[u8]);
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

fn sorted(counts: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut counts: Vec<_> = counts.filter(|&(_, n)| n > 0).collect();
    counts.sort_unstable();
    counts
}

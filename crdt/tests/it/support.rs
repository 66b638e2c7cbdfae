//! A naive counter to compare with, and pairs of counters for every road through merge.

use crdt::GCounter;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

/// What a counter should hold.
pub(crate) type Oracle<A> = BTreeMap<A, u64>;

pub(crate) trait Id: Ord + Clone + Debug + Hash {}
impl<A: Ord + Clone + Debug + Hash> Id for A {}

pub(crate) fn oracle<A: Id>(counter: &GCounter<A>) -> Oracle<A> {
    counter.iter().map(|(id, n)| (id.clone(), n)).collect()
}

pub(crate) fn merged<A: Id>(a: &Oracle<A>, b: &Oracle<A>) -> Oracle<A> {
    let mut all = a.clone();
    for (id, &n) in b {
        let count = all.entry(id.clone()).or_default();
        *count = n.max(*count);
    }
    all
}

/// As text: `make` must keep the order of the numbers irrelevant, and tell them apart.
pub(crate) fn text(n: u32) -> String {
    format!("n{n}#{:x}", n.wrapping_mul(0x9e37_79b9))
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, 0..1_000_000_u64, any::<u64>(), Just(u64::MAX)]
}

fn entries(ids: u32, len: usize) -> impl Strategy<Value = Vec<(u32, u64)>> {
    btree_map(0..ids, count(), 0..len).prop_map(|entries| entries.into_iter().collect())
}

/// How the second counter of a pair comes about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kin {
    /// On its own.
    Stranger,
    /// A clone of the first, with counts of the other entries raised: it shares the table if no id was new.
    Clone,
    /// The ids of the first, made anew.
    Twin,
    /// Every third entry of the first, made anew.
    Part,
    /// The first and more, made anew.
    Whole,
    /// One entry.
    One,
    /// What the raised clone has and the first has not.
    Delta,
    /// The other entries on the table of the first, where that has them all.
    Guest,
}

const KINDS: [Kin; 8] =
    [Kin::Stranger, Kin::Clone, Kin::Twin, Kin::Part, Kin::Whole, Kin::One, Kin::Delta, Kin::Guest];

/// Plain material that a pair is made of, for any type of id.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    first: Vec<(u32, u64)>,
    /// What is raised in the first one by one: where that is large, ids that are new stay beside its table.
    late: Vec<(u32, u64)>,
    other: Vec<(u32, u64)>,
    kin: Kin,
    /// Whether the first's table is shared with a third counter.
    watched: bool,
}

pub(crate) fn pair() -> impl Strategy<Value = Pair> {
    let few = (entries(30, 30), entries(30, 30));
    let some = (entries(400, 300), entries(400, 60));
    let many = (entries(4000, 2500), entries(4000, 60));
    let sizes = prop_oneof![4 => few, 2 => some, 1 => many];
    let late = prop_oneof![Just(0), 1..8_usize, 8..40_usize].prop_flat_map(|len| entries(4000, len + 1));
    (sizes, late, proptest::sample::select(&KINDS[..]), any::<bool>(), any::<bool>()).prop_map(
        |((first, other), late, kin, watched, swap)| {
            let (first, other) = if swap { (other, first) } else { (first, other) };
            Pair { first, late, other, kin, watched }
        },
    )
}

pub(crate) fn several() -> impl Strategy<Value = Vec<Pair>> {
    vec(pair(), 0..5)
}

impl Pair {
    /// The two counters, and one that may share the first's table.
    pub(crate) fn build<A: Id>(&self, make: fn(u32) -> A) -> (GCounter<A>, GCounter<A>, Option<GCounter<A>>) {
        let build =
            |entries: &[(u32, u64)]| entries.iter().map(|&(id, n)| (make(id), n)).collect::<GCounter<A>>();
        let mut first = build(&self.first);
        for &(id, n) in &self.late {
            first.raise(make(id), n);
        }
        let raised = || {
            let mut raised = first.clone();
            for &(id, n) in &self.other {
                raised.raise(make(id), n);
            }
            raised
        };
        let anew =
            |counter: &GCounter<A>| counter.iter().map(|(id, n)| (id.clone(), n)).collect::<GCounter<A>>();
        let other = match self.kin {
            Kin::Stranger => build(&self.other),
            Kin::Clone => raised(),
            Kin::Twin => first.iter().map(|(id, n)| (id.clone(), n.rotate_left(7))).collect(),
            Kin::Part => first.iter().step_by(3).map(|(id, n)| (id.clone(), n ^ 1)).collect(),
            Kin::Whole => anew(&raised()),
            Kin::One => build(&self.other[..self.other.len().min(1)]),
            Kin::Delta => raised().delta_since(&first),
            Kin::Guest => {
                let mut guest = build(&self.other);
                guest.share_ids(&first);
                guest
            }
        };
        let watcher = self.watched.then(|| first.clone());
        (first, other, watcher)
    }
}

//! The laws kit finds nothing in the counters.

use crate::support::{Id, Pair, several, text};
use crdt::{Delta, GCounter, PnCounter, laws};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;

fn assert_lawful<T: Delta + PartialOrd + Debug + Serialize + DeserializeOwned>(samples: &[T]) {
    laws::all(samples).unwrap();
    laws::order(samples).unwrap();
    laws::round_trip(samples, |sample| postcard::from_bytes(&postcard::to_allocvec(sample).unwrap()).ok())
        .unwrap();
}

fn assert_counters_lawful<A: Id + Serialize + DeserializeOwned>(pairs: &[Pair], make: fn(u32) -> A) {
    let pairs: Vec<_> = pairs.iter().take(3).map(|pair| pair.build(make)).collect();
    let counters: Vec<GCounter<A>> = pairs.iter().flat_map(|(a, b, _)| [a.clone(), b.clone()]).collect();
    assert_lawful(&counters);
    laws::monotone(&counters, |counter| counter.add(make(3), u64::MAX / 3)).unwrap();
    let pn: Vec<_> = pairs.iter().map(|(a, b, _)| PnCounter::from_parts(a.clone(), b.clone())).collect();
    assert_lawful(&pn);
    laws::monotone(&pn, |counter| counter.add(make(3), i64::MIN)).unwrap();
}

/// A counter of each shape that the inside has: its counts in place or in lines, its ids in a table of its own, in a
/// shared one, or also in a list beside that.
fn shapes<T: Delta + FromIterator<(u64, C)>, C>(
    count: fn(u64) -> C,
    raise: fn(&mut T, u64, u64),
    shares: fn(&T, &T) -> bool,
) -> Vec<T> {
    let of = |ids: std::ops::Range<u64>, n: u64| ids.map(|id| (2 * id, count(n + id % 3))).collect::<T>();
    let raised = |counter: &T, ids: [u64; 3], n: u64| {
        let mut raised = counter.clone();
        for id in ids {
            raise(&mut raised, id, n);
        }
        raised
    };
    let (inline, full, table) = (of(0..3, 1), of(0..8, 2), of(0..200, 1));
    let one_tail = raised(&table, [1, 3, 399], 5);
    let other_tail = raised(&table, [1, 2, 401], 6);
    for late in [&one_tail, &other_tail] {
        assert!(shares(late, &table) && !table.covers(late), "new ids are beside the table");
    }
    let higher = raised(&table, [0, 2, 398], 9);
    assert!(shares(&higher, &table));
    let inline_higher = raised(&inline, [0, 2, 4], 7);
    assert!(shares(&inline_higher, &inline));
    let delta = one_tail.delta_since(&other_tail);
    let spilled = raised(&full, [1, 3, 5], 4);
    [T::default(), inline, inline_higher, full, spilled, table, higher, one_tail, other_tail, delta].into()
}

#[test]
fn counters_of_every_shape_are_lawful() {
    let grow =
        shapes(|n| n, |counter: &mut GCounter<u64>, id, n| _ = counter.raise(id, n), GCounter::shares_ids);
    assert_lawful(&grow);
    laws::monotone(&grow, |counter| counter.inc(3)).unwrap();
    let sides = |n| if n % 2 == 0 { (n, 1) } else { (0, n) };
    let raise = |counter: &mut PnCounter<u64>, id, n| _ = counter.raise(id, n / 2, n);
    let both_ways = shapes(sides, raise, PnCounter::shares_ids);
    assert_lawful(&both_ways);
    laws::monotone(&both_ways, |counter| counter.dec(3)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn counters_are_lawful(pairs in several()) {
        assert_counters_lawful(&pairs, text);
        assert_counters_lawful(&pairs, |n| Arc::<str>::from(text(n)));
        assert_counters_lawful(&pairs, |n| n);
        assert_counters_lawful(&pairs, u64::from);
        assert_counters_lawful(&pairs, |n| u128::from(n).to_le_bytes());
    }
}

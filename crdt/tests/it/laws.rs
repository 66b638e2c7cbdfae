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

//! The laws kit finds nothing in our types, and finds what is wrong in broken ones.

use crate::support::{Id, Pair, several, text};
use crdt::{Delta, GCounter, Merge, PnCounter, laws};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

fn assert_lawful<T: Delta + Clone + PartialOrd + Debug + Serialize + DeserializeOwned>(samples: &[T]) {
    laws::all(samples).unwrap();
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

/// Wrong in one way each.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Wrong {
    Left(u32),
    AlwaysChanged(u32),
    FullDelta(u32),
}

impl Merge for Wrong {
    fn merge(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::AlwaysChanged(a), Self::AlwaysChanged(b)) => {
                *a = *b.max(a);
                true
            }
            (Self::FullDelta(a), Self::FullDelta(b)) => {
                let changed = b > a;
                *a = *b.max(a);
                changed
            }
            _ => false,
        }
    }
}

impl Delta for Wrong {
    fn delta_since(&self, _: &Self) -> Self {
        match self {
            Self::FullDelta(n) => Self::FullDelta(n + 1),
            other => other.clone(),
        }
    }
}

#[test]
fn broken_laws_are_found() {
    let law = |samples: &[Wrong]| laws::all(samples).unwrap_err().law();
    assert_eq!(law(&[Wrong::Left(1), Wrong::Left(2)]), "not commutative");
    assert_eq!(law(&[Wrong::AlwaysChanged(1)]), "merging itself returned true");
    assert_eq!(law(&[Wrong::FullDelta(1)]), "a delta has not the effect of the whole");
    let down = laws::monotone(&[Wrong::Left(3)], |wrong| *wrong = Wrong::Left(1));
    assert_eq!(down.unwrap_err().to_string(), "not monotone: [Left(3), Left(1)]");
}

/// A number that merges as it should, and is compared the wrong way round.
#[derive(Clone, Debug, PartialEq)]
struct UpsideDown(u32);

impl Merge for UpsideDown {
    fn merge(&mut self, other: &Self) -> bool {
        let changed = other.0 > self.0;
        self.0 = self.0.max(other.0);
        changed
    }
}

impl Delta for UpsideDown {
    fn delta_since(&self, _: &Self) -> Self {
        self.clone()
    }
}

impl PartialOrd for UpsideDown {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        other.0.partial_cmp(&self.0)
    }
}

#[test]
fn a_wrong_order_is_found() {
    let samples = [UpsideDown(1), UpsideDown(2)];
    laws::merge(&samples).unwrap();
    laws::delta(&samples).unwrap();
    assert_eq!(laws::order(&samples).unwrap_err().law(), "a merge is not above its parts");
    assert_eq!(laws::all(&samples).unwrap_err().law(), "a merge is not above its parts");
}

#[test]
fn what_does_not_come_back_as_it_was_is_found() {
    let sample = [UpsideDown(1)];
    laws::round_trip(&sample, |sample| Some(sample.clone())).unwrap();
    for wrong in [None, Some(UpsideDown(2))] {
        assert_eq!(laws::round_trip(&sample, |_| wrong.clone()).unwrap_err().law(), "not itself again");
    }
}

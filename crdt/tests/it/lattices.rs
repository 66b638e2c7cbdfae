//! Every lattice of the crate is lawful, alone and in the others; and does what its documentation says.

#![expect(clippy::disallowed_types, reason = "maps of the user's, which the crate merges")]

use crate::support::text;
use crdt::{Delta, GCounter, Lww, Max, Merge, Min, PnCounter, VersionVector, laws};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

/// All laws, and a round trip.
fn assert_lawful<T: Delta + PartialEq + Debug + Serialize + DeserializeOwned>(samples: &[T]) {
    let samples = [samples, &[T::default()]].concat();
    laws::all(&samples).unwrap();
    laws::round_trip(&samples, |sample| postcard::from_bytes(&postcard::to_allocvec(sample).unwrap()).ok())
        .unwrap();
}

fn few() -> impl Strategy<Value = u8> {
    0..4_u8
}

fn samples<T: Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    vec(one, 1..5)
}

fn max() -> impl Strategy<Value = Max<u8>> {
    proptest::option::of(few()).prop_map(|value| value.map(Max::new).unwrap_or_default())
}

fn min() -> impl Strategy<Value = Min<String>> {
    proptest::option::of(few()).prop_map(|value| value.map(|n| Min::new(text(n.into()))).unwrap_or_default())
}

fn lww() -> impl Strategy<Value = Lww<String, (u8, u8)>> {
    proptest::option::of((few(), few(), 0..2_u8)).prop_map(|write| {
        write.map(|(value, t, id)| Lww::new(text(value.into()), (t, id))).unwrap_or_default()
    })
}

fn counter() -> impl Strategy<Value = GCounter<u8>> {
    btree_map(few(), 0..3_u64, 0..4).prop_map(|entries| entries.into_iter().collect())
}

fn pn() -> impl Strategy<Value = PnCounter<u8>> {
    (counter(), counter()).prop_map(|(up, down)| PnCounter::from_parts(up, down))
}

fn seen() -> impl Strategy<Value = VersionVector<u8>> {
    counter().prop_map(VersionVector::from)
}

fn map<V: Debug>(value: impl Strategy<Value = V>) -> impl Strategy<Value = BTreeMap<u8, V>> {
    btree_map(few(), value, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn small_ones_are_lawful(a in samples(max()), b in samples(min()), c in samples(lww()), d in samples(seen())) {
        assert_lawful(&a);
        assert_lawful(&b);
        assert_lawful(&c);
        assert_lawful(&d);
        laws::order(&a).unwrap();
        laws::order(&b).unwrap();
        laws::order(&c).unwrap();
        laws::order(&d).unwrap();
        laws::monotone(&a, |max| max.observe(2)).unwrap();
        laws::monotone(&b, |min| min.observe(text(2))).unwrap();
        laws::monotone(&c, |lww| lww.set(text(2), (2, 1))).unwrap();
        laws::monotone(&d, |seen| seen.inc(2)).unwrap();
    }

    #[test]
    fn options_and_tuples_are_lawful(
        a in samples(proptest::option::of(counter())),
        b in samples((max(), counter())),
        c in samples((max(), min(), pn())),
        d in samples((max(), (lww(), seen()), min(), proptest::option::of(max()))),
    ) {
        assert_lawful(&a);
        assert_lawful(&b);
        assert_lawful(&c);
        assert_lawful(&d);
        let all: Vec<_> = a.into_iter().map(|x| (x.clone(), Max::new(1), x.clone(), Max::new(2), x)).collect();
        assert_lawful(&all);
        let all: Vec<_> = b.into_iter().map(|(x, y)| (x, y.clone(), x, y.clone(), x, y)).collect();
        assert_lawful(&all);
    }

    #[test]
    fn sets_are_lawful(sets in samples(btree_set(few(), 0..4))) {
        assert_lawful(&sets);
        let hashed: Vec<HashSet<u8>> = sets.into_iter().map(|set| set.into_iter().collect()).collect();
        assert_lawful(&hashed);
    }

    #[test]
    fn maps_are_lawful(
        counters in samples(map(pn())),
        deep in samples(map(map((max(), proptest::option::of(lww()))))),
        sets in samples(map(btree_set(few(), 0..3))),
    ) {
        assert_lawful(&counters);
        assert_lawful(&deep);
        assert_lawful(&sets);
        let hashed: Vec<HashMap<u8, PnCounter<u8>>> =
            counters.into_iter().map(|map| map.into_iter().collect()).collect();
        assert_lawful(&hashed);
    }

    #[test]
    fn a_meet_is_the_largest_that_both_cover(a in seen(), b in seen(), c in seen()) {
        let meet = a.meet(&b);
        prop_assert_eq!(&meet, &b.meet(&a));
        prop_assert!(meet <= a && meet <= b);
        prop_assert_eq!(c <= meet, c <= a && c <= b);
    }

    #[test]
    fn events_are_seen_as_by_a_set_of_them(first in vec(few(), 0..9), second in vec(few(), 0..9)) {
        let (mut vectors, mut sets) = ([VersionVector::new(), VersionVector::new()], [BTreeSet::new(), BTreeSet::new()]);
        for (at, actors) in [first, second].into_iter().enumerate() {
            for actor in actors {
                let number = vectors[at].inc(actor).unwrap();
                prop_assert!(sets[at].insert((actor, number)));
            }
        }
        let [a, b] = &vectors;
        for (actor, number) in (0..4).flat_map(|actor| (1..10).map(move |number| (actor, number))) {
            prop_assert_eq!(a.contains(actor, number), sets[0].contains(&(actor, number)));
            prop_assert_eq!(a.meet(b).contains(actor, number), sets.iter().all(|set| set.contains(&(actor, number))));
        }
        let concurrent = !sets[0].is_subset(&sets[1]) && !sets[1].is_subset(&sets[0]);
        prop_assert_eq!(a.concurrent(b), concurrent);
    }
}

type Stock = BTreeMap<(String, String), PnCounter<String>>;

fn stock(tenant: &str, name: &str, id: &str, n: i64) -> Stock {
    let mut counter = PnCounter::new();
    counter.add(id, n).unwrap();
    [((tenant.to_string(), name.to_string()), counter)].into()
}

#[test]
fn a_map_of_counters_merges_as_it_stands_and_by_deltas() {
    let mut here = stock("acme", "bolts", "n0", 5);
    Merge::merge(&mut here, &stock("acme", "nuts", "n0", 7));
    let mut there = here.clone();
    assert!(Merge::merge(&mut there, &stock("acme", "bolts", "n1", -2)));
    let delta = there.delta_since(&here);
    assert_eq!(delta, stock("acme", "bolts", "n1", -2), "only the news of the one counter that has any");
    assert!(Merge::merge(&mut here, &delta));
    assert!(!Merge::merge(&mut here, &delta));
    assert_eq!(here, there);
    assert!(here.delta_since(&there).is_bottom());
}

#[test]
fn a_key_with_an_empty_counter_is_more_than_no_key() {
    let (none, empty) = (BTreeMap::new(), BTreeMap::from([(1, GCounter::<u8>::new())]));
    assert!(empty.covers(&none) && !none.covers(&empty));
    assert_eq!(empty.delta_since(&none), empty);
    let mut state = none.clone();
    assert!(Merge::merge(&mut state, &empty));
    assert_eq!(state, empty, "so that replicas that have merged are equal");
}

#[test]
fn of_two_writes_at_once_every_replica_keeps_the_same() {
    let writes = [Lww::new("a", 7), Lww::new("c", 7), Lww::new("b", 7), Lww::new("z", 6)];
    for start in 0..writes.len() {
        let mut state = Lww::default();
        writes.iter().cycle().skip(start).take(writes.len()).for_each(|write| _ = state.merge(write));
        assert_eq!((state.get(), state.clock()), (Some(&"c"), Some(&7)));
    }
}

#[test]
fn what_is_written_is_what_the_documentation_says() {
    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }
    assert_eq!(json(&Max::new(3)), "3");
    assert_eq!(json(&Max::<u8>::default()), "null");
    assert_eq!(json(&Min::new("a".to_string())), "\"a\"");
    assert_eq!(json(&Lww::new(3, 7)), "[7,3]");
    assert_eq!(json(&VersionVector::from([("a".to_string(), 3)])), "{\"a\":3}");
}

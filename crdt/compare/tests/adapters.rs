//! Each make gives the counts that ours gives, in every way in which the table merges, on random states.

use crdt_compare::{
    Apart, BTree, Contestant, CrdtKit, Crdts, Hash, Id, Json, Lattices, LatticesTree, SearchedBTree, Shared,
    Yrs,
};
use proptest::collection::btree_map;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Entries = Vec<(u64, u64)>;

/// Two states, from a few of many ids to most of few: disjoint, nested and mixed. Or of the same ids.
fn states() -> impl Strategy<Value = (Entries, Entries)> {
    let of = |ids, len| btree_map(0..ids, (1_u64..1000, 1_u64..1000), 0..=len);
    let state = move || (1_u64..200, 0_usize..100).prop_flat_map(move |(ids, len)| of(ids, len));
    let first = |state: &BTreeMap<u64, (u64, u64)>| state.iter().map(|(&id, &(n, _))| (id, n)).collect();
    let second = |state: &BTreeMap<u64, (u64, u64)>| state.iter().map(|(&id, &(_, n))| (id, n)).collect();
    prop_oneof![
        (state(), state()).prop_map(move |(a, b)| (first(&a), first(&b))),
        state().prop_map(move |both| (first(&both), second(&both))),
    ]
}

fn same_counts<C: Contestant>(a: &Entries, b: &Entries, expected: &Entries) -> Result<(), TestCaseError> {
    let (state, other) = (C::build(a), C::build(b));
    prop_assert_eq!(&state.counts(), a, "{} as built", C::name());
    let mut merged = state.clone();
    merged.merge_ref(&other);
    prop_assert_eq!(&merged.counts(), expected, "{} by reference", C::name());
    merged.merge_ref(&other);
    prop_assert_eq!(&merged.counts(), expected, "{} again", C::name());
    let mut merged = state.detached();
    merged.merge_value(other.clone());
    prop_assert_eq!(&merged.counts(), expected, "{} by value", C::name());
    let sum: u128 = expected.iter().map(|&(_, n)| u128::from(n)).sum();
    prop_assert_eq!(merged.value(), sum, "{}", C::name());
    let mut sibling = merged.sibling(a);
    prop_assert_eq!(&sibling.counts(), a, "{} sibling", C::name());
    sibling.merge_ref(&other);
    prop_assert_eq!(&sibling.counts(), expected, "{} sibling", C::name());
    Ok(())
}

/// What only some makes have: a difference as a counter of their own.
fn same_delta<C: Contestant>(a: &Entries, b: &Entries, expected: &Entries) -> Result<(), TestCaseError> {
    let delta = C::build(a).delta_since(&C::build(b)).map(|delta| delta.counts());
    prop_assert_eq!(delta.as_ref(), Some(expected), "{}", C::name());
    Ok(())
}

fn same_from_json<C: Json>(a: &Entries, b: &Entries, expected: &Entries) -> Result<(), TestCaseError> {
    let mut state = C::build(a);
    state.merge_json(&C::build(b).to_json());
    prop_assert_eq!(&state.counts(), expected, "{}", C::name());
    Ok(())
}

fn generic<A: Id>(a: &Entries, b: &Entries) -> Result<(), TestCaseError> {
    let mut ours = Apart::<A>::build(a);
    let delta = ours.delta_since(&Apart::build(b)).map(|delta| delta.counts()).unwrap_or_default();
    ours.merge_ref(&Apart::build(b));
    let merged = ours.counts();
    same_counts::<Shared<A>>(a, b, &merged)?;
    same_counts::<BTree<A>>(a, b, &merged)?;
    same_counts::<SearchedBTree<A>>(a, b, &merged)?;
    same_counts::<Hash<A>>(a, b, &merged)?;
    same_counts::<Crdts<A>>(a, b, &merged)?;
    same_counts::<Lattices<A>>(a, b, &merged)?;
    same_counts::<LatticesTree<A>>(a, b, &merged)?;
    same_delta::<BTree<A>>(a, b, &delta)?;
    same_delta::<Hash<A>>(a, b, &delta)?;
    same_delta::<Crdts<A>>(a, b, &delta)
}

proptest! {
    #[test]
    fn all_makes_merge_as_ours_does((a, b) in states()) {
        generic::<String>(&a, &b)?;
        generic::<u64>(&a, &b)?;
        let mut ours = Apart::<u64>::build(&a);
        ours.merge_ref(&Apart::build(&b));
        same_counts::<CrdtKit>(&a, &b, &ours.counts())?;
        same_counts::<Yrs>(&a, &b, &ours.counts())?;
    }

    #[test]
    fn all_makes_read_json_as_ours_does((a, b) in states()) {
        let mut ours = Apart::<String>::build(&a);
        ours.merge_ref(&Apart::build(&b));
        let merged = ours.counts();
        same_from_json::<Apart<String>>(&a, &b, &merged)?;
        same_from_json::<BTree<String>>(&a, &b, &merged)?;
        same_from_json::<SearchedBTree<String>>(&a, &b, &merged)?;
        same_from_json::<Hash<String>>(&a, &b, &merged)?;
        same_from_json::<Crdts<String>>(&a, &b, &merged)?;
        same_from_json::<Lattices<String>>(&a, &b, &merged)?;
        same_from_json::<LatticesTree<String>>(&a, &b, &merged)?;
    }
}

#[test]
fn maps_by_hand_read_json_in_any_order() {
    let json = br#"{"n5":2,"n1":7,"n5":9,"n5":1,"\u006e3":4}"#;
    let (mut ours, mut btree, mut hash) =
        (Apart::<String>::build(&[]), BTree::<String>::build(&[]), Hash::<String>::build(&[]));
    ours.merge_json(json);
    btree.merge_json(json);
    hash.merge_json(json);
    assert_eq!(ours.counts(), [(1, 7), (3, 4), (5, 9)]);
    assert_eq!(btree.counts(), ours.counts());
    assert_eq!(hash.counts(), ours.counts());
}

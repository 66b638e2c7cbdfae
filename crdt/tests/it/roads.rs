//! Which road is taken: tables of ids that are shared or not made at all, and what is looked at in parts.

use crdt::{GCounter, Slot};
use std::cmp::Ordering;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

type Counter = GCounter<u64>;

#[test]
fn empty_counters_share_their_ids() {
    assert!(Counter::new().shares_ids(&Counter::new()));
    assert!(!Counter::new().shares_ids(&[(1, 1)].into_iter().collect()));
}

#[test]
fn nothing_is_counted_without_an_id_being_made_for_it() {
    let (mut counter, mut slot) = (Counter::new(), Slot::new(1));
    assert_eq!((counter.add(1, 0), counter.add_at(&mut slot, 0)), (Ok(0), Ok(0)));
    assert!(!counter.raise(1, 0) && !counter.raise_at(&mut slot, 0));
    assert!(counter.shares_ids(&Counter::new()), "there is no id");
}

#[test]
fn an_actor_may_be_named_by_text_by_reference_or_by_value() {
    let (mut counter, id) = (GCounter::<String>::new(), String::from("n0"));
    let sums = [counter.add("n0", 1), counter.add(&id, 2), counter.add(id, 3)];
    assert_eq!(sums, [Ok(1), Ok(3), Ok(6)]);
    let mut counter = GCounter::<Arc<str>>::new();
    assert_eq!([counter.add("n0", 1), counter.add(Arc::<str>::from("n0"), 2)], [Ok(1), Ok(3)]);
    assert_eq!((counter.get("n0"), counter.len()), (3, 1));
}

/// Comparison stops once each is known to be larger somewhere, not before.
#[test]
fn what_is_larger_far_behind_is_seen() {
    const LEN: u64 = 10_000;
    let equal = counter(LEN);
    let (first, last, both) = (raised(&equal, [0]), raised(&equal, [LEN - 1]), raised(&equal, [0, LEN - 1]));
    assert!(first.shares_ids(&last));
    assert_eq!(first.partial_cmp(&last), None);
    assert_eq!(last.partial_cmp(&first), None);
    assert_eq!(both.partial_cmp(&last), Some(Ordering::Greater));
    assert_eq!(last.partial_cmp(&both), Some(Ordering::Less));
}

fn counter(len: u64) -> Counter {
    (0..len).map(|id| (id, 5)).collect()
}

fn raised(counter: &Counter, ids: impl IntoIterator<Item = u64>) -> Counter {
    let mut raised = counter.clone();
    ids.into_iter().for_each(|id| assert!(raised.raise(id, 9)));
    raised
}

/// Few news among many ids get a table of their own; from one in 64 on, or among few ids, they stay on the shared one.
#[test]
fn a_difference_holds_what_is_new_and_shares_the_ids_if_that_is_much() {
    let here_and_there = vec![0, 7, 8, 511, 512, 513, 1024, 4095, 4999];
    for (len, news, shares) in [
        (5000, here_and_there, false),
        (5000, vec![4999], false),
        (128, vec![3], true),
        (129, vec![3], false),
        (6400, (0..100).collect(), true),
        (6400, (0..99).collect(), false),
    ] {
        let before = counter(len);
        let after = raised(&before, news.clone());
        let delta = after.delta_since(&before);
        assert_eq!(
            delta.iter().map(|(id, n)| (*id, n)).collect::<Vec<_>>(),
            news.iter().map(|id| (*id, 9)).collect::<Vec<_>>()
        );
        assert_eq!(delta.shares_ids(&after), shares, "{} of {len}", news.len());
    }
}

/// Those that share a table are merged four at a time; each may be the only one to bring something.
#[test]
fn merging_many_tells_whether_any_of_them_brought_something() {
    let state = counter(20);
    for len in 1..=9 {
        let mut others = vec![state.clone(); len];
        assert!(!state.clone().merge_all(&others));
        for at in 0..len {
            others[at] = raised(&state, [3]);
            assert!(state.clone().merge_all(&others), "{at} of {len}");
            others[at] = state.clone();
        }
        others.splice(0..0, [raised(&state, [3]), raised(&state, [4])]);
        assert!(state.clone().merge_all(&others), "two of them");
        others.push(counter(30));
        assert!(state.clone().merge_all(&others), "both one of the same ids and one of others");
    }
}

#[test]
fn what_is_collected_without_a_count_gets_no_id() {
    let counter: Counter = [(1, 0), (2, 0)].into_iter().collect();
    assert!(counter.shares_ids(&Counter::new()));
}

#[test]
fn different_counters_hash_differently() {
    let hash = BuildHasherDefault::<DefaultHasher>::new();
    assert_ne!(hash.hash_one(counter(3)), hash.hash_one(counter(4)));
}

#[test]
fn the_iterator_shows_what_is_left() {
    let counter: Counter = [(1, 10), (2, 20)].into_iter().collect();
    let mut iter = counter.iter();
    iter.next();
    assert_eq!(format!("{iter:?}"), "[(2, 20)]");
}

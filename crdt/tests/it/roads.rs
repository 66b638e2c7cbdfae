//! Which road is taken: tables of ids that are shared or not made at all, and what is looked at in parts.

use crdt::{GCounter, Slot};
use std::cmp::Ordering;

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

/// Comparison stops once each is known to be larger somewhere, not before.
#[test]
fn what_is_larger_far_behind_is_seen() {
    const LEN: u64 = 10_000;
    let equal: Counter = (0..LEN).map(|id| (id, 5)).collect();
    let raised = |ids: &[u64]| {
        let mut counter = equal.clone();
        ids.iter().for_each(|id| assert!(counter.raise(*id, 9)));
        counter
    };
    let (first, last) = (raised(&[0]), raised(&[LEN - 1]));
    assert!(first.shares_ids(&last));
    assert_eq!(first.partial_cmp(&last), None);
    assert_eq!(last.partial_cmp(&first), None);
    assert_eq!(raised(&[0, LEN - 1]).partial_cmp(&last), Some(Ordering::Greater));
    assert_eq!(last.partial_cmp(&raised(&[0, LEN - 1])), Some(Ordering::Less));
}

#[test]
fn the_iterator_shows_what_is_left() {
    let counter: Counter = [(1, 10), (2, 20)].into_iter().collect();
    let mut iter = counter.iter();
    iter.next();
    assert_eq!(format!("{iter:?}"), "[(2, 20)]");
}

//! Mistakes measured in other crates, so that they are not made here.

use crdt::{GCounter, Overflow, PnCounter};

type Counter = GCounter<String>;

fn counter(entries: &[(&str, u64)]) -> Counter {
    entries.iter().map(|&(id, n)| (id.to_string(), n)).collect()
}

#[test]
fn one_more_than_the_largest_count_is_an_error_and_changes_nothing() {
    let mut full = counter(&[("n0", u64::MAX)]);
    assert_eq!(full.add("n0", 1), Err(Overflow));
    assert_eq!(full.get("n0"), u64::MAX);

    let mut pn = PnCounter::<u32>::new();
    for _ in 0..2 {
        pn.add(1, i64::MAX).unwrap();
    }
    assert_eq!(pn.add(1, 2), Err(Overflow));
    assert_eq!(pn.value(), 2 * i128::from(i64::MAX));
    pn.add(1, i64::MIN).unwrap();
    assert_eq!(pn.add(1, i64::MIN), Err(Overflow));
    assert_eq!(pn.value(), i128::from(i64::MAX) - 1);
}

#[test]
fn a_delta_delivered_again_counts_once() {
    let (mut here, there) = (counter(&[("n0", 1)]), counter(&[("n0", 1), ("n1", 5)]));
    let delta = there.delta_since(&here);
    assert!(here.merge(&delta));
    assert!(!here.merge(&delta));
    assert_eq!(here.value(), 6);
}

#[test]
fn differing_memberships_merge() {
    let mut here = counter(&[("a", 1), ("c", 3), ("e", 5)]);
    assert!(here.merge(&counter(&[("b", 2), ("c", 4), ("d", 4), ("f", 6)])));
    assert_eq!(here, counter(&[("a", 1), ("b", 2), ("c", 4), ("d", 4), ("e", 5), ("f", 6)]));
}

#[test]
fn joining_a_stale_state_loses_nothing() {
    let stale = counter(&[("n0", 3), ("n1", 1)]);
    let mut fresh = stale.clone();
    fresh.add("n0", 4).unwrap();
    assert!(!fresh.merge(&stale));
    assert_eq!(fresh.get("n0"), 7);
}

#[test]
fn a_sum_past_64_bits_is_exact() {
    let ids = 100_000_u64;
    let full: GCounter<u64> = (0..ids).map(|id| (id, u64::MAX)).collect();
    assert_eq!(full.value(), u128::from(ids) * u128::from(u64::MAX));
    let pn = PnCounter::from_parts(GCounter::new(), full);
    assert_eq!(pn.value(), -i128::from(ids) * i128::from(u64::MAX));
}

#[test]
fn adding_nothing_leaves_no_entry() {
    let mut empty = Counter::new();
    assert_eq!(empty.add("n0", 0), Ok(0));
    assert!(empty.is_empty());
    assert_eq!(empty, Counter::default());
}

#[test]
fn errors_say_what_was_expected() {
    let problem = |json: &str| serde_json::from_str::<Counter>(json).unwrap_err().to_string();
    assert!(problem("7").contains("expected a map of actors to counts"), "{}", problem("7"));
    assert_eq!(Overflow.to_string(), "the count of this actor would pass u64::MAX");
    let known = counter(&[("n0", 1)]);
    let problem = |json: &str| known.read_json(json.as_bytes()).unwrap_err().to_string();
    assert!(problem("7").contains("expected a map of actors to counts"), "{}", problem("7"));
}

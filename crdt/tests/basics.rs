//! Smoke tests of the whole surface.
use crdt::{GCounter, Overflow, PnCounter};
use std::sync::Arc;

#[test]
fn counts_merge_and_round_trip() {
    let mut a = GCounter::<Arc<str>>::new();
    assert_eq!(a.add("n0", 3), Ok(3));
    assert_eq!(a.add("n1", 0), Ok(0));
    assert_eq!(a.len(), 1);
    let b: GCounter<Arc<str>> = serde_json::from_str(r#"{"n1":4,"n0":1,"n1":2,"z":0}"#).unwrap();
    assert_eq!(b.len(), 2);
    assert_eq!(a.partial_cmp(&b), None);
    assert!(a.merge(&b));
    assert!(!a.merge(&b));
    assert_eq!(a.value(), 7);
    assert_eq!(serde_json::to_string(&a).unwrap(), r#"{"n0":3,"n1":4}"#);
    assert_eq!(a.delta_since(&b), GCounter::from_iter([(Arc::from("n0"), 3)]));
    for bad in [r#"{"a":-1}"#, r#"{"a":1.5}"#, r#"{"a":18446744073709551616}"#, "[]"] {
        assert!(serde_json::from_str::<GCounter<Arc<str>>>(bad).is_err());
    }
}

#[test]
fn goes_up_and_down() {
    let mut a = PnCounter::<u64>::new();
    assert_eq!(a.add(1, i64::MIN), Ok(i128::from(i64::MIN)));
    assert_eq!(a.add(1, i64::MIN), Err(Overflow));
    assert_eq!(a.add(1, 3), Ok(i128::from(i64::MIN) + 3));
    assert_eq!(a.value(), i128::from(i64::MIN) + 3);
}

//! Reading what was written, and what was not.

use crate::support::{Pair, oracle, pair, text};
use crdt::{GCounter, PnCounter};
use proptest::prelude::*;
use serde::de::DeserializeSeed;
use std::sync::Arc;

type Counter = GCounter<Arc<str>>;

fn shared(n: u32) -> Arc<str> {
    // Some ids that JSON has to escape.
    if n % 50 == 49 { Arc::from(format!("n\"{n}\\")) } else { Arc::from(text(n)) }
}

fn by_seed(state: &Counter, json: &str) -> Result<Counter, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(json);
    let counter = state.seed().deserialize(&mut json)?;
    json.end().map(|()| counter)
}

/// Every way to read the same text must agree.
fn assert_reads(state: &Counter, json: &str) {
    let plain = serde_json::from_str::<Counter>(json).ok();
    assert_eq!(by_seed(state, json).ok(), plain, "{json}");
    assert_eq!(state.read_json(json.as_bytes()).ok(), plain, "{json}");
    let (mut by_json, mut by_merge) = (state.clone(), state.clone());
    let changed = by_json.merge_json(json.as_bytes()).ok();
    assert_eq!(changed, plain.map(|heard| by_merge.merge(&heard)), "{json}");
    assert_eq!(by_json, by_merge, "{json}");
}

fn check(pair: &Pair) {
    let (a, b, _) = pair.build(shared);
    let json = serde_json::to_string(&b).unwrap();
    assert_eq!(json, serde_json::to_string(&oracle(&b)).unwrap());
    assert_eq!(by_seed(&a, &json).unwrap(), b);
    assert_reads(&a, &json);
    assert_reads(&a, &serde_json::to_string_pretty(&b).unwrap());

    let bytes = postcard::to_allocvec(&b).unwrap();
    assert_eq!(postcard::from_bytes::<Counter>(&bytes).unwrap(), b);
    let mut postcard = postcard::Deserializer::from_bytes(&bytes);
    assert_eq!(a.seed().deserialize(&mut postcard).unwrap(), b);

    let pn = PnCounter::from_parts(a.clone(), b.clone());
    let json = serde_json::to_string(&pn).unwrap();
    assert_eq!(serde_json::from_str::<PnCounter<Arc<str>>>(&json).unwrap(), pn);
    for state in [&pn, &PnCounter::from_parts(b.clone(), a.clone()), &PnCounter::new()] {
        assert_eq!(state.read_json(json.as_bytes()).unwrap(), pn);
        let (mut by_json, mut by_merge) = (state.clone(), state.clone());
        assert_eq!(by_json.merge_json(json.as_bytes()).unwrap(), by_merge.merge(&pn));
        assert_eq!(by_json, by_merge);
        for cut in [1, json.len() / 2, json.len() - 1] {
            assert!(json.get(..cut).is_none_or(|part| state.read_json(part.as_bytes()).is_err()));
        }
    }
    let bytes = postcard::to_allocvec(&pn).unwrap();
    assert_eq!(postcard::from_bytes::<PnCounter<Arc<str>>>(&bytes).unwrap(), pn);
}

fn state() -> Counter {
    ["n0", "n1", "n2", "n\n3"].into_iter().map(|id| (Arc::from(id), 3)).collect()
}

#[test]
fn unsorted_and_doubled_keys_and_zeros() {
    let counter: Counter = serde_json::from_str(r#"{"n1":4,"n0":1,"n1":2,"z":0,"n0":3}"#).unwrap();
    assert_eq!(serde_json::to_string(&counter).unwrap(), r#"{"n0":3,"n1":4}"#);
    for plain in [state(), state().iter().take(3).map(|(id, n)| (id.clone(), n)).collect()] {
        for json in [
            r#"{"n1":4,"n0":1,"n1":2,"z":0,"n0":3}"#,
            r#"{"n0":0,"n1":0,"n2":5}"#,
            r#"{"n0":5,"n0":4}"#,
            r#"{"n0":18446744073709551615}"#,
            r#"{"n0":12345678,"n1":1234567,"n2":0}"#,
            r#"{"n\u0030":9}"#,
            r#"{"n\n3":9}"#,
            "{\"n\n3\":9}",
            r#"{"new":1}"#,
            r#" { "n0" : 4 } "#,
            "{}",
            "",
            "{",
            "[]",
            "null",
            r#"{"n0":4"#,
            r#"{"n0":4}}"#,
            r#"{"n0":4},"#,
            r#"{"n0":4,}"#,
            r#"{"n0":04}"#,
            r#"{"n0":-1}"#,
            r#"{"n0":1.5}"#,
            r#"{"n0":1e5}"#,
            r#"{"n0":18446744073709551616}"#,
            r#"{"n0":"4"}"#,
            r#"{"n0":4 "n1":4}"#,
            r"{n0:4}",
        ] {
            assert_reads(&plain, json);
            assert_reads(&Counter::new(), json);
        }
    }
}

#[test]
fn integer_ids_are_text_in_json() {
    let counter: GCounter<u64> = [(7, 3), (10, 1)].into_iter().collect();
    let json = serde_json::to_string(&counter).unwrap();
    assert_eq!(json, r#"{"7":3,"10":1}"#);
    assert_eq!(serde_json::from_str::<GCounter<u64>>(&json).unwrap(), counter);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_reader_agrees(pair in pair()) { check(&pair); }

    #[test]
    fn any_text_is_read_alike(json in r#"\{?("n[0-9]":[0-9]{1,21},?|"[a-z\\"0-9]{0,4}":[-.e0-9]{0,4},?){0,4}\}?"#) {
        assert_reads(&state(), &json);
        assert_reads(&state().iter().take(3).map(|(id, n)| (id.clone(), n)).collect(), &json);
    }
}

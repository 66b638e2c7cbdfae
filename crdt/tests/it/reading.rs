//! Reading what was written, and what was not.

use crate::support::{Pair, oracle, pair, text};
use crdt::{GCounter, PnCounter, ToActor};
use proptest::prelude::*;
use serde::de::{DeserializeSeed, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::cmp::Ordering;
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
    for state in [&a, &b] {
        let sides = PnCounter::from_parts(state.clone(), GCounter::new());
        assert_eq!(sides.read_side_json(serde_json::to_string(&b).unwrap().as_bytes()).unwrap(), b);
    }
    let bytes = postcard::to_allocvec(&pn).unwrap();
    assert_eq!(postcard::from_bytes::<PnCounter<Arc<str>>>(&bytes).unwrap(), pn);
    let mut postcard = postcard::Deserializer::from_bytes(&bytes);
    assert_eq!(pn.seed().deserialize(&mut postcard).unwrap(), pn);
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

/// An id that is not written as the text that it borrows as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tagged(String);

impl Borrow<str> for Tagged {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for Tagged {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("r-{}", self.0))
    }
}

impl<'de> Deserialize<'de> for Tagged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("r-").map(|id| Self(id.into())).ok_or_else(|| D::Error::custom("no tag"))
    }
}

impl ToActor<Tagged> for &str {
    fn cmp_actor(&self, actor: &Tagged) -> Ordering {
        (*self).cmp(&actor.0)
    }

    fn to_actor(self) -> Tagged {
        Tagged(self.into())
    }
}

/// The text in the input is that of another actor: of `1`, not of `r-1`. Both are known, in the table or beside it.
#[test]
fn an_id_is_not_recognised_by_a_text_that_it_is_not_written_as() {
    let ids = |len: u32| (0..len).map(|n| (Tagged(format!("x{n:03}")), 3));
    for len in [0, 100] {
        let mut state: GCounter<Tagged> = ids(len).collect();
        state.extend([(Tagged("1".into()), 3)]);
        state.extend([(Tagged("r-1".into()), 3)]);
        let json = br#"{"r-1":5}"#;
        let heard: GCounter<Tagged> = serde_json::from_slice(json).unwrap();
        assert!(heard.iter().eq([(&Tagged("1".into()), 5)]));
        assert_eq!(state.read_json(json).unwrap(), heard);
        let mut text = serde_json::Deserializer::from_slice(json);
        assert_eq!(state.seed().deserialize(&mut text).unwrap(), heard);
        assert!(state.merge_json(json).unwrap());
        assert_eq!((state.get("1"), state.get("r-1")), (5, 3));
        let mut pn = PnCounter::from_parts(state.clone(), GCounter::new());
        assert!(pn.merge_json(br#"{"p":{"r-1":5},"n":{"r-1":2}}"#).unwrap());
        assert_eq!((pn.counts("1"), pn.counts("r-1")), ((5, 2), (3, 0)));
    }
}

#[test]
fn borrowed_ids_are_read_from_the_text_itself() {
    let json = String::from(r#"{"n0":5,"new":6}"#);
    let mut state: GCounter<&str> = [("n0", 3), ("n1", 4)].into_iter().collect();
    let mut text = serde_json::Deserializer::from_str(&json);
    let heard = state.seed().deserialize(&mut text).unwrap();
    assert!(heard.iter().eq([(&"n0", 5), (&"new", 6)]));
    state.merge(&heard);
    assert_eq!(state.value(), 15);
    let sides = String::from(r#"{"p":{"n0":5},"n":{"new":6}}"#);
    let pn = PnCounter::from_parts(state, GCounter::new());
    let heard = pn.seed().deserialize(&mut serde_json::Deserializer::from_str(&sides)).unwrap();
    assert!(heard.iter().eq([(&"n0", (5, 0)), (&"new", (0, 6))]));
}

#[test]
fn a_counter_of_both_ways_is_read_like_any_struct() {
    let state = PnCounter::<Arc<str>>::new();
    for json in [
        r#"{"n":{"n0":5},"p":{}}"#,
        r#"{"p":{"n0":5},"more":[1],"n":{}}"#,
        r#"{"p":{"n0":5}}"#,
        r#"{"p":{"n0":5},"n":{},"p":{}}"#,
        r#"[{"n0":5},{"n1":6}]"#,
        r#"[{"n0":5}]"#,
        r#"{"p":{"n0":5},"n":null}"#,
    ] {
        let plain = serde_json::from_str::<PnCounter<Arc<str>>>(json).ok();
        assert_eq!(state.read_json(json.as_bytes()).ok(), plain, "{json}");
    }
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

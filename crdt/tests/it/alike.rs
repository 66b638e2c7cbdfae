//! Whatever is written for a counter that grows compiles for one that goes both ways, and means the same.

#![expect(clippy::disallowed_types, clippy::needless_borrows_for_generic_args, reason = "what users write")]

use crdt::{Delta, GCounter, Merge, PnCounter, Slot, laws};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Runs each snippet on both types, and holds the names of all.
macro_rules! on_both {
    ($($name:ident $body:block)+) => {
        const SNIPPETS: &[&str] = &[$(stringify!($name)),+];

        mod grows {
            use super::*;
            type Counter<A> = GCounter<A>;
            /// What an actor has counted, as entries have it.
            const fn n(count: u64) -> u64 { count }
            $(#[test] fn $name() -> Result<(), Box<dyn std::error::Error>> { $body Ok(()) })+
        }

        mod goes_both_ways {
            use super::*;
            type Counter<A> = PnCounter<A>;
            const fn n(count: u64) -> (u64, u64) { (count, 0) }
            $(#[test] fn $name() -> Result<(), Box<dyn std::error::Error>> { $body Ok(()) })+
        }
    };
}

// Named as the methods are.
on_both! {
    new { const EMPTY: Counter<u8> = Counter::new(); assert_eq!(EMPTY, Counter::default()); }
    value { assert_eq!(Counter::from([("a", n(1)), ("b", n(2))]).value(), 3); }
    len { assert_eq!(Counter::from([("a", n(1)), ("b", n(0))]).len(), 1); }
    is_empty { assert!(Counter::from([("a", n(0))]).is_empty()); }
    iter { assert!(Counter::from([("b", n(2)), ("a", n(1))]).iter().eq([(&"a", n(1)), (&"b", n(2))])); }
    keys { assert!(Counter::from([("b", n(2)), ("a", n(1))]).keys().eq([&"a", &"b"])); }
    values { assert!(Counter::from([("b", n(2)), ("a", n(1))]).values().eq([n(1), n(2)])); }
    add {
        let mut c = Counter::<String>::new();
        c.add("a", 1)?;
        c.add(&"a", 1)?;
        assert_eq!((c.add("a".to_string(), 1)?, c.add(&"b".to_string(), 1)?), (3, 1));
    }
    add_at {
        let (mut c, mut own) = (Counter::<String>::new(), Slot::new("a"));
        assert_eq!((c.add_at(&mut own, 1)?, c.add_at(&mut own, 2)?), (1, 3));
    }
    inc { let mut c = Counter::<String>::new(); assert_eq!((c.inc("a")?, c.inc(&"a")?), (1, 2)); }
    get {
        let (c, d) = (Counter::<String>::from([("a".into(), n(3))]), Counter::from([(7, n(3))]));
        assert_eq!((c.get("a"), c.get(&"a"), c.get("a".to_string()), c.get(&"b".to_string())), (3, 3, 3, 0));
        assert_eq!((d.get(7), d.get(&7), d.get(8)), (3, 3, 0));
    }
    contains {
        let (c, d) = (Counter::<String>::from([("a".into(), n(3))]), Counter::from([(7, n(3)), (8, n(0))]));
        assert!(c.contains("a") && c.contains(&"a") && !c.contains("b".to_string()));
        assert!(d.contains(7) && d.contains(&7) && !d.contains(8));
    }
    merge {
        let (mut c, d) = (Counter::from([("a", n(1))]), Counter::from([("a", n(2)), ("b", n(1))]));
        assert!(c.merge(&d) && !c.merge(&d) && c == d);
    }
    merge_all {
        let (mut c, all) = (Counter::new(), [Counter::from([("a", n(1))]), Counter::from([("a", n(2))])]);
        assert!(c.merge_all(&all) && c.value() == 2);
    }
    merge_if {
        let (mut c, d) = (Counter::new(), Counter::from([("a", n(2)), ("b", n(1))]));
        assert!(c.merge_if(&d, |id, now, then| *id == "b" && now == n(0) && then == n(1)));
        assert_eq!(c, Counter::from([("b", n(1))]));
    }
    delta_since {
        let (c, d) = (Counter::from([("a", n(1)), ("b", n(2))]), Counter::from([("a", n(1))]));
        assert_eq!(c.delta_since(&d), Counter::from([("b", n(2))]));
    }
    concurrent {
        let (c, d) = (Counter::from([("a", n(1))]), Counter::from([("b", n(2))]));
        assert!(c.concurrent(&d) && !c.concurrent(&c));
    }
    shares_ids { let c = Counter::from([("a", n(1))]); assert!(c.shares_ids(&c.clone())); }
    share_ids {
        let (mut c, d) = (Counter::from([("a", n(1))]), Counter::from([("a", n(1)), ("b", n(2))]));
        assert!(c.share_ids(&d) && c.value() == 1);
    }
    to_bytes { let c = Counter::from([(7_u64, n(3))]); assert_eq!(c.to_bytes(), c.clone().to_bytes()); }
    from_bytes {
        let c = Counter::<String>::from([("a".into(), n(3))]);
        assert_eq!(Counter::<String>::from_bytes(&c.to_bytes())?, c);
    }
    merge_json {
        let (mut c, d) = (Counter::<String>::new(), Counter::from([("a".to_string(), n(3))]));
        assert!(c.merge_json(&serde_json::to_vec(&d)?)? && c == d);
    }
    read_json {
        let c = Counter::from([("a".to_string(), n(3))]);
        assert_eq!(c.read_json(&serde_json::to_vec(&c)?)?, c);
    }
    seed {
        use serde::de::DeserializeSeed;
        let c = Counter::from([("a".to_string(), n(3))]);
        let json = serde_json::to_string(&c)?;
        assert_eq!(c.seed().deserialize(&mut serde_json::Deserializer::from_str(&json))?, c);
    }

    // And the traits.
    from_iterator {
        assert_eq!(vec![(1, n(3)), (2, n(4))].into_iter().collect::<Counter<u32>>().len(), 2);
        assert_eq!([(1, n(3)), (1, n(2))].into_iter().collect::<Counter<u32>>(), Counter::from([(1, n(3))]));
    }
    extend {
        let (mut c, d) = (Counter::from([("a", n(1))]), Counter::from([("b", n(2))]));
        c.extend([("a", n(3)), ("c", n(1))]);
        c.extend(&d);
        c.extend(d.iter());
        c.extend(d);
        assert_eq!(c.value(), 6);
    }
    into_iterator {
        let c = Counter::from([("a".to_string(), n(1)), ("b".to_string(), n(2))]);
        for (id, count) in &c { assert!(c.contains(id) && count != n(0)); }
        let mut entries = c.clone().into_iter();
        assert_eq!((entries.len(), entries.next()), (2, Some(("a".to_string(), n(1)))));
        assert_eq!(c.into_iter().collect::<BTreeMap<_, _>>().len(), 2);
    }
    sum {
        let states = [Counter::from([("a", n(1))]), Counter::from([("a", n(2)), ("b", n(2))])];
        assert_eq!(states.iter().sum::<Counter<_>>().value(), 4);
        assert_eq!(states.into_iter().sum::<Counter<_>>().value(), 4);
    }
    compared_printed_and_hashed {
        let (c, d) = (Counter::from([("a", n(1))]), Counter::from([("a", n(2))]));
        assert!(c < d && format!("{c} {c:?}").starts_with("1 {\"a\": "));
        assert!(HashMap::from([(c.clone(), 1)]).contains_key(&c));
    }
    as_a_lattice {
        let c = Counter::from([("a", n(1))]);
        assert!(c.covers(&Counter::new()) && !c.is_bottom() && Counter::<u8>::new().is_bottom());
        assert_eq!(Delta::delta_since(&c, &Counter::new()), c);
        laws::all(&[Counter::new(), c])?;
    }
    as_pairs {
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        struct State(#[serde(with = "crdt::pairs")] Counter<(String, u32)>);
        let state = State(Counter::from([(("a".to_string(), 7), n(3))]));
        assert_eq!(serde_json::from_str::<State>(&serde_json::to_string(&state)?)?, state);
    }
    from_fuzz_input {
        use arbitrary::{Arbitrary, Unstructured};
        assert!(!Counter::<u8>::arbitrary(&mut Unstructured::new(&[7; 80]))?.is_empty());
    }
}

const SOURCES: &[&str] = &[
    include_str!("../../src/bytes.rs"),
    include_str!("../../src/codec.rs"),
    include_str!("../../src/codec/json.rs"),
    include_str!("../../src/codec/seed.rs"),
    include_str!("../../src/gcounter.rs"),
    include_str!("../../src/gcounter/names.rs"),
    include_str!("../../src/gcounter/traits.rs"),
    include_str!("../../src/pncounter.rs"),
    include_str!("../../src/pncounter/names.rs"),
    include_str!("../../src/pncounter/traits.rs"),
];

/// The public methods of a type, and the traits that it implements, as the source has them.
fn offered(counter: &str) -> (BTreeSet<&'static str>, BTreeSet<String>) {
    let (mut methods, mut traits) = (BTreeSet::new(), BTreeSet::new());
    let mut inside = false;
    for line in SOURCES.iter().flat_map(|source| source.lines()) {
        if line.starts_with("impl") {
            let header = line.trim_end_matches([' ', '{']).replace("(u64, u64)", "u64");
            inside = header.ends_with(&format!("> {counter}<A>"));
            if header.contains(" for ") && header.ends_with(&format!("{counter}<A>")) {
                traits.insert(header.replace(counter, "Counter"));
            }
        }
        let method = line.strip_prefix("    pub fn ").or_else(|| line.strip_prefix("    pub const fn "));
        if let Some((name, _)) = method.filter(|_| inside).and_then(|rest| rest.split_once(['(', '<'])) {
            methods.insert(name);
        }
    }
    (methods, traits)
}

#[test]
fn a_counter_that_goes_both_ways_has_every_method_and_trait() {
    let ((methods, traits), (pn_methods, pn_traits)) = (offered("GCounter"), offered("PnCounter"));
    assert!(methods.len() > 20 && traits.len() > 15, "{methods:?} {traits:?}");
    assert_eq!(methods.difference(&pn_methods).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(traits, pn_traits);
    let own = ["counts", "dec", "decrements", "from_parts", "increments", "read_side_json"];
    assert_eq!(pn_methods.difference(&methods).copied().collect::<Vec<_>>(), own);
    // These take one count, or two.
    let differ = ["raise", "raise_at"];
    let untried = methods.iter().filter(|name| !SNIPPETS.contains(name) && !differ.contains(name));
    assert_eq!(untried.collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn what_is_raised_is_one_count_or_two() {
    let (mut g, mut pn, mut slot) = (GCounter::<String>::new(), PnCounter::<String>::new(), Slot::new("b"));
    assert!(g.raise("a", 3) && !g.raise(&"a", 3) && g.raise_at(&mut slot, 2));
    assert!(pn.raise("a", 5, 2) && !pn.raise(&"a", 4, 2) && pn.raise_at(&mut slot, 2, 0));
    assert_eq!((g.value(), pn.value()), (5, 5));
}

#[test]
fn what_only_one_that_goes_both_ways_has() {
    let mut counter = PnCounter::<String>::new();
    counter.inc("a").unwrap();
    assert_eq!((counter.dec("a").unwrap(), counter.dec(&"a").unwrap()), (0, -1));
    assert_eq!(
        (counter.counts("a"), counter.counts(&"a".to_string()), counter.get("a")),
        ((1, 2), (1, 2), -1)
    );
    let parts = PnCounter::from_parts(counter.increments(), counter.decrements());
    assert!(
        parts == counter
            && counter.contains("a")
            && counter.read_side_json(br#"{"a":1}"#).unwrap().len() == 1
    );
}

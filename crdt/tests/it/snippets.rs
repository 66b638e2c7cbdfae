//! What one would try first, each a few lines as in a README. All of it has to compile.

#![expect(clippy::disallowed_types, clippy::needless_borrows_for_generic_args, reason = "what users write")]

use crdt::{Delta, GCounter, Lww, Max, Merge, Min, Overflow, PnCounter, Slot, VersionVector, laws, pairs};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// Names each snippet, runs it, and holds how many there are.
macro_rules! snippets {
    ($($name:ident $body:block)+) => {
        $(#[test] fn $name() -> Result<(), Box<dyn std::error::Error>> { $body Ok(()) })+

        #[test]
        fn there_are_enough_snippets() {
            let names = [$(stringify!($name)),+];
            assert!(names.len() >= 44, "{}", names.len());
        }
    };
}

snippets! {
    // Making one.
    from_an_array { assert_eq!(GCounter::from([("n0", 3), ("n1", 4)]).value(), 7); }
    from_a_vec { let c: GCounter<u32> = vec![(1, 3), (2, 4)].into_iter().collect(); assert_eq!(c.len(), 2); }
    from_iter_by_name { assert_eq!(GCounter::from_iter([(1_u8, 3)]).get(&1), 3); }
    default_in_a_struct {
        #[derive(Default, Clone, Debug, PartialEq, Eq, Hash)]
        struct Page { views: GCounter<String>, stock: PnCounter<String> }
        assert!(Page::default().views.is_empty() && Page::default().stock.is_empty());
    }
    a_const_counter { const EMPTY: GCounter<u64> = GCounter::new(); assert_eq!(EMPTY.value(), 0); }

    // Adding under all kinds of names.
    add_str { let mut c = GCounter::<String>::new(); assert_eq!(c.add("n0", 2)?, 2); }
    add_format { let mut c = GCounter::<String>::new(); assert_eq!(c.add(format!("n{}", 0), 2)?, 2); }
    add_ref_string {
        let (mut c, id) = (GCounter::<String>::new(), "n0".to_string());
        assert_eq!(c.add(&id, 2)?, 2);
    }
    add_ref_ref_str {
        let mut c = GCounter::<String>::new();
        for id in &["a", "b"] { c.add(id, 1)?; }
        assert_eq!(c.len(), 2);
    }
    add_cow {
        let mut c = GCounter::<String>::new();
        c.add(Cow::Borrowed("n0"), 1)?;
        assert_eq!(c.add(&Cow::<str>::Owned("n0".into()), 1)?, 2);
    }
    add_box_rc_arc {
        let mut c = GCounter::<String>::new();
        c.add(Box::<str>::from("n0"), 1)?;
        c.add(Rc::<str>::from("n0"), 1)?;
        c.add(&Arc::<str>::from("n0"), 1)?;
        assert_eq!(c.get("n0"), 3);
    }
    add_to_arc_ids {
        let mut c = GCounter::<Arc<str>>::new();
        c.add("n0", 1)?;
        c.add(String::from("n0"), 1)?;
        c.add(&String::from("n0"), 1)?;
        c.add(&Arc::from("n0"), 1)?;
        assert_eq!(c.get("n0"), 4);
    }
    add_to_rc_and_box_ids {
        let (mut c, mut d) = (GCounter::<Rc<str>>::new(), GCounter::<Box<str>>::new());
        assert_eq!((c.add("n0", 1)?, d.add("n0".to_string(), 1)?), (1, 1));
    }
    add_numbers { let mut c = GCounter::<u64>::new(); c.add(7, 1)?; c.add(&7, 1)?; assert_eq!(c.get(&7), 2); }
    add_static_str_ids { let mut c = GCounter::<&str>::new(); c.add("n0", 1)?; assert_eq!(c.get("n0"), 1); }
    add_tuple_ids {
        let mut c = GCounter::<(String, u32)>::new();
        c.add(("n0".into(), 7), 1)?;
        assert_eq!(c.len(), 1);
    }
    add_byte_ids {
        let mut c = GCounter::<[u8; 16]>::new();
        c.add([7; 16], 1)?;
        assert_eq!(c.get(&[7; 16]), 1);
    }
    inc { let mut c = GCounter::<String>::new(); c.inc("n0")?; assert_eq!(c.inc("n0")?, 2); }
    pn_up_and_down {
        let mut c = PnCounter::<String>::new();
        c.add("n0", 5)?;
        assert_eq!(c.add("n0", -7)?, -2);
    }
    a_hot_slot {
        let (mut c, mut own) = (GCounter::<String>::new(), Slot::new("n0"));
        assert_eq!(c.add_at(&mut own, 1)?, 1);
    }
    overflow_is_an_error { assert_eq!(GCounter::from([("a", u64::MAX)]).inc("a"), Err(Overflow)); }

    // Asking.
    get_str { assert_eq!(GCounter::<String>::from([("n0".into(), 3)]).get("n0"), 3); }
    get_ref_string { let id = "n0".to_string(); assert_eq!(GCounter::from([(id.clone(), 3)]).get(&id), 3); }
    get_arc_by_str { assert_eq!(GCounter::<Arc<str>>::from([("n0".into(), 3)]).get("n0"), 3); }
    get_any_text {
        let (c, name) = (GCounter::<String>::from([("n0".into(), 3)]), "n0");
        assert_eq!((c.get(name), c.get(&name), c.get(name.to_string()), c.get(format!("n{}", 1))), (3, 3, 3, 0));
        assert!(c.contains(&name) && c.contains(Cow::Borrowed("n0")) && !c.contains(&"n1".to_string()));
    }
    get_arc_ids_by_any_text {
        let c = GCounter::<Arc<str>>::from([("n0".into(), 3)]);
        assert_eq!((c.get(&"n0".to_string()), c.get(Cow::Borrowed("n0")), c.get(Rc::<str>::from("n0"))), (3, 3, 3));
        assert_eq!((c.get(&Box::<str>::from("n0")), c.get(Arc::<str>::from("n0")), c.get("n1")), (3, 3, 0));
    }
    get_while_going_over_another {
        let (c, d) = (GCounter::<String>::from([("n0".into(), 3)]), GCounter::from([("n0".to_string(), 5)]));
        for (id, n) in &d { assert!(c.get(id) < n && c.contains(id)); }
    }
    get_numbers {
        let (c, own) = (GCounter::from([(7, 3)]), 7);
        assert_eq!((c.get(7), c.get(&7), c.get(own), c.get(&own)), (3, 3, 3, 3));
        assert_eq!(GCounter::from([(7_u32, 3)]).get(7), 3);
    }
    get_a_tuple_or_bytes {
        assert_eq!(GCounter::from([(("n0".to_string(), 7), 3)]).get(("n0".to_string(), 7)), 3);
        assert_eq!(GCounter::from([(vec![7_u8], 3)]).get(&[7_u8][..]), 3);
    }
    contains { assert!(GCounter::<String>::from([("n0".into(), 3)]).contains("n0")); }
    keys_to_a_vec {
        assert_eq!(GCounter::from([("b", 1), ("a", 2)]).keys().copied().collect::<Vec<_>>(), ["a", "b"]);
    }
    values_summed { assert_eq!(GCounter::from([("a", 1), ("b", 2)]).values().sum::<u64>(), 3); }
    for_over_a_reference {
        let mut sum = 0;
        for (_, n) in &GCounter::from([("a", 1)]) { sum += n; }
        assert_eq!(sum, 1);
    }
    for_by_value {
        for (id, n) in GCounter::from([("a".to_string(), 1)]) { assert_eq!((id, n), ("a".to_string(), 1)); }
    }
    into_a_map {
        let map: BTreeMap<String, u64> = GCounter::from([("a".to_string(), 1)]).into_iter().collect();
        let hash: HashMap<String, u64> = map.clone().into_iter().collect();
        assert_eq!((map["a"], hash["a"]), (1, 1));
    }
    the_busiest {
        assert_eq!(GCounter::from([("a", 1), ("b", 2)]).iter().max_by_key(|&(_, n)| n), Some((&"b", 2)));
    }
    printed { assert_eq!(format!("{0} {0:?}", GCounter::from([("a", 1)])), "1 {\"a\": 1}"); }
    pn_sides { let mut c = PnCounter::<u8>::new(); c.add(1, -2)?; assert_eq!(c.decrements().value(), 2); }

    // Merging.
    merge_says_whether_changed { let mut c = GCounter::new(); assert!(c.merge(&GCounter::from([("a", 1)]))); }
    extend_by_value {
        let mut c = GCounter::from([("a", 1)]);
        c.extend([("a", 3), ("b", 1)]);
        assert_eq!(c.value(), 4);
    }
    extend_by_another {
        let (mut c, d) = (GCounter::from([("a", 1)]), GCounter::from([("b", 2)]));
        c.extend(&d);
        assert_eq!(c.value(), 3);
    }
    extend_by_iter {
        let (mut c, d) = (GCounter::from([("a", 1)]), GCounter::from([("b", 2)]));
        c.extend(d.iter());
        assert_eq!(c.value(), 3);
    }
    sum_of_states {
        let states = [GCounter::from([("a", 1)]), GCounter::from([("a", 2), ("b", 2)])];
        assert_eq!(states.iter().sum::<GCounter<_>>().value(), 4);
        assert_eq!(states.into_iter().sum::<GCounter<_>>().value(), 4);
    }
    fold_with_merge {
        let states = [[("a", 1)], [("b", 2)]].map(GCounter::from);
        let all = states.iter().fold(GCounter::new(), |mut all, c| { all.merge(c); all });
        assert_eq!(all.value(), 3);
    }
    compare { assert!(GCounter::from([("a", 1)]) < GCounter::from([("a", 2)])); }
    concurrent { assert!(GCounter::from([("a", 1)]).concurrent(&GCounter::from([("b", 1)]))); }
    delta_round {
        let (a, mut b) = (GCounter::from([("a", 1)]), GCounter::new());
        b.merge(&a.delta_since(&b));
        assert_eq!(a, b);
    }
    generic_sync {
        fn sync<T: Delta>(from: &T, to: &mut T) -> bool { to.merge(&from.delta_since(to)) }
        assert!(sync(&Max::new(3), &mut Max::new(1)));
    }
    shared_between_threads {
        let shared = std::sync::Mutex::new(GCounter::<u32>::new());
        std::thread::scope(|scope| {
            for id in 0..4 {
                let shared = &shared;
                scope.spawn(move || shared.lock().unwrap().inc(id).unwrap());
            }
        });
        assert_eq!(shared.into_inner()?.value(), 4);
    }

    // Composing.
    a_map_of_counters {
        let mut state = BTreeMap::<(String, String), PnCounter<String>>::new();
        state.entry(("acme".into(), "bolts".into())).or_default().add("n0", 5)?;
        assert!(!Merge::merge(&mut state.clone(), &state));
        assert!(state.delta_since(&BTreeMap::new()) == state);
    }
    a_hash_map_of_counters {
        let there = HashMap::from([("views", GCounter::from([("n0", 1)]))]);
        let mut here = HashMap::new();
        assert!(here.merge(&there) && here == there);
    }
    sets {
        let mut set = BTreeSet::from([1]);
        assert!(set.merge(&[2].into()) && !HashSet::from([1]).merge(&[1].into()));
    }
    a_tuple {
        let mut pair = (Max::new(1), Min::new(1));
        assert!(pair.merge(&(Max::new(2), Min::new(2))));
        assert_eq!(pair.0.get(), Some(&2));
    }
    an_option { let mut state = None; assert!(state.merge(&Some(Max::new(1)))); }
    a_flag { let mut seen = Max::new(false); assert!(seen.merge(&true.into())); }
    a_register {
        let mut name = Lww::new("Ada", 1);
        assert!(name.set("Grace", 2));
        assert_eq!(name.get(), Some(&"Grace"));
    }
    a_version_vector {
        let mut seen = VersionVector::<String>::new();
        seen.inc("n0")?;
        assert!(seen.contains("n0", 1) && seen.contains(&"n0".to_string(), 1) && !seen.contains(&"n1", 1));
        assert!(VersionVector::from([(7, 3)]).contains(7, 3) && VersionVector::from([(7, 3)]).contains(&7, 1));
        assert!( !seen.concurrent(&VersionVector::new()));
        assert!(seen.meet(&VersionVector::new()).is_bottom());
    }
    laws_of_a_map { laws::all(&[BTreeMap::from([(1, Max::new(1))]), [(1, Max::new(2))].into()])?; }

    // Writing.
    json { assert_eq!(serde_json::to_string(&GCounter::from([("n0", 3)]))?, r#"{"n0":3}"#); }
    json_of_arc_ids { assert_eq!(serde_json::from_str::<GCounter<Arc<str>>>(r#"{"n0":3}"#)?.get("n0"), 3); }
    json_merged { let mut c = GCounter::<String>::new(); assert!(c.merge_json(br#"{"n0":3}"#)?); }
    json_of_tuple_ids {
        #[derive(Serialize, Deserialize)]
        struct State(#[serde(with = "pairs")] GCounter<(String, u32)>);
        let json = serde_json::to_string(&State(GCounter::from([(("n0".to_string(), 7), 3)])))?;
        assert_eq!(json, r#"[[["n0",7],3]]"#);
        assert_eq!(serde_json::from_str::<State>(&json)?.0.value(), 3);
    }
    bytes_for_a_file {
        let counter = GCounter::<String>::from([("n0".into(), 3)]);
        assert_eq!(GCounter::<String>::from_bytes(&counter.to_bytes())?, counter);
    }
    from_fuzz_input {
        use arbitrary::{Arbitrary, Unstructured};
        let counter = GCounter::<u8>::arbitrary(&mut Unstructured::new(&[7; 40]))?;
        assert!(counter.value() > 0 && PnCounter::<u8>::arbitrary(&mut Unstructured::new(&[])).is_ok());
    }
}

//! Every operation does as the naive counter does, by every pair of roads and for every type of id.

use crate::support::{Id, Oracle, Pair, merged, oracle, pair, several, text};
use crdt::{GCounter, Merge, Overflow, PnCounter, Slot};
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

fn above<A: Id>(a: &Oracle<A>, b: &Oracle<A>) -> Oracle<A> {
    a.iter().filter(|&(id, n)| n > b.get(id).unwrap_or(&0)).map(|(id, &n)| (id.clone(), n)).collect()
}

fn order<A: Id>(a: &Oracle<A>, b: &Oracle<A>) -> Option<Ordering> {
    match (above(a, b).is_empty(), above(b, a).is_empty()) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => None,
    }
}

/// All that can be asked of one counter.
fn assert_holds<A: Id>(counter: &GCounter<A>, expected: &Oracle<A>) {
    assert_eq!(&oracle(counter), expected);
    assert!(counter.iter().map(|(id, _)| id).is_sorted_by(|a, b| a < b), "{counter:?}");
    assert_eq!(counter.len(), expected.len());
    assert_eq!(counter.iter().len(), expected.len());
    assert_eq!(counter.is_empty(), expected.is_empty());
    let value = expected.values().map(|&n| u128::from(n)).sum::<u128>();
    assert_eq!(counter.value(), value);
    assert_eq!(counter.to_string(), value.to_string());
    assert_eq!(format!("{counter:?}"), format!("{expected:?}"));
    for (id, &n) in expected {
        assert_eq!(counter.get(id), n);
        assert!(counter.contains(id));
    }
    assert!(counter.keys().eq(expected.keys()));
    assert!(counter.values().eq(expected.values().copied()));
    assert!(counter.clone().into_iter().eq(expected.clone()));
    assert_eq!(counter.is_bottom(), expected.is_empty());
    let anew: GCounter<A> = expected.iter().rev().map(|(id, &n)| (id.clone(), n)).collect();
    assert_eq!(counter, &anew);
    let hash = BuildHasherDefault::<DefaultHasher>::new();
    assert_eq!(hash.hash_one(counter), hash.hash_one(&anew));
}

fn check_pair<A: Id>(pair: &Pair, make: fn(u32) -> A) {
    let (a, b, watcher) = pair.build(make);
    let (left, right) = (oracle(&a), oracle(&b));
    let both = merged(&left, &right);
    assert_holds(&a, &left);
    assert_holds(&b, &right);
    assert_eq!(a == b, left == right);
    assert_eq!(a.partial_cmp(&b), order(&left, &right));

    for (from, to, news) in [(&a, &b, above(&left, &right)), (&b, &a, above(&right, &left))] {
        let delta = from.delta_since(to);
        assert_holds(&delta, &news);
        let mut merged = to.clone();
        assert_eq!(merged.merge(&delta), !news.is_empty());
        assert_holds(&merged, &both);
        assert!(from <= &merged && to <= &merged);
    }

    let mut extended = a.clone();
    extended.extend(right.iter().map(|(id, &n)| (id.clone(), n)));
    assert_holds(&extended, &both);
    let mut extended = a.clone();
    extended.extend(&b);
    assert_holds(&extended, &both);
    assert_holds(&[&a, &b].into_iter().sum(), &both);
    assert_holds(&[a.clone(), b.clone()].into_iter().sum(), &both);
    assert_eq!(a.concurrent(&b), order(&left, &right).is_none());
    assert_eq!(a.covers(&b), both == left);

    let changed = both != left;
    let mut merged = a;
    assert_eq!(merged.merge(&b), changed);
    assert_holds(&merged, &both);
    assert!(!merged.merge(&b));
    if let Some(watcher) = watcher {
        assert_holds(&watcher, &left);
        let mut guest = watcher;
        assert!(guest.share_ids(&merged));
        assert!(guest.shares_ids(&merged));
        assert_holds(&guest, &left);
    }
}

fn check_many<A: Id>(pairs: &[Pair], make: fn(u32) -> A) {
    let mut states = Vec::new();
    for pair in pairs {
        let (a, b, watcher) = pair.build(make);
        states.extend([a.clone(), b.clone()]);
        states.extend(watcher);
        // Some that share a table, so that four can be fused.
        states.extend((0..6).map(|shift| {
            let mut clone = a.clone();
            for (id, n) in &a {
                clone.raise(id, n.rotate_left(shift));
            }
            clone.merge(&b);
            clone
        }));
    }
    let mut one_by_one = states.first().cloned().unwrap_or_default();
    let mut fused = one_by_one.clone();
    let mut changed = false;
    for state in &states {
        changed |= one_by_one.merge(state);
    }
    assert_eq!(fused.merge_all(&states), changed);
    assert_holds(&fused, &oracle(&one_by_one));
}

fn check_adds<A: Id>(adds: &[(u32, u64, bool)], make: fn(u32) -> A) {
    let (mut counter, mut expected) = (GCounter::new(), Oracle::new());
    let mut slots: Vec<Slot<A>> = (0..24).map(|id| Slot::new(make(id))).collect();
    for &(id, n, raise) in adds {
        let (key, slot) = (make(id), &mut slots[id as usize]);
        let before = expected.get(&key).copied().unwrap_or(0);
        let by_slot = n % 2 == 0;
        if raise {
            let changed = if by_slot { counter.raise_at(slot, n) } else { counter.raise(&key, n) };
            assert_eq!(changed, n > before);
            expected.insert(key, n.max(before));
        } else {
            let sum = if by_slot { counter.add_at(slot, n) } else { counter.add(&key, n) };
            assert_eq!(sum, before.checked_add(n).ok_or(Overflow));
            expected.insert(key, sum.unwrap_or(before));
        }
        expected.retain(|_, n| *n > 0);
        assert_holds(&counter, &expected);
    }
}

type Sides = BTreeMap<u64, (u64, u64)>;

/// All that can be asked of one counter that goes both ways.
fn assert_pn_holds(counter: &PnCounter<u64>, up: &Oracle<u64>, down: &Oracle<u64>) {
    assert_holds(&counter.increments(), up);
    assert_holds(&counter.decrements(), down);
    let mut sides = Sides::new();
    for (&id, &n) in up {
        sides.entry(id).or_default().0 = n;
    }
    for (&id, &n) in down {
        sides.entry(id).or_default().1 = n;
    }
    assert!(counter.iter().eq(sides.iter().map(|(id, &counts)| (id, counts))), "{counter:?} {sides:?}");
    assert_eq!((counter.len(), counter.iter().len()), (sides.len(), sides.len()));
    let sum = |counts: &Oracle<u64>| counts.values().copied().map(i128::from).sum::<i128>();
    assert_eq!(counter.value(), sum(up) - sum(down));
    for (id, &counts) in &sides {
        assert_eq!(counter.counts(id), counts);
        assert_eq!(counter.get(id), i128::from(counts.0) - i128::from(counts.1));
        assert!(counter.contains(id));
    }
    assert!(counter.keys().eq(sides.keys()));
    assert!(counter.values().eq(sides.values().copied()));
    assert!(counter.clone().into_iter().eq(sides.clone()));
    assert_eq!(counter.is_bottom(), sides.is_empty());
    assert_eq!(counter.to_string(), counter.value().to_string());
    assert_eq!(format!("{counter:?}"), format!("{sides:?}"));
    let anew: PnCounter<u64> = sides.into_iter().collect();
    assert_eq!(counter, &anew);
    let hash = BuildHasherDefault::<DefaultHasher>::new();
    assert_eq!(hash.hash_one(counter), hash.hash_one(&anew));
}

fn check_pn(left: &Pair, right: &Pair) {
    let (here, here_down, _) = left.build(u64::from);
    let (there, there_down, _) = right.build(u64::from);
    let a = PnCounter::from_parts(here.clone(), here_down.clone());
    let b = PnCounter::from_parts(there.clone(), there_down.clone());
    assert_pn_holds(&a, &oracle(&here), &oracle(&here_down));
    let up = merged(&oracle(&here), &oracle(&there));
    let down = merged(&oracle(&here_down), &oracle(&there_down));
    let mut both = a.clone();
    assert_eq!(both.merge(&b), up != oracle(&here) || down != oracle(&here_down));
    assert_pn_holds(&both, &up, &down);
    let expected = match (here.partial_cmp(&there), here_down.partial_cmp(&there_down)) {
        (Some(Ordering::Equal), order) | (order, Some(Ordering::Equal)) => order,
        (a, b) if a == b => a,
        _ => None,
    };
    assert_eq!(a.partial_cmp(&b), expected);
    assert_eq!(a.concurrent(&b), expected.is_none());
    assert_eq!(a.covers(&b), a == both);
    let (mut by_value, mut by_reference) = (a.clone(), a.clone());
    by_value.extend(b.clone());
    by_reference.extend(&b);
    let sum = [&a, &b].into_iter().sum();
    for all in [by_value, by_reference, sum, [a.clone(), b.clone()].into_iter().sum()] {
        assert_pn_holds(&all, &up, &down);
    }
    let delta = a.delta_since(&b);
    assert_pn_holds(
        &delta,
        &above(&oracle(&here), &oracle(&there)),
        &above(&oracle(&here_down), &oracle(&there_down)),
    );
    let mut caught_up = b.clone();
    caught_up.merge(&delta);
    assert_eq!(caught_up, both);
    let mut all = PnCounter::new();
    all.merge_all([&a, &b, &both, &delta, &a, &both, &both, &both]);
    assert_eq!(all, both);
    assert!(all.share_ids(&both) && all.shares_ids(&both));
    assert_eq!(all, both);
}

/// What is refused is as if it had not been there.
fn check_refusals<A: Id>(pair: &Pair, make: fn(u32) -> A) {
    let (a, b, _) = pair.build(make);
    let mut odd = b.clone();
    let mut asked = Oracle::new();
    let mut accepted = a.clone();
    let changed = accepted.merge_if(&b, |id, now, then| {
        assert_eq!((now, then), (a.get(id), b.get(id)));
        asked.insert(id.clone(), then);
        then % 2 == 1
    });
    assert_eq!(asked, above(&oracle(&b), &oracle(&a)));
    odd = odd.iter().filter(|(_, n)| n % 2 == 1).map(|(id, n)| (id.clone(), n)).collect();
    let expected = merged(&oracle(&a), &oracle(&odd));
    assert_eq!(changed, expected != oracle(&a));
    assert_holds(&accepted, &expected);
}

fn bytes(n: u32) -> [u8; 16] {
    u128::from(n).to_le_bytes()
}

fn leaked(n: u32) -> &'static str {
    const NAMES: [&str; 7] = ["", "a", "ab", "abc", "b", "ba", "ü"];
    NAMES[n as usize % NAMES.len()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn pairs_of_strings(pair in pair()) { check_pair(&pair, text); }

    #[test]
    fn pairs_of_static_strings(pair in pair()) { check_pair(&pair, leaked); }

    #[test]
    fn pairs_of_shared_strings(pair in pair()) { check_pair(&pair, |n| Arc::<str>::from(text(n))); }

    #[test]
    fn pairs_of_u32(pair in pair()) { check_pair(&pair, |n| n); }

    #[test]
    fn pairs_of_u64(pair in pair()) { check_pair(&pair, u64::from); }

    #[test]
    fn pairs_of_uuids(pair in pair()) { check_pair(&pair, bytes); }

    #[test]
    fn some_are_refused(pair in pair()) { check_refusals(&pair, text); }

    #[test]
    fn many_at_once(pairs in several()) { check_many(&pairs, u64::from); }

    #[test]
    fn adds_and_raises(
        adds in proptest::collection::vec((0..24_u32, prop_oneof![0..9_u64, any::<u64>()], any::<bool>()), 0..60)
    ) {
        check_adds(&adds, text);
        check_adds(&adds, bytes);
    }

    #[test]
    fn arrays(entries in proptest::array::uniform12((0..9_u64, 0..4_u64, 0..4_u64))) {
        let (mut up, mut down) = (Oracle::new(), Oracle::new());
        for (id, plus, minus) in entries {
            up = merged(&up, &[(id, plus)].into());
            down = merged(&down, &[(id, minus)].into());
        }
        up.retain(|_, n| *n > 0);
        down.retain(|_, n| *n > 0);
        assert_holds(&GCounter::from(entries.map(|(id, plus, _)| (id, plus))), &up);
        assert_pn_holds(&PnCounter::from(entries.map(|(id, plus, minus)| (id, (plus, minus)))), &up, &down);
    }

    #[test]
    fn up_and_down(left in pair(), right in pair()) { check_pn(&left, &right); }
}

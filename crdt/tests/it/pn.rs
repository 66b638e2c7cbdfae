//! A counter that goes up and down holds two numbers for each actor.

use crdt::{GCounter, Overflow, PnCounter, Slot};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;

type Counter = PnCounter<u32>;

#[derive(Clone, Debug)]
enum Operation {
    Add(u32, i64),
    Raise(u32, u64, u64),
}

const ACTORS: u32 = 4;

fn operation() -> impl Strategy<Value = Operation> {
    let small = (0..ACTORS, -3..4_i64).prop_map(|(actor, n)| Operation::Add(actor, n));
    let any_add = (0..ACTORS, any::<i64>()).prop_map(|(actor, n)| Operation::Add(actor, n));
    let raise =
        (0..ACTORS, 0..9_u64, 0..9_u64).prop_map(|(actor, up, down)| Operation::Raise(actor, up, down));
    prop_oneof![4 => small, 1 => any_add, 2 => raise]
}

fn counter(up: &[(u32, u64)], down: &[(u32, u64)]) -> Counter {
    let side = |entries: &[(u32, u64)]| entries.iter().copied().collect::<GCounter<u32>>();
    PnCounter::from_parts(side(up), side(down))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_operation_does_as_two_numbers_for_each_actor(operations in vec(operation(), 0..40)) {
        let mut counter = Counter::new();
        let mut slots: Vec<Slot<u32>> = (0..ACTORS).map(Slot::new).collect();
        let mut expected: BTreeMap<u32, (u64, u64)> = (0..ACTORS).map(|actor| (actor, (0, 0))).collect();
        for operation in operations {
            match operation {
                Operation::Add(actor, n) => {
                    let (up, down) = expected.get_mut(&actor).unwrap();
                    let side = if n < 0 { &mut *down } else { &mut *up };
                    let sum = side.checked_add(n.unsigned_abs()).ok_or(Overflow);
                    *side = sum.unwrap_or(*side);
                    let now = sum.map(|_| i128::from(*up) - i128::from(*down));
                    let by_slot = n % 2 == 0;
                    let added = if by_slot { counter.add_at(&mut slots[actor as usize], n) } else { counter.add(actor, n) };
                    assert_eq!(added, now);
                }
                Operation::Raise(actor, more_up, more_down) => {
                    let (up, down) = expected.get_mut(&actor).unwrap();
                    let changes = more_up > *up || more_down > *down;
                    (*up, *down) = ((*up).max(more_up), (*down).max(more_down));
                    let raised = if more_up % 2 == 0 {
                        counter.raise_at(&mut slots[actor as usize], more_up, more_down)
                    } else {
                        counter.raise(actor, more_up, more_down)
                    };
                    assert_eq!(raised, changes);
                }
            }
            let of = |(up, down): &(u64, u64)| i128::from(*up) - i128::from(*down);
            assert!(expected.iter().all(|(actor, counts)| counter.get(actor) == of(counts)));
            let value = expected.values().map(of).sum::<i128>();
            assert_eq!(counter.value(), value);
            assert_eq!(counter.to_string(), value.to_string());
            assert_eq!(counter.is_empty(), expected.values().all(|counts| *counts == (0, 0)));
        }
    }
}

#[test]
fn the_order_is_that_of_both_parts() {
    let (low, high) = (counter(&[(1, 1)], &[(2, 1)]), counter(&[(1, 2)], &[(2, 2)]));
    let (up, down) = (counter(&[(1, 2)], &[(2, 1)]), counter(&[(1, 1)], &[(2, 2)]));
    for (a, b, order) in [
        (&low, &low, Some(Ordering::Equal)),
        (&low, &high, Some(Ordering::Less)),
        (&high, &low, Some(Ordering::Greater)),
        (&low, &up, Some(Ordering::Less)),
        (&down, &low, Some(Ordering::Greater)),
        (&up, &down, None),
    ] {
        assert_eq!(a.partial_cmp(b), order, "{a:?} {b:?}");
    }
}

#[test]
fn it_shares_ids_if_all_of_its_own_are_among_them() {
    let all = counter(&[(1, 1), (2, 1)], &[(1, 1), (2, 1)]);
    for (up, down, shares) in [(1, 1, true), (1, 9, false), (9, 1, false), (9, 9, false)] {
        let mut part = counter(&[(up, 1)], &[(down, 1)]);
        assert_eq!(part.share_ids(&all), shares, "{up} {down}");
        assert_eq!(part, counter(&[(up, 1)], &[(down, 1)]));
    }
}

#[test]
fn it_shows_its_parts() {
    assert_eq!(format!("{:?}", counter(&[(1, 2)], &[(3, 4)])), "{1: (2, 0), 3: (0, 4)}");
}

#[test]
fn a_clone_into_another_is_a_clone() {
    let (one, mut other) = (counter(&[(1, 2)], &[(3, 4)]), counter(&[(5, 6)], &[(7, 8)]));
    other.clone_from(&one);
    assert_eq!(other, one);
}

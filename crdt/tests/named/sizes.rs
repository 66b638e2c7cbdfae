//! What a state takes: a large cluster of which most have counted little, and few who counted a little of much.

use crdt::named::Counters;

fn bytes_of(make: impl Fn() -> Counters<u64>) -> u64 {
    let mut state = None;
    let info = allocation_counter::measure(|| state = Some(make()));
    assert!(state.is_some());
    u64::try_from(info.bytes_current).unwrap()
}

#[test]
fn a_row_of_one_counter_is_small() {
    let bytes = bytes_of(|| {
        let mut counters = Counters::new();
        for actor in 0..1000 {
            counters.add(actor, "", 1).unwrap();
        }
        counters
    });
    assert!(bytes < 300 * 1000, "{bytes}");
}

/// A replica that changed 3 counters of many costs as much as one that changed 3 of 3.
#[test]
fn a_row_of_few_counters_of_many_is_small() {
    let with = |replicas: u64| {
        bytes_of(|| {
            let mut counters = Counters::new();
            for n in 0..20_000 {
                counters.add(0, &format!("{n}"), 1).unwrap();
            }
            for actor in 1..=replicas {
                for n in [3, 9_000, 19_000] {
                    counters.add(actor, &format!("{}", n + actor), 1).unwrap();
                }
            }
            counters
        })
    };
    let each = (with(500) - with(0)) / 500;
    assert!(each < 600, "{each}");
}

//! An id's own `Clone` or `Ord` may panic, at any call. The counter stays whole.

use crdt::{GCounter, PnCounter, Slot};
use std::cell::Cell;
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How many calls are left until one panics.
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
}

fn burn() {
    let left = FUSE.get();
    FUSE.set(left.wrapping_sub(1));
    if left == 0 {
        FUSE.set(u32::MAX);
        std::panic::resume_unwind(Box::new("the fuse has burnt down"));
    }
}

#[derive(Debug)]
struct Id(u32);

impl Clone for Id {
    fn clone(&self) -> Self {
        burn();
        Self(self.0)
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Id {}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        burn();
        self.0.cmp(&other.0)
    }
}

type Entries = Vec<(u32, (u64, u64))>;

fn entries(counter: &PnCounter<Id>) -> Entries {
    counter.iter().map(|(id, counts)| (id.0, counts)).collect()
}

fn counter(ids: impl Iterator<Item = u32>, n: u64) -> PnCounter<Id> {
    ids.map(|id| (Id(id), (n, u64::from(id) % 2))).collect()
}

/// Whether the entries are those of `before` or of `after`, each for itself.
fn is_between(entries: &Entries, before: &Entries, after: &Entries) -> bool {
    let of = |all: &Entries, id| all.iter().find(|entry| entry.0 == id).map_or((0, 0), |entry| entry.1);
    let fits = |id| [of(before, id), of(after, id)].contains(&of(entries, id));
    after.iter().all(|&(id, _)| fits(id)) && entries.iter().all(|&(id, _)| fits(id))
}

/// Lets every call of the work panic in turn. `at_once` is work that must be done whole or not at all.
fn check(name: &str, at_once: bool, make: impl Fn() -> PnCounter<Id>, work: impl Fn(&mut PnCounter<Id>)) {
    let before = entries(&make());
    let mut done = make();
    work(&mut done);
    let after = entries(&done);
    for fuse in 0.. {
        assert!(fuse < 100_000, "{name} has no end");
        let mut counter = make();
        FUSE.set(fuse);
        let panicked = catch_unwind(AssertUnwindSafe(|| work(&mut counter))).is_err();
        FUSE.set(u32::MAX);
        let now = entries(&counter);
        assert!(now.is_sorted_by(|a, b| a.0 < b.0), "{name} {fuse}: {now:?}");
        assert_eq!((counter.len(), counter.iter().len()), (now.len(), now.len()), "{name} {fuse}");
        let value: i128 = now.iter().map(|(_, (up, down))| i128::from(*up) - i128::from(*down)).sum();
        assert_eq!(counter.value(), value, "{name} {fuse}");
        assert!(now.iter().all(|&(id, counts)| counter.counts(Id(id)) == counts), "{name} {fuse}: {now:?}");
        let whole = now == before || now == after;
        assert!(whole || !at_once, "{name} {fuse}: {now:?}");
        assert!(whole || is_between(&now, &before, &after), "{name} {fuse}: {now:?}");
        if !panicked {
            return assert_eq!(now, after, "{name}");
        }
        work(&mut counter);
        assert!(at_once && whole || entries(&counter) == after, "{name} {fuse}: again");
    }
}

/// A counter with a table of its own or one that others share, and with a tail or without.
fn all_states(run: impl Fn(&str, &dyn Fn() -> PnCounter<Id>)) {
    let sharers = std::cell::RefCell::new(Vec::new());
    for (len, recent) in [(0, 0), (3, 0), (8, 0), (9, 0), (63, 0), (64, 0), (200, 0), (200, 9), (200, 16)] {
        for shared in [false, true] {
            let make = || {
                let mut counter = counter((0..len).map(|n| 4 * n), 5);
                for id in 0..recent {
                    counter.raise(Id(4 * (7 * id) + 2), 5, 5);
                }
                if shared {
                    sharers.borrow_mut().push(counter.clone());
                }
                counter
            };
            run(&format!("{len} ids, {recent} recent, shared: {shared}"), &make);
            sharers.borrow_mut().clear();
        }
    }
}

#[test]
fn one_entry_is_counted_whole_or_not_at_all() {
    all_states(|state, make| {
        for id in [0, 1, 2, 30, 31, 100_000] {
            check(&format!("raise {id}: {state}"), true, make, |counter| {
                counter.raise(Id(id), 9, 9);
            });
            check(&format!("raise {id} by slot: {state}"), true, make, |counter| {
                counter.raise_at(&mut Slot::new(Id(id)), 9, 9);
            });
            let one = counter([id].into_iter(), 9);
            check(&format!("merge {id}: {state}"), true, make, |counter| {
                counter.merge(&one);
            });
        }
    });
}

/// Long enough for two chunks, of which the first could be gone when the second is cloned.
#[test]
fn a_long_list_of_recent_ids_that_is_shared_is_woven_in_whole_or_not_at_all() {
    let mut state = counter((0..1000).map(|n| 4 * n), 5);
    for id in 0..83 {
        state.raise(Id(4 * id + 2), 5, 5);
    }
    let name = "one more";
    check(
        name,
        true,
        || state.clone(),
        |counter| {
            counter.raise(Id(1), 9, 9);
        },
    );
    let mut one_more = state.clone();
    one_more.raise(Id(1), 9, 9);
    assert!(state.shares_ids(&state.clone()) && !one_more.shares_ids(&state), "that made a new table");
}

#[test]
fn many_entries_are_merged_each_whole_or_not_at_all() {
    all_states(|state, make| {
        for (step, len) in [(1, 3), (2, 20), (4, 70), (3, 40)] {
            let other = counter((0..len).map(|n| step * n), 9);
            check(&format!("merge {len} by {step}: {state}"), false, make, |counter| {
                counter.merge(&other);
            });
        }
        let mut kin = make();
        kin.raise(Id(13), 9, 9);
        kin.raise(Id(3), 9, 9);
        check(&format!("merge kin: {state}"), false, make, |counter| {
            counter.merge(&kin);
        });
        check(&format!("merge some of kin: {state}"), false, make, |counter| {
            counter.merge_if(&kin, |id, _, _| id.0 == 13);
        });
        check(&format!("share: {state}"), true, make, |counter| {
            counter.share_ids(&kin);
        });
    });
}

/// As it was reported: the counts had moved before the ids were cloned.
#[test]
fn a_panic_in_clone_leaves_no_count_with_another_id() {
    let mut counter: GCounter<Id> = (1..=3).map(|n| (Id(10 * n), u64::from(n))).collect();
    let _shared = counter.clone();
    FUSE.set(3);
    assert!(catch_unwind(AssertUnwindSafe(|| counter.add(Id(15), 9))).is_err());
    FUSE.set(u32::MAX);
    assert!(counter.iter().map(|(id, n)| (id.0, n)).eq([(10, 1), (20, 2), (30, 3)]));
}

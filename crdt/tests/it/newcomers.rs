//! New ids, one after the other, into a large counter: none moves or copies all the others.

use crate::support::text;
use allocation_counter::measure;
use crdt::{GCounter, PnCounter};
use std::cell::Cell;

thread_local! {
    static CLONES: Cell<u64> = const { Cell::new(0) };
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Counted(u32);

impl Clone for Counted {
    fn clone(&self) -> Self {
        CLONES.set(CLONES.get() + 1);
        Self(self.0)
    }
}

/// A permutation of the numbers below a power of two.
fn shuffled(len: u32) -> impl Iterator<Item = u32> {
    (0..len).map(move |n| n.wrapping_mul(0x9e37_79b1) % len)
}

#[test]
fn the_table_is_made_anew_for_every_twelfth_id_and_not_for_every_one() {
    for ids in [(0..1 << 14).collect::<Vec<u32>>(), (0..1 << 14).rev().collect(), shuffled(1 << 14).collect()]
    {
        let mut counter = GCounter::<u32>::new();
        let (mut tables, mut table) = (0, counter.clone());
        for &id in &ids {
            assert!(counter.merge(&[(id, 1)].into_iter().collect()));
            if !counter.shares_ids(&table) {
                (tables, table) = (tables + 1, counter.clone());
            }
        }
        assert!(
            counter.iter().eq((0..1 << 14)
                .map(|id| (id, 1))
                .collect::<Vec<_>>()
                .iter()
                .map(|(id, n)| (id, *n)))
        );
        // 64 one by one, and from there on one in twelve more each time: 64 * (13 / 12)^70 is above 2^14.
        assert!(tables <= 64 + 70 + 5, "{tables}");
    }
}

#[test]
fn a_shared_table_is_not_copied_for_every_new_id() {
    let mut counter: GCounter<Counted> = (0..4096).map(|id| (Counted(2 * id), 1)).collect();
    CLONES.set(0);
    for id in shuffled(4096) {
        let snapshot = counter.clone();
        counter.raise(Counted(2 * id + 1), 1);
        drop(snapshot);
    }
    // Each new id copies a chunk of up to 64 others that the snapshot shares, and a twelfth of the table.
    assert!(CLONES.get() < 4096 * (64 + 2 * 12), "{}", CLONES.get());
}

#[test]
fn a_grown_counter_keeps_no_memory_that_it_does_not_need() {
    const IDS: u32 = 1 << 13;
    let ids: Vec<String> = shuffled(IDS).map(text).collect();
    let text_bytes: usize = ids.iter().map(String::len).sum();
    let halves: Vec<GCounter<String>> =
        ids.chunks(IDS as usize / 2).map(|ids| ids.iter().map(|id| (id.clone(), 1)).collect()).collect();
    let bytes_of_ten_ids = |work: &dyn Fn() -> GCounter<String>| {
        let mut kept = None;
        let counted = measure(|| kept = Some(work()));
        assert_eq!(kept.map(|counter| counter.len()), Some(IDS as usize));
        10 * (usize::try_from(counted.bytes_current).unwrap() - text_bytes) / IDS as usize
    };
    // 24 of the String and 8 of the count; the texts are counted apart.
    let one_by_one = bytes_of_ten_ids(&|| {
        let mut counter = GCounter::new();
        for id in &ids {
            assert!(counter.raise(id, 1));
        }
        counter
    });
    assert!(one_by_one < 340, "{one_by_one}");
    let merged = bytes_of_ten_ids(&|| {
        let mut counter = GCounter::new();
        for half in &halves {
            assert!(counter.merge(half));
        }
        counter
    });
    assert!(merged <= 320, "{merged}");
}

#[test]
fn a_counter_that_goes_both_ways_holds_each_id_once() {
    let ids: Vec<String> = (0..1000).map(text).collect();
    let mut kept = PnCounter::<String>::new();
    let text_bytes: usize = ids.iter().map(String::len).sum();
    let counted = measure(|| {
        kept = ids.iter().map(|id| (id.clone(), (2, 1))).collect();
    });
    let bytes = usize::try_from(counted.bytes_current).unwrap() - text_bytes;
    assert!(bytes < 1000 * 40 + 200, "24 of the String and 16 of the counts: {bytes}");
}

#[test]
fn a_small_delta_of_many_ids_is_small() {
    let before: GCounter<String> = (0..1024).map(|id| (text(id), 1)).collect();
    let mut after = before.clone();
    after.raise(text(500), 2);
    let mut delta = GCounter::new();
    let counted = measure(|| delta = after.delta_since(&before));
    assert!(delta.len() == 1 && counted.bytes_current < 200, "{counted:?}");
}

#[test]
fn a_difference_of_much_has_the_recent_ids_too() {
    let before: GCounter<u32> = (0..200).map(|id| (2 * id, 1)).collect();
    let mut after = before.clone();
    for id in (0..200).map(|id| 2 * id).chain([5, 1, 399]) {
        after.raise(id, 2);
    }
    assert!(after.shares_ids(&before), "the new ones are beside the table");
    let delta = after.delta_since(&before);
    assert!(delta == after && delta.shares_ids(&after));
    let mut later = after.clone();
    later.raise(5, 3);
    later.raise(3, 3);
    assert!(later.delta_since(&after).iter().eq([(&3, 3), (&5, 3)]));
}

/// Ids of a tail are known ids too, unless a clone shares them.
#[test]
fn merging_recent_ids_again_allocates_nothing() {
    let mut counter: GCounter<String> = (0..1000).map(|id| (text(id), 1)).collect();
    let new: GCounter<String> = (1000..1030).map(|id| (text(id), 1)).collect();
    let table = counter.clone();
    assert!(counter.merge(&new) && counter.shares_ids(&table), "they are beside the table");
    let more: Vec<GCounter<String>> = (1000..1030).map(|id| [(text(id), 2)].into_iter().collect()).collect();
    let measured = measure(|| assert!(more.iter().all(|one| counter.merge(one))));
    assert_eq!(measured.count_total, 0);
    assert_eq!(counter.value(), 1060);
}

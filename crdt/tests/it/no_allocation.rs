//! Merging allocates nothing unless an id is new, by the count of an allocator.

use crate::support::text;
use allocation_counter::measure;
use crdt::{GCounter, Slot};

fn counter(ids: impl Iterator<Item = u32>, n: u64) -> GCounter<String> {
    ids.map(|id| (text(id), n)).collect()
}

#[track_caller]
fn assert_allocates_nothing(work: impl FnOnce()) {
    let counted = measure(work);
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn merging_known_ids_allocates_nothing() {
    for len in [1, 3, 8, 9, 128, 5000] {
        let mut state = counter(0..len, 5);
        let mut shared = state.clone();
        shared.raise(text(0), 9);
        let delta = shared.delta_since(&state);
        let (equal, part) = (counter(0..len, 7), counter((0..len).step_by(2), 8));
        let (tiny, news) = (counter(0..1, 10), counter(0..len, 11));
        let all = [state.clone(), shared.clone(), state.clone(), shared.clone(), state.clone()];
        assert_allocates_nothing(|| {
            state.merge_all(&all);
            state.merge(&delta);
            state.merge(&shared);
            state.merge(&part);
            state.merge(&tiny);
            state.merge(&equal);
            state.merge(&news);
        });
        assert_eq!(state, news);
    }
}

#[test]
fn the_empty_delta_and_the_hot_add_allocate_nothing() {
    let mut state = counter(0..2000, 5);
    let twin = counter(0..2000, 5);
    let mut own = Slot::new(text(7));
    assert_allocates_nothing(|| {
        assert!(state.delta_since(&twin).is_empty());
        state.add_at(&mut own, 1).unwrap();
        state.add(own.actor(), 1).unwrap();
    });
}

#[test]
fn a_new_id_allocates() {
    let mut state = counter(0..100, 5);
    let new = counter(100..101, 5);
    assert_ne!(measure(|| assert!(state.merge(&new))).count_total, 0);
}

#[test]
fn canonical_json_of_a_few_known_ids_is_merged_without_allocating() {
    let mut state = counter(0..8, 5);
    let json = serde_json::to_vec(&counter(0..8, 6)).unwrap();
    assert!(state.merge_json(&json).unwrap());
    assert_allocates_nothing(|| assert!(!state.merge_json(&json).unwrap()));
}

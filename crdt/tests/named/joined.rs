//! Deltas that are joined cover what both cover.

use crate::world::{World, step};
use crdt::named::{Counters, DeltaError, RowDelta};
use proptest::collection::vec;
use proptest::prelude::*;

fn without_names(delta: &RowDelta<usize>) -> Vec<(u32, u64, u64, u64)> {
    delta.items().map(|item| (item.slot, item.number, item.entry.up, item.entry.down)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn two_deltas_as_one(steps in vec(step(), 0..40), ends in (any::<u64>(), any::<u64>(), any::<u64>())) {
        let mut world = World::new(None);
        let mut earlier = vec![Counters::new()];
        for step in steps {
            world.step(step);
            earlier.push(world.states[0].clone());
        }
        let newest = earlier.last().unwrap();
        let middle = &earlier[usize::try_from(ends.0 % earlier.len() as u64).unwrap()];
        // A state that was restarted is behind.
        let version = middle.version(0);
        let (from, between) = (ends.1 % (version + 1), ends.2 % (version + 1));
        let (Some(mut old), Some(new)) = (middle.row_since(0, from), newest.row_since(0, between)) else {
            return Ok(());
        };
        let whole = newest.row_since(0, from.min(between)).unwrap();
        let mut reversed = new.clone();
        old.join(new.clone()).unwrap();
        reversed.join(middle.row_since(0, from).unwrap()).unwrap();
        prop_assert_eq!(&old, &reversed);
        prop_assert_eq!((old.from(), old.upto()), (whole.from(), whole.upto()));
        prop_assert_eq!(without_names(&old), without_names(&whole));
        let mut state = Counters::new();
        state.apply(&newest.row_since(0, 0).unwrap()).unwrap();
        let mut by_join = Counters::new();
        if let Some(before) = row_at(&earlier, old.from()) {
            by_join.apply(&before).unwrap();
        }
        if by_join.version(0) == old.from() {
            by_join.apply(&old).unwrap();
            prop_assert_eq!(by_join, state);
        }
    }
}

/// The row as it was at that version, if a state had just that.
fn row_at(states: &[Counters<usize>], version: u64) -> Option<RowDelta<usize>> {
    states.iter().find(|state| state.version(0) == version).and_then(|state| state.row_since(0, 0))
}

#[test]
fn only_what_belongs_together_is_joined() {
    let gap = RowDelta::new(7_u64, 0, 3).join(RowDelta::new(7, 4, 5));
    assert_eq!(gap, Err(DeltaError::Gap { from: 4, version: 3 }));
    let gap = RowDelta::new(7_u64, 4, 5).join(RowDelta::new(7, 0, 3));
    assert_eq!(gap, Err(DeltaError::Gap { from: 4, version: 3 }));
    assert_eq!(RowDelta::new(7_u64, 0, 3).join(RowDelta::new(8, 3, 5)), Err(DeltaError::Actor));
    assert_eq!(RowDelta::new(7_u64, 0, 3).join(RowDelta::new(7, 3, 5)), Ok(()));
}

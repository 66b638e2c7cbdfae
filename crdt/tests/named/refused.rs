//! What can't be true is refused, and changes nothing.

use crdt::named::{
    Assembly, Baseline, ChangeError, Counters, DeltaError, Entry, MAX_SOURCES, Part, PartError, RowDelta,
};

fn up(up: u64) -> Entry<&'static str> {
    Entry { up, ..Entry::default() }
}

/// `n0` has slots 0 (`views`) and 1 (`likes`), and is at version 2.
fn two() -> Counters<&'static str> {
    let mut counters = Counters::new();
    counters.add("n0", "views", 3).unwrap();
    counters.add("n0", "likes", 4).unwrap();
    counters
}

type Item = (u32, u64, Option<&'static str>);

#[track_caller]
fn assert_refused(from: u64, upto: u64, items: &[Item], expected: DeltaError) {
    let mut delta = RowDelta::new("n0", from, upto);
    for &(slot, number, name) in items {
        delta.push(slot, number, name, up(9));
    }
    let mut counters = two();
    assert_eq!(counters.apply(&delta), Err(expected));
    assert_eq!(counters, two());
    assert_eq!(counters.len(), 2, "no name stays behind");
}

#[test]
fn a_gap() {
    assert_refused(3, 4, &[(0, 4, None)], DeltaError::Gap { from: 3, version: 2 });
}

#[test]
fn slots_that_are_not_the_next() {
    assert_refused(2, 3, &[(3, 3, Some("shares"))], DeltaError::Slot(3));
    assert_refused(2, 4, &[(2, 3, Some("a")), (4, 4, Some("b"))], DeltaError::Slot(4));
    assert_refused(2, 4, &[(2, 3, Some("a")), (2, 4, Some("b"))], DeltaError::Slot(2));
}

#[test]
fn names_that_are_missing_doubled_or_others() {
    assert_refused(2, 3, &[(2, 3, None)], DeltaError::Name(2));
    assert_refused(2, 3, &[(0, 3, Some("likes"))], DeltaError::Name(0));
    assert_refused(2, 3, &[(2, 3, Some("likes"))], DeltaError::Name(2));
    assert_refused(2, 4, &[(2, 3, Some("a")), (3, 4, Some("a"))], DeltaError::Name(3));
}

#[test]
fn numbers_that_are_not_covered() {
    assert_refused(2, 3, &[(0, 4, None)], DeltaError::Number(4));
    assert_refused(2, 3, &[(0, 2, None)], DeltaError::Number(2));
    assert_refused(2, 1, &[], DeltaError::Number(1));
}

/// The counts of a slot never go back, even if those of a delta are smaller.
#[test]
fn counts_that_are_smaller() {
    let mut counters = two();
    counters.add("n0", "views", -2).unwrap();
    let mut delta = RowDelta::new("n0", 3, 4);
    delta.push(0, 4, None, Entry { down: 1, ..up(1) });
    assert!(counters.apply(&delta).unwrap());
    assert_eq!((counters.value("views"), counters.version("n0")), (1, 4));
    assert_eq!(counters.entry("n0", 0), Some(Entry { down: 2, ..up(3) }.borrowed()));
}

/// A source does not go back, and neither does what a reset has seen.
#[test]
fn totals_and_baselines_that_are_smaller() {
    let entry = |total: u64, seen: u64| {
        let mut entry = up(3);
        entry.report("s", total).unwrap();
        entry.reset(&Baseline { counts: [("n1", (seen, 0))].into(), totals: [("s".into(), seen)].into() });
        entry
    };
    let mut counters = Counters::new();
    for (number, total, seen) in [(1, 41, 5), (2, 7, 2)] {
        let mut delta = RowDelta::new("n0", number - 1, number);
        delta.push(0, number, Some("views"), entry(total, seen));
        assert!(counters.apply(&delta).unwrap());
        assert_eq!(counters.entry("n0", 0), Some(entry(41, 5).borrowed()));
        assert_eq!(counters.value("views"), 3 + 41 - 5);
    }
    let mut own = entry(41, 5);
    assert_eq!(own.report("s", 7), Ok(false));
    assert_eq!(own, entry(41, 5));
}

/// A full row can always be applied. What it says of numbers that are covered is passed over.
#[test]
fn a_full_row_of_later() {
    let (mut later, mut counters) = (two(), two());
    later.add("n0", "views", 1).unwrap();
    later.add("n0", "shares", 1).unwrap();
    assert!(counters.apply(&later.row_since("n0", 0).unwrap()).unwrap());
    assert_eq!(counters, later);
    assert_eq!(counters.row_since("n0", 2), later.row_since("n0", 2));
}

#[test]
fn a_source_too_many() {
    let mut counters = Counters::<u8>::new();
    let mut batch = counters.change(1);
    for n in 0..MAX_SOURCES {
        batch.report("views", format!("s{n}"), 1).unwrap();
    }
    assert_eq!(batch.report("views", "another", 1).err(), Some(ChangeError::Sources));
    batch.report("views", "s7", 5).unwrap();
    batch.commit().unwrap();
    let mut batch = counters.change(2);
    assert_eq!(batch.report("views", "another", 1).err(), Some(ChangeError::Sources));
    batch.report("views", "s7", 6).unwrap();
    batch.commit().unwrap();
    assert_eq!(counters.value("views"), MAX_SOURCES as i128 + 5);

    // Two replicas that have not heard of each other: merging accepts both.
    let mut other = Counters::<u8>::new();
    let mut batch = other.change(3);
    batch.report("views", "another", 1).unwrap();
    batch.commit().unwrap();
    assert!(counters.merge(&other));
    assert_eq!(counters.value("views"), MAX_SOURCES as i128 + 6);
}

#[test]
fn a_batch_that_is_not_committed_or_comes_to_nothing() {
    let mut counters = two();
    let mut batch = counters.change("n0");
    batch.add("views", 1).unwrap().reset("likes");
    drop(batch);
    assert_eq!(counters, two());
    let mut batch = counters.change("n0");
    batch.add("views", 0).unwrap().add("new", 0).unwrap().report("views", "s", 0).unwrap().reset("nothing");
    assert_eq!(batch.commit(), Ok(2));
    assert_eq!(counters, two());
}

fn parts(most: usize) -> Vec<Part<&'static str>> {
    let mut counters = two();
    counters.add("n0", "shares", 1).unwrap();
    counters.row_since("n0", 0).unwrap().split(most)
}

#[test]
fn parts_that_do_not_fit() {
    let mut assembly = Assembly::new(1000);
    let delta = || parts(1)[0].delta().clone();
    for wrong in [(3, 3), (usize::MAX, 3), (0, 0)] {
        assert_eq!(assembly.accept(Part::new(delta(), wrong.0, wrong.1)), Err(PartError::Place));
    }
    let empty = Part::new(RowDelta::new("n0", 0, 3), 1, 3);
    assert_eq!(assembly.accept(empty), Err(PartError::Place));
    assert!(assembly.is_empty());
}

/// Parts of one delta as cut at two times don't add up, although they are as many items together.
#[test]
fn parts_that_overlap() {
    let (one, other) = (parts(1), parts(30));
    assert_eq!((one.len(), other.len()), (3, 2));
    let mut assembly = Assembly::new(1000);
    assert_eq!(assembly.accept(one[1].clone()), Ok(None));
    assert_eq!(assembly.accept(other[0].clone()), Ok(None), "replaces what overlaps");
    assert_eq!(assembly.accept(one[0].clone()), Ok(None), "and the other way round");
    assert_eq!(assembly.accept(one[2].clone()), Ok(None));
    assert_eq!(assembly.accept(one[1].clone()).unwrap().unwrap().len(), 3);
}

/// A part of an old cut that comes late, or was there before, costs no part of the new cut.
#[test]
fn parts_of_an_old_cut() {
    let (old, new) = (parts(1), parts(30));
    for late in &old {
        for order in [[0, 1], [1, 0]] {
            let mut assembly = Assembly::new(1000);
            _ = assembly.accept(late.clone()).unwrap();
            let came: Vec<_> =
                order.iter().filter_map(|&n| assembly.accept(new[n].clone()).unwrap()).collect();
            assert_eq!(came.iter().map(RowDelta::len).collect::<Vec<_>>(), [3]);
        }
    }
}

/// The assembly has no more than it was made for, in however many parts it comes.
#[test]
fn parts_without_end() {
    let mut assembly = Assembly::new(100);
    let mut refused = 0;
    for n in 0..1000_u32 {
        let mut delta = RowDelta::new("n0", 0, 2000);
        delta.push(n, u64::from(n) + 1, Some("a name"), up(1));
        match assembly.accept(Part::new(delta, n as usize, 2000)) {
            Ok(whole) => assert!(whole.is_none()),
            Err(error) => {
                assert_eq!(error, PartError::TooLong);
                refused += 1;
            }
        }
    }
    assert!(refused > 100);
}

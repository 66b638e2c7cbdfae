//! Named counters as bytes: equal ones give equal bytes, and nothing else is read as these.

use crdt::bytes::DecodeError;
use crdt::named::{Counters, Entry, More, Part, RowDelta};

fn some() -> Counters<String> {
    let mut counters = Counters::new();
    for n in 0..40_u32 {
        counters.add("n0", &format!("counter {}", n % 13), i64::from(n) * 1000).unwrap();
        counters.add("n1", &format!("counter {}", n % 7), -i64::from(n)).unwrap();
    }
    let mut batch = counters.change("n2");
    batch.reset("counter 1").report("counter 2", "sensor", 41).unwrap().add("", i64::MIN).unwrap();
    batch.commit().unwrap();
    counters
}

#[test]
fn they_are_read_as_they_were_written() {
    let counters = some();
    let read = Counters::from_bytes(&counters.to_bytes()).unwrap();
    assert_eq!(read, counters);
    for actor in ["n0", "n1", "n2"] {
        for from in 0..counters.version(actor) {
            let delta = counters.row_since(actor, from).unwrap();
            assert_eq!(RowDelta::from_bytes(&delta.to_bytes()).unwrap(), delta);
            assert!(
                read.row_since(actor, from)
                    .unwrap()
                    .items()
                    .zip(delta.items())
                    .all(|(a, b)| a.entry == b.entry)
            );
            for part in delta.split(30) {
                assert_eq!(Part::from_bytes(&part.to_bytes()).unwrap(), part);
            }
        }
    }
}

/// The state that one has come to by another order of deltas, with other ids of names.
#[test]
fn equal_states_give_equal_bytes() {
    let counters = some();
    let mut other = Counters::new();
    for actor in ["n2", "n1", "n0"] {
        other.apply(&counters.row_since(actor, 0).unwrap()).unwrap();
    }
    assert!(!other.names().eq(counters.names()));
    assert_eq!(other, counters);
    assert_eq!(other.to_bytes(), counters.to_bytes());
}

type IsRefused = fn(&[u8]) -> bool;

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let counters = some();
    let delta = counters.row_since("n2", 0).unwrap();
    let refused: [(Vec<u8>, IsRefused); 3] = [
        (counters.to_bytes(), |bytes| Counters::<String>::from_bytes(bytes).is_err()),
        (delta.to_bytes(), |bytes| RowDelta::<String>::from_bytes(bytes).is_err()),
        (delta.split(30)[0].to_bytes(), |bytes| Part::<String>::from_bytes(bytes).is_err()),
    ];
    for (bytes, is_refused) in refused {
        for at in 0..bytes.len() {
            assert!(is_refused(&bytes[..at]));
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(is_refused(&changed), "byte {at}, bit {bit}");
            }
        }
    }
}

/// The binary form is never longer than `split` counts, so that a part fits where it has to.
#[test]
fn parts_are_no_longer_than_they_were_asked_for() {
    let mut counters = some();
    for n in 0..500_u32 {
        counters.add("n0", &"x".repeat(n as usize % 90), i64::MAX >> (n % 62)).unwrap();
    }
    for (actor, from) in [("n0", 0), ("n0", 60), ("n1", 0), ("n2", 0)] {
        let delta = counters.row_since(actor, from).unwrap();
        for most in [1, 50, 100, 1000] {
            let parts = delta.split(most);
            let is_long = |part: &&Part<String>| part.to_bytes().len() > most + 42;
            assert!(parts.iter().filter(is_long).all(|part| part.delta().len() == 1));
        }
    }
}

#[test]
fn an_entry_with_nothing_more_is_written_as_one_without() {
    let entry = Entry { up: 3, down: 0, more: Some(Box::new(More::default())) };
    let mut delta = RowDelta::new(7_u8, 0, 1);
    delta.push(0, 1, Some("views"), entry);
    let mut counters = Counters::new();
    counters.apply(&delta).unwrap();
    let read = Counters::from_bytes(&counters.to_bytes()).unwrap();
    assert_eq!(read, counters);
    assert!(
        RowDelta::<u8>::from_bytes(&delta.to_bytes()).unwrap().items().next().unwrap().entry.more.is_none()
    );
}

#[test]
fn another_kind_is_named() {
    let bytes = some().to_bytes();
    assert_eq!(RowDelta::<String>::from_bytes(&bytes), Err(DecodeError::Kind));
    assert!(DecodeError::Kind.to_string().contains("Counters with C"));
}

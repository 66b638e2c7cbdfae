//! A short run of the fuzz target, on bytes that are nearly what is read.

use crate::fuzz_bodies;
use crdt::named::{Counters, RowDelta};
use proptest::collection::vec;
use proptest::prelude::*;

/// A state, a delta and a part of it, without their checksums.
fn written() -> [Vec<u8>; 3] {
    let mut counters = Counters::<String>::new();
    for (actor, name, n) in [("n0", "a", 1), ("n0", "b", 300), ("n1", "b", -7), ("n0", "a", 1), ("n2", "", 5)]
    {
        counters.add(actor, name, n).unwrap();
    }
    let mut batch = counters.change("n0");
    batch.reset("b").report("c", "s", 41).unwrap().add("d", 1).unwrap();
    batch.commit().unwrap();
    let delta: RowDelta<String> = counters.row_since("n0", 1).unwrap();
    let all = [counters.to_bytes(), delta.to_bytes(), delta.split(20)[0].to_bytes()];
    all.map(|mut bytes| {
        bytes.truncate(bytes.len() - 4);
        bytes
    })
}

/// A byte is changed, left out, or put in.
type Change = (u8, usize, u8);

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for &(what, at, by) in changes {
        // The first two bytes are the kind and the version.
        let at = 2 + at % (bytes.len() - 2).max(1);
        match what % 4 {
            0 if bytes.len() > 3 => drop(bytes.remove(at.min(bytes.len() - 1))),
            1 => bytes.insert(at.min(bytes.len()), by),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = by),
        }
    }
    bytes
}

#[test]
fn what_is_written_is_read() {
    for bytes in written() {
        fuzz_bodies::named(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn nearly_what_is_written(
        which in 0..3_usize,
        changes in vec((any::<u8>(), any::<usize>(), prop_oneof![0..10_u8, any::<u8>()]), 0..4),
    ) {
        fuzz_bodies::named(&changed(written()[which].clone(), &changes));
    }

    #[test]
    fn a_delta_of_any_bytes(kind in 0..3_usize, body in vec(prop_oneof![4 => 0..10_u8, 1 => any::<u8>()], 0..40)) {
        let head = [&b"C\x01"[..], b"D\x01", b"T\x01"][kind];
        fuzz_bodies::named(&[head, &body].concat());
    }
}

/// A decoder makes no more of bytes than a multiple of their length, whatever lengths they claim.
#[test]
fn a_lie_about_a_length_costs_nothing() {
    let many = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for bytes in written() {
        for at in 2..bytes.len() {
            let lie = [&bytes[..at], &many, &bytes[at + 1..]].concat();
            let info = allocation_counter::measure(|| fuzz_bodies::named(&lie));
            assert!(info.bytes_max < 200_000, "{} bytes at {at}", info.bytes_max);
        }
    }
}

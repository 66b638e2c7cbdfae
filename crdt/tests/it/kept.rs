//! Bytes for keeping: what was written is read, and nothing else is.

use crate::fuzz_bodies::sealed;
use crate::support::{Id, pair, text};
use allocation_counter::measure;
use crdt::bytes::{DecodeError, IdBytes};
use crdt::{GCounter, PnCounter};
use proptest::prelude::*;
use std::rc::Rc;
use std::sync::Arc;

fn g(body: &[u8]) -> Result<GCounter<String>, DecodeError> {
    GCounter::from_bytes(&sealed(body))
}

fn pn(body: &[u8]) -> Result<PnCounter<u8>, DecodeError> {
    PnCounter::from_bytes(&sealed(body))
}

/// Both kinds of counter come back, and are written alike however they came about.
fn assert_kept<A: Id + IdBytes>(up: &GCounter<A>, down: &GCounter<A>) {
    let bytes = up.to_bytes();
    assert_eq!(GCounter::from_bytes(&bytes).as_ref(), Ok(up));
    let anew: GCounter<A> = up.iter().map(|(id, n)| (id.clone(), n)).collect();
    assert_eq!(anew.to_bytes(), bytes, "equal counters have equal bytes");
    let counter = PnCounter::from_parts(up.clone(), down.clone());
    assert_eq!(PnCounter::from_bytes(&counter.to_bytes()).as_ref(), Ok(&counter));
    assert_eq!(PnCounter::<A>::from_bytes(&bytes), Err(DecodeError::Kind));
    assert_eq!(GCounter::<A>::from_bytes(&counter.to_bytes()), Err(DecodeError::Kind));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read(pair in pair()) {
        let (up, down, _) = pair.build(text);
        assert_kept(&up, &down);
        let (up, down, _) = pair.build(|n| Arc::<str>::from(text(n)));
        assert_kept(&up, &down);
        let (up, down, _) = pair.build(|n| u64::from(n).rotate_right(20));
        assert_kept(&up, &down);
        let (up, down, _) = pair.build(|n| u128::from(n).to_be_bytes());
        assert_kept(&up, &down);
        let (up, down, _) = pair.build(|n| (text(n / 4), vec![7_u8; n as usize % 4]));
        assert_kept(&up, &down);
    }
}

#[test]
fn ids_of_every_type_are_kept() {
    assert_kept(&GCounter::from([(1_u8, 1)]), &GCounter::from([(2, 1)]));
    assert_kept(&GCounter::from([(1_u16, 1)]), &GCounter::from([(256, 1)]));
    assert_kept(&GCounter::from([(1_u32, 1)]), &GCounter::from([(u32::MAX, 1)]));
    assert_kept(&GCounter::from([(1_u128, 1)]), &GCounter::from([(u128::MAX, 1)]));
    assert_kept(&GCounter::from([(-1_i64, 1)]), &GCounter::from([(i64::MIN, 1), (0, 1)]));
    assert_kept::<Box<str>>(&GCounter::from([("ü".into(), 1)]), &GCounter::from([("".into(), 1)]));
    assert_kept::<Rc<str>>(&GCounter::from([("ü".into(), 1)]), &GCounter::from([("".into(), 1)]));
    assert_kept(&GCounter::from([([], 1)]), &GCounter::<[u8; 0]>::new());
}

fn samples() -> Vec<Vec<u8>> {
    let counter = |len: u32| (0..len).map(|n| (text(n), u64::MAX >> (n % 64))).collect::<GCounter<_>>();
    let plain = [0, 1, 2, 3, 17, 130].map(counter);
    let both = PnCounter::from_parts(plain[3].clone(), plain[4].clone());
    plain.iter().map(GCounter::to_bytes).chain([both.to_bytes()]).collect()
}

fn refused(bytes: &[u8]) -> bool {
    GCounter::<String>::from_bytes(bytes).is_err() && PnCounter::<String>::from_bytes(bytes).is_err()
}

/// Read as the kind that they were written as.
fn problem(bytes: &[u8], kind: u8) -> Option<DecodeError> {
    if kind == b'G' {
        GCounter::<String>::from_bytes(bytes).err()
    } else {
        PnCounter::<String>::from_bytes(bytes).err()
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut flips = 0;
    for mut bytes in samples() {
        let kind = bytes[0];
        assert_eq!(problem(&bytes, kind), None);
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let expected = match bit / 8 {
                0 => DecodeError::Kind,
                1 => DecodeError::Version(bytes[1]),
                _ => DecodeError::Damaged,
            };
            assert_eq!(problem(&bytes, kind), Some(expected), "bit {bit}");
            assert!(refused(&bytes), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
            flips += 1;
        }
    }
    assert!(flips > 10_000, "{flips}");
}

#[test]
fn whatever_is_cut_short_or_lengthened_is_refused() {
    for bytes in samples() {
        assert!((0..bytes.len()).all(|len| refused(&bytes[..len])));
        assert!((0..=u8::MAX).all(|more| refused(&[&bytes[..], &[more]].concat())));
        // With a checksum that matches, too: the entries end where they say.
        let body = &bytes[..bytes.len() - 4];
        assert!((0..body.len()).all(|len| refused(&sealed(&body[..len]))));
        assert!(refused(&sealed(&[body, &[0]].concat())));
    }
}

#[test]
fn the_layout_is_that_of_the_documentation() {
    let counter = GCounter::from([("n0".to_string(), 3), ("n1".to_string(), 400)]);
    assert_eq!(counter.to_bytes(), sealed(b"G\x01\x02\x02n0\x03\x02n1\x90\x03"));
    let both = PnCounter::from_parts([(7_u8, 3)].into(), [(6, 127), (7, 128)].into());
    assert_eq!(both.to_bytes(), sealed(b"P\x01\x02\x01\x06\x00\x7f\x01\x07\x03\x80\x01"));
    let full = GCounter::from([([0xfe_u8], u64::MAX)]);
    assert_eq!(full.to_bytes(), sealed(b"G\x01\x01\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    assert_eq!(GCounter::<u64>::new().to_bytes(), sealed(b"G\x01\x00"));
    let pair = GCounter::from([(("n0".to_string(), 7_u16), 1)]);
    assert_eq!(pair.to_bytes(), sealed(b"G\x01\x01\x05\x02n0\x07\x00\x01"));
}

#[test]
fn there_is_one_way_to_write_a_counter() {
    assert_eq!(g(b"G\x01\x01\x01a\x05").map(|counter| counter.get("a")), Ok(5));
    for body in [
        &b"G\x01\x02\x01b\x05\x01a\x05"[..], // unsorted
        b"G\x01\x02\x01a\x05\x01a\x05",      // doubled
        b"G\x01\x01\x01a\x00",               // without a count
        b"G\x01\x01\x01a\x85\x00",           // a number that is too long
        b"G\x01\x81\x00\x01a\x05",
        b"G\x01\x01\x81\x00a\x05",
        b"G\x01\x01\x01a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", // more than 64 bits
        b"G\x01\x01\x01a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00",
        b"G\x01\x02\x01a\x05", // fewer entries than it says
        b"G\x01\x00\x01a\x05", // more
        b"G\x01\x01\x05a\x05", // an id that goes on behind the end
        b"G\x01\x01\x01a",     // without a count at all
        b"G\x01",
    ] {
        assert_eq!(g(body), Err(DecodeError::NotCanonical), "{body:?}");
    }
    assert_eq!(pn(b"P\x01\x01\x01a\x00\x00"), Err(DecodeError::NotCanonical));
    assert_eq!(pn(b"P\x01\x02\x01b\x01\x00\x01a\x00\x01"), Err(DecodeError::NotCanonical));
    assert_eq!(g(b"G\x01\x01\x01\xff\x05"), Err(DecodeError::Id), "no text");
    assert_eq!(pn(b"P\x01\x01\x02ab\x01\x01"), Err(DecodeError::Id), "two bytes are no u8");
    assert_eq!(g(b"G\x02whatever"), Err(DecodeError::Version(2)));
    assert_eq!(g(b"P\x01\x00"), Err(DecodeError::Kind));
    assert_eq!(GCounter::<u64>::from_bytes(b""), Err(DecodeError::Damaged));
    assert_eq!(GCounter::<u64>::from_bytes(b"G\x01\x00\x00\x00"), Err(DecodeError::Damaged));
}

#[test]
fn lengths_that_lie_cost_no_memory() {
    let long = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    for body in [[b"G\x01", &long[..], b"\x01a\x05"].concat(), [b"G\x01\x01", &long[..], b"a\x05"].concat()] {
        let input = sealed(&body);
        let counted =
            measure(|| assert_eq!(GCounter::<String>::from_bytes(&input), Err(DecodeError::NotCanonical)));
        assert!(counted.bytes_max < 1024, "{counted:?}");
    }
    // The most that an input can ask for.
    let entries = b"\x00\x00".repeat(100_000);
    let input = sealed(&[b"G\x01\xa0\x8d\x06", &entries[..]].concat());
    let counted =
        measure(|| assert_eq!(GCounter::<String>::from_bytes(&input), Err(DecodeError::NotCanonical)));
    assert!(counted.bytes_max < 64 * input.len() as u64, "{counted:?}");
}

#[test]
fn errors_say_what_is_wrong_and_what_to_do() {
    let texts = [
        (DecodeError::Damaged, "take another copy"),
        (DecodeError::Kind, "begins with the letter G"),
        (
            DecodeError::Version(9),
            "version 9 of the layout, and this release of crdt-counters reads version 1",
        ),
        (DecodeError::Id, "read it as the type it was written as"),
        (DecodeError::NotCanonical, "the program that wrote the bytes is wrong"),
    ];
    for (error, part) in texts {
        assert!(error.to_string().contains(part), "{error}");
    }
}

//! Frames as bytes and back.

use cluster::wire::ask::{Ask, Told};
use cluster::wire::hello::Hello;
use cluster::wire::pieces::{Assembler, MAX_FRAME, Piece};
use cluster::wire::{Message, OLDEST, VERSION, WireError, frame, messages, read};
use embedded::{Change, Counted, MAX_BATCH, MAX_KEY, MAX_NAME, Refusal, Refused, Step};
use proptest::collection::vec;
use proptest::prelude::*;
use replica::Frame;

use crate::samples;

/// What a receiver gets of these messages.
fn received(messages: &[Vec<u8>]) -> Option<Frame> {
    let mut assembler = Assembler::default();
    let mut found = None;
    for message in messages {
        match read(message).unwrap() {
            Message::Frame(frame) => found = Some(*frame),
            Message::Piece(piece) => {
                if let Some(whole) = assembler.take(piece) {
                    found = Some(frame::read(&whole).unwrap());
                }
            }
        }
    }
    found
}

proptest! {
    #[test]
    fn a_frame_comes_as_it_was_sent(frame in samples::frame(), most in 64_usize..2_000, id: u64) {
        let sent = messages(&frame, id, most).unwrap();
        for message in &sent {
            prop_assert!(message.len() <= most);
        }
        prop_assert_eq!(received(&sent), Some(frame));
    }

    #[test]
    fn a_lost_piece_loses_its_frame_alone(frame in samples::frame(), next in samples::frame(), lost: prop::sample::Index) {
        let mut sent = messages(&frame, 1, 64).unwrap();
        prop_assume!(sent.len() > 1);
        sent.remove(lost.index(sent.len()));
        prop_assert_eq!(received(&sent), None);
        sent.extend(messages(&next, 2, 64).unwrap());
        prop_assert_eq!(received(&sent), Some(next));
    }

    #[test]
    fn pieces_may_be_doubled_and_turned(frame in samples::frame(), seed: prop::sample::Index) {
        let sent = messages(&frame, 1, 64).unwrap();
        let mut turned = [sent.clone(), sent].concat();
        let turn = seed.index(turned.len());
        turned.rotate_left(turn);
        prop_assert_eq!(received(&turned), Some(frame));
    }

    #[test]
    fn garbage_is_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _is_refused_or_read = read(&bytes);
        let _is_refused_or_read = frame::read(&bytes);
        let _is_refused_or_read = Hello::from_bytes(&bytes);
        let _is_refused_or_read = Ask::from_bytes(&bytes);
        let _is_refused_or_read = Told::from_bytes(&bytes);
    }

    #[test]
    fn a_request_comes_as_it_was_sent(change in samples::change(), key in "[!-~]{1,9}", ids: (u64, u64, u64), cut: prop::sample::Index) {
        let ask = Ask { id: ids.0, process: ids.1, begin_by_ms: ids.2, key, change };
        let mut bytes = ask.to_bytes();
        prop_assert_eq!(Ask::from_bytes(&bytes), Ok(ask));
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(Ask::from_bytes(&bytes).is_err());
    }

    #[test]
    fn a_damaged_frame_is_refused_or_read(frame in samples::frame(), at: prop::sample::Index, by in 1_u8..) {
        let mut message = messages(&frame, 1, usize::MAX).unwrap().remove(0);
        let at = at.index(message.len());
        message[at] ^= by;
        let _is_refused_or_read = read(&message);
        message.truncate(at);
        prop_assert!(read(&message).is_err());
    }
}

#[test]
fn another_version_is_named() {
    let frame = Frame::new("9f3a17c2".parse().unwrap(), replica::Claim::default());
    let mut message = messages(&frame, 1, 1000).unwrap().remove(0);
    for version in (0..=u8::MAX).filter(|version| !(OLDEST..=VERSION).contains(version)) {
        message[0] = version;
        assert_eq!(read(&message), Err(WireError::Version(version)));
    }
}

/// A node must not be made to do what its own clients could not.
#[test]
fn a_request_is_within_the_bounds() {
    let ask = |key: &str, change| Ask { id: 1, process: 2, begin_by_ms: 3, key: key.into(), change };
    let add = |name: &str| Change::Add(name.into(), 1);
    let batch = |steps| Change::Batch(vec![("a".into(), Step::Reset); steps]);
    for good in [ask(&"k".repeat(MAX_KEY), add(&"n".repeat(MAX_NAME))), ask("k", batch(MAX_BATCH))] {
        assert_eq!(Ask::from_bytes(&good.to_bytes()), Ok(good));
    }
    for bad in [
        ask("", add("a")),
        ask(&"k".repeat(MAX_KEY + 1), add("a")),
        ask("k", add("")),
        ask("k", add(&"n".repeat(MAX_NAME + 1))),
        ask("k", batch(MAX_BATCH + 1)),
    ] {
        assert_eq!(Ask::from_bytes(&bad.to_bytes()), Err(WireError::Garbage));
    }
}

#[test]
fn a_refusal_that_is_not_known_says_whether_the_change_may_count() {
    let known = Refused::Refusal(Refusal::NotKnownDurable);
    assert_eq!(Told::from_bytes(&Told::Refused(known).to_bytes()), Ok(Told::Refused(known)));
    let unknown = Told::Refused(Refused::GroupTooLong);
    assert_eq!(Told::from_bytes(&unknown.to_bytes()), Ok(Told::RefusedOtherwise { may_count: false }));
    let unclear = Told::RefusedOtherwise { may_count: true };
    assert_eq!(Told::from_bytes(&unclear.to_bytes()), Ok(unclear));
    assert_eq!(known.counted(), Counted::Maybe);
}

#[test]
fn what_is_collected_is_bounded() {
    let mut assembler = Assembler::default();
    let piece = |place| Piece { id: 1, place, of: u32::MAX, bytes: vec![0; 1 << 20] };
    let most = u32::try_from(MAX_FRAME >> 20).unwrap();
    for place in 0..most * 2 {
        assert_eq!(assembler.take(piece(place)), None);
    }
    // What came first was dropped, so the rest completes nothing.
    assert!(format!("{assembler:?}").len() < 8 * MAX_FRAME);
}

#[test]
fn a_node_without_a_good_name_is_refused() {
    for name in ["", "a.b", "a b", "*"] {
        let replica = format!("{name}#00000001").parse().unwrap();
        let claim = replica::Claim {
            rows: vec![replica::Tally { up: 1, down: 0 }.row(replica)],
            ..Default::default()
        };
        let message = messages(&Frame::new("9f3a17c2".parse().unwrap(), claim), 1, 1000).unwrap().remove(0);
        assert_eq!(read(&message), Err(WireError::Garbage), "{name}");
    }
}

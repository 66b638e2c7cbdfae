//! What version 1 has written. A later release must read it as this one does.
//!
//! `COUNTERD_WRITE_FIXTURES=1` writes the files that are missing. A file that is there is never written again.

use std::path::Path;

use cluster::journal::{Message, Part, Snapshot, Whole};
use cluster::wire::ask::{Ask, Told};
use cluster::wire::hello::{Hello, Occasion};
use cluster::wire::{self, messages};
use embedded::{Change, Done, Entry, EntryKind, Refusal, Refused, Reply, Step, Version};
use replica::store::{Changes, Note, Noted, Ownership, Seal};
use replica::{Claim, Frame, FrameId, Inquiry, ReplicaId, RowDelta, Rows};

fn replica(node: &str) -> ReplicaId {
    ReplicaId::new(&node.into(), "9f3a17c2".parse().unwrap())
}

/// A row with each thing that a row may have.
fn row(node: &str) -> RowDelta {
    let (mut rows, replica) = (Rows::default(), replica(node));
    rows.add(&replica, "views", 3).unwrap();
    rows.add(&replica, "likes", -2).unwrap();
    let mut change = rows.change(&replica);
    change.report("sold", "till", 41).unwrap().reset("views");
    change.commit().unwrap();
    rows.row_since(&replica, 0).unwrap()
}

fn frame() -> Frame {
    let part = row("n1").split(8).pop().map(Box::new);
    Frame {
        incarnation: "0000002a".parse().unwrap(),
        id: Some(FrameId(-7)),
        answers: Some(FrameId(8)),
        confirms: None,
        claim: Claim { rows: vec![row("n1"), row("n2")], part, unstored: [replica("n2")].into() },
        inquiry: Some(Inquiry::Asks(replica("n3"), 5)),
        refused: [replica("n4")].into(),
        doubts: true,
    }
}

fn entry() -> Entry {
    let changes = Changes {
        rows: vec![row("n1")],
        hints: vec![row("n2")],
        dropped_hints: vec![replica("n3")],
        lifts_seal: true,
        notes: vec![Noted { note: Note { until: 1_790_000_000_000, text: [1, 2, 3].into() }, value: -5 }],
    };
    let owner = Ownership { replica: replica("n1"), incarnation: "0000002a".parse().unwrap(), is_free: true };
    Entry { changes, kind: EntryKind::Commit { owner: Some(owner) }, first: None }
}

/// The bytes of a file, which this release writes too.
fn kept(name: &str, written: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    if !path.exists() && std::env::var_os("COUNTERD_WRITE_FIXTURES").is_some() {
        std::fs::write(&path, written).unwrap();
    }
    let kept = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(kept, written, "{name} would be written otherwise now: that is another version");
    kept
}

#[test]
fn a_frame_of_version_1_is_read() {
    let written = messages(&frame(), 1, usize::MAX).unwrap().remove(0);
    let read = wire::read(&kept("frame-1", &written)).unwrap();
    assert_eq!(read, wire::Message::Frame(Box::new(frame())));
}

#[test]
fn questions_and_answers_of_version_1_are_read() {
    let shows = Inquiry::Shows([(replica("n1"), 300), (replica("n2"), 0)].into());
    for (name, inquiry) in [
        ("holds-1", Inquiry::Holds(row("n3"))),
        ("surveys-1", Inquiry::Surveys(replica("n3"))),
        ("shows-1", shows),
    ] {
        let frame =
            Frame { inquiry: Some(inquiry), ..Frame::new("0000002a".parse().unwrap(), Claim::default()) };
        let written = messages(&frame, 1, usize::MAX).unwrap().remove(0);
        assert_eq!(wire::read(&kept(name, &written)).unwrap(), wire::Message::Frame(Box::new(frame)));
    }
}

#[test]
fn a_piece_of_version_1_is_read() {
    let written = messages(&frame(), 1, 100).unwrap().remove(0);
    let wire::Message::Piece(piece) = wire::read(&kept("piece-1", &written)).unwrap() else {
        panic!("it is a piece")
    };
    assert_eq!((piece.id, piece.place), (1, 0));
}

#[test]
fn a_hello_of_version_1_is_read() {
    let site = Some("eu".into());
    let hello = Hello { versions: 1..=1, occasion: Occasion::Begin, process: 0x1234, age_ms: 60_000, site };
    assert_eq!(Hello::from_bytes(&kept("hello-1", &hello.to_bytes())), Some(hello));
}

#[test]
fn requests_and_answers_of_version_1_are_read() {
    let changes = [
        Change::Add("views".into(), -3),
        Change::Batch(vec![("views".into(), Step::Add(3)), ("likes".into(), Step::Reset)]),
        Change::Reset("views".into()),
        Change::Report { counter: "sold".into(), source: "till".into(), total: 41 },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let ask = Ask { id: 9, process: 0x1234, begin_by_ms: 60_000, key: "7f3c0c9e".into(), change };
        assert_eq!(Ask::from_bytes(&kept(&format!("ask-1-{place}"), &ask.to_bytes())), Ok(ask));
    }
    // The name of a replica, and a number: 41.
    let seen: Version = "AQELbjEjOWYzYTE3YzIp".parse().unwrap();
    let done = |reply| {
        let done = Done { reply, is_replayed: true, number: 0 };
        Told::Done { done, in_memory: false, seen: seen.clone() }
    };
    let answers = [
        done(Reply::Value(-3)),
        done(Reply::Reset(i128::MAX)),
        done(Reply::Values([3, 4].into())),
        done(Reply::Counted),
        Told::Refused(Refused::Refusal(Refusal::NotKnownDurable)),
        Told::RefusedOtherwise { may_count: true },
        Told::Late,
    ];
    for (place, told) in answers.into_iter().enumerate() {
        assert_eq!(Told::from_bytes(&kept(&format!("told-1-{place}"), &told.to_bytes())), Ok(told));
    }
}

#[test]
fn a_log_of_version_1_is_read() {
    let part = Part { of: Whole::Entry, number: 0, count: 1, bytes: entry().to_bytes().unwrap() };
    let commit = Message { before: 7, next: 3, part };
    let read = Message::from_bytes(&kept("commit-1", &commit.to_bytes())).unwrap();
    assert_eq!(Entry::from_bytes(&read.part.bytes), Ok(entry()));
    assert_eq!(read, commit);

    let changes = Changes { rows: vec![row("n1")], ..Changes::default() };
    let seal = Entry { changes, kind: EntryKind::Seal, first: None };
    assert_eq!(Entry::from_bytes(&kept("seal-1", &seal.to_bytes().unwrap())), Ok(seal));

    let snapshot = Snapshot { entry: entry(), seal: Some(Seal { number: 2, is_lifted: true }) };
    assert_eq!(Snapshot::from_bytes(&kept("snapshot-1", &snapshot.to_bytes().unwrap())), Some(snapshot));

    let part = Part { of: Whole::Snapshot(7), number: 1, count: 3, bytes: vec![1, 2, 3] };
    let part = Message { before: 9, next: 0, part };
    assert_eq!(Message::from_bytes(&kept("snapshot-part-1", &part.to_bytes())), Some(part));
}

//! Notes: each is stored with its change, or neither is.

use replica::store::{Note, Noted, Outcome, Record, StoreRequest};
use replica::{
    AckPolicy, Change, MAX_PENDING, NodeId, Numbering, RECOVER_WITHIN, Refusal, Reply, Request, Step,
};

use crate::driven::{Driven, committed, frame_of, ms, opened};

fn note(id: u64) -> Note {
    Note { until: id, text: id.to_le_bytes().into() }
}

/// A change that tells, with a note.
fn noted(change: Change, id: u64) -> Request {
    Request::ChangeAndTell { change, note: Some(note(id)) }
}

fn add(delta: i64) -> Change {
    Change::Add("a".into(), delta)
}

/// A process that has made its first commit, and has nothing more to do.
fn ready(ack: AckPolicy, roster: &[&str]) -> Driven {
    let mut node = Driven::named(ack, roster);
    assert_eq!(node.ends(opened(None)), StoreRequest::Open);
    // With `AckPolicy::Memory` commits are not in haste.
    node.pass(ms(200));
    commits(&mut node);
    let names = roster.iter().map(|name| NodeId::from(*name)).collect();
    assert_eq!(node.ends(Outcome::Nodes(names)), StoreRequest::Nodes);
    while let Some((_, StoreRequest::Load { .. })) = node.requests.front() {
        node.ends(Outcome::Loaded(None));
    }
    assert!(node.requests.is_empty());
    node
}

/// The open commit is done. Returns the number up to which it has the own row, and its notes.
fn commits(node: &mut Driven) -> (u64, Vec<Noted>) {
    offered(node.ends(committed()))
}

fn offered(request: StoreRequest) -> (u64, Vec<Noted>) {
    let StoreRequest::Commit { changes, .. } = request else { panic!("it commits: {request:?}") };
    (changes.rows.iter().map(replica::RowDelta::upto).max().unwrap_or_default(), changes.notes)
}

#[test]
fn a_note_goes_with_its_change_and_says_what_that_did() {
    let mut node = ready(AckPolicy::Store, &["n0"]);
    let reset = Change::Reset("a".into());
    let batch = Change::Batch(vec![("a".into(), Step::Add(2)), ("a".into(), Step::Reset)]);
    for (id, change) in (1..).zip([add(5), reset.clone(), reset, batch]) {
        node.ask(id, noted(change, id));
    }
    assert_eq!(commits(&mut node), (1, vec![Noted { note: note(1), value: 5 }]));
    let later = [(2, 5), (3, 0), (4, 0)].map(|(id, value)| Noted { note: note(id), value });
    assert_eq!(commits(&mut node), (4, later.into()), "a change that changes nothing takes a number too");
    let replies: Vec<_> = std::iter::from_fn(|| node.reply()).map(|(_, reply)| reply).collect();
    let values = Reply::Values([2, 2].into());
    assert_eq!(replies, [Ok(Reply::Value(5)), Ok(Reply::Reset(5)), Ok(Reply::Reset(0)), Ok(values)]);
    assert!(node.requests.is_empty(), "each note is stored once");
}

#[test]
fn a_note_is_offered_again_until_it_is_known_to_be_stored() {
    let mut node = ready(AckPolicy::Store, &["n0"]);
    node.ask(1, noted(add(5), 1));
    let (_, StoreRequest::Commit { changes, .. }) = node.requests[0].clone() else { panic!("it commits") };
    let kept = vec![Noted { note: note(1), value: 5 }];
    assert_eq!(offered(node.ends(Outcome::Conflict)), (1, kept.clone()));
    assert_eq!(node.ends(opened(Some(Record::default()))), StoreRequest::Open);
    assert_eq!(offered(node.ends(Outcome::Unknown)), (1, kept), "the record did not have it");
    assert_eq!(node.reply(), None);
    // That commit was done after all.
    let mut record = Record::default();
    record.apply(&changes, None);
    node.pass(ms(1000));
    assert_eq!(node.ends(opened(Some(record))), StoreRequest::Open);
    assert_eq!(node.reply(), Some((1, Ok(Reply::Value(5)))));
    node.ask(2, Request::Change(add(1)));
    assert_eq!(commits(&mut node), (2, Vec::new()));
}

#[test]
fn while_the_store_is_down_a_change_with_a_note_is_refused() {
    for ack in [AckPolicy::Store, AckPolicy::Durable, AckPolicy::Memory] {
        let mut node = ready(ack, &["n0"]);
        node.ask(1, Request::Change(add(1)));
        node.pass(ms(1000));
        assert!(node.replica.is_store_down());
        node.replies.clear();
        node.ask(2, noted(add(1), 2));
        assert_eq!(node.reply(), Some((2, Err(Refusal::StoreSilent))));
        assert_eq!(node.replica.number(), 1);
    }
}

/// Changes wait until the process has chosen its replica. Then the store is down.
#[test]
fn a_change_with_a_note_that_waits_keeps_no_other_waiting_once_the_store_is_down() {
    let mut node = Driven::named(AckPolicy::Durable, &["n0", "n1"]);
    node.ask(1, noted(add(1), 1));
    node.ask(2, Request::Change(add(1)));
    assert_eq!((node.reply(), node.replica.number()), (None, 0));
    node.pass(RECOVER_WITHIN);
    assert_eq!(node.reply(), Some((1, Err(Refusal::StoreSilent))));
    assert_eq!(node.replica.number(), 1, "the other one is counted");
}

/// The store does not answer the commit of a change with a note. A peer must not hear of the change: it could outlive the note.
#[test]
fn what_waits_for_its_note_is_shown_to_nobody() {
    let mut node = ready(AckPolicy::Durable, &["n0", "n1"]);
    node.hear("n1", frame_of(1, Vec::new()));
    node.ask(1, noted(add(5), 1));
    node.pass(ms(1000));
    assert!(node.replica.is_store_down());
    node.ask(2, Request::Change(add(1)));
    node.pass(ms(500));
    let is_told = node.sent().iter().any(|(_, frame)| !frame.claim.rows.is_empty());
    assert!(!is_told && node.replica.state().value("a") == 0);
    // Once the note is stored, the store may be down: what comes later needs it no more.
    commits(&mut node);
    assert_eq!(node.reply(), Some((1, Ok(Reply::Value(5)))));
    node.pass(ms(1000));
    assert!(node.replica.is_store_down());
    assert_eq!(node.replica.state().value("a"), 6);
    assert!(node.sent().iter().any(|(_, frame)| !frame.claim.rows.is_empty()));
}

/// A client sends changes one after the other: they are counted in this order, whatever they waited for.
#[test]
fn changes_that_wait_are_counted_before_those_that_come_later() {
    let mut node = Driven::named(AckPolicy::Store, &["n0"]);
    node.ask(1, Request::Change(add(5)));
    let (token, _) = node.requests.pop_front().expect("it opens the record");
    node.give(replica::Input::Store { token, outcome: opened(None) });
    // Now it has chosen its replica, and there was no tick.
    node.ask(2, Request::Change(Change::Reset("a".into())));
    while node.replies.len() < 2 {
        node.ends(committed());
    }
    assert_eq!(node.reply(), Some((1, Ok(Reply::Counted))));
    assert_eq!(node.reply(), Some((2, Ok(Reply::Reset(5)))));
}

#[test]
fn so_many_notes_wait_to_be_stored_and_no_more() {
    let mut node = ready(AckPolicy::Memory, &["n0"]);
    let most = u64::try_from(MAX_PENDING).expect("a number");
    for id in 0..=most {
        node.ask(id, noted(add(1), id));
    }
    assert_eq!(node.replies.pop_back().expect("all are answered").1, Err(Refusal::TooManyAdds));
    assert_eq!(node.replies.len(), MAX_PENDING);
    assert_eq!(node.replica.number(), most);
}

#[test]
fn where_numbers_are_sums_there_are_no_notes() {
    let mut node = Driven::of(
        &replica::Config {
            ack: AckPolicy::Memory,
            numbering: Numbering::BySum,
            ..replica::Config::default()
        },
        &["n0"],
    );
    node.ask(1, noted(Change::Add("".into(), 1), 1));
    assert_eq!(node.reply(), Some((1, Err(Refusal::OneCounterOnly))));
}

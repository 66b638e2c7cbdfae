//! An operator has a node forgotten.

use replica::store::memory::Memory;
use replica::store::{Changes, Outcome, Record, Seal, StoreRequest};
use replica::{AckPolicy, Frame, FrameId, Input, Refusal, Reply, Request, Tally, Ticket};

use crate::driven::{ANSWER_WITHIN, Driven, frame_of, ms, put, record, replica, row, tally};

fn forget(node: &mut Driven, ticket: u64, who: &str) {
    let answer_by = node.now + ANSWER_WITHIN;
    node.give(Input::Forget { ticket: Ticket(ticket), answer_by, node: who.into() });
    node.tick();
}

/// `n1` has counted 5, and has a hint of 3 for `n2`.
fn record_of_n1() -> Record {
    let hints = [(replica("n2#00000002"), row("n2#00000002", 3))].into();
    Record { hints, ..record(&[("n1#00000001", 5)]) }
}

/// A process of `n0`, which knows all records.
fn started(store: &mut Memory) -> Driven {
    let mut node = Driven::among(AckPolicy::Store, &["n0", "n1", "n2"]);
    node.serve(store);
    node.sent();
    node
}

#[test]
fn a_node_is_forgotten_and_its_counts_and_hints_stay() {
    let mut store = Memory::default();
    put(&mut store, "n1", record_of_n1());
    let mut node = started(&mut store);
    forget(&mut node, 1, "n1");
    node.serve(&mut store);
    assert_eq!(node.reply(), Some((1, Ok(Reply::Forgotten))));
    assert_eq!(node.replica.value(), 8);
    let sealed = store.record(&"n1".into()).cloned().expect("it has a record");
    assert_eq!(sealed.seal, Some(Seal { number: 1, is_lifted: false }));
    assert_eq!(Record { seal: None, ..sealed }, record_of_n1());
    node.pass(ms(3000));
    assert!(node.sent().iter().all(|(peer, _)| peer.as_str() == "n2"), "n1 is told nothing any more");
}

/// The store does what it is asked for, until the next request is one of these.
fn serve_until(node: &mut Driven, store: &mut Memory, is: fn(&StoreRequest) -> bool) {
    loop {
        let (_, request) = node.requests.front().expect("it asks for it in the end");
        if is(request) {
            return;
        }
        let outcome = store.request(&"n0".into(), request);
        node.ends(outcome);
    }
}

#[test]
fn a_record_that_changes_meanwhile_is_loaded_again_behind_a_fence() {
    let mut store = Memory::default();
    put(&mut store, "n1", record(&[("n1#00000001", 5)]));
    let mut node = started(&mut store);
    forget(&mut node, 1, "n1");
    serve_until(&mut node, &mut store, |request| matches!(request, StoreRequest::Seal { .. }));
    put(&mut store, "n1", record(&[("n1#00000001", 6)]));
    let served = node.serve(&mut store);
    // A store may go on showing the old record without a fence, and then it would never be sealed.
    assert!(
        matches!(served[..], [StoreRequest::Seal { .. }, StoreRequest::Fence, StoreRequest::Load { .. }, ..]),
        "{served:?}"
    );
    assert_eq!(node.reply(), Some((1, Ok(Reply::Forgotten))));
    assert_eq!(node.replica.value(), 6);
}

#[test]
fn counts_of_a_forgotten_node_that_only_another_node_holds_get_into_its_record() {
    let mut store = Memory::default();
    put(&mut store, "n1", record(&[("n1#00000001", 5)]));
    let mut node = started(&mut store);
    forget(&mut node, 1, "n1");
    node.serve(&mut store);
    let mut late = frame_of(2, vec![row("n1#00000001", 6)]);
    late.claim.unstored = [replica("n1#00000001")].into();
    node.hear("n2", late);
    node.pass(ms(1000));
    node.serve(&mut store);
    let sealed = store.record(&"n1".into()).expect("it has a record");
    assert_eq!((tally(sealed, &replica("n1#00000001")).up, sealed.is_sealed()), (6, true));
    node.ask(2, Request::add(1));
    node.serve(&mut store);
    let own = store.record(&"n0".into()).expect("it has a record");
    assert!(own.hints.is_empty(), "the next commit drops the hint");
}

#[test]
fn what_can_not_be_forgotten_is_refused() {
    let mut store = Memory::default();
    let mut node = started(&mut store);
    forget(&mut node, 1, "n0");
    assert_eq!(node.reply(), Some((1, Err(Refusal::ForgetsItself))));
    forget(&mut node, 2, "n9");
    node.serve(&mut store);
    assert_eq!(node.reply(), Some((2, Err(Refusal::NoSuchNode))));
    node.pass(ms(50));
    forget(&mut node, 3, "n1");
    node.pass(ANSWER_WITHIN);
    assert_eq!(node.reply(), Some((3, Err(Refusal::NotForgotten))), "the store is silent");
}

#[test]
fn a_node_on_the_list_is_forgotten_even_without_a_record() {
    let mut store = Memory::default();
    let mut node = started(&mut store);
    forget(&mut node, 1, "n1");
    node.serve(&mut store);
    assert_eq!(node.reply(), Some((1, Ok(Reply::Forgotten))));
    assert!(store.record(&"n1".into()).is_some_and(Record::is_sealed));
}

/// Another node seals the record of `n0`.
fn seal(store: &mut Memory) {
    let from = store.record(&"n0".into()).cloned();
    let seal = StoreRequest::Seal { node: "n0".into(), from, rows: Vec::new() };
    assert_eq!(store.request(&"n1".into(), &seal), Outcome::Sealed);
}

#[test]
fn a_process_whose_node_was_forgotten_refuses_what_waits_and_ends() {
    let mut store = Memory::default();
    let mut node = started(&mut store);
    node.ask(1, Request::add(1));
    node.serve(&mut store);
    assert_eq!(node.reply(), Some((1, Ok(Reply::Counted))));
    seal(&mut store);
    let sealed = store.record(&"n0".into()).cloned();
    node.ask(2, Request::add(2));
    node.serve(&mut store);
    assert!(node.is_done);
    let (ticket, result) = node.reply().expect("the add is answered");
    assert!(
        ticket == 2 && result.clone().is_err_and(Refusal::may_have_counted),
        "it was counted here: {result:?}"
    );
    assert_eq!(store.record(&"n0".into()).cloned(), sealed, "it commits nothing any more");
    node.ask(3, Request::add(3));
    let (ticket, result) = node.reply().expect("the add is answered");
    assert!(ticket == 3 && result.clone().is_err_and(|refusal| !refusal.may_have_counted()), "{result:?}");
}

#[test]
fn adds_that_are_not_counted_are_refused_for_good_as_the_node_is_forgotten() {
    let mut store = Memory::default();
    let mut node = started(&mut store);
    seal(&mut store);
    node.ask(1, Request::add(1));
    node.ends(Outcome::NotDone);
    node.ask(2, Request::add(2));
    assert_eq!(node.replica.counted(), Tally { up: 1, down: 0 }, "the store is down: the second waits");
    node.pass(ms(50));
    node.serve(&mut store);
    assert!(node.is_done);
    assert!(node.replies.contains(&(Ticket(2), Err(Refusal::Forgotten))), "{:?}", node.replies);
}

#[test]
fn a_forgotten_node_that_returns_counts_under_a_new_replica() {
    let mut store = Memory::default();
    put(&mut store, "n0", record(&[("n0#00000009", 5)]));
    seal(&mut store);
    let mut node = started(&mut store);
    node.ask(1, Request::add(1));
    node.serve(&mut store);
    assert_eq!(node.reply(), Some((1, Ok(Reply::Counted))));
    let record = store.record(&"n0".into()).expect("it has a record");
    assert_eq!(record.seal, Some(Seal { number: 1, is_lifted: true }));
    assert_eq!((tally(record, &replica("n0#00000009")).up, tally(record, node.replica.id()).up), (5, 1));
}

#[test]
fn a_node_that_has_returned_is_a_peer_again_once_it_is_heard() {
    let mut store = Memory::default();
    put(&mut store, "n1", record(&[("n1#00000001", 5)]));
    let mut node = started(&mut store);
    forget(&mut node, 1, "n1");
    node.serve(&mut store);
    let greeting = || Frame { id: Some(FrameId(1)), ..frame_of(2, Vec::new()) };
    node.hear("n1", greeting());
    node.pass(ms(4000));
    node.serve(&mut store);
    assert!(node.sent().iter().all(|(peer, _)| peer.as_str() == "n2"), "it has not returned");

    let rows = vec![row("n1#00000002", 1)];
    let changes = Changes { rows, lifts_seal: true, ..Changes::default() };
    let Outcome::Opened { revision, .. } = store.request(&"n1".into(), &StoreRequest::Open) else { panic!() };
    let commit = StoreRequest::Commit { expect: revision, changes, owner: None };
    store.request(&"n1".into(), &commit);
    node.hear("n1", greeting());
    node.pass(ms(4000));
    node.serve(&mut store);
    node.pass(ms(1000));
    assert!(node.sent().iter().any(|(peer, _)| peer.as_str() == "n1"));
    assert_eq!(node.replica.value(), 6);
}

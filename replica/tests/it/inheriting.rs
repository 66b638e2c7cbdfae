//! A process asks every node before it goes on under its predecessor's replica.

use crdt::named::Entry;
use replica::store::memory::Memory;
use replica::store::{Outcome, Ownership, Record, StoreRequest};
use replica::{AckPolicy, Frame, FrameId, Inquiry, Request, RowDelta, Rows, THE_COUNTER, Tally};

use crate::driven::{Driven, frame_of, ms, put, record, replica, row, tally};

/// The replica that a predecessor has left free.
const FREE: &str = "n0#00000009";

/// A record that says that it is free at this count.
fn free_at(up: u64) -> Record {
    let owner = Ownership { replica: replica(FREE), incarnation: "00000009".parse().unwrap(), is_free: true };
    Record { owner: Some(owner), ..record(&[(FREE, up)]) }
}

/// A process that has found it free at 5, and asks. The store has done all that it was asked for.
fn asking(roster: &[&str], store: &mut Memory) -> Driven {
    put(store, "n0", free_at(5));
    let mut node = Driven::among(AckPolicy::Store, roster);
    node.serve(store);
    node
}

/// Whether it has become the owner of its predecessor's replica.
fn has_inherited(node: &Driven, store: &Memory) -> bool {
    let record = store.record(&"n0".into()).expect("it has a record");
    let owner = record.owner.as_ref().filter(|owner| !owner.is_free);
    let owns = owner.is_some_and(|owner| owner.incarnation == node.replica.incarnation());
    assert_eq!(owns, *node.replica.id() == replica(FREE));
    owns
}

/// Adds one, and says what the record holds then of the free replica and of the process's own.
fn counts_after_an_add(node: &mut Driven, store: &mut Memory) -> (u64, u64) {
    node.ask(1, Request::add(1));
    node.serve(store);
    let record = store.record(&"n0".into()).expect("it has a record");
    (tally(record, &replica(FREE)).up, tally(record, node.replica.id()).up)
}

#[test]
fn a_process_goes_on_under_a_free_replica_once_all_have_said_that_they_hold_no_more() {
    let mut store = Memory::default();
    let mut node = asking(&["n0", "n1", "n2"], &mut store);
    node.hear_holds("n1", 5);
    node.serve(&mut store);
    assert!(!has_inherited(&node, &store), "n2 has not answered");
    node.hear_holds("n2", 0);
    node.serve(&mut store);
    assert!(has_inherited(&node, &store));
    assert_eq!(counts_after_an_add(&mut node, &mut store), (6, 6));
}

#[test]
fn with_no_other_node_it_goes_on_at_once() {
    let mut store = Memory::default();
    let node = asking(&["n0"], &mut store);
    assert!(has_inherited(&node, &store));
}

#[test]
fn an_answer_to_another_question_is_none() {
    let mut store = Memory::default();
    let mut node = asking(&["n0", "n1"], &mut store);
    let id = node.question("n1").and_then(|frame| frame.id).expect("n1 is asked");
    let holds = |id, of: &str| {
        let inquiry = Some(Inquiry::Holds(row(of, 0)));
        Frame { answers: Some(id), inquiry, ..frame_of(1, Vec::new()) }
    };
    node.hear("n1", holds(FrameId(id.0 + 1), FREE));
    node.hear("n1", holds(id, "n0#00000008"));
    node.hear("n2", holds(id, FREE));
    node.serve(&mut store);
    assert!(!has_inherited(&node, &store));
    node.hear("n1", holds(id, FREE));
    node.serve(&mut store);
    assert!(has_inherited(&node, &store));
}

#[test]
fn if_a_peer_holds_more_it_counts_under_a_new_replica_and_the_larger_count_stays() {
    let mut store = Memory::default();
    let mut node = asking(&["n0", "n1"], &mut store);
    node.hear_holds("n1", 7);
    node.serve(&mut store);
    assert!(!has_inherited(&node, &store));
    assert_eq!(counts_after_an_add(&mut node, &mut store), (7, 1));
    assert_eq!(node.replica.value(), 8);
}

#[test]
fn if_the_record_of_another_node_holds_more_it_counts_under_a_new_replica() {
    let mut store = Memory::default();
    let hints = [(replica(FREE), row(FREE, 7))].into();
    put(&mut store, "n1", Record { hints, ..Record::default() });
    let mut node = asking(&["n0", "n1"], &mut store);
    node.hear_holds("n1", 0);
    node.serve(&mut store);
    assert!(!has_inherited(&node, &store));
    assert_eq!(counts_after_an_add(&mut node, &mut store), (7, 1));
}

/// The row of a replica that has reset the counter when it saw so much of another.
fn reset(id: &str, seen: (&str, u64)) -> RowDelta {
    let mut all = Rows::new();
    all.apply(&row(seen.0, seen.1)).unwrap();
    let mut entry = Entry::default();
    assert!(entry.reset(&all.observed(THE_COUNTER)));
    let mut reset = RowDelta::new(replica(id), 0, 1);
    reset.push(0, 1, Some(THE_COUNTER), entry);
    reset
}

/// Nobody has more of the row than the record. But a reset has seen more, and would swallow what is counted from there on.
#[test]
fn if_a_reset_has_seen_more_it_counts_under_a_new_replica() {
    let seen = |seen| {
        let mut store = Memory::default();
        let row = reset("n1#00000001", (FREE, seen));
        put(&mut store, "n1", Record { rows: [(replica("n1#00000001"), row)].into(), ..Record::default() });
        let mut node = asking(&["n0", "n1"], &mut store);
        node.hear_holds("n1", 0);
        node.serve(&mut store);
        (has_inherited(&node, &store), counts_after_an_add(&mut node, &mut store), node.replica.value())
    };
    assert_eq!(seen(5), (true, (6, 6), 1), "it has seen no more than the record");
    assert_eq!(seen(16), (false, (5, 1), 1));
}

#[test]
fn a_node_that_knows_of_more_by_a_reset_says_that_it_holds_more() {
    let mut store = Memory::default();
    let mut node = Driven::among(AckPolicy::Store, &["n0", "n1", "n2"]);
    node.serve(&mut store);
    node.hear("n2", frame_of(1, vec![reset("n3#00000001", ("n1#00000001", 16)), row("n1#00000001", 3)]));
    node.sent();
    node.hear("n1", asks(2, "n1#00000001"));
    let inquiry = node.sent().into_iter().find_map(|(_, frame)| frame.inquiry);
    let Some(Inquiry::Holds(row)) = inquiry else { panic!("it answers: {inquiry:?}") };
    assert!(row.upto() > 16 && row.items().len() == 0, "{row:?}");
}

#[test]
fn a_node_with_a_record_that_is_not_on_the_list_can_not_be_asked() {
    let mut store = Memory::default();
    put(&mut store, "n9", Record::default());
    let mut node = asking(&["n0"], &mut store);
    assert!(!has_inherited(&node, &store));
    assert_eq!(counts_after_an_add(&mut node, &mut store), (5, 1));
    assert!(node.sent().is_empty());
}

#[test]
fn a_node_that_was_forgotten_need_not_be_asked() {
    let mut store = Memory::default();
    let seal = StoreRequest::Seal { node: "n9".into(), from: None, rows: Vec::new() };
    assert_eq!(store.request(&"n1".into(), &seal), Outcome::Sealed);
    let mut node = asking(&["n0", "n1"], &mut store);
    node.hear_holds("n1", 5);
    node.serve(&mut store);
    assert!(has_inherited(&node, &store));
}

#[test]
fn a_peer_that_is_silent_is_asked_again_for_a_second() {
    let mut store = Memory::default();
    let mut node = asking(&["n0", "n1"], &mut store);
    let first = node.question("n1").cloned().expect("n1 is asked");
    node.sent();
    node.pass(ms(999));
    assert_eq!(node.question("n1"), Some(&first), "it is the same question");
    assert!(node.serve(&mut store).is_empty(), "it waits for the answer");
    node.pass(ms(1));
    node.serve(&mut store);
    assert_eq!(counts_after_an_add(&mut node, &mut store), (5, 1));
    node.hear("n1", row_held(&first));
    node.serve(&mut store);
    assert!(!has_inherited(&node, &store), "the answer comes too late");
}

fn row_held(question: &Frame) -> Frame {
    let inquiry = Some(Inquiry::Holds(row(FREE, 5)));
    Frame { answers: question.id, inquiry, ..frame_of(1, Vec::new()) }
}

#[test]
fn an_add_does_not_wait_so_long_for_the_answers() {
    let mut store = Memory::default();
    let mut node = asking(&["n0", "n1"], &mut store);
    node.pass(ms(100));
    node.ask(1, Request::add(1));
    node.pass(ms(149));
    assert_eq!(node.replica.counted(), Tally::default());
    node.pass(ms(1));
    assert_eq!(node.replica.counted(), Tally { up: 1, down: 0 });
    node.serve(&mut store);
    assert!(!has_inherited(&node, &store));
}

#[test]
fn if_the_record_has_changed_meanwhile_it_asks_anew() {
    let mut store = Memory::default();
    let mut node = asking(&["n0", "n1"], &mut store);
    let first = node.question("n1").and_then(|frame| frame.id).expect("n1 is asked");
    put(&mut store, "n0", free_at(9));
    node.hear_holds("n1", 5);
    node.serve(&mut store);
    assert!(!has_inherited(&node, &store), "the answer was about another record");
    assert_ne!(node.question("n1").and_then(|frame| frame.id), Some(first));
    node.hear_holds("n1", 9);
    node.serve(&mut store);
    assert!(has_inherited(&node, &store));
    assert_eq!(counts_after_an_add(&mut node, &mut store), (10, 10));
}

/// A question of that incarnation of `n1`.
fn asks(incarnation: u32, of: &str) -> Frame {
    let inquiry = Some(Inquiry::Asks(replica(of), 0));
    Frame { id: Some(FrameId(1)), inquiry, ..frame_of(incarnation, Vec::new()) }
}

#[test]
fn a_process_that_has_not_recovered_answers_no_question() {
    let mut store = Memory::default();
    put(&mut store, "n0", record(&[("n0#00000009", 1)]));
    put(&mut store, "n1", record(&[("n1#00000001", 3)]));
    let mut node = Driven::among(AckPolicy::Store, &["n0", "n1"]);
    let answers = |node: &mut Driven| {
        node.sent();
        node.hear("n1", asks(2, "n1#00000001"));
        node.sent().into_iter().find_map(|(_, frame)| frame.inquiry)
    };
    for _ in 0..4 {
        assert_eq!(answers(&mut node), None, "it still reads the records");
        let (_, request) = node.requests.front().expect("it asks the store");
        let outcome = store.request(&"n0".into(), request);
        node.ends(outcome);
    }
    node.serve(&mut store);
    let holds = Inquiry::Holds(row("n1#00000001", 3));
    assert_eq!(answers(&mut node), Some(holds));
    node.sent();
    node.hear("n1", asks(2, "n7#00000001"));
    assert!(node.sent().iter().all(|(_, frame)| frame.inquiry.is_none()), "that is no replica of n1");
}

#[test]
fn a_node_that_has_answered_takes_no_late_frame_of_an_earlier_process() {
    let mut store = Memory::default();
    let mut node = Driven::among(AckPolicy::Store, &["n0", "n1", "n2"]);
    node.serve(&mut store);
    node.hear("n1", asks(2, "n1#00000001"));
    let late = || Frame { id: Some(FrameId(7)), ..frame_of(1, vec![row("n1#00000001", 4)]) };
    node.sent();
    node.hear("n1", late());
    assert_eq!(node.replica.value(), 0);
    let answer = node.sent().into_iter().find(|(_, frame)| frame.answers == Some(FrameId(7)));
    let (_, answer) = answer.expect("it answers");
    assert!(answer.doubts && answer.id.is_some(), "it asks whether the sender still runs: {answer:?}");
    node.hear("n2", frame_of(1, vec![row("n1#00000001", 4)]));
    assert_eq!(node.replica.value(), 4, "what another node relays is taken");
}

#[test]
fn an_asker_that_is_known_to_run_is_believed() {
    let mut store = Memory::default();
    let mut node = Driven::among(AckPolicy::Store, &["n0", "n1"]);
    node.serve(&mut store);
    let [(_, greeting)] = &node.sent()[..] else { panic!("it greets n1") };
    node.hear("n1", asks(2, "n1#00000001"));
    node.hear("n1", Frame { confirms: greeting.id, ..frame_of(2, vec![row("n1#00000001", 4)]) });
    assert_eq!(node.replica.value(), 4);
}

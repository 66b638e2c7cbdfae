//! The list of nodes grows and shrinks while a replica runs.

use std::collections::BTreeSet;

use crdt::named::Entry;
use replica::store::memory::Memory;
use replica::store::{Record, StoreRequest};
use replica::{AckPolicy, Frame, FrameId, MAX_REPLICAS, NodeId, ReplicaId, Request, RowDelta, Tally};

use crate::driven::{Driven, frame_of, ms, put, record, replica, row, value};

fn among(roster: &[&str]) -> Driven {
    Driven::among(AckPolicy::Memory, roster)
}

/// Lets a second pass; returns whom it has told what.
fn told(node: &mut Driven) -> Vec<(NodeId, Frame)> {
    node.pass(ms(1000));
    node.sent()
}

/// The last frame to this peer.
fn last_to(told: &[(NodeId, Frame)], to: &str) -> Frame {
    let frame = told.iter().rfind(|(peer, _)| peer.as_str() == to).map(|(_, frame)| frame.clone());
    frame.unwrap_or_else(|| panic!("{to} is told: {told:?}"))
}

/// A peer confirms a frame.
fn confirm(incarnation: u32, frame: &Frame, rows: Vec<RowDelta>) -> Frame {
    Frame { answers: frame.id, ..frame_of(incarnation, rows) }
}

#[test]
fn a_node_that_is_listed_later_is_told_everything() {
    let mut node = among(&["n0"]);
    node.ask(1, Request::add(5));
    assert!(told(&mut node).is_empty(), "there is nobody to tell");
    node.list(&["n0", "n1"]);
    assert_eq!(value(&last_to(&told(&mut node), "n1")), 5);
}

#[test]
fn a_node_that_joins_is_brought_up_to_date_in_one_exchange() {
    let mut node = among(&["n0", "n1"]);
    let greeting = last_to(&told(&mut node), "n1");
    node.hear("n1", confirm(1, &greeting, vec![row("n1#00000001", 7)]));
    node.ask(1, Request::add(5));
    node.list(&["n0", "n1", "n2"]);
    node.sent();
    node.hear("n2", Frame { id: Some(FrameId(1)), ..frame_of(2, Vec::new()) });
    let [(peer, answer)] = &node.sent()[..] else { panic!("it confirms the greeting") };
    assert_eq!((peer.as_str(), answer.answers), ("n2", Some(FrameId(1))));
    assert_eq!(value(answer), 12);
}

#[test]
fn a_node_that_is_listed_no_more_is_neither_told_nor_heard_and_what_it_counted_stays() {
    let mut node = among(&["n0", "n1", "n2"]);
    let greeting = last_to(&told(&mut node), "n1");
    node.hear("n1", confirm(2, &greeting, vec![row("n1#00000002", 7)]));
    assert_eq!(node.replica.value(), 7);
    node.list(&["n0", "n2"]);
    node.sent();
    node.hear("n1", frame_of(2, vec![row("n1#00000002", 9)]));
    assert_eq!(node.replica.value(), 7);
    node.ask(1, Request::add(5));
    let told = told(&mut node);
    assert!(told.iter().all(|(peer, _)| peer.as_str() == "n2"), "{told:?}");
    assert_eq!(value(&last_to(&told, "n2")), 12);
}

#[test]
fn counts_of_a_node_that_is_not_listed_are_taken_from_a_peer_and_told_to_others() {
    let mut node = among(&["n0", "n1", "n2"]);
    let greeting = last_to(&told(&mut node), "n1");
    node.hear("n1", confirm(1, &greeting, vec![row("n9#00000009", 7)]));
    assert_eq!(node.replica.value(), 7);
    assert_eq!(last_to(&told(&mut node), "n2").claim.rows, [row("n9#00000009", 7)]);
}

#[test]
fn the_record_of_a_node_that_is_not_listed_is_read_after_a_restart_and_now_and_then() {
    let mut store = Memory::default();
    put(&mut store, "n0", record(&[("n0#00000009", 2)]));
    put(&mut store, "n9", record(&[("n9#00000009", 7)]));
    let mut node = Driven::among(AckPolicy::Store, &["n0"]);
    node.serve(&mut store);
    assert_eq!(node.replica.value(), 9);

    put(&mut store, "n9", record(&[("n9#00000009", 8)]));
    node.pass(ms(4000));
    let served = node.serve(&mut store);
    assert_eq!(served, [StoreRequest::Fence, StoreRequest::Load { node: "n9".into() }]);
    assert_eq!(node.replica.value(), 10);
}

#[test]
fn a_long_record_is_read_again_the_later_the_longer_it_is_but_within_a_minute() {
    for (counters, pause) in [(50_000, 5_000), (700_000, 60_000)] {
        let mut row = RowDelta::new("n9#00000009".parse().unwrap(), 0, 1);
        (0..counters).for_each(|slot| row.push(slot, 1, Some(&slot.to_string()), Entry::default()));
        let record = Record { rows: [(row.actor().clone(), row)].into(), ..Record::default() };
        let mut store = Memory::default();
        put(&mut store, "n0", self::record(&[("n0#00000009", 2)]));
        put(&mut store, "n9", record);
        let mut node = Driven::named(AckPolicy::Store, &["n0"]);
        node.serve(&mut store);
        node.pass(ms(pause - 1));
        assert_eq!(node.serve(&mut store), []);
        node.pass(ms(1));
        assert_eq!(node.serve(&mut store), [StoreRequest::Fence, StoreRequest::Load { node: "n9".into() }]);
    }
}

#[test]
fn what_is_known_of_a_peer_that_stays_is_kept_and_of_one_that_returns_is_forgotten() {
    let mut node = among(&["n0", "n1"]);
    node.ask(1, Request::add(5));
    // The greeting, sent before the add, and what the peer lacked then.
    for _ in 0..2 {
        let last = last_to(&told(&mut node), "n1");
        node.hear("n1", confirm(2, &last, Vec::new()));
    }
    node.list(&["n0", "n1", "n2"]);
    assert!(told(&mut node).iter().all(|(peer, _)| peer.as_str() == "n2"), "n1 has confirmed it");
    node.list(&["n0", "n2"]);
    node.list(&["n0", "n1", "n2"]);
    assert_eq!(value(&last_to(&told(&mut node), "n1")), 5, "n1 may be another now");
}

#[test]
fn the_list_may_leave_out_the_node_itself() {
    let mut node = among(&["n1"]);
    node.ask(1, Request::add(5));
    assert!(told(&mut node).iter().all(|(peer, _)| peer.as_str() == "n1"));
    node.list(&[]);
    assert!(told(&mut node).is_empty());
    assert_eq!(node.replica.value(), 5);
}

#[test]
fn a_row_that_a_peer_has_no_room_for_is_not_offered_to_that_process_again() {
    let mut node = among(&["n0", "n1"]);
    let greeting = last_to(&told(&mut node), "n1");
    node.hear("n1", confirm(1, &greeting, Vec::new()));
    node.ask(1, Request::add(5));
    let told_of_it = last_to(&told(&mut node), "n1");
    let refused: BTreeSet<ReplicaId> = [node.replica.id().clone()].into();
    node.hear("n1", Frame { refused, ..confirm(1, &told_of_it, Vec::new()) });
    assert!(told(&mut node).is_empty(), "it has no room");
    node.ask(2, Request::add(1));
    assert!(told(&mut node).is_empty(), "nor for more of it");

    node.hear("n1", Frame { id: Some(FrameId(1)), ..frame_of(2, Vec::new()) });
    assert_eq!(value(&last_to(&node.sent(), "n1")), 6, "another process is offered it");
}

#[test]
fn a_row_for_which_there_is_no_room_is_named_in_the_confirmation_and_the_rest_is_merged() {
    let mut node = among(&["n0", "n1"]);
    let greeting = last_to(&told(&mut node), "n1");
    let full = (0..MAX_REPLICAS).map(|number| row(&format!("n9#{number:08x}"), 1));
    node.hear("n1", confirm(1, &greeting, full.collect()));
    let known = replica("n9#00000000");
    let more = vec![row(known.as_str(), 2), row("n8#00000001", 1)];
    node.sent();
    node.hear("n1", Frame { id: Some(FrameId(1)), ..frame_of(1, more) });
    let answer = last_to(&node.sent(), "n1");
    assert_eq!(answer.answers, Some(FrameId(1)));
    assert_eq!(answer.refused, [replica("n8#00000001")].into());
    assert_eq!(Tally::of(node.replica.state(), &known).up, 2);
    assert_eq!(node.replica.state().versions().counter().len(), MAX_REPLICAS);
}

//! Two processes of one node at once.

use replica::store::{Record, StoreRequest};
use replica::{AckPolicy, Request, Tally};

use crate::driven::{Driven, ms, opened};

/// A record with this count of the process itself.
fn record_of(node: &Driven, up: u64) -> Record {
    let row = Tally { up, down: 0 }.row(node.replica.id().clone());
    Record { rows: [(row.actor().clone(), row)].into(), ..Record::default() }
}

/// Counts that a process has told its peers, before it stored them, can reach the record through another process of its
/// node. That is no foreign record.
#[test]
fn what_another_process_of_the_node_has_stored_of_this_one_is_not_foreign() {
    let mut node = Driven::new(AckPolicy::Memory);
    node.ask(1, Request::add(5));
    node.pass(ms(200));
    let told = record_of(&node, 5);
    assert_eq!(node.ends(opened(Some(told))), StoreRequest::Open);
    assert!(!node.replica.is_store_down(), "what it has told may stand there");

    node.pass(ms(200));
    node.ask(2, Request::add(1));
    node.requests.retain(|(_, request)| *request != StoreRequest::Nodes);
    let Some((_, StoreRequest::Commit { changes, .. })) = node.requests.pop_front() else {
        panic!("it commits: {:?}", node.requests)
    };
    assert_eq!(Tally::stated(&changes.rows[0]), Tally { up: 6, down: 0 });
}

/// More than it has counted can't be true, whoever wrote it.
#[test]
fn a_record_that_holds_more_of_a_process_than_it_has_counted_is_foreign() {
    let mut node = Driven::new(AckPolicy::Memory);
    node.pass(ms(200));
    let untrue = record_of(&node, 1);
    assert_eq!(node.ends(opened(Some(untrue))), StoreRequest::Open);
    assert!(node.replica.is_store_down());
}

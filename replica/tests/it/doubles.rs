//! Two processes of one node at once.

use std::time::Duration;

use replica::store::{Outcome, Record, Revision, StoreRequest, Token};
use replica::{AckPolicy, Config, Effect, Input, NodeId, Replica, Request, Tally, Ticket};

/// Gives the replica an input and a tick; returns what it asks the store.
fn give(replica: &mut Replica, now: Duration, input: Input) -> Vec<(Token, StoreRequest)> {
    let mut asked = Vec::new();
    for input in [input, Input::Tick { heard: now }] {
        replica.handle(now, input);
        while let Some(effect) = replica.poll_effect() {
            if let Effect::Store { token, request } = effect {
                asked.push((token, request));
            }
        }
    }
    asked
}

/// Counts that a process has told its peers, before it stored them, can reach the record through another process of its
/// node. That is no foreign record.
#[test]
fn what_another_process_of_the_node_has_stored_of_this_one_is_not_foreign() {
    let ms = Duration::from_millis;
    let config = Config { ack: AckPolicy::Memory, ..Config::default() };
    let n0 = NodeId::from("n0");
    let mut replica = Replica::new(&config, n0.clone(), 1);
    let asked = give(&mut replica, ms(0), Input::Roster([n0, "n1".into()].into()));
    let [(token, StoreRequest::Open)] = asked[..] else { panic!("it opens its record: {asked:?}") };
    let request = Request::Add(5);
    give(&mut replica, ms(1), Input::Client { ticket: Ticket(1), answer_by: ms(4000), request });

    let told = Tally { up: 5, down: 0 };
    let record = Record { rows: [(replica.id().clone(), told)].into(), ..Record::default() };
    let outcome = Outcome::Opened { record: Some(record), revision: Revision(1) };
    give(&mut replica, ms(200), Input::Store { token, outcome });
    assert!(!replica.is_store_down(), "what it has told may stand there");

    let request = Request::Add(1);
    let asked =
        give(&mut replica, ms(400), Input::Client { ticket: Ticket(2), answer_by: ms(4000), request });
    let [(_, StoreRequest::Commit { changes, .. })] = &asked[..] else { panic!("it commits: {asked:?}") };
    assert_eq!(changes.rows, [(replica.id().clone(), Tally { up: 6, down: 0 })]);
}

/// More than it has counted can't be true, whoever wrote it.
#[test]
fn a_record_that_holds_more_of_a_process_than_it_has_counted_is_foreign() {
    let ms = Duration::from_millis;
    let config = Config { ack: AckPolicy::Memory, ..Config::default() };
    let mut replica = Replica::new(&config, "n0".into(), 1);
    let asked = give(&mut replica, ms(0), Input::Roster(["n0".into()].into()));
    let [(token, StoreRequest::Open)] = asked[..] else { panic!("it opens its record: {asked:?}") };
    let record =
        Record { rows: [(replica.id().clone(), Tally { up: 1, down: 0 })].into(), ..Record::default() };
    let outcome = Outcome::Opened { record: Some(record), revision: Revision(1) };
    give(&mut replica, ms(200), Input::Store { token, outcome });
    assert!(replica.is_store_down());
}

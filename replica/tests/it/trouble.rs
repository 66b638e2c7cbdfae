//! A store in trouble: what the replica asks for, and what clients are told meanwhile.

use std::time::Duration;

use replica::store::{Outcome, Ownership, Record, StoreRequest};
use replica::{AckPolicy, Input, MAX_PENDING, Refusal, Reply, Request, Tally};

use crate::driven::{ANSWER_WITHIN, Driven, committed, ms, opened};

#[test]
fn a_store_that_opens_and_refuses_commits_is_down_until_it_commits() {
    let mut node = Driven::new(AckPolicy::Store);
    assert_eq!(node.ends(opened(None)), StoreRequest::Open);
    for _ in 0..5 {
        assert!(matches!(node.ends(Outcome::NotDone), StoreRequest::Commit { .. }));
        assert!(node.replica.is_store_down());
        node.pass(ms(1000));
        assert_eq!(node.ends(opened(None)), StoreRequest::Open);
        assert!(node.replica.is_store_down(), "to open the record is not to commit");
    }
    node.ask(1, Request::add(3));
    assert_eq!(node.replica.counted(), Tally::default(), "an add is held uncounted meanwhile");
    node.pass(ANSWER_WITHIN);
    assert_eq!(node.reply(), Some((1, Err(Refusal::StoreSilent))), "and so its refusal is definite");
    node.ends(committed());
    assert!(!node.replica.is_store_down());
}

#[test]
fn a_commit_that_was_done_after_all_shows_that_the_store_commits() {
    let mut node = Driven::new(AckPolicy::Store);
    node.ends(opened(None));
    let StoreRequest::Commit { changes, owner, .. } = node.ends(Outcome::Unknown) else { panic!() };
    assert!(node.replica.is_store_down());
    node.pass(ms(1000));
    let mut record = Record::default();
    record.apply(&changes, owner);
    node.ends(opened(Some(record)));
    assert!(!node.replica.is_store_down());
}

#[test]
fn a_sweep_that_fails_is_begun_again_and_reads_wait_for_it() {
    let mut node = Driven::new(AckPolicy::Durable);
    let row = |replica: &str| Record {
        rows: [(replica.parse().unwrap(), Tally { up: 5, down: 0 }.row(replica.parse().unwrap()))].into(),
        ..Record::default()
    };
    node.ends(opened(Some(row("n0#00000001"))));
    node.ask(1, Request::read());
    node.ends(committed());
    let load = StoreRequest::Load { node: "n1".into() };
    node.lists_the_roster();
    assert_eq!(node.ends(Outcome::NotDone), load);
    assert_eq!(node.reply(), None, "nothing was read yet");
    node.pass(ms(49));
    assert_eq!(node.requests.len(), 0);
    node.pass(ms(1));
    assert_eq!(node.ends(Outcome::Fenced), StoreRequest::Fence);
    node.lists_the_roster();
    assert_eq!(node.reply(), None);
    assert_eq!(node.ends(Outcome::Loaded(Some(row("n1#00000002")))), load);
    assert_eq!(node.reply(), Some((1, Ok(Reply::Value(10)))));
}

#[test]
fn a_held_read_is_refused_when_its_time_is_up() {
    let mut node = Driven::new(AckPolicy::Store);
    node.heard = Some(Duration::ZERO);
    node.ask(1, Request::read());
    node.pass(ms(3999));
    assert_eq!(node.reply(), None, "the recovery is not over by what was heard");
    node.pass(ms(1));
    assert_eq!(node.reply(), Some((1, Err(Refusal::NotRecovered))));
}

#[test]
fn so_many_adds_wait_and_no_more_counted_or_not() {
    let mut node = Driven::new(AckPolicy::Store);
    let most = u64::try_from(MAX_PENDING).unwrap();
    node.ends(opened(None));
    for ticket in 0..most / 2 {
        node.ask(ticket, Request::add(1));
    }
    node.pass(ms(1000));
    assert!(node.replica.is_store_down());
    for ticket in most / 2..most {
        node.ask(ticket, Request::add(1));
    }
    assert_eq!(node.replica.counted().up, most / 2, "half of them are counted, and half are held");
    assert_eq!(node.reply(), None);
    node.ask(most, Request::add(1));
    assert_eq!(node.reply(), Some((most, Err(Refusal::TooManyAdds))));
}

/// The commit that frees the replica is done, but its process hears of a conflict. Meanwhile a successor has become the owner.
#[test]
fn a_replica_that_a_successor_owns_is_not_freed_again() {
    let mut node = Driven::new(AckPolicy::Store);
    node.ends(opened(None));
    let StoreRequest::Commit { changes, .. } = node.ends(committed()) else { panic!("the first commit") };
    node.lists_the_roster();
    node.give(Input::Shutdown);
    node.tick();
    let StoreRequest::Commit { owner: Some(freed), .. } = node.ends(Outcome::Conflict) else {
        panic!("it frees the replica")
    };
    assert!(freed.is_free);
    let mut record = Record::default();
    let successor = Ownership { incarnation: "0000beef".parse().unwrap(), is_free: false, ..freed };
    record.apply(&changes, Some(successor));
    assert_eq!(node.ends(opened(Some(record))), StoreRequest::Open);
    assert!(node.requests.is_empty(), "it commits nothing more: {:?}", node.requests);
}

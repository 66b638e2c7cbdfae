//! Recovery where records may be long, so that it takes its time to read them.

use std::time::Duration;

use replica::store::{Outcome, Record, StoreRequest};
use replica::{AckPolicy, Config, RECOVER_WITHIN, Refusal, Reply, Request};

use crate::driven::{ANSWER_WITHIN, Driven, committed, ms, opened, record};

const WITHIN: Duration = Duration::from_mins(1);
const STORE_TIMEOUT: Duration = ms(50);

/// A process among `n0` and `n1`, whose record was there before.
fn started() -> Driven {
    let config = Config {
        ack: AckPolicy::Durable,
        store_timeout: STORE_TIMEOUT,
        recover_within: Some(WITHIN),
        ..Config::default()
    };
    Driven::of(&config, &["n0", "n1"])
}

/// Its record is opened, and its first commit is done. Then it reads what the others have.
fn opens(node: &mut Driven) {
    assert_eq!(node.ends(opened(Some(Record::default()))), StoreRequest::Open);
    assert!(matches!(node.ends(committed()), StoreRequest::Commit { .. }));
    assert_eq!(node.ends(Outcome::Nodes(["n1".into()].into())), StoreRequest::Nodes);
}

#[test]
fn a_store_that_reads_a_long_record_is_not_down() {
    let mut node = started();
    node.pass(WITHIN.saturating_sub(ms(1)));
    assert!(!node.replica.is_store_down() && !node.replica.has_chosen());
    assert_eq!(node.ends(opened(Some(Record::default()))), StoreRequest::Open);
    node.pass(STORE_TIMEOUT);
    assert!(node.replica.is_store_down(), "a commit is short");
}

#[test]
fn a_store_that_does_not_open_the_record_in_time_is_down() {
    let mut node = started();
    node.pass(WITHIN);
    assert!(node.replica.is_store_down() && node.replica.has_chosen());
}

#[test]
fn reads_wait_until_all_records_are_read() {
    let mut node = started();
    opens(&mut node);
    node.pass(RECOVER_WITHIN * 3);
    node.ask(1, Request::read());
    assert_eq!(node.reply(), None);
    assert!(!node.replica.is_ready() && !node.replica.has_recovered());
    let theirs = record(&[("n1#00000001", 7)]);
    assert!(matches!(node.ends(Outcome::Loaded(Some(theirs))), StoreRequest::Load { .. }));
    assert_eq!(node.reply(), Some((1, Ok(Reply::Value(7)))));
    assert!(node.replica.is_ready() && node.replica.has_recovered());
}

#[test]
fn a_read_that_waits_too_long_is_refused() {
    let mut node = started();
    opens(&mut node);
    node.ask(1, Request::read());
    node.pass(ANSWER_WITHIN);
    assert_eq!(node.reply(), Some((1, Err(Refusal::NotRecovered))));
    node.pass(WITHIN);
    node.ask(2, Request::read());
    assert_eq!(node.reply(), Some((2, Ok(Reply::Value(0)))), "some record can never be read, perhaps");
    assert!(node.replica.is_ready() && !node.replica.has_recovered(), "and it says so");
}

#[test]
fn reads_do_not_wait_for_a_store_that_is_down() {
    let mut node = started();
    assert_eq!(node.ends(Outcome::NotDone), StoreRequest::Open);
    assert!(node.replica.is_store_down());
    node.ask(1, Request::read());
    node.pass(RECOVER_WITHIN.saturating_sub(ms(1)));
    assert_eq!(node.reply(), None);
    node.pass(ms(1));
    assert_eq!(node.reply(), Some((1, Ok(Reply::Value(0)))));
}

/// The store was slow for a moment. That is no reason to show less than was shown before.
#[test]
fn reads_wait_on_once_the_store_is_up_again() {
    let mut node = started();
    assert_eq!(node.ends(opened(Some(Record::default()))), StoreRequest::Open);
    node.pass(STORE_TIMEOUT + RECOVER_WITHIN.saturating_sub(ms(1)));
    assert!(node.replica.is_store_down());
    assert!(matches!(node.ends(committed()), StoreRequest::Commit { .. }));
    node.ask(1, Request::read());
    node.pass(RECOVER_WITHIN * 2);
    assert_eq!(node.reply(), None);
}

//! Many counters in one replica: what is refused, and in which order things are counted and merged.

use crdt::named::Entry;
use replica::store::memory::Memory;
use replica::store::{Record, StoreRequest};
use replica::{AckPolicy, Change, MAX_BATCH, MAX_NAME, MAX_SOURCES, Name, Refusal, Reply, Request, RowDelta};

use crate::driven::{Driven, committed, opened, put, record, replica};

/// A process without peers and with many counters, which answers at once.
fn alone() -> Driven {
    Driven::named(AckPolicy::Memory, &["n0"])
}

/// The answer to a change, from a process that answers at once.
fn answer(node: &mut Driven, change: Change) -> Result<Reply, Refusal> {
    node.ask(1, Request::Change(change));
    node.reply().expect("it answers at once").1
}

fn add(counter: &str, delta: i64) -> Change {
    Change::Add(counter.into(), delta)
}

fn batch(adds: &[(&str, i64)]) -> Change {
    Change::adds(adds.iter().map(|(counter, delta)| ((*counter).into(), *delta)))
}

fn reset(counter: &str) -> Change {
    Change::Reset(counter.into())
}

fn report(counter: &str, source: &str, total: u64) -> Change {
    Change::Report { counter: counter.into(), source: source.into(), total }
}

fn value(node: &Driven, counter: &str) -> i128 {
    node.replica.state().value(counter)
}

#[test]
fn a_name_of_a_counter_or_a_source_has_a_longest_length() {
    let mut node = alone();
    let (longest, too_long) = ("x".repeat(MAX_NAME), "x".repeat(MAX_NAME + 1));
    for change in [add(&longest, 1), batch(&[(&longest, 1)]), report(&longest, &longest, 1)] {
        assert_eq!(answer(&mut node, change), Ok(Reply::Counted));
    }
    assert_eq!(value(&node, &longest), 3);
    let number = node.replica.number();
    let reset = Change::Reset(too_long.as_str().into());
    let batch = batch(&[("a", 1), (&too_long, 1)]);
    for change in [add(&too_long, 1), batch, reset, report(&too_long, "s", 1), report("a", &too_long, 1)] {
        assert_eq!(answer(&mut node, change), Err(Refusal::NameTooLong));
    }
    assert_eq!((value(&node, "a"), node.replica.number()), (0, number));
}

#[test]
fn a_batch_has_a_largest_size() {
    let mut node = alone();
    let adds = |count| Change::adds(vec![(Name::from("a"), 1); count]);
    assert_eq!(answer(&mut node, adds(MAX_BATCH)), Ok(Reply::Counted));
    assert_eq!(answer(&mut node, adds(MAX_BATCH + 1)), Err(Refusal::BatchTooLong));
    assert_eq!((value(&node, "a"), node.replica.number()), (10_000, 1), "a batch is one change");
}

#[test]
fn a_counter_has_so_many_sources_and_those_report_on() {
    let mut node = alone();
    for source in 0..MAX_SOURCES {
        assert_eq!(answer(&mut node, report("a", &format!("s{source}"), 1)), Ok(Reply::Counted));
    }
    assert_eq!(answer(&mut node, report("a", "one more", 1)), Err(Refusal::TooManySources));
    assert_eq!(answer(&mut node, report("a", "s7", 5)), Ok(Reply::Counted));
    assert_eq!(
        answer(&mut node, report("a", "s7", 4)),
        Ok(Reply::Counted),
        "a smaller total changes nothing"
    );
    assert_eq!(answer(&mut node, report("b", "one more", 1)), Ok(Reply::Counted));
    assert_eq!((value(&node, "a"), value(&node, "b")), (1024 + 4, 1));
}

/// The sources that other nodes have heard of count too.
#[test]
fn a_source_that_a_peer_has_heard_of_takes_room() {
    let mut node = Driven::named(AckPolicy::Memory, &["n0", "n1"]);
    let mut entry = Entry::default();
    for source in 0..MAX_SOURCES {
        entry.report(Name::from(format!("s{source}")), 1).expect("there is room");
    }
    let mut row = RowDelta::new(replica("n1#00000001"), 0, 1);
    row.push(0, 1, Some("a"), entry);
    let greeting = node.sent().pop().expect("n1 is greeted").1;
    let claim = replica::Claim { rows: vec![row], ..replica::Claim::default() };
    let incarnation = "00000001".parse().expect("an incarnation");
    node.hear("n1", replica::Frame { answers: greeting.id, ..replica::Frame::new(incarnation, claim) });
    assert_eq!(answer(&mut node, report("a", "one more", 1)), Err(Refusal::TooManySources));
    assert_eq!(answer(&mut node, report("a", "s7", 5)), Ok(Reply::Counted));
    assert_eq!(value(&node, "a"), 1024 + 4);
}

#[test]
fn an_overflow_in_one_counter_refuses_the_whole_batch() {
    let mut node = alone();
    for _ in 0..2 {
        assert_eq!(answer(&mut node, add("full", i64::MAX)), Ok(Reply::Counted));
    }
    let number = node.replica.number();
    let refused = answer(&mut node, batch(&[("a", 5), ("full", 2), ("b", 5)]));
    assert_eq!(refused, Err(Refusal::Overflow));
    assert_eq!((value(&node, "a"), value(&node, "b"), node.replica.number()), (0, 0, number));
    assert_eq!(answer(&mut node, batch(&[("a", 5), ("full", 1)])), Ok(Reply::Counted));
    assert_eq!((value(&node, "a"), value(&node, "full")), (5, i128::from(u64::MAX)));
}

/// Each count has its own 64 bits, and a change takes one number whatever it adds.
#[test]
fn a_batch_may_add_more_than_64_bits_to_several_counters() {
    let mut node = alone();
    assert_eq!(
        answer(&mut node, batch(&[("a", i64::MAX), ("b", i64::MAX), ("c", i64::MAX)])),
        Ok(Reply::Counted)
    );
    assert_eq!((value(&node, "c"), node.replica.number()), (i128::from(i64::MAX), 1));
}

#[test]
fn an_add_of_zero_changes_nothing() {
    let mut node = alone();
    for change in
        [add("a", 0), batch(&[]), batch(&[("a", 0)]), report("a", "s", 0), Change::Reset("a".into())]
    {
        assert!(answer(&mut node, change).is_ok());
    }
    assert_eq!(node.replica.number(), 0);
    assert!(!node.replica.state().contains("a"));
}

#[test]
fn where_numbers_are_sums_there_is_one_counter_and_it_is_only_added_to() {
    let mut node = Driven::among(AckPolicy::Memory, &["n0"]);
    for change in [add("a", 1), batch(&[("", 1), ("a", 1)]), Change::Reset("".into()), report("", "s", 1)] {
        assert_eq!(answer(&mut node, change), Err(Refusal::OneCounterOnly));
    }
    assert_eq!(answer(&mut node, batch(&[("", 3), ("", -1)])), Ok(Reply::Counted));
    assert_eq!((node.replica.value(), node.replica.number()), (2, 4));
}

/// A reset sees what its own process has counted before it, stored or not. So several need not wait for each other.
#[test]
fn a_reset_sees_what_its_own_process_has_counted() {
    let mut node = Driven::named(AckPolicy::Store, &["n0"]);
    let is_commit = |request: StoreRequest| matches!(request, StoreRequest::Commit { .. });
    assert_eq!(node.ends(opened(None)), StoreRequest::Open);
    assert!(is_commit(node.ends(committed())));
    node.requests.retain(|(_, request)| *request != StoreRequest::Nodes);

    let changes = [batch(&[("a", 5), ("b", 7)]), reset("a"), add("a", 2), reset("a"), reset("b"), reset("b")];
    for (ticket, change) in (1..).zip(changes) {
        node.ask(ticket, Request::Change(change));
    }
    assert_eq!((node.replica.number(), value(&node, "a")), (5, 0), "all are counted, and none is shown");
    assert_eq!(node.replica.counted_value(&"a".into()), None, "nobody has counted it since it was reset");
    while node.replies.len() < 6 {
        assert!(is_commit(node.ends(committed())));
    }
    let replies = std::iter::from_fn(|| node.reply()).map(|(_, reply)| reply);
    let expected =
        [Reply::Counted, Reply::Reset(5), Reply::Counted, Reply::Reset(2), Reply::Reset(7), Reply::Reset(0)];
    assert!(replies.eq(expected.map(Ok)));
    assert_eq!((value(&node, "a"), value(&node, "b")), (0, 0));
}

/// A hint has only what its row has above the stored version, if the row has many counters. A process that reads the hint
/// before that row merges it once it has read the row, and keeps it in its own record too.
#[test]
fn a_hint_waits_for_the_row_that_it_builds_on() {
    let theirs = replica("n2#00000002");
    let one = |up| Entry { up, down: 0, more: None };
    let mut row = RowDelta::new(theirs.clone(), 0, 70);
    (0..70).for_each(|slot| row.push(slot, u64::from(slot) + 1, Some(&format!("c{slot}")), one(1)));
    let mut hint = RowDelta::new(theirs.clone(), 70, 71);
    hint.push(3, 71, None, one(9));
    let mut store = Memory::default();
    put(&mut store, "n0", record(&[]));
    put(&mut store, "n1", Record { hints: [(theirs.clone(), hint.clone())].into(), ..Record::default() });
    put(&mut store, "n2", Record { rows: [(theirs.clone(), row)].into(), ..Record::default() });

    let mut node = Driven::named(AckPolicy::Store, &["n0", "n1", "n2"]);
    let mut loaded = Vec::new();
    while !loaded.contains(&"n1".into()) {
        let (_, request) = node.requests.front().expect("it loads the record of n1");
        let outcome = store.request(&"n0".into(), request);
        if let StoreRequest::Load { node } = node.ends(outcome) {
            loaded.push(node);
        }
    }
    assert!(!loaded.contains(&"n2".into()), "the hint is read first: {loaded:?}");
    assert_eq!(node.replica.state().version(&theirs), 0);
    node.serve(&mut store);
    assert_eq!(node.replica.state().version(&theirs), 71);
    assert_eq!((value(&node, "c2"), value(&node, "c3")), (1, 9));
    node.ask(1, Request::Change(add("c0", 1)));
    node.serve(&mut store);
    let kept = store.record(&"n0".into()).expect("it has a record").hints.get(&theirs);
    assert_eq!(kept, Some(&hint));
}

//! Imports: rows that were exported are merged, all of them or none, and kept.

use crdt::named::Entry;
use replica::store::memory::Memory;
use replica::store::{Record, StoreRequest};
use replica::{
    AckPolicy, Change, Input, MAX_NAME, MAX_PENDING, MAX_REPLICAS, Name, Refusal, Reply, Request, RowDelta,
    Ticket,
};

use crate::driven::{ANSWER_WITHIN, Driven, committed, ms, replica};

/// A process that has recovered, and its store.
fn ready() -> (Driven, Memory) {
    let mut store = Memory::default();
    let mut node = Driven::named(AckPolicy::Store, &["n0"]);
    node.serve(&mut store);
    (node, store)
}

fn import(node: &mut Driven, ticket: u64, rows: Vec<RowDelta>) {
    let answer_by = node.now + ANSWER_WITHIN;
    node.give(Input::Import { ticket: Ticket(ticket), answer_by, rows });
    node.tick();
}

/// A row that has counted so much for this counter, with that number.
fn row(id: &str, counter: &str, (number, up): (u64, u64)) -> RowDelta {
    let mut row = RowDelta::new(replica(id), 0, number);
    row.push(0, number, Some(counter), Entry { up, down: 0, more: None });
    row
}

fn value(node: &Driven, counter: &str) -> i128 {
    node.replica.state().value(counter)
}

const EARLIER: &str = "n0#00000001";
const ELSEWHERE: &str = "x0#00000001";

#[test]
fn an_import_is_answered_once_it_is_stored() {
    let (mut node, mut store) = ready();
    import(&mut node, 1, vec![row(EARLIER, "a", (4, 3)), row(ELSEWHERE, "a", (2, 5))]);
    assert_eq!((node.reply(), value(&node, "a")), (None, 8));
    node.serve(&mut store);
    assert_eq!(node.reply(), Some((1, Ok(Reply::Counted))));
    let record = store.record(&"n0".into()).expect("it has a record");
    assert_eq!(record.version(&replica(EARLIER)), 4, "the row of an earlier process is a row");
    assert_eq!(record.hints.get(&replica(ELSEWHERE)).map(RowDelta::upto), Some(2), "and others are hints");
}

/// A commit is under way as the import comes. It does not have the import.
#[test]
fn an_import_waits_for_a_commit_that_has_it() {
    let (mut node, _) = ready();
    node.ask(1, Request::Change(Change::Add("a".into(), 1)));
    import(&mut node, 2, vec![row(ELSEWHERE, "a", (2, 5))]);
    node.ends(committed());
    assert_eq!((node.reply(), node.reply()), (Some((1, Ok(Reply::Counted))), None));
    let StoreRequest::Commit { changes, .. } = node.ends(committed()) else { panic!("it commits") };
    assert_eq!(changes.hints.len(), 1);
    assert_eq!(node.reply(), Some((2, Ok(Reply::Counted))));
}

#[test]
fn counts_only_grow_by_an_import() {
    let (mut node, mut store) = ready();
    import(&mut node, 1, vec![row(ELSEWHERE, "a", (4, 9))]);
    node.serve(&mut store);
    // An earlier state of it, the same once more, and a later number with less: whoever made that was wrong.
    for (ticket, earlier) in (2..).zip([(2, 5), (4, 9), (6, 1)]) {
        import(&mut node, ticket, vec![row(ELSEWHERE, "a", earlier)]);
        node.serve(&mut store);
        assert_eq!(value(&node, "a"), 9);
    }
    assert!(node.replies.iter().all(|(_, reply)| *reply == Ok(Reply::Counted)));
    let record = store.record(&"n0".into()).expect("it has a record");
    assert_eq!(
        record.hints.values().map(|hint| hint.items().next().map(|item| item.entry.up)).max(),
        Some(Some(9))
    );
}

#[test]
fn an_import_that_is_refused_merges_nothing() {
    let (mut node, mut store) = ready();
    node.ask(1, Request::Change(Change::Add("a".into(), 1)));
    node.serve(&mut store);
    assert!(node.reply().is_some());
    let own = node.replica.id().to_string();
    let too_long = "x".repeat(MAX_NAME + 1);
    let mut later = RowDelta::new(replica(ELSEWHERE), 1, 2);
    later.push(0, 2, Some("a"), Entry { up: 5, down: 0, more: None });
    for (wrong, refusal) in [
        (later, Refusal::Incomplete),
        (row(&own, "a", (9, 9)), Refusal::Copied),
        (row(&own, "a", (1, 2)), Refusal::Copied),
        (row("x1#00000001", &too_long, (1, 1)), Refusal::NameTooLong),
    ] {
        import(&mut node, 2, vec![row(ELSEWHERE, "b", (1, 1)), wrong]);
        assert_eq!(node.reply(), Some((2, Err(refusal))));
    }
    assert_eq!((value(&node, "b"), node.replica.number()), (0, 1));
    assert!(node.requests.is_empty());
    import(&mut node, 3, vec![row(&own, "a", (1, 1))]);
    node.serve(&mut store);
    assert_eq!((node.reply(), value(&node, "a")), (Some((3, Ok(Reply::Counted))), 1));
}

#[test]
fn only_the_store_can_keep_an_import() {
    let (mut node, _) = ready();
    node.ask(1, Request::Change(Change::Add("a".into(), 1)));
    node.pass(ms(1000));
    assert!(node.replica.is_store_down());
    import(&mut node, 2, vec![row(ELSEWHERE, "a", (2, 5))]);
    assert_eq!((node.reply(), value(&node, "a")), (Some((2, Err(Refusal::StoreSilent))), 0));
    let mut node = Driven::named(AckPolicy::Memory, &["n0"]);
    import(&mut node, 3, vec![row(ELSEWHERE, "a", (2, 5))]);
    assert_eq!(node.reply(), Some((3, Err(Refusal::NotRecovered))), "a process first reads what it had");
    let mut node = Driven::among(AckPolicy::Store, &["n0"]);
    node.serve(&mut Memory::default());
    import(&mut node, 4, vec![row(ELSEWHERE, "", (5, 5))]);
    assert_eq!(node.reply(), Some((4, Err(Refusal::OneCounterOnly))), "a sum has no number without a count");
    assert_eq!(node.replica.value(), 0);
}

#[test]
fn an_import_is_one_of_the_changes_that_may_wait() {
    let (mut node, _) = ready();
    for ticket in 0..MAX_PENDING as u64 {
        node.ask(ticket, Request::Change(Change::Add("a".into(), 1)));
    }
    import(&mut node, 0, vec![row(ELSEWHERE, "a", (2, 5))]);
    assert_eq!((node.reply(), value(&node, "a")), (Some((0, Err(Refusal::TooManyAdds))), 0));
}

/// The rows of another cluster stay hints for good. They are not made and told again with each commit.
#[test]
fn a_hint_that_the_record_has_is_not_offered_again() {
    let (mut node, mut store) = ready();
    import(&mut node, 1, vec![row(ELSEWHERE, "a", (2, 5))]);
    node.serve(&mut store);
    node.ask(2, Request::Change(Change::Add("a".into(), 1)));
    let served = node.serve(&mut store);
    let [StoreRequest::Commit { changes, .. }] = &served[..] else { panic!("one commit: {served:?}") };
    assert!(changes.hints.is_empty() && changes.dropped_hints.is_empty());
    let Some(Record { hints, .. }) = store.record(&"n0".into()) else { panic!("it has a record") };
    assert_eq!(hints.len(), 1);
}

/// What is known takes no more room.
#[test]
fn an_import_of_what_is_known_has_room() {
    let (mut node, mut store) = ready();
    let counter: Name = "a".into();
    let rows = |count: usize| -> Vec<RowDelta> {
        (0..count).map(|of| row(&format!("x{of}#00000001"), &counter, (1, 1))).collect()
    };
    let many = MAX_REPLICAS * 2 / 3;
    for ticket in [1, 2] {
        import(&mut node, ticket, rows(many));
        node.serve(&mut store);
        assert_eq!(node.reply(), Some((ticket, Ok(Reply::Counted))));
    }
    import(&mut node, 3, rows(MAX_REPLICAS + 1));
    assert_eq!(node.reply(), Some((3, Err(Refusal::TooManyReplicas))));
}

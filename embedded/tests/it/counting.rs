//! Adds, reads, resets, batches, reports and keys.

use embedded::{Change, Counters, Options, Refused, Reply, Step};

fn open() -> (tempfile::TempDir, Counters) {
    let directory = tempfile::tempdir().unwrap();
    let counters = Counters::open(directory.path()).unwrap();
    (directory, counters)
}

#[test]
fn counts_are_there_after_a_clean_end() {
    let (directory, counters) = open();
    assert_eq!(counters.add("a", 5).wait(), Ok(5));
    assert_eq!(counters.add("a", -2).wait(), Ok(3));
    assert_eq!(counters.value("a"), 3);
    counters.close().unwrap();
    drop(counters);
    let counters = Counters::open(directory.path()).unwrap();
    assert_eq!(counters.value("a"), 3);
}

#[test]
fn requests_that_are_submitted_together_see_those_before() {
    let (_directory, counters) = open();
    let name: embedded::Name = "a".into();
    let add = |delta| Change::Add(name.clone(), delta);
    let group = counters.submit(|session| {
        session.change(add(1));
        session.change(add(1));
        session.read(&name);
        session.change(Change::Reset(name.clone()));
        session.read(&name);
        session.change(add(7));
        assert_eq!(session.peek(&name), Some(7));
    });
    let replies: Vec<_> = group.wait().into_iter().map(|answer| answer.unwrap().reply).collect();
    let value = Reply::Value;
    assert_eq!(replies, [value(1), value(2), value(2), Reply::Reset(2), value(0), value(7)]);
}

#[test]
fn a_batch_is_all_or_none_and_tells_each_value() {
    let (_directory, counters) = open();
    let steps =
        |steps: &[(&str, Step)]| steps.iter().map(|(name, step)| ((*name).into(), *step)).collect::<Vec<_>>();
    let batch = counters.batch(steps(&[
        ("a", Step::Add(2)),
        ("b", Step::Add(3)),
        ("a", Step::Add(1)),
        ("a", Step::Reset),
    ]));
    assert_eq!(&*batch.wait().unwrap(), [2, 3, 3, 3]);
    let overflow = counters.batch(steps(&[
        ("b", Step::Add(1)),
        ("c", Step::Add(i64::MAX)),
        ("c", Step::Add(i64::MAX)),
        ("c", Step::Add(i64::MAX)),
    ]));
    assert!(overflow.wait().is_err());
    assert_eq!((counters.value("b"), counters.get("c")), (3, None));
}

#[test]
fn a_key_counts_once() {
    let (_directory, counters) = open();
    let add = |key: &'static str, delta| {
        let change = Change::Add("a".into(), delta);
        counters.submit(|session| session.change_once(key, change)).wait().remove(0)
    };
    let first = add("k", 3).unwrap();
    assert_eq!((first.reply, first.is_replayed), (Reply::Value(3), false));
    let again = add("k", 3).unwrap();
    assert_eq!((again.reply, again.is_replayed), (Reply::Value(3), true));
    assert_eq!(add("k", 4), Err(Refused::KeyReused));
    assert_eq!(counters.value("a"), 3);
}

#[test]
fn counters_are_listed_in_order() {
    let (_directory, counters) = open();
    for name in ["b:2", "a", "b:1", "c", "b:3"] {
        counters.add(name, 1).wait().unwrap();
    }
    counters.reset("b:2").wait().unwrap();
    let names = |prefix, after, limit| {
        counters.list(prefix, after, limit).into_iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("", None, 9), ["a", "b:1", "b:3", "c"]);
    assert_eq!(names("b:", None, 9), ["b:1", "b:3"]);
    assert_eq!(names("b:", Some("b:1"), 9), ["b:3"]);
    assert_eq!(names("", None, 2), ["a", "b:1"]);
    assert_eq!(counters.sum("b:"), (2, 2));
}

#[test]
fn an_export_is_merged_and_lowers_nothing() {
    let (_one, counters) = open();
    counters.add("a", 5).wait().unwrap();
    counters.report("a", "sensor", 10).wait().unwrap();
    counters.reset("a").wait().unwrap();
    counters.add("a", 2).wait().unwrap();
    counters.add("b", -4).wait().unwrap();
    let lines: String = counters.export().collect();
    let (_other, other) = open();
    other.add("a", 1).wait().unwrap();
    for _ in 0..2 {
        let imported = other.import(lines.as_bytes()).unwrap();
        assert_eq!((imported.counters, imported.replicas), (2, 1));
        assert_eq!((other.value("a"), other.value("b")), (3, -4));
    }
    counters.add("b", 4).wait().unwrap();
    assert!(counters.import(lines.as_bytes()).is_ok());
    assert_eq!((counters.value("a"), counters.value("b")), (2, 0));
}

#[test]
fn a_watcher_hears_of_changes() {
    let (_directory, counters) = open();
    counters.add("a", 1).wait().unwrap();
    let mut watch = counters.watch("b");
    assert_eq!(watch.poll_changes(), Some(vec![]));
    counters.add("a", 1).wait().unwrap();
    counters.add("b1", 1).wait().unwrap();
    counters.add("b1", 1).wait().unwrap();
    assert_eq!(watch.poll_changes(), Some(vec![("b1".into(), 2)]));
    assert_eq!(watch.poll_changes(), Some(vec![]));
    counters.close().unwrap();
    assert_eq!(watch.poll_changes(), None);
}

#[test]
fn the_node_has_one_name() {
    let directory = tempfile::tempdir().unwrap();
    let named = |node: &str| Options { node: Some(node.into()), ..Options::default() }.open(directory.path());
    assert!(named("a b").is_err());
    let counters = named("shop-1").unwrap();
    assert_eq!(counters.status().node, "shop-1");
}

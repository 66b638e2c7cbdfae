//! Planted anomalies, and random histories of a server of logs, right and wrong.

mod server;

use self::server::{Fault, World};
use super::*;
use crate::check::script::{Script, done, json, judge};
use crate::history::Outcome;

fn send(key: &str, message: u64) -> Request {
    Request::new(OfLogs::Send { key: key.into(), message })
}

fn of_one(key: &str, offset: i64) -> Offsets {
    [(key.to_owned(), offset)].into()
}

fn poll(key: &str, from: i64) -> Request {
    Request::new(OfLogs::Poll(of_one(key, from)))
}

fn commit(key: &str, offset: i64) -> Request {
    Request::new(OfLogs::Commit(of_one(key, offset)))
}

fn list(key: &str) -> Request {
    Request::new(OfLogs::List([key.to_owned()].into()))
}

fn at(offset: i64) -> Outcome {
    Outcome::Ok(Answer::Integer(offset))
}

/// Three messages in log `a`, at the offsets 0, 1 and 5.
fn three() -> Script {
    let mut script = Script::of(&Kafka);
    script.run(0, send("a", 10), at(0)).run(1, send("a", 11), at(1)).run(0, send("a", 12), at(5));
    script
}

const ALL_THREE: &str = r#"{"a":[[0,10],[1,11],[5,12]]}"#;

#[test]
fn a_plain_run_is_fine() {
    let mut script = three();
    script.run(0, poll("a", 0), json(r#"{"a":[[0,10]]}"#)).run(1, poll("a", 0), json("{}"));
    script.run(0, poll("a", 1), json(r#"{"a":[[1,11],[5,12]]}"#)).run(0, commit("a", 5), done());
    script.run(1, list("a"), json(r#"{"a":5}"#)).last(2, poll("a", 0), json(ALL_THREE));
    assert_eq!(script.found(), [""; 0]);
}

#[test]
fn each_planted_anomaly_of_messages_is_told() {
    let mut lost = three();
    lost.run(2, poll("a", 0), json(r#"{"a":[[0,10],[5,12]]}"#));
    let mut unseen = three();
    unseen.last(2, poll("a", 0), json(r#"{"a":[[0,10],[1,11]]}"#));
    (1..FRUITLESS).for_each(|_| _ = unseen.last(2, poll("a", 2), json("{}")));
    assert_eq!(unseen.found(), [""; 0]);
    unseen.last(2, poll("a", 2), json(r#"{"a":[]}"#));
    let mut duplicate = three();
    duplicate.run(2, poll("a", 0), json(r#"{"a":[[0,10],[1,11],[5,12],[6,10]]}"#));
    let mut two = three();
    two.run(2, poll("a", 0), json(ALL_THREE)).run(1, send("a", 13), at(5));
    two.run(2, poll("a", 5), json(r#"{"a":[[5,13]]}"#));
    let mut invented = three();
    invented.run(2, poll("a", 0), json(r#"{"a":[[0,10],[1,11],[5,12],[6,"x"]]}"#));
    let mut aborted = three();
    aborted.run(1, send("a", 13), Outcome::Refused { code: 11, definite: true, text: String::new() });
    aborted.run(2, poll("a", 5), json(r#"{"a":[[5,12],[6,13]]}"#)).run(2, poll("a", 0), json(ALL_THREE));
    let mut backwards = three();
    backwards.run(0, send("a", 13), at(3)).run(
        2,
        poll("a", 0),
        json(r#"{"a":[[0,10],[1,11],[3,13],[5,12]]}"#),
    );
    for (script, found) in [
        (
            lost,
            "1.500 s lost-write: n1 at 1.500 s acknowledged message 11 at offset 1 of log a; polls showed offsets up to 5, and none \
             showed this one",
        ),
        (
            unseen,
            "2.500 s unseen: n0 at 2.500 s acknowledged message 12 at offset 5 of log a; no poll ever showed it, though clients polled for \
             it in the end again and again",
        ),
        (
            duplicate,
            "3.500 s duplicate: message 10 is in log a at the offsets 0, 6: n0 acknowledged it at 0.500 s, and n2 showed it at 3.500 s",
        ),
        (
            two,
            "4.500 s inconsistent-offsets: offset 5 of log a has 2 messages: 12, n0 acknowledged it at 2.500 s; 13, n1 acknowledged \
             it at 4.500 s",
        ),
        (invented, "3.500 s invented-message: n2 showed message \"x\" in log a, which nobody had sent there"),
        (
            aborted,
            "4.500 s aborted-read: n2 showed message 13 in log a, which n1 at 3.500 s had refused with error 11",
        ),
        (
            backwards,
            "3.500 s nonmonotonic-send: n0 gave message 13 of log a offset 3, after n0 at 2.500 s had given the same client offset 5",
        ),
    ] {
        assert_eq!(script.found(), [found]);
    }
}

#[test]
fn each_planted_anomaly_of_polls_is_told() {
    for (from, shown, found) in [
        (1, "[[0,10],[1,11]]", "nonmonotonic-poll: n2 answered a poll of log a from offset 1 with offset 0"),
        (
            0,
            "[[0,10],[5,12],[1,11]]",
            "int-nonmonotonic-poll: n2 answered a poll of log a from offset 0 with offset 5 and then offset 1",
        ),
        (
            0,
            "[[0,10],[0,10]]",
            "int-nonmonotonic-poll: n2 answered a poll of log a from offset 0 with offset 0 and then offset 0",
        ),
        (
            0,
            "[[1,11],[5,12]]",
            "poll-skip: n2 answered a poll of log a from offset 0 with offset 1, and left out offset 0, which is there",
        ),
        (
            0,
            "[[0,10],[5,12]]",
            "int-poll-skip: n2 answered a poll of log a from offset 0 with offset 0 and then offset 5, and left out offset 1, which \
             is there",
        ),
    ] {
        let mut script = three();
        script.run(1, poll("a", 0), json(ALL_THREE)).run(
            2,
            poll("a", from),
            json(&format!(r#"{{"a":{shown}}}"#)),
        );
        let found = format!("4.500 s {found}");
        let all = script.found();
        assert!(all.contains(&found), "{all:#?}");
        assert!(all.iter().all(|other| *other == found || shown.starts_with("[[0,10],[5")), "{all:#?}");
    }
    let mut script = three();
    script.run(2, Request::new(OfLogs::Poll(of_one("b", 0))), json(ALL_THREE));
    assert_eq!(
        script.found(),
        ["3.500 s unasked-log: n2 showed messages of log a, which the poll did not ask for"]
    );
}

#[test]
fn each_planted_anomaly_of_commits_is_told() {
    let listed = |answer: &str| {
        let mut script = three();
        script.run(0, poll("a", 0), json(ALL_THREE)).run(0, commit("a", 1), done()).run(
            0,
            commit("a", 5),
            done(),
        );
        script.run(1, list("a"), json(answer)).found()
    };
    assert_eq!(listed(r#"{"a":5}"#), [""; 0]);
    assert_eq!(
        listed(r#"{"a":1}"#),
        [
            "6.500 s commit-goes-back: n1 listed offset 1 as committed of log a, after offset 5 was acknowledged by n0 at 5.500 s"
        ]
    );
    assert_eq!(
        listed("{}"),
        [
            "6.500 s commit-goes-back: n1 listed no offset as committed of log a, after offset 5 was acknowledged by n0 at 5.500 s"
        ]
    );
    assert_eq!(
        listed(r#"{"a":6}"#),
        [
            "6.500 s invented-commit: n1 listed offset 6 as committed of log a; until then clients had committed at most offset 5 there"
        ]
    );
}

#[test]
fn random_histories_of_a_right_server_have_no_anomaly() {
    let (mut refused, mut unknown, mut shown) = (0, 0, 0);
    for seed in 0..300 {
        let history = World::run(seed, Fault::Nothing);
        let found = judge(&Kafka, &history);
        assert!(found.counts().is_empty(), "seed {seed}: {:#?}", found.examples());
        for operation in history.operations() {
            refused += usize::from(matches!(operation.outcome(), Some(Outcome::Refused { .. })));
            unknown += usize::from(matches!(operation.outcome(), Some(Outcome::Timeout)));
            shown += told(operation, polled).map_or(0, |logs| logs.values().map(Vec::len).sum());
        }
    }
    assert!(refused > 1000 && unknown > 1000 && shown > 50_000, "{refused} {unknown} {shown}");
}

#[test]
fn each_fault_of_a_server_is_found_and_named() {
    for (fault, names) in [
        (Fault::LosesAcknowledged, &["lost-write", "unseen"][..]),
        (Fault::AppendsTwice, &["duplicate"]),
        (Fault::OverwritesLast, &["inconsistent-offsets", "nonmonotonic-send"]),
        (Fault::SkipsFirst, &["poll-skip"]),
        (Fault::LeavesOutMiddle, &["int-poll-skip"]),
        (Fault::Reverses, &["int-nonmonotonic-poll"]),
        (Fault::BeginsTooEarly, &["nonmonotonic-poll"]),
        (Fault::ForgetsCommits, &["commit-goes-back"]),
        (Fault::NeverShowsLast, &["unseen"]),
    ] {
        let found = (0..20).map(|seed| judge(&Kafka, &World::run(seed, fault)));
        let caught =
            found.filter(|found| found.anomalies().keys().any(|name| names.contains(&name.as_str())));
        let count = caught.count();
        assert!(count >= 18, "{fault:?}: {count} of 20");
    }
}

//! Reads by level on a node alone.

use serde_json::json;

use crate::harness::Setup;
use crate::redis::wire::Wire;
use crate::web::{get, post, send};

#[test]
fn a_node_alone_has_all_at_once() {
    let counterd = Setup::new().start();
    let url = |query: &str| format!("{}/v1/counters/views{query}", counterd.http);
    let added = post(&url("/add"), &json!({"delta": 3}));
    let seen = added.header("counter-version");
    let answer = send("GET", &url("?read=all&at-least=3&timeout=0s"), &[("counter-version", seen)], "");
    assert_eq!((answer.json(), answer.header("counter-fresh")), (json!({"value": 3}), "0"));
    assert_eq!(answer.header("counter-version"), seen, "nothing else has changed the counter");
    let mut wire = Wire::to(&counterd.redis);
    assert_eq!(wire.ask(&["INCR", "views"]), ":4\r\n");
    assert_eq!(wire.ask(&["WAIT", "2", "0"]), ":0\r\n", "there is no other node");
    assert_eq!(get(&url("?at-least=5&timeout=10ms")).problem(503, "not-reached")["counted"], "no");
}

#[test]
fn what_was_seen_is_there_after_a_restart() {
    let setup = Setup::new();
    let counterd = setup.start();
    let url = |http: &str, rest: &str| format!("{http}/v1/counters/views{rest}");
    let added = post(&url(&counterd.http, "/add"), &json!({"delta": 3}));
    let seen = added.header("counter-version").to_owned();
    counterd.kill();
    let counterd = setup.start();
    let answer = send("GET", &url(&counterd.http, ""), &[("counter-version", &seen)], "");
    assert_eq!((answer.status, answer.json()), (200, json!({"value": 3})));
}

#[test]
fn a_version_that_is_none_is_refused_and_nothing_is_counted() {
    let counterd = Setup::new().start();
    let url = |rest: &str| format!("{}{rest}", counterd.http);
    for version in ["", "nonsense", "AQ=", &"A".repeat(5000)] {
        for read in ["/v1/counters/views", "/v1/counters", "/v1/sum"] {
            let answer = send("GET", &url(read), &[("counter-version", version)], "");
            answer.problem(400, "malformed");
        }
        for (change, body) in [
            ("/v1/counters/views/add", r#"{"delta": 1}"#),
            ("/v1/batch", r#"{"adds": [{"name": "views", "delta": 1}]}"#),
        ] {
            let headers = [("content-type", "application/json"), ("counter-version", version)];
            send("POST", &url(change), &headers, body).problem(400, "malformed");
        }
    }
    for query in ["?timeout=5s", "?timeout=1", "?read=some", "?at-least=x"] {
        get(&url(&format!("/v1/counters/views{query}"))).problem(400, "malformed");
    }
    assert_eq!(counterd.value("views"), 0);
}

#[test]
fn a_version_of_a_cluster_that_this_is_not_a_node_of_is_waited_for() {
    let [one, other] = [Setup::new(), Setup::new()];
    let [one, other] = [one.start(), other.start()];
    let added = post(&format!("{}/v1/counters/views/add", one.http), &json!({"delta": 3}));
    let name = added.header("counter-node").to_owned();
    let headers = [("counter-version", added.header("counter-version"))];
    let answer = send("GET", &format!("{}/v1/counters/views?timeout=10ms", other.http), &headers, "");
    let problem = answer.problem(503, "not-reached");
    let named = format!("{name} (no node of the cluster now)");
    assert!(problem["detail"].as_str().unwrap().contains(&named), "{problem}");
}

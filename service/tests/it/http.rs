//! Counters over HTTP.

use counterd::clock::Stopwatch;
use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::harness::{Counterd, Setup};
use crate::web::{Answer, PATIENCE, get, post, raw, send};

const JSON: (&str, &str) = ("content-type", "application/json");

fn add(counterd: &Counterd, name: &str, delta: i64) -> Answer {
    post(&format!("{}/v1/counters/{name}/add", counterd.http), &json!({"delta": delta}))
}

fn add_once(counterd: &Counterd, name: &str, delta: i64, key: &str) -> Answer {
    let url = format!("{}/v1/counters/{name}/add", counterd.http);
    send("POST", &url, &[JSON, ("idempotency-key", key)], &json!({"delta": delta}).to_string())
}

fn value(counterd: &Counterd, name: &str) -> Value {
    get(&format!("{}/v1/counters/{name}", counterd.http)).json()["value"].clone()
}

#[test]
fn an_add_is_read() {
    let counterd = Setup::new().start();
    let added = add(&counterd, "views", 3);
    assert_eq!(added.json(), json!({"value": 3, "durability": "stored", "replayed": false}));
    assert!(added.header("counter-node").starts_with('n'));
    assert_eq!(value(&counterd, "views"), 3);
    assert_eq!(add(&counterd, "views", -5).json()["value"], -2);
    assert_eq!(value(&counterd, "nobody-has-counted-it"), 0);
}

#[test]
fn an_answer_says_that_it_is_in_memory_only() {
    let counterd = Setup::new().with(&["--ack", "memory"]).start();
    assert_eq!(add(&counterd, "views", 3).json()["durability"], "memory");
}

#[test]
fn a_name_is_any_text() {
    let counterd = Setup::new().start();
    for (n, (encoded, name)) in (1..).zip([
        ("a%2Fb", "a/b"),
        ("%C3%A4%20%F0%9F%A6%80", "ä 🦀"),
        ("add", "add"),
        ("x%00y", "x\0y"),
        ("%2e%2e%2f", "../"),
        ("a%3Fb%23c%25", "a?b#c%"),
        ("a+b", "a+b"),
        ("~()*!", "~()*!"),
    ]) {
        assert_eq!(add(&counterd, encoded, n).json()["value"], n, "{name}");
        assert_eq!(value(&counterd, encoded), n, "{name}");
        let list = send("GET", &format!("{}/v1/counters?limit=1000", counterd.http), &[], "").json();
        let listed = list["counters"].as_array().unwrap().iter().any(|counter| counter["name"] == name);
        assert!(listed, "{name} {list}");
    }
    let url = |name: &str| format!("{}/v1/counters/{name}", counterd.http);
    get(&url("%ff")).problem(400, "malformed");
    get(&url("")).problem(404, "no-route");
    post(&url("/add"), &json!({"delta": 1})).problem(400, "malformed");
    send("PUT", &url("a/sources/"), &[JSON], "{\"total\": 1}").problem(404, "no-route");
    get(&url(&"x".repeat(1024))).json();
    add(&counterd, &"x".repeat(1025), 1).problem(413, "too-large");
}

#[test]
fn a_reset_subtracts_what_is_seen() {
    let counterd = Setup::new().start();
    add(&counterd, "views", 7);
    let reset = post(&format!("{}/v1/counters/views/reset", counterd.http), &json!({}));
    assert_eq!(reset.json(), json!({"value": 7, "durability": "stored", "replayed": false}));
    assert_eq!(value(&counterd, "views"), 0);
}

#[test]
fn a_source_reports_its_total_as_often_as_it_likes() {
    let counterd = Setup::new().start();
    let report = |source: &str, total: u64| {
        let url = format!("{}/v1/counters/views/sources/{source}", counterd.http);
        send("PUT", &url, &[JSON], &json!({"total": total}).to_string())
    };
    assert_eq!(report("web%2F1", 41).json()["value"], 41);
    assert_eq!(report("web%2F1", 41).json()["value"], 41);
    assert_eq!(report("web%2F1", 40).json()["value"], 41);
    assert_eq!(report("web%2F2", 1).json()["value"], 42);
    assert_eq!(value(&counterd, "views"), 42);
}

#[test]
fn large_values_are_texts_if_asked() {
    let counterd = Setup::new().start();
    add(&counterd, "big", i64::MAX);
    let added =
        post(&format!("{}/v1/counters/big/add?numbers=string", counterd.http), &json!({"delta": i64::MAX}));
    assert_eq!(added.json()["value"], "18446744073709551614");
    for (path, value) in [("counters/big", "value"), ("sum", "sum")] {
        let url = format!("{}/v1/{path}", counterd.http);
        assert_eq!(get(&format!("{url}?numbers=string")).json()[value], "18446744073709551614");
        assert!(get(&url).text.contains(":18446744073709551614"));
    }
    let overflow = add(&counterd, "big", i64::MAX);
    overflow.problem(409, "conflict");
}

#[test]
fn a_batch_counts_as_a_whole_or_not_at_all() {
    let counterd = Setup::new().start();
    let batch = |adds: &[(&str, i64)]| {
        let adds: Vec<_> = adds.iter().map(|(name, delta)| json!({"name": name, "delta": delta})).collect();
        post(&format!("{}/v1/batch", counterd.http), &json!({"adds": adds}))
    };
    let all = batch(&[("a", 1), ("b\n\"", 2), ("a", 3)]);
    assert_eq!(all.json(), json!({"counted": 3, "durability": "stored", "replayed": false}));
    assert_eq!((value(&counterd, "a"), value(&counterd, "b%0A%22")), (json!(4), json!(2)));
    assert_eq!(batch(&[]).json()["counted"], 0);
    // The last add of each is wrong, and the first one does not count either.
    batch(&[("a", 1), ("a", i64::MAX), ("a", i64::MAX), ("a", i64::MAX)]).problem(409, "conflict");
    batch(&[("a", 1), ("", 1)]).problem(400, "malformed");
    batch(&[("a", 1), (&"x".repeat(1025), 1)]).problem(413, "too-large");
    batch(&vec![("a", 1); 10_001]).problem(413, "too-large");
    assert_eq!(value(&counterd, "a"), 4);
    assert_eq!(batch(&vec![("a", 1); 10_000]).json()["counted"], 10_000);
    assert_eq!(value(&counterd, "a"), 10_004);
}

#[test]
fn lists_and_sums_have_the_counters_with_a_prefix() {
    let counterd = Setup::new().start();
    for (name, delta) in [("shop:a", 1), ("shop:b", 2), ("shop:c", 3), ("other", 10), ("shop:gone", 5)] {
        add(&counterd, name, delta);
    }
    post(&format!("{}/v1/counters/shop:gone/reset", counterd.http), &json!({}));
    let list = |query: &str| get(&format!("{}/v1/counters?{query}", counterd.http)).json();
    let first = list("prefix=shop:&limit=2");
    let expected = json!([{"name": "shop:a", "value": 1}, {"name": "shop:b", "value": 2}]);
    assert_eq!(first, json!({"counters": expected, "next": "shop:b"}));
    let end = list("prefix=shop:&limit=2&after=shop:b");
    assert_eq!(end, json!({"counters": [{"name": "shop:c", "value": 3}], "next": null}));
    assert_eq!(list("limit=1")["counters"][0]["name"], "other");
    let sum = |query: &str| get(&format!("{}/v1/sum{query}", counterd.http)).json();
    assert_eq!(sum("?prefix=shop:"), json!({"sum": 6, "counters": 3}));
    assert_eq!(sum(""), json!({"sum": 16, "counters": 4}));
    for query in ["limit=0", "limit=1001", "limit=x", "limt=1", "numbers=hex"] {
        get(&format!("{}/v1/counters?{query}", counterd.http)).problem(400, "malformed");
    }
}

#[test]
fn a_watch_tells_what_there_is_and_what_changes() {
    let counterd = Setup::new().start();
    add(&counterd, "shop:a", 1);
    let request = "GET /v1/watch?prefix=shop: HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let stream = raw(&counterd.http, request.as_bytes());
    let begun = Stopwatch::start();
    let mut lines = BufReader::new(stream).lines().map(|line| {
        assert!(begun.elapsed() < PATIENCE, "the event does not come");
        line.unwrap()
    });
    let mut field = |name: &str| lines.find_map(|line| line.strip_prefix(name).map(String::from)).unwrap();
    let mut event = || (field("event: "), serde_json::from_str::<Value>(&field("data: ")).unwrap());
    let snapshot = json!({"counters": [{"name": "shop:a", "value": 1}], "next": null});
    assert_eq!(event(), ("snapshot".into(), snapshot));
    add(&counterd, "other", 1);
    add(&counterd, "shop:b", 5);
    assert_eq!(event(), ("change".into(), json!({"counters": [{"name": "shop:b", "value": 5}]})));
}

#[test]
fn a_key_counts_once_also_after_a_crash() {
    let setup = Setup::new();
    let counterd = setup.start();
    let first = add_once(&counterd, "views", 3, "k1");
    assert_eq!(first.json(), json!({"value": 3, "durability": "stored", "replayed": false}));
    assert_eq!(first.header("idempotency-replayed"), "");
    add(&counterd, "views", 1);
    let again = add_once(&counterd, "views", 3, "k1");
    assert_eq!(again.json(), json!({"value": 3, "durability": "stored", "replayed": true}));
    assert_eq!(again.header("idempotency-replayed"), "true");
    add_once(&counterd, "views", 4, "k1").problem(422, "key-reused");
    add_once(&counterd, "likes", 3, "k1").problem(422, "key-reused");
    add_once(&counterd, "views", 4, "").problem(400, "malformed");
    add_once(&counterd, "views", 4, &"k".repeat(256)).problem(400, "malformed");

    let node = again.header("counter-node").to_owned();
    counterd.kill();
    let counterd = setup.start();
    let again = add_once(&counterd, "views", 3, "k1");
    assert_eq!((again.json()["replayed"].clone(), again.header("counter-node")), (json!(true), &*node));
    add_once(&counterd, "views", 4, "k1").problem(422, "key-reused");
    assert_eq!(value(&counterd, "views"), 4);
}

#[test]
fn each_change_can_have_a_key() {
    let counterd = Setup::new().start();
    for (n, (method, path, body)) in (0..).zip([
        ("POST", "counters/a/add", json!({"delta": 1})),
        ("PUT", "counters/a/sources/s", json!({"total": 5})),
        ("POST", "batch", json!({"adds": [{"name": "a", "delta": 1}]})),
        ("POST", "counters/a/reset", json!({})),
    ]) {
        let headers = [JSON, ("idempotency-key", &*format!("k{n}"))];
        let url = format!("{}/v1/{path}", counterd.http);
        let [first, again] = [0, 1].map(|_| send(method, &url, &headers, &body.to_string()).json());
        assert_eq!((&first["replayed"], &again["replayed"]), (&json!(false), &json!(true)), "{path}");
        assert_eq!(first["value"], again["value"], "{path}");
    }
}

#[test]
fn what_is_exported_is_imported_elsewhere_and_merged() {
    let (here, there) = (Setup::new().start(), Setup::new().start());
    add(&here, "views", 3);
    add(&there, "views", 4);
    let export = get(&format!("{}/v1/export", here.http));
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let lines = [("content-type", "application/x-ndjson")];
    let url = format!("{}/v1/import", there.http);
    for _ in 0..2 {
        let imported = send("POST", &url, &lines, &export.text);
        assert_eq!(imported.json(), json!({"replicas": 1, "counters": 1}));
        assert_eq!(value(&there, "views"), 7);
    }
    let cut = &export.text[..export.text.len() - 2];
    send("POST", &url, &lines, cut).problem(400, "malformed");
    send("POST", &url, &[JSON], &export.text).problem(415, "wrong-type");
}

#[test]
fn fifty_clients_at_once_lose_nothing() {
    let counterd = Setup::new().start();
    std::thread::scope(|scope| {
        for client in 0..50 {
            let counterd = &counterd;
            scope.spawn(move || {
                let agent = crate::web::agent();
                for _ in 0..20 {
                    let url = format!("{}/v1/counters/all/add", counterd.http);
                    let added = crate::web::send_by(&agent, "POST", &url, &[JSON], "{\"delta\": 1}");
                    assert_eq!(added.status, 200, "client {client}: {added:?}");
                }
            });
        }
    });
    assert_eq!(value(&counterd, "all"), 1_000);
}

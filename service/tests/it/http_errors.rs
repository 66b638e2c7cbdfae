//! Requests that are refused: each with a problem document that says what is wrong, and that nothing was counted.

use std::io::Write;

use serde_json::json;

use crate::harness::Setup;
use crate::web::{get, post, raw, read_answer, send};

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn what_is_not_understood_is_refused() {
    let counterd = Setup::new().start();
    let url = format!("{}/v1/counters/views/add", counterd.http);
    for body in [
        "",
        "{",
        "3",
        "[]",
        "{}",
        "{\"delta\": \"3\"}",
        "{\"delta\": 3.5}",
        "{\"delta\": 1e3}",
        "{\"delta\": 9223372036854775808}",
        "{\"delta\": 3, \"dleta\": 4}",
        "{\"delta\": 3} {",
        "\u{feff}{\"delta\": 3}",
    ] {
        send("POST", &url, &[JSON], body).problem(400, "malformed");
    }
    let deep = format!("{{\"delta\": {}", "[".repeat(100_000));
    send("POST", &url, &[JSON], &deep).problem(400, "malformed");
    for body in ["{\"total\": -1}", "{\"total\": 18446744073709551616}"] {
        let url = format!("{}/v1/counters/views/sources/s", counterd.http);
        send("PUT", &url, &[JSON], body).problem(400, "malformed");
    }
    assert_eq!(counterd.value("views"), 0);
}

#[test]
fn there_are_no_other_routes_and_methods() {
    let counterd = Setup::new().start();
    for path in ["/nowhere", "/v1", "/v1/counters/", "/v1/counters/a/b/add"] {
        get(&format!("{}{path}", counterd.http)).problem(404, "no-route");
    }
    let deleted = send("DELETE", &format!("{}/v1/counters/views", counterd.http), &[], "");
    deleted.problem(405, "wrong-method");
    assert_eq!(deleted.header("allow"), "GET,HEAD");
    let asked = send("OPTIONS", &format!("{}/v1/counters/views/add", counterd.http), &[], "");
    asked.problem(405, "wrong-method");
    assert!(!asked.headers.contains_key("access-control-allow-origin"));
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let counterd = Setup::new().with(&["--allow-host", "counters.example"]).start();
    let url = format!("{}/v1/counters/views/add", counterd.http);
    let body = "{\"delta\": 3}";
    // Forms, and fetches that ask nobody: they can have these types alone.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        send("POST", &url, &[("content-type", kind)], body).problem(415, "wrong-type");
    }
    send("POST", &url, &[], body).problem(415, "wrong-type");
    for origin in ["http://evil.example", "null", "http://localhost:1"] {
        send("POST", &url, &[JSON, ("origin", origin)], body).problem(403, "other-origin");
        send("GET", &counterd.http, &[("origin", origin)], "").problem(403, "other-origin");
    }
    assert_eq!(counterd.value("views"), 0);
    let own = send("POST", &url, &[JSON, ("origin", &counterd.http)], body);
    assert_eq!(own.status, 200, "{own:?}");
    // Names of others that mean this machine.
    for (host, status) in [("evil.example", 421), ("counters.example", 200), ("localhost:9", 200), ("", 421)]
    {
        let request = format!("GET /v1/counters/views HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = read_answer(&raw(&counterd.http, request.as_bytes()));
        assert_eq!(answer.status, status, "{host}");
        if status == 421 {
            answer.problem(421, "unexpected-host");
        }
    }
}

#[test]
fn bodies_counters_and_keys_are_bounded() {
    let bounds = ["--max-body", "1KiB", "--max-counters", "2", "--max-keys", "1"];
    let counterd = Setup::new().with(&bounds).start();
    let url = |name: &str| format!("{}/v1/counters/{name}/add", counterd.http);
    let long = format!("{{\"delta\": 1{}}}", " ".repeat(1024));
    send("POST", &url("a"), &[JSON], &long).problem(413, "too-large");
    // Without a length, piece by piece.
    let request = "POST /v1/counters/a/add HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n";
    let piece = format!("400\r\n{}\r\n", " ".repeat(1024));
    let chunks = raw(&counterd.http, format!("{request}{piece}{piece}").as_bytes());
    read_answer(&chunks).problem(413, "too-large");

    for name in ["a", "b"] {
        assert_eq!(post(&url(name), &json!({"delta": 1})).status, 200);
    }
    post(&url("c"), &json!({"delta": 1})).problem(503, "full");
    assert_eq!(post(&url("a"), &json!({"delta": 1})).json()["value"], 2);

    let keyed = |key: &str| send("POST", &url("a"), &[JSON, ("idempotency-key", key)], "{\"delta\": 1}");
    assert_eq!(keyed("k1").status, 200);
    let refused = keyed("k2");
    refused.problem(429, "too-many");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(counterd.value("a"), 3);
}

/// Hyper answers these by itself. Here too each answer is a document, whatever came before on the connection.
#[test]
fn a_head_that_cannot_be_read_is_refused_with_a_document() {
    let counterd = Setup::new().start();
    let first = "GET /v1/counters/a HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let long = "x".repeat(1 << 17);
    let many = "x: y\r\n".repeat(101);
    for (head, status, kind) in [
        ("\0".into(), 400, "malformed"),
        ("GET\r\n\r\n".into(), 400, "malformed"),
        ("GET / HTTP/9\r\n\r\n".into(), 400, "malformed"),
        ("GET / HTTP/1.1\r\nno header\r\n\r\n".into(), 400, "malformed"),
        ("POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n".into(), 400, "malformed"),
        (format!("GET / HTTP/1.1\r\nx: {long}\r\n\r\n"), 431, "head-too-large"),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), 431, "head-too-large"),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 431, "head-too-large"),
    ] {
        for before in ["", first] {
            let mut stream = raw(&counterd.http, before.as_bytes());
            if !before.is_empty() {
                assert_eq!(read_answer(&stream).status, 200);
            }
            stream.write_all(head.as_bytes()).unwrap();
            let answer = read_answer(&stream);
            answer.problem(status, kind);
            assert_eq!(answer.header("connection"), "close");
            assert!(!answer.header("counter-node").is_empty() && !answer.header("date").is_empty());
        }
    }
    let metrics = get(&format!("{}/metrics", counterd.http)).text;
    assert!(metrics.contains("counterd_refused_total{problem=\"head-too-large\"} 6\n"), "{metrics}");
}

#[test]
fn bytes_that_are_no_request_do_no_harm() {
    let counterd = Setup::new().start();
    for bytes in
        [&b"\x00\xff\xfe\r\n\r\n"[..], b"PING\r\n", b"\r\n\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        drop(raw(&counterd.http, bytes));
    }
    assert_eq!(get(&format!("{}/livez", counterd.http)).status, 200);
}

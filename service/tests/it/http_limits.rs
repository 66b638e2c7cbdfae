//! Connections: how many, how slow, and how they end.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::{Setup, wait_until};
use crate::web::{Answer, PATIENCE, get, raw, read_answer};

const WATCH: &[u8] = b"GET /v1/watch HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[test]
fn connections_beyond_the_bound_are_told_so() {
    let counterd = Setup::new().with(&["--max-connections", "2"]).start();
    let held = [0, 1].map(|_| {
        let held = raw(&counterd.http, b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
        assert_eq!(read_answer(&held).status, 200);
        held
    });
    let mut refused = raw(&counterd.http, b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let answer = read_answer(&refused);
    answer.problem(503, "too-many-connections");
    assert_eq!(answer.header("retry-after"), "1");
    let mut rest = Vec::new();
    refused.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "{rest:?}");
    drop(held);
    // The bound is for those that are open.
    let livez = format!("{}/livez", counterd.http);
    wait_until(PATIENCE, "a place is free", || get(&livez).status == 200);
}

#[test]
fn watchers_are_bounded() {
    let counterd = Setup::new().start();
    let begin = || {
        let mut stream = raw(&counterd.http, WATCH);
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        (stream, String::from_utf8(status.to_vec()).unwrap())
    };
    let watching: Vec<TcpStream> = (0..256)
        .map(|_| {
            let (stream, status) = begin();
            assert_eq!(status, "HTTP/1.1 200");
            stream
        })
        .collect();
    let refused: Answer = read_answer(&raw(&counterd.http, WATCH));
    refused.problem(429, "too-many");
    drop(watching);
    wait_until(PATIENCE, "places of watchers that have gone are free", || begin().1 == "HTTP/1.1 200");
}

#[test]
fn what_is_in_flight_at_the_end_is_answered() {
    let counterd = Setup::new().start();
    let body = b"{\"delta\": 3}";
    let mut open = raw(
        &counterd.http,
        format!(
            "POST /v1/counters/views/add HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    );
    // The server asks for the body, so the request is open.
    let mut asked = [0; 25];
    open.read_exact(&mut asked).unwrap();
    assert_eq!(&asked[..], b"HTTP/1.1 100 Continue\r\n\r\n");
    let idle = raw(&counterd.http, b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(read_answer(&idle).status, 200);
    let watching = raw(&counterd.http, WATCH);
    counterd.signal("INT");
    // It ends what waits for nothing, and accepts nobody more.
    for mut ended in [idle, watching] {
        let mut rest = Vec::new();
        ended.read_to_end(&mut rest).unwrap();
    }
    let address = counterd.http.strip_prefix("http://").unwrap();
    wait_until(PATIENCE, "it accepts no connection", || TcpStream::connect(address).is_err());
    open.write_all(body).unwrap();
    assert_eq!(read_answer(&open).json()["value"], 3);
    assert!(counterd.wait().success());
}

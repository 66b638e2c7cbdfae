//! The same commands to counterd and to a real Redis: the same replies, byte for byte.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::wire::{Wire, command};
use crate::harness::{Counterd, Setup, is_missing, wait_until};

/// A Redis of a test's own. It is killed when it is dropped.
pub(super) struct Redis {
    child: Child,
    _directory: tempfile::TempDir,
    pub(super) address: String,
}

impl Redis {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Another process could take the port in between. Then this test fails to start it.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port.to_string(), "--save", "", "--databases", "1", "--dir"])
            .arg(directory.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let redis = Self { child, _directory: directory, address: format!("127.0.0.1:{port}") };
        let is_there = || std::net::TcpStream::connect(&redis.address).is_ok();
        wait_until(Duration::from_secs(30), "redis-server starts", is_there);
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _is_dead_already = self.child.kill();
        let _is_dead_already = self.child.wait();
    }
}

/// Both servers. None if there is no Redis here.
pub(super) fn both() -> Option<(Setup, Counterd, Redis)> {
    if is_missing("redis-server") {
        return None;
    }
    let setup = Setup::new();
    let counterd = setup.start();
    Some((setup, counterd, Redis::start()))
}

/// Commands whose replies are the same, errors and all.
const THE_SAME: &[&str] = &[
    "PING",
    "PING hello",
    "PING a b",
    "ECHO hello",
    "ECHO",
    "INCR",
    "INCR a b",
    "FOO",
    "FOO a b c",
    "INCR a",
    "INCRBY a 41",
    "DECR a",
    "DECRBY a 2",
    "GET a",
    "GET none",
    "GET",
    "MGET a none a",
    "MGET",
    "TYPE a",
    "TYPE none",
    "EXISTS a a none",
    "DBSIZE",
    "INCRBY a x",
    "INCRBY a 1.5",
    "INCRBY a +1",
    "INCRBY a 01",
    "INCRBY a -0",
    "INCRBY a 9223372036854775808",
    "INCRBY a 9223372036854775807",
    "INCRBY max 9223372036854775807",
    "INCR max",
    "INCRBY max 1",
    "DECRBY max -9223372036854775808",
    "DECR max",
    "GETDEL max",
    "GETDEL max",
    "GET max",
    "DEL a a none",
    "DEL a",
    "UNLINK a none",
    "GET a",
    "DBSIZE",
    "SELECT 0",
    "SELECT 1",
    "SELECT -1",
    "SELECT x",
    "SELECT",
    "EXEC",
    "DISCARD",
    "MULTI",
    "MULTI",
    "INCR m",
    "GET m",
    "DEL m m",
    "GET m",
    "GETDEL m",
    "INCRBY m 7",
    "INCRBY m x",
    "MGET m none",
    "EXEC",
    "MULTI",
    "INCR m",
    "DISCARD",
    "GET m",
    "MULTI",
    "FOO",
    "INCR m",
    "EXEC",
    "MULTI",
    "INCR",
    "EXEC",
    "MULTI",
    "WATCH m",
    "EXEC",
    "MULTI",
    "EXEC",
    "UNWATCH",
    "WAIT 0 0",
    "WAIT x 0",
    "WAIT 0 x",
    "WAIT 0 -1",
    "CLIENT GETNAME",
    "CLIENT SETNAME me",
    "CLIENT GETNAME",
    "CLIENT SETNAME",
    "CLIENT",
    "HELLO 4",
    "HELLO x",
    "HELLO 3 FOO",
    "AUTH x",
    "AUTH a b",
    "AUTH default x",
    "CONFIG GET save",
    "CONFIG GET",
    "CONFIG",
    "CONFIG GET none",
    "COMMAND GETKEYS MGET a b",
    "COMMAND GETKEYS PING x",
    "SCAN x",
    "SCAN 0 COUNT 0",
    "SCAN 0 COUNT x",
    "SCAN 0 FOO",
    "SCAN 0 MATCH",
    "SCAN 0 TYPE list",
    "SCAN 0 MATCH none*",
    "RESET",
    "GET m",
    "QUIT",
];

#[test]
fn replies_and_errors_are_those_of_redis() {
    let Some((_setup, counterd, redis)) = both() else { return };
    let (mut ours, mut theirs) = (Wire::to(&counterd.redis), Wire::to(&redis.address));
    for line in THE_SAME {
        let arguments: Vec<_> = line.split(' ').collect();
        assert_eq!(ours.ask(&arguments), theirs.ask(&arguments), "{line}");
    }
}

/// Bytes that end a connection, or are no commands in an array.
const BYTES: &[&str] = &[
    "PING\r\n",
    "PING\n",
    "\r\n\r\nPING\r\n",
    "*0\r\n*-1\r\nPING\r\n",
    "INCR \"a b\"\r\nGET 'a b'\r\n",
    "GET \"a\r\n",
    "GET \"a\"b\r\n",
    "ECHO \"\\x41\\n\\\"\"\r\n",
    "*1\r\n*1\r\n",
    "*1\r\n$-1\r\n",
    "*1\r\n$x\r\n",
    "*x\r\n",
    "*1\r\n+PING\r\n",
    "*1\r\n$4\r\nPINGxxPING\r\n",
    "POST / HTTP/1.1\r\nPING\r\n",
    "host: a\r\nPING\r\n",
    "*1\r\n$99999999999\r\n",
    "*2147483648\r\n",
    "*1\r\n$4\r\nPI",
    "*1\r\n$4\r",
];

#[test]
fn malformed_bytes_are_answered_as_by_redis() {
    let Some((_setup, counterd, redis)) = both() else { return };
    for bytes in BYTES {
        let rest = |address| {
            let mut wire = Wire::to(address);
            wire.send(bytes.as_bytes());
            wire.end();
            wire.rest()
        };
        assert_eq!(rest(&counterd.redis), rest(&redis.address), "{bytes:?}");
    }
}

/// A random command on one of a few keys.
fn any_command() -> impl Strategy<Value = String> {
    let key = || prop::sample::select(vec!["a", "b", "c", "é"]);
    let delta = || (1..100_i64, any::<bool>()).prop_map(|(delta, sign)| if sign { delta } else { -delta });
    prop_oneof![
        6 => key().prop_map(|key| format!("INCR {key}")),
        2 => key().prop_map(|key| format!("DECR {key}")),
        3 => (key(), delta()).prop_map(|(key, delta)| format!("INCRBY {key} {delta}")),
        2 => (key(), delta()).prop_map(|(key, delta)| format!("DECRBY {key} {delta}")),
        4 => key().prop_map(|key| format!("GET {key}")),
        2 => (key(), key()).prop_map(|(one, two)| format!("MGET {one} none {two}")),
        2 => (key(), key()).prop_map(|(one, two)| format!("EXISTS {one} {two}")),
        1 => key().prop_map(|key| format!("TYPE {key}")),
        2 => (key(), key()).prop_map(|(one, two)| format!("DEL {one} {two} {one}")),
        1 => key().prop_map(|key| format!("GETDEL {key}")),
        3 => Just("MULTI".to_owned()),
        3 => Just("EXEC".to_owned()),
        1 => Just("DISCARD".to_owned()),
        1 => prop::sample::select(vec![
            "INCR", "GET a b", "INCRBY a x", "FOO", "PING", "ECHO x", "SELECT 0", "SELECT 1", "WAIT 0 0", "RESET", "HELLO 4", "UNWATCH",
            "CLIENT SETNAME x", "CLIENT GETNAME",
        ])
        .prop_map(str::to_owned),
    ]
}

#[test]
fn random_pipelines_have_the_replies_of_redis() {
    let Some((_setup, counterd, redis)) = both() else { return };
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let pipelines = prop::collection::vec(prop::collection::vec(any_command(), 1..12), 1..6);
    let replies = |address: &str, pipelines: &[Vec<String>]| {
        let mut wire = Wire::to(address);
        wire.ask(&["DEL", "a", "b", "c", "é"]);
        let mut replies = Vec::new();
        for pipeline in pipelines {
            let all = pipeline.iter().map(|line| command(&line.split(' ').collect::<Vec<_>>()));
            wire.send(&all.collect::<Vec<_>>().concat());
            replies.extend(pipeline.iter().map(|line| (line.clone(), wire.reply())));
        }
        replies
    };
    let outcome = runner.run(&pipelines, |pipelines| {
        prop_assert_eq!(replies(&counterd.redis, &pipelines), replies(&redis.address, &pipelines));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn a_scan_finds_what_redis_finds() {
    let Some((_setup, counterd, redis)) = both() else { return };
    let scan = |address: &str, options: &[&str]| {
        let mut wire = Wire::to(address);
        let (mut cursor, mut found) = ("0".to_owned(), Vec::new());
        loop {
            let reply = wire.ask(&[&["SCAN", &cursor], options].concat());
            let strings: Vec<_> = reply.lines().filter(|line| !line.starts_with(['*', '$'])).collect();
            found.extend(strings[1..].iter().map(ToString::to_string));
            cursor = strings[0].to_owned();
            if cursor == "0" {
                found.sort();
                found.dedup();
                return found;
            }
        }
    };
    for address in [&counterd.redis, &redis.address] {
        let mut wire = Wire::to(address);
        (0..300).for_each(|number| assert_eq!(wire.ask(&["INCR", &format!("views:{number}")]), ":1\r\n"));
        (0..300)
            .step_by(3)
            .for_each(|number| assert_eq!(wire.ask(&["DEL", &format!("views:{number}")]), ":1\r\n"));
    }
    for options in [
        &[][..],
        &["MATCH", "views:?[1-3]"],
        &["COUNT", "1000", "TYPE", "string"],
        &["TYPE", "list"],
        &["MATCH", "x*"],
    ] {
        assert_eq!(scan(&counterd.redis, options), scan(&redis.address, options), "{options:?}");
    }
}

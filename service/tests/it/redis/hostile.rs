//! Bytes that no client sends.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::wire::{Wire, command};
use crate::harness::Setup;

#[test]
fn hostile_bytes_end_their_connection_and_nothing_else() {
    let setup = Setup::new().with(&["--ack", "memory"]);
    let counterd = setup.start();
    let nested = "*1\r\n".repeat(100_000);
    let long = "x".repeat(3 << 20);
    let huge = "*1000000\r\n".to_owned() + &"$1\r\na\r\n".repeat(400_000);
    let bulk = "*1\r\n$2000000\r\n".to_owned() + &long;
    for bytes in
        [&nested, &long, &huge, &bulk, "$-1\r\n", "*-9223372036854775809\r\n", "*1\r\n$-2\r\n", "\0\0\0"]
    {
        let mut wire = Wire::to(&counterd.redis);
        wire.send(bytes.as_bytes());
        wire.end();
        let _what_it_says_before_it_closes = wire.rest();
    }
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let piece = prop_oneof![
        Just(b"*1\r\n".to_vec()),
        Just(b"$4\r\n".to_vec()),
        Just(b"PING\r\n".to_vec()),
        Just(b"*3\r\n$6\r\nINCRBY\r\n".to_vec()),
        Just(b"MULTI\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    let run = runner.run(&prop::collection::vec(piece, 0..30), |pieces| {
        let mut wire = Wire::to(&counterd.redis);
        wire.send(&pieces.concat());
        wire.end();
        let _what_it_says_before_it_closes = wire.rest();
        Ok(())
    });
    assert!(run.is_ok());
    assert_eq!(Wire::to(&counterd.redis).ask(&["PING"]), "+PONG\r\n");
}

#[test]
fn the_replies_are_the_same_however_the_bytes_are_cut() {
    let script = [
        command(&["INCR", "a"]),
        b"incrby a 5\r\nGET \"a\"\r\n\r\n".to_vec(),
        command(&["MULTI"]),
        command(&["INCRBY", "a", "7"]),
        command(&["GET", "a"]),
        command(&["DEL", "a"]),
        command(&["EXEC"]),
        command(&["MGET", "a", "b"]),
        command(&["SCAN", "0"]),
        command(&["ECHO", "a\r\nb"]),
        b"*1\r\n+PING\r\n".to_vec(),
    ]
    .concat();
    let replies = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let setup = Setup::new().with(&["--ack", "memory"]);
        let counterd = setup.start();
        let mut wire = Wire::to(&counterd.redis);
        pieces.for_each(|piece| wire.send(piece));
        wire.rest()
    };
    let whole = replies(&mut [&*script].into_iter());
    assert!(whole.starts_with(":1\r\n:6\r\n$1\r\n6\r\n+OK\r\n+QUEUED\r\n"), "{whole}");
    assert!(whole.ends_with("-ERR Protocol error: expected '$', got '+'\r\n"), "{whole}");
    for length in [1, 2, 7] {
        assert_eq!(replies(&mut script.chunks(length)), whole);
    }
}

#[test]
fn past_the_bound_connections_are_refused() {
    let setup = Setup::new().with(&["--ack", "memory", "--max-connections", "2"]);
    let counterd = setup.start();
    let mut first = [(); 2].map(|()| Wire::to(&counterd.redis));
    for wire in &mut first {
        assert_eq!(wire.ask(&["PING"]), "+PONG\r\n");
    }
    assert_eq!(Wire::to(&counterd.redis).rest(), "-ERR max number of clients reached\r\n");
    assert_eq!(first[0].ask(&["QUIT"]), "+OK\r\n");
}

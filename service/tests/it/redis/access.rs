//! Tokens, over the Redis protocol.

use std::io::Write;

use counterd::access::{Scope, new_token};

use super::wire::Wire;
use crate::harness::Setup;

const NO_AUTH: &str = "-NOAUTH Authentication required.\r\n";
const NO_PERMISSION: &str =
    "-NOPERM this token has no permissions to access one of the keys used as arguments\r\n";

#[test]
fn a_token_says_what_a_client_may_do() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut make = |name: &str, scopes: &[Scope], prefix: &str| {
        let token = new_token(name, scopes, prefix).unwrap();
        writeln!(file, "{}", token.line).unwrap();
        token.secret
    };
    let adder = make("adder", &[Scope::Add], "");
    let shop = make("shop", &[Scope::Add, Scope::Read], "shop:");
    let setup = Setup::new().with(&["--ack", "memory", "--tokens", file.path().to_str().unwrap()]);
    let counterd = setup.start();

    let mut wire = Wire::to(&counterd.redis);
    for command in ["INCR a", "GET a", "SCAN 0", "INFO", "MULTI", "PING", "CONFIG GET save", "CLIENT ID"] {
        assert_eq!(wire.ask(&command.split(' ').collect::<Vec<_>>()), NO_AUTH, "{command}");
    }
    assert!(wire.ask(&["HELLO", "3"]).starts_with("-NOAUTH HELLO must be called"));
    for guess in
        [&["AUTH", "guess"][..], &["AUTH", "adder", "guess"], &["HELLO", "3", "AUTH", "adder", "guess"]]
    {
        assert!(wire.ask(guess).starts_with("-WRONGPASS "));
    }
    assert_eq!(wire.ask(&["AUTH", &adder]), "+OK\r\n");
    assert_eq!(wire.ask(&["INCR", "a"]), ":1\r\n");
    for command in ["GET a", "MGET a", "EXISTS a", "TYPE a"] {
        assert_eq!(wire.ask(&command.split(' ').collect::<Vec<_>>()), NO_PERMISSION, "{command}");
    }
    assert_eq!(wire.ask(&["DEL", "a"]), ":1\r\n");
    assert!(wire.ask(&["DBSIZE"]).starts_with("-NOPERM "));
    assert_eq!(wire.ask(&["RESET"]), "+RESET\r\n");
    assert_eq!(wire.ask(&["INCR", "a"]), NO_AUTH);

    assert!(wire.ask(&["HELLO", "3", "AUTH", "shop", &shop]).starts_with("%7\r\n"));
    assert_eq!(wire.ask(&["INCR", "shop:a"]), ":1\r\n");
    assert_eq!(wire.ask(&["INCR", "a"]), NO_PERMISSION);
    assert_eq!(wire.ask(&["MGET", "shop:a", "a"]), NO_PERMISSION);
    assert_eq!(wire.ask(&["DEL", "shop:a", "a"]), NO_PERMISSION);
    assert_eq!(wire.ask(&["GET", "shop:a"]), "$1\r\n1\r\n");
    assert_eq!(wire.ask(&["SCAN", "0"]), "*2\r\n$1\r\n0\r\n*1\r\n$6\r\nshop:a\r\n");
}

#[test]
fn a_client_that_has_not_said_who_it_is_may_send_little() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}", new_token("adder", &[Scope::Add], "").unwrap().line).unwrap();
    let setup = Setup::new().with(&["--ack", "memory", "--tokens", file.path().to_str().unwrap()]);
    let counterd = setup.start();
    for (bytes, refusal) in [
        ("*11\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n"),
        (
            &*format!("*1\r\n$20000\r\n{}\r\n", "x".repeat(20_000)),
            "-ERR Protocol error: invalid bulk length\r\n",
        ),
    ] {
        let mut wire = Wire::to(&counterd.redis);
        wire.send(bytes.as_bytes());
        // The bytes that the server has not read may take its words with them.
        let said = wire.rest();
        assert!(said.is_empty() || said == refusal, "{said}");
    }
}

//! The node in a build without its bench, as `.ci/run` makes one: `cargo test --no-default-features --test no_bench`.

#![cfg(not(feature = "bench"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The program's output after it has read this input to its end.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maelstrom-counter"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    process.wait_with_output().unwrap()
}

#[test]
fn it_serves() {
    let input = r#"{"src":"c1","dest":"n0","body":{"type":"init","msg_id":1,"node_id":"n0","node_ids":["n0"]}}
{"src":"c1","dest":"n0","body":{"type":"add","msg_id":2,"delta":5}}
{"src":"c1","dest":"n0","body":{"type":"read","msg_id":3}}
"#;
    let output = run(&["--ack", "memory", "--log", "warn"], input);
    let said = String::from_utf8(output.stdout).unwrap();
    let answer = r#"{"src":"n0","dest":"c1","body":{"type":"read_ok","in_reply_to":3,"value":5}}"#;
    assert!(output.status.success() && said.lines().any(|line| line == answer), "{said}");
}

#[test]
fn the_subcommands_of_the_bench_say_that_there_is_none_and_how_to_get_it() {
    for command in ["test", "simulate"] {
        for arguments in [&[][..], &["--help"], &["-h"], &["--nemesis", "kill", "--", "--ack", "memory"]] {
            let output = run(&[&[command], arguments].concat(), "");
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{command} {arguments:?}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.contains("no test bench") && said.contains("cargo build --release"), "{said}");
        }
        let help = String::from_utf8(run(&["help", command], "").stdout).unwrap();
        assert!(help.contains("no test bench"), "{help}");
    }
}

#[test]
fn neither_help_nor_completions_name_a_subcommand_that_is_not_there() {
    let help = String::from_utf8(run(&["--help"], "").stdout).unwrap();
    let names = |command: &str| help.lines().any(|line| line.split_whitespace().next() == Some(command));
    assert!(names("completions") && !names("test") && !names("simulate"), "{help}");
    let script = String::from_utf8(run(&["completions", "bash"], "").stdout).unwrap();
    assert!(script.contains("--gossip-interval") && !script.contains("--nemesis"), "{script}");
}

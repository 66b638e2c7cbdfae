//! The real binary: as a node on pipes, and as the bench that judges it. It runs in wall-clock time, so the tests are few
//! and bounded.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::pipes::{BIN, Process, until_it_stands_still};

fn test(flags: &[&str]) -> Output {
    let store = concat!(env!("CARGO_TARGET_TMPDIR"), "/store");
    Command::new(BIN).args(["test", "--store", store]).args(flags).output().unwrap()
}

fn assert_valid(flags: &[&str]) -> Value {
    let output = test(&[&["--json"], flags].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{flags:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn survives_partitions_kills_and_pauses() {
    let short = ["--time-limit", "12", "--final-wait", "4", "--concurrency", "2n", "--seed", "2"];
    assert_valid(&[&short[..], &["--node-count", "5", "--nemesis", "partition,kill,pause"]].concat());
}

#[test]
fn serves_a_counter_that_goes_up_and_down() {
    let short = ["--time-limit", "3", "--final-wait", "3", "--nemesis-interval", "1", "--seed", "1"];
    assert_valid(&[&short[..], &["-w", "pn-counter", "--nemesis", "partition"]].concat());
}

#[test]
fn malformed_lines_take_no_memory() {
    let short = ["--time-limit", "4", "--final-wait", "3", "--nemesis", "none", "--seed", "1"];
    assert_valid(&[&short[..], &["--malformed", "10000", "--max-rss-mb", "64"]].concat());
}

#[test]
fn takes_requests_as_fast_as_the_pipe_does_in_little_memory() {
    let report = assert_valid(&["--flood", "20000", "--max-rss-mb", "64", "--", "--ack", "memory"]);
    assert_eq!(report["valid"], true);
}

#[test]
fn a_run_that_can_not_start_exits_with_status_2() {
    for flags in
        [&["--bin", "/nowhere"][..], &["--bin", "/bin/true"], &["--nemesis", "earthquake"], &["--rate", "-1"]]
    {
        let output = test(&[&["--time-limit", "1"], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(!output.stderr.is_empty(), "{flags:?}: why?");
    }
}

#[test]
fn when_its_input_ends_the_node_ends_with_status_0() {
    let mut node = Process::member(&["--ack", "memory"]);
    node.say("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    node.stdin = None;
    let (status, rest) = node.end();
    assert_eq!(status, Some(0));
    assert!(rest.iter().any(|message| message["body"]["type"] == "add_ok"), "{rest:?}");
}

#[test]
fn signals_end_the_node_once_the_record_is_stored() {
    for signal in ["TERM", "INT"] {
        let mut node = Process::member(&["--ack", "memory", "--gossip-interval", "3600000"]);
        node.say("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
        while node.hear()["dest"] != "seq-kv" {}
        node.signal(signal);
        let mut message = node.hear();
        while message["body"]["type"] != "cas" || message["body"]["key"] == "/nodes" {
            let mut answer = match message["body"]["type"].as_str() {
                Some("cas") => json!({"type": "cas_ok"}),
                _ => json!({"type": "error", "code": 20}),
            };
            answer["in_reply_to"] = message["body"]["msg_id"].clone();
            node.say("seq-kv", answer);
            message = node.hear();
        }
        let record = &message["body"]["to"];
        assert!(record["free"].is_array(), "left to the next process: {record}");
        assert!(record.as_object().unwrap().values().any(|entry| *entry == 3), "{record}");
        node.say("seq-kv", json!({"type": "cas_ok", "in_reply_to": message["body"]["msg_id"]}));
        assert_eq!(node.end().0, Some(0), "SIG{signal}");
    }
}

#[test]
fn a_signal_ends_the_node_even_if_its_output_is_not_read() {
    let mut node = Process::member(&["--ack", "memory"]);
    let mut stdin = node.stdin.take().unwrap();
    let line = format!("{}\n", json!({"src": "c1", "dest": "n0", "body": {"type": "read", "msg_id": 1}}));
    // It writes more than both pipes hold: the node blocks on its output, and this thread blocks until the node is gone.
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let flood = std::thread::spawn(move || {
        while stdin.write_all(line.as_bytes()).is_ok() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    until_it_stands_still(&written);
    node.signal("TERM");
    let status = node.wait();
    assert_eq!(status.code(), Some(0));
    flood.join().unwrap();
}

#[test]
fn the_session_in_the_reference_is_true() {
    let lines = |what: &str| -> Vec<&str> { REFERENCE.lines().filter(|line| line.contains(what)).collect() };
    let (asked, answered) = (lines(r#"{"src":"c1","dest":"n0""#), lines(r#"{"src":"n0","dest":"c1""#));
    assert_eq!((asked.len(), answered.len()), (3, 3));
    let mut node = Process::start(&["--ack", "memory"]);
    for line in &asked {
        node.write(line).unwrap();
    }
    node.stdin = None;
    let (status, said) = node.end();
    let heard: Vec<_> = said.into_iter().filter(|message| message["dest"] == "c1").collect();
    let expected: Vec<Value> = answered.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((status, heard), (Some(0), expected));
}

const REFERENCE: &str = include_str!("../../docs/reference.md");

#[test]
fn the_log_says_whose_gossip_is_ignored() {
    for (src, said, unsaid) in [("n7", "gossip from a stranger is ignored", "n1"), ("n1", "", "ignored")] {
        let mut node = Process::start(&["--ack", "memory", "--log", "warn"]);
        node.say("c0", json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ["n0", "n1"]}));
        let counts = json!({"n7#00000001": 3});
        node.say(src, json!({"type": "gossip", "msg_id": 2, "epoch": "00000001", "counts": counts}));
        node.stdin = None;
        let log = std::io::read_to_string(node.stderr()).unwrap();
        assert!(log.contains(said) && !log.contains(unsaid), "{src}: {log}");
    }
}

#[test]
fn bad_flags_are_refused() {
    for flags in [
        &["--ack", "perhaps"][..],
        &["--gossip-interval", "0"],
        &["--fanout", "0"],
        &["--fanout", "16385"],
        &["--fanout", "-1"],
        &["--store-timeout", "3600001"],
        &["--log", "a=b=c"],
        &["--log", "inof"],
        &["--log", "maelstrm_counter=debug"],
        &["x"],
    ] {
        let output = Command::new(BIN).args(flags).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn every_flag_is_an_environment_variable_too() {
    let with = |name: &str, value: &str| {
        let output = Command::new(BIN).env(name, value).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (name, wrong) in [("COUNTER_ACK", "perhaps"), ("COUNTER_FANOUT", "0"), ("COUNTER_PEER_TIMEOUT", "-1")]
    {
        let (status, said) = with(name, wrong);
        assert!(status == Some(2) && said.contains(name) && said.contains(wrong), "{name}={wrong}: {said}");
        assert_eq!(with(name, "").0, Some(0), "{name}: empty is unset");
    }
    let help = Command::new(BIN).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for flag in ["COUNTER", "ACK", "GOSSIP_INTERVAL", "FANOUT", "STORE_TIMEOUT", "PEER_TIMEOUT", "LOG"] {
        assert!(help.contains(&format!("COUNTER_{flag}=")), "{flag} is not in\n{help}");
    }
}

#[test]
fn shell_completions_are_printed() {
    let output = Command::new(BIN).args(["completions", "bash"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("--nemesis-interval"));
}

/// A busy machine resumes a process for a moment that is too short to read, and stops it again. By the process's clock it
/// ran, and no look found its input empty.
#[test]
fn a_request_that_waited_while_the_process_stuttered_is_not_answered() {
    let nodes: Vec<Process> = (0..8).map(|_| Process::member(&["--ack", "memory"])).collect();
    let stuttered = |(mut node, still): (Process, u64)| {
        node.signal("STOP");
        node.say("c1", json!({"type": "read", "msg_id": 1}));
        pause(4300);
        for _ in 0..3 {
            node.signal("CONT");
            node.signal("STOP");
            pause(still);
        }
        node.signal("CONT");
        // The first of these may be handed in before a look finds the input empty. Then it is not answered either.
        let mut said = Vec::new();
        for msg_id in 0..200 {
            node.say("c2", json!({"type": "read", "msg_id": msg_id}));
            said.extend(std::iter::from_fn(|| node.hear_within(100)));
            if said.iter().any(|message: &Value| message["dest"] == "c2") {
                return said;
            }
        }
        panic!("the node does not answer any more");
    };
    let run = |(number, node): (u64, Process)| thread::spawn(move || stuttered((node, 190 + 40 * number)));
    let threads: Vec<_> = (0..).zip(nodes).map(run).collect();
    for said in threads.into_iter().map(|thread| thread.join().unwrap()) {
        assert!(said.iter().all(|message| message["dest"] != "c1"), "{said:?}");
    }
}

/// Sleeps. The pause itself is tested here, so there is no condition to wait for.
fn pause(ms: u64) {
    thread::sleep(Duration::from_millis(ms));
}

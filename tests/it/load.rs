//! A node whose output is not read accepts a bounded number of requests, in bounded memory.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use maelstrom_counter::config::{AckPolicy, Config};
use maelstrom_counter::runtime::{Shutdown, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, duplex};

use crate::pipes::{Process, until_it_stands_still};

/// More bytes than the pipes and the buffers of the node and of the test can hold together.
const ACCEPTED_AT_MOST: usize = 4 << 20;
/// The node's resident memory, in bytes.
const MEMORY_AT_MOST: usize = 32 << 20;

#[test]
fn while_its_output_is_not_read_a_node_accepts_a_bounded_number_of_requests_and_answers_all_later() {
    // A request that waits for seconds is not answered, for its client may be gone. On a slow machine, try again.
    assert!((0..5).any(|_| blocks_and_goes_on()), "the machine is too slow for this test");
}

/// False if it took so long that the node could not know whether its clients still exist.
fn blocks_and_goes_on() -> bool {
    let clock = Clock::start();
    let mut node = Process::member(&["--ack", "memory"]);
    let mut stdin = node.stdin.take().unwrap();
    let (written, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (count, stop) = (Arc::clone(&written), Arc::clone(&enough));
    let flood = thread::spawn(move || {
        let mut bytes = 0;
        for id in 1.. {
            let line = json!({"src": "c1", "dest": "n0", "body": {"type": "add", "delta": 1, "msg_id": id}});
            let line = format!("{line}\n");
            stdin.write_all(line.as_bytes()).unwrap();
            bytes += line.len();
            count.store(bytes, Ordering::Relaxed);
            if stop.load(Ordering::Relaxed) || bytes > ACCEPTED_AT_MOST {
                return id;
            }
        }
        unreachable!("there is no end to ids");
    });
    until_it_stands_still(&written);
    assert!(written.load(Ordering::Relaxed) < ACCEPTED_AT_MOST, "nothing blocks");
    let memory = resident_bytes(node.id());
    assert!(memory < MEMORY_AT_MOST, "{memory} bytes");
    println!("blocked after {} bytes of requests; resident: {memory} bytes", written.load(Ordering::Relaxed));
    enough.store(true, Ordering::Relaxed);
    let mut answered = Vec::new();
    // The flood ends with its next line: from then on the input has an end, and so have the answers.
    while let Some(message) = node.next_line() {
        if message["dest"] == "c1" {
            assert_eq!(message["body"]["type"], "add_ok");
            answered.push(message["body"]["in_reply_to"].as_i64().unwrap());
        }
    }
    let asked = flood.join().unwrap();
    if clock.seconds() > 3 {
        return false;
    }
    assert_eq!(answered, (1..=asked).collect::<Vec<i64>>());
    true
}

/// Each message of 70 bytes is answered with half a megabyte, because each is from a peer that knows nothing.
#[test]
fn long_answers_to_short_messages_take_bounded_memory_too() {
    let mut node = Process::start(&["--ack", "memory"]);
    let nodes: Vec<_> = (0..1000).map(|node| format!("n{node}")).collect();
    node.say("c0", json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": nodes}));
    assert_eq!(node.hear()["body"]["type"], "init_ok");
    let counts: serde_json::Map<_, _> = (0..25_000).map(|i| (format!("x2#{i:08x}"), json!(1))).collect();
    node.say("n1", json!({"type": "gossip", "msg_id": 1, "epoch": "00000001", "counts": counts}));
    let short = nodes.iter().skip(2).map(|node| {
        let body = json!({"type": "gossip", "msg_id": 2, "epoch": "00000001"});
        format!("{}\n", json!({"src": node, "dest": "n0", "body": body}))
    });
    node.write(short.collect::<String>().trim_end()).unwrap();
    let mut heard = 0;
    while heard < 100 {
        let message = node.hear();
        heard +=
            usize::from(message["body"]["counts"].as_object().is_some_and(|counts| counts.len() == 25_000));
        let memory = resident_bytes(node.id());
        assert!(memory < 2 * MEMORY_AT_MOST, "{memory} bytes");
    }
}

/// One read brings requests whose answers fill more than one write, and a last request. The node handles that one only
/// after the writes, and by then its client may be gone. Only sleeping moves the clock.
#[tokio::test(start_paused = true)]
async fn a_request_that_waits_behind_a_blocked_write_is_not_answered_late() {
    for (blocked, is_answered) in [(0, true), (10, false)] {
        let (mut stdin, input) = duplex(8 << 20);
        let (output, stdout) = duplex(1 << 12);
        let config = Config { ack: AckPolicy::Memory, ..Config::default() };
        let node = tokio::spawn(serve(config, input, output, Shutdown::listen().unwrap()));
        let mut stdout = BufReader::new(stdout);
        let line = |src: &str, body: &Value| format!("{}\n", json!({"src": src, "dest": "n0", "body": body}));
        let init = json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ["n0", "n1"]});
        let counts: serde_json::Map<_, _> = (0..25_000).map(|i| (format!("n2#{i:08x}"), json!(1))).collect();
        let gossip = json!({"type": "gossip", "msg_id": 1, "epoch": "00000000", "counts": counts});
        stdin.write_all([line("c0", &init), line("n1", &gossip)].concat().as_bytes()).await.unwrap();
        let mut heard = String::new();
        while !heard.contains("seq-kv") {
            stdout.read_line(&mut heard).await.unwrap();
        }
        let restarted = |i| line("n1", &json!({"type": "gossip", "msg_id": 2, "epoch": format!("{i:08x}")}));
        let mut lines: Vec<_> = (1..=5).map(restarted).collect();
        lines.push(line("c1", &json!({"type": "read", "msg_id": 7})));
        stdin.write_all(lines.concat().as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(blocked)).await;
        drop(stdin);
        stdout.read_to_string(&mut heard).await.unwrap();
        node.await.unwrap().unwrap();
        assert_eq!(heard.contains("read_ok"), is_answered, "after {blocked} s");
    }
}

fn resident_bytes(pid: u32) -> usize {
    const PAGE: usize = 4096;
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * PAGE
}

#[expect(clippy::disallowed_types, reason = "a real process takes real time")]
struct Clock(std::time::Instant);

#[expect(clippy::disallowed_types, reason = "a real process takes real time")]
impl Clock {
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn seconds(&self) -> u64 {
        self.0.elapsed().as_secs()
    }
}

//! Sweeps: a node reads the stored counts of an unreachable peer from the store, and not from an old state of it.

use std::time::Duration;

use maelstrom_counter::config::Config;
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

/// A node that has written its record, and whose one peer does not answer.
fn node() -> Harness {
    let mut node = Harness::member(Config::default(), 2);
    node.ask("c9", json!({"type": "read", "msg_id": 1}));
    node.let_record_be_written();
    node.take();
    // It asks which nodes there are, which the harness answers. Then it reads its silent peer's record.
    barrier(&mut node);
    node
}

/// The next request to the store, and how long it took to come.
fn asked(node: &mut Harness) -> (Value, Duration) {
    node.wait_for("seq-kv", |_| true)
}

/// The next barrier is written. Returns its value.
fn barrier(node: &mut Harness) -> Value {
    let (write, _) = asked(node);
    assert_eq!((&write["type"], &write["key"]), (&json!("write"), &json!("n0/barrier")));
    let not_asked = json!({"type": "write_ok", "in_reply_to": write["msg_id"].as_i64().unwrap() + 1000});
    node.ask("seq-kv", not_asked);
    assert_eq!(node.take_to("seq-kv"), [] as [Value; 0], "no record is read before the barrier is written");
    node.store_says(&write, json!({"type": "write_ok"}));
    write["value"].clone()
}

/// The next read of the peer's record. As no peer answers, the node's own record is read first: it may be forgotten.
fn read(node: &mut Harness) -> Value {
    let mut both = node.take_to("seq-kv");
    for _ in 0..5000 {
        if both.is_empty() {
            node.pass(ms(1));
            both = node.take_to("seq-kv");
        }
    }
    let [own, theirs] = both.try_into().unwrap();
    for (read, key) in [(&own, "n0"), (&theirs, "n1")] {
        assert_eq!((&read["type"], &read["key"]), (&json!("read"), &json!(key)));
    }
    nothing_there(node, &own);
    theirs
}

fn nothing_there(node: &mut Harness, read: &Value) {
    node.store_says(read, json!({"type": "error", "code": 20, "text": "no such key"}));
}

fn counted(node: &mut Harness, read: &Value, count: u64) {
    node.store_says(read, json!({"type": "read_ok", "value": {"n1#00000001": count}}));
}

#[test]
fn a_sweep_begins_with_a_barrier_unless_the_record_was_written_since_the_last() {
    let mut node = node();
    let first = read(&mut node);
    nothing_there(&mut node, &first);
    let mut values = Vec::new();
    for _ in 0..4 {
        values.push(barrier(&mut node));
        let read = read(&mut node);
        nothing_there(&mut node, &read);
    }
    values.sort_by_key(Value::to_string);
    values.dedup();
    assert_eq!(values.len(), 4, "each was never there before");
    node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 1}));
    let (cas, _) = asked(&mut node);
    node.store_says(&cas, json!({"type": "cas_ok"}));
    read(&mut node);
}

#[test]
fn pauses_double_up_to_4_s_and_begin_anew_with_what_is_new() {
    let mut node = node();
    let mut pauses = Vec::new();
    for step in 0..8_u64 {
        let read = read(&mut node);
        if step == 5 {
            counted(&mut node, &read, 7);
        } else {
            nothing_there(&mut node, &read);
        }
        let (write, pause) = asked(&mut node);
        pauses.push(pause.as_secs());
        node.store_says(&write, json!({"type": "write_ok"}));
    }
    assert_eq!(pauses, [2, 4, 4, 4, 4, 1, 2, 4], "the sweep that asked for the names was the first");
}

#[test]
fn an_answer_that_waited_for_this_node_counts() {
    let mut node = node();
    let read = read(&mut node);
    node.freeze(ms(2000));
    node.glimpse();
    counted(&mut node, &read, 7);
    assert_eq!(node.endpoint.node().value(), 7);
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for_longer_than_the_timeout() {
    let mut node = node();
    let late = read(&mut node);
    node.pass(ms(1001));
    counted(&mut node, &late, 7);
    assert_eq!(node.endpoint.node().value(), 0, "the sweep is over");
    barrier(&mut node);
}

//! Hints: a count that a peer could not store is kept in the own record, until it is known to be in the peer's record.

use maelstrom_counter::config::Config;
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

/// The replica of n1 that these tests are about.
const THEIRS: &str = "n1#00000001";

/// A node of three whose record is written. Returns the record too.
fn node() -> (Harness, Value) {
    let mut node = Harness::member(Config::default(), 3);
    node.ask("c9", json!({"type": "read", "msg_id": 1}));
    let record = node.let_record_be_written();
    node.let_peers_confirm();
    (node, record)
}

/// A peer tells the count of n1, and whether it is stored.
fn tell(node: &mut Harness, from: &str, count: u64, is_stored: bool) {
    let unstored = if is_stored { json!([]) } else { json!([THEIRS]) };
    let epoch = format!("0000000{}", &from[1..]);
    node.ask(
        from,
        json!({"type": "gossip", "epoch": epoch, "counts": {THEIRS: count}, "unstored": unstored}),
    );
}

fn add(node: &mut Harness) {
    node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 1}));
}

/// The compare-and-set that is on its way to the store.
fn write(node: &mut Harness) -> Option<Value> {
    node.take_to("seq-kv").into_iter().find(|body| body["type"] == "cas")
}

/// The next value of the record, which the store accepts.
fn written(node: &mut Harness) -> Option<Value> {
    let write = write(node)?;
    node.store_says(&write, json!({"type": "cas_ok"}));
    Some(write["to"].clone())
}

fn read(node: &mut Harness) -> Value {
    node.answers("c2", json!({"type": "read", "msg_id": 2})).remove(0)["value"].clone()
}

/// The messages to a peer within a second: the counts of each, and those that are not stored.
fn told(node: &mut Harness, peer: &str) -> Vec<(Value, Value)> {
    node.pass(ms(1000));
    let messages = node.take_to(peer).into_iter().filter(|body| body["counts"].is_object());
    messages.map(|body| (body["counts"].clone(), body["unstored"].clone())).collect()
}

#[test]
fn an_unstored_count_of_a_peer_is_kept_as_a_hint() {
    let (mut node, record) = node();
    tell(&mut node, "n1", 5, true);
    assert_eq!(write(&mut node), None, "it is stored");
    tell(&mut node, "n1", 7, false);
    let cas = write(&mut node).unwrap();
    assert_eq!(cas["from"], record);
    let mut hinted = record;
    hinted["hints"] = json!({THEIRS: 7});
    assert_eq!(cas["to"], hinted);
    node.store_says(&cas, json!({"type": "cas_ok"}));
    node.pass(ms(2000));
    assert_eq!(write(&mut node), None, "once");
    tell(&mut node, "n2", 6, false);
    tell(&mut node, "n2", 7, false);
    assert_eq!(write(&mut node), None, "an echo");
}

#[test]
fn a_hint_is_written_once_the_store_is_back() {
    let (mut node, _) = node();
    add(&mut node);
    let open = write(&mut node).unwrap();
    tell(&mut node, "n1", 7, false);
    node.pass(ms(3000));
    node.take_to("seq-kv");
    node.store_says(&open, json!({"type": "cas_ok"}));
    assert_eq!(written(&mut node).unwrap()["hints"], json!({THEIRS: 7}));
}

#[test]
fn a_hint_stays_until_it_is_known_to_be_stored_and_goes_with_the_next_write() {
    let (mut node, _) = node();
    tell(&mut node, "n1", 7, false);
    written(&mut node).unwrap();
    tell(&mut node, "n2", 6, true);
    add(&mut node);
    assert_eq!(written(&mut node).unwrap()["hints"], json!({THEIRS: 7}), "not all of it is stored");
    tell(&mut node, "n2", 7, true);
    assert_eq!(write(&mut node), None, "for that alone nothing is written: no value must come back");
    add(&mut node);
    assert_eq!(written(&mut node).unwrap()["hints"], Value::Null);
}

#[test]
fn a_second_hint_does_not_replace_the_first() {
    let (mut node, _) = node();
    tell(&mut node, "n1", 7, false);
    written(&mut node).unwrap();
    tell(&mut node, "n2", 7, true);
    let other = "n2#00000002";
    let gossip = json!({"type": "gossip", "epoch": "00000002", "counts": {other: 1}, "unstored": [other]});
    node.ask("n2", gossip);
    assert_eq!(written(&mut node).unwrap()["hints"], json!({THEIRS: 7, other: 1}));
    add(&mut node);
    assert_eq!(written(&mut node).unwrap()["hints"], json!({other: 1}));
}

#[test]
fn no_value_of_the_record_ever_comes_back() {
    let (mut node, record) = node();
    let mut past = vec![record];
    for count in 1..=5 {
        for is_stored in [false, true] {
            tell(&mut node, "n1", count, is_stored);
            past.extend(written(&mut node));
        }
    }
    past.sort_by_key(Value::to_string);
    let all = past.len();
    past.dedup();
    assert_eq!((past.len(), all), (6, 6));
}

#[test]
fn peers_are_told_that_a_hint_is_not_stored() {
    let (mut node, _) = node();
    tell(&mut node, "n1", 7, false);
    let counts = json!({THEIRS: 7});
    assert_eq!(told(&mut node, "n2")[0], (counts.clone(), json!([THEIRS])));
    tell(&mut node, "n1", 7, true);
    assert_eq!(told(&mut node, "n2")[0], (counts, Value::Null), "and the same message when it is");
}

#[test]
fn own_adds_are_told_as_not_stored_while_the_store_is_silent() {
    let (mut node, record) = node();
    let replica = record.as_object().unwrap().keys().next().unwrap().clone();
    add(&mut node);
    let cas = write(&mut node).unwrap();
    node.pass(ms(990));
    let unstored = told(&mut node, "n1").remove(0);
    assert_eq!(unstored, (json!({&replica: 1}), json!([&replica])));
    node.store_says(&cas, json!({"type": "cas_ok"}));
    let stored = told(&mut node, "n1").pop().unwrap();
    assert_eq!(stored, (json!({&replica: 1}), Value::Null));
}

#[test]
fn with_acknowledgement_by_memory_there_are_no_hints() {
    let config = Config { ack: maelstrom_counter::config::AckPolicy::Memory, ..Config::default() };
    let mut node = Harness::member(config, 3);
    add(&mut node);
    assert_eq!(told(&mut node, "n1").pop().unwrap().1, Value::Null);
}

/// An incarnation that finds this record, and has written it for the first time. Returns the written record too.
fn next_incarnation(record: &Value) -> (Harness, Value) {
    let mut node = Harness::incarnation(Config::default(), 3, 2);
    node.ask("c9", json!({"type": "read", "msg_id": 1}));
    let request = node.take_to("seq-kv").remove(0);
    node.store_says(&request, json!({"type": "read_ok", "value": record}));
    // If the record says that a replica is free, the others are asked first.
    for _ in 0..5 {
        let requests = node.take_to("seq-kv");
        if let Some(write) = requests.iter().find(|request| request["type"] == "cas") {
            node.store_says(write, json!({"type": "cas_ok"}));
            return (node, write["to"].clone());
        }
        for request in requests {
            let answer = match request["type"].as_str() {
                Some("write") => json!({"type": "write_ok"}),
                _ => json!({"type": "error", "code": 20, "text": "no such key"}),
            };
            node.store_says(&request, answer);
        }
        node.let_peers_answer(1);
    }
    panic!("the record is not written")
}

#[test]
fn the_next_incarnation_keeps_the_hint() {
    let record = json!({"n0#00000009": 1, "hints": {THEIRS: 7}});
    let (mut node, record) = next_incarnation(&record);
    assert_eq!(record["hints"], json!({THEIRS: 7}));
    for _ in 0..5 {
        node.answer_the_store();
    }
    assert_eq!(read(&mut node), 8);
    assert_eq!(told(&mut node, "n2").pop().unwrap().1, json!([THEIRS]));
}

#[test]
fn a_process_that_inherits_keeps_the_hint_too() {
    let record = json!({"n0#00000009": 1, "free": ["00000009", "00000009"], "hints": {THEIRS: 7}});
    let (_, record) = next_incarnation(&record);
    assert_eq!(record["hints"], json!({THEIRS: 7}));
    assert_eq!(record["held"][0], "00000009");
}

#[test]
fn a_sweep_finds_the_hints_of_a_third_node() {
    let (mut node, _) = next_incarnation(&json!({"n0#00000009": 1}));
    for request in node.take_to("seq-kv") {
        let value = match request["key"].as_str() {
            Some("n1") => json!({THEIRS: 5}),
            Some("n2") => json!({"n2#00000001": 30, "hints": {THEIRS: 7, "n0#00000009": 2}}),
            _ => continue,
        };
        node.store_says(&request, json!({"type": "read_ok", "value": value}));
    }
    assert_eq!(read(&mut node), 2 + 7 + 30);
    let record = written(&mut node).unwrap();
    assert_eq!(record["n0#00000009"], 2);
    assert_eq!(record["hints"], json!({THEIRS: 7}));
}

#[test]
fn a_peers_record_shows_that_a_hint_is_stored() {
    let (mut node, _) = node();
    tell(&mut node, "n1", 7, false);
    written(&mut node).unwrap();
    // It has something to tell, and nobody confirms it.
    add(&mut node);
    written(&mut node).unwrap();
    let mut waited = 0..100;
    let read = loop {
        waited.next().expect("the silent peer's record is read");
        node.pass(ms(100));
        let mut requests = node.take_to("seq-kv");
        requests.retain(|request| request["type"] == "write" || request["key"] == "n1");
        for request in requests.iter().filter(|request| request["type"] == "write") {
            node.store_says(request, json!({"type": "write_ok"}));
        }
        if let Some(read) = requests.into_iter().find(|request| request["type"] == "read") {
            break read;
        }
    };
    node.store_says(&read, json!({"type": "read_ok", "value": {THEIRS: 7}}));
    add(&mut node);
    assert_eq!(written(&mut node).unwrap()["hints"], Value::Null);
}

#[test]
fn an_unstored_count_of_an_earlier_incarnation_becomes_a_row_of_the_own_record() {
    let (mut node, record) = node();
    let old = "n0#00000009";
    let gossip = |unstored: Value| json!({"type": "gossip", "epoch": "00000001", "counts": {old: 3}, "unstored": unstored});
    node.ask("n1", gossip(json!([old])));
    let mut wanted = record;
    wanted[old] = json!(3);
    assert_eq!(written(&mut node).unwrap(), wanted);
    assert_eq!(told(&mut node, "n2").pop().unwrap().1, Value::Null, "now it is stored");
}

#[test]
fn more_can_not_be_unstored_than_is_counted() {
    let (mut node, _) = node();
    let names: Vec<_> = (0..9).map(|i| format!("n1#0000000{i}")).collect();
    let gossip =
        json!({"type": "gossip", "msg_id": 3, "epoch": "00000001", "counts": {THEIRS: 7}, "unstored": names});
    assert_eq!(node.answers("n1", gossip), [] as [Value; 0], "it is neither confirmed nor merged");
    assert_eq!(write(&mut node), None);
}

#[test]
fn a_claim_about_a_stranger_is_not_kept() {
    let (mut node, _) = node();
    let counts = json!({"n7#00000001": 7});
    let gossip =
        json!({"type": "gossip", "epoch": "00000001", "counts": counts, "unstored": ["n7#00000001", THEIRS]});
    node.ask("n1", gossip);
    assert_eq!(write(&mut node), None);
}

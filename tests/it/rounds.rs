//! Gossip, message by message: which peer's turn it is, which counts are told again, and which are confirmed.

use std::time::Duration;

use maelstrom_counter::config::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

/// A node of three whose peers hold nothing, and have met it. The store is silent.
fn node(seed: u64) -> Harness {
    let mut node = Harness::incarnation(Config { ack: AckPolicy::Memory, ..Config::default() }, 3, seed);
    node.ask("c9", json!({"type": "read", "msg_id": 1}));
    for _ in 0..20 {
        node.pass(ms(50));
        for peer in ["n1", "n2"] {
            for hello in node.take_to(peer) {
                confirm(&mut node, peer, &hello);
            }
        }
    }
    node.take();
    node
}

fn epoch(peer: &str) -> String {
    format!("000000{peer}").replace('n', "0")
}

fn confirm(node: &mut Harness, peer: &str, gossip: &Value) {
    node.ask(peer, json!({"type": "gossip_ok", "in_reply_to": gossip["msg_id"], "epoch": epoch(peer)}));
}

fn add(node: &mut Harness) {
    node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 1}));
}

/// The next gossip to a peer, and how long it took.
fn told(node: &mut Harness, peer: &str) -> (Value, Duration) {
    node.wait_for(peer, |body| body["type"] == "gossip")
}

/// A peer sends gossip without counts that wants an answer. Returns the answer.
fn asks(node: &mut Harness, peer: &str) -> Value {
    let gossip = json!({"type": "gossip", "msg_id": 7, "epoch": epoch(peer)});
    node.answers(peer, gossip).into_iter().find(|body| body["type"] == "gossip_ok").unwrap()
}

#[test]
fn a_round_tells_one_peer_and_the_next_round_another() {
    for seed in 0..20 {
        let mut node = node(seed);
        add(&mut node);
        node.pass(ms(250));
        let told = ["n1", "n2"].map(|peer| node.take_to(peer).len());
        assert_eq!(told, [1, 1], "seed {seed}");
    }
}

#[test]
fn an_answer_that_brings_counts_stands_in_for_a_round() {
    let mut delays = Vec::new();
    for seed in 0..20 {
        let mut node = node(seed);
        add(&mut node);
        // Unless the round was due at once, and n1 was told in it.
        if asks(&mut node, "n1")["counts"].is_object() && node.take_to("n2").is_empty() {
            delays.push(told(&mut node, "n2").1);
        }
    }
    assert!(delays.len() > 5 && delays.iter().all(|delay| *delay >= ms(75)), "{delays:?}");
    assert!(delays.iter().all(|delay| *delay <= ms(250)), "{delays:?}");
}

/// n2 has its turn, however often n1 loses its memory and asks.
#[test]
fn an_answer_stands_in_for_a_round_only_once_in_a_row() {
    let mut node = node(1);
    add(&mut node);
    for incarnation in 0..10 {
        let epoch = format!("{:08x}", 0x100 + incarnation);
        node.ask("n1", json!({"type": "gossip", "msg_id": incarnation, "epoch": epoch}));
        node.pass(ms(50));
        if node.take_to("n2").iter().any(|body| body["type"] == "gossip") {
            return;
        }
    }
    panic!("n2 never had its turn");
}

#[test]
fn while_a_message_is_on_its_way_an_answer_brings_nothing_and_then_the_same_again() {
    let mut node = node(1);
    add(&mut node);
    let (gossip, _) = told(&mut node, "n1");
    let early = asks(&mut node, "n1");
    assert_eq!((&early["counts"], &early["msg_id"]), (&Value::Null, &Value::Null));
    let (again, later) = told(&mut node, "n1");
    assert_eq!((&again["msg_id"], &again["counts"]), (&gossip["msg_id"], &gossip["counts"]));
    assert!((ms(375)..=ms(625)).contains(&later), "{later:?}");
    let late = asks(&mut node, "n1");
    assert_eq!((&late["msg_id"], &late["counts"]), (&gossip["msg_id"], &gossip["counts"]));
}

#[test]
fn pauses_double_up_to_a_second() {
    let mut node = node(1);
    add(&mut node);
    told(&mut node, "n1");
    let delays: Vec<_> = (0..4).map(|_| told(&mut node, "n1").1).collect();
    let bounds = [ms(375)..=ms(625), ms(750)..=ms(1250), ms(750)..=ms(1250), ms(750)..=ms(1250)];
    assert!(delays.iter().zip(bounds).all(|(delay, bound)| bound.contains(delay)), "{delays:?}");
}

/// A silent peer is sent a probe under another id, and the counts once it has confirmed that.
#[test]
fn many_counts_are_sent_again_only_to_a_peer_that_is_there() {
    let mut node = node(1);
    let counts: serde_json::Map<_, _> = (0..9).map(|row| (format!("n2#{row:08x}"), json!(1))).collect();
    node.ask("n2", json!({"type": "gossip", "epoch": epoch("n2"), "counts": counts}));
    let (first, _) = told(&mut node, "n1");
    assert_eq!(first["counts"].as_object().unwrap().len(), 9);
    let (probe, _) = told(&mut node, "n1");
    assert!(probe["counts"].is_null() && probe["msg_id"] != first["msg_id"], "{probe}");
    confirm(&mut node, "n1", &probe);
    let (again, delay) = told(&mut node, "n1");
    assert_eq!(
        (&again["msg_id"], &again["counts"], delay),
        (&first["msg_id"], &first["counts"], Duration::ZERO)
    );
    confirm(&mut node, "n1", &first);
    node.pass(ms(5000));
    assert!(node.take_to("n1").is_empty(), "n1 has confirmed them, and is told nothing more");
}

/// A peer that is no link is told nothing unasked.
#[test]
fn a_peer_that_is_no_link_is_answered_and_not_told_by_itself() {
    let mut node = Harness::incarnation(Config { ack: AckPolicy::Memory, ..Config::default() }, 30, 1);
    add(&mut node);
    let mut linked = std::collections::BTreeSet::new();
    while node.now < ms(300) {
        linked.extend(node.take().into_iter().map(|message| message["dest"].to_string()));
        node.pass(ms(10));
    }
    linked.retain(|name| name.starts_with("\"n"));
    assert_eq!(linked.len(), 3, "{linked:?}");
    let other = (1..30).map(|peer| format!("n{peer}")).find(|peer| !linked.contains(&format!("\"{peer}\"")));
    let other = other.unwrap();
    let gossip = json!({"type": "gossip", "msg_id": 7, "epoch": epoch("n9")});
    let answer = node.answers(&other, gossip).into_iter().find(|body| body["type"] == "gossip_ok").unwrap();
    assert_eq!(answer["counts"].as_object().unwrap().len(), 1);
    node.ask(&other, json!({"type": "gossip", "ack": answer["msg_id"], "epoch": epoch("n9")}));
    add(&mut node);
    for _ in 0..20 {
        node.pass(ms(50));
        for peer in &linked {
            let peer = peer.trim_matches('"');
            for gossip in node.take_to(peer) {
                confirm(&mut node, peer, &gossip);
            }
        }
    }
    assert!(node.take_to(&other).is_empty(), "it is told by its own links");
}

#[test]
fn counts_that_an_answer_brings_are_confirmed_by_the_next_message() {
    let mut node = node(1);
    add(&mut node);
    let (gossip, _) = told(&mut node, "n1");
    let counts = json!({"n1#00000001": 5});
    node.ask(
        "n1",
        json!({"type": "gossip_ok", "in_reply_to": gossip["msg_id"], "msg_id": 77, "epoch": epoch("n1"), "counts": counts}),
    );
    add(&mut node);
    assert_eq!(told(&mut node, "n1").0["ack"], 77);
    assert_eq!(asks(&mut node, "n1")["ack"], 77);
}

#[test]
fn an_add_that_only_a_peer_can_confirm_is_told_at_once() {
    let mut node = Harness::member(Config::default(), 3);
    add(&mut node);
    node.pass(ms(1500));
    let hello = node.take_to("n1").remove(0);
    confirm(&mut node, "n1", &hello);
    for msg_id in 2..5 {
        let (gossip, delay) = told(&mut node, "n1");
        assert_eq!(delay, Duration::ZERO);
        confirm(&mut node, "n1", &gossip);
        node.ask("c2", json!({"type": "add", "delta": 1, "msg_id": msg_id}));
    }
}

/// The peer's confirmation was lost, but its counts show that it has the add.
#[test]
fn a_peer_that_tells_the_own_count_holds_it() {
    let mut node = Harness::member(Config::default(), 2);
    node.let_record_be_written_after_first_read();
    let hello = told(&mut node, "n1").0;
    confirm(&mut node, "n1", &hello);
    add(&mut node);
    node.pass(ms(1100));
    let counts = told(&mut node, "n1").0["counts"].clone();
    assert!(node.take_to("c1").is_empty());
    node.ask("n1", json!({"type": "gossip", "epoch": epoch("n1"), "counts": counts}));
    assert_eq!(node.take_to("c1")[0]["type"], "add_ok");
}

/// An add waits for the store, which is not down. So no peer's confirmation would acknowledge it.
#[test]
fn an_add_that_the_store_can_confirm_is_not_told_at_once() {
    let mut delays = Vec::new();
    for seed in 0..20 {
        let mut node = Harness::incarnation(Config::default(), 3, seed);
        node.let_record_be_written_after_first_read();
        for _ in 0..40 {
            node.pass(ms(50));
            for hello in node.take_to("n1") {
                confirm(&mut node, "n1", &hello);
            }
        }
        add(&mut node);
        let counts = json!({"n2#00000001": 5});
        node.ask("n2", json!({"type": "gossip", "epoch": epoch("n2"), "counts": counts}));
        delays.push(told(&mut node, "n1").1);
    }
    assert!(delays.iter().any(|delay| *delay > ms(30)), "{delays:?}");
}

#[test]
fn a_store_answer_that_a_peer_sends_is_ignored() {
    let mut node = Harness::member(Config::default(), 2);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    let read = node.take_to("seq-kv").remove(0);
    node.ask("n1", json!({"type": "error", "code": 20, "text": "no", "in_reply_to": read["msg_id"]}));
    assert_eq!(node.take_to("seq-kv"), [] as [Value; 0]);
}

#[test]
fn a_count_of_an_earlier_incarnation_that_a_peer_tells_gets_into_the_record() {
    let mut node = Harness::member(Config::default(), 2);
    node.let_record_be_written_after_first_read();
    let counts = json!({"n0#00000009": 3});
    node.ask("n1", json!({"type": "gossip", "epoch": "00000001", "counts": {"n1#00000001": 1}}));
    assert_eq!(node.take_to("seq-kv"), [] as [Value; 0], "others' counts don't");
    node.ask("n1", json!({"type": "gossip", "epoch": "00000001", "counts": counts}));
    assert_eq!(node.let_record_be_written()["n0#00000009"], 3);
}

//! Shown adds are stored: neither clients nor peers see an add that a crash could still take back.

use maelstrom_counter::config::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

fn with_ack(ack: AckPolicy) -> Harness {
    let mut node = Harness::member(Config { ack, ..Config::default() }, 2);
    node.let_record_be_written_after_first_read();
    while node.now < ms(2000) {
        for hello in node.take_to("n1") {
            let body = json!({"type": "gossip_ok", "in_reply_to": hello["msg_id"], "epoch": "00000001"});
            node.ask("n1", body);
        }
        node.pass(ms(100));
    }
    node
}

fn read(node: &mut Harness) -> Value {
    node.answers("c2", json!({"type": "read", "msg_id": 2})).remove(0)["value"].clone()
}

/// The counts that n1 is told within a second.
fn told(node: &mut Harness) -> Vec<Value> {
    node.pass(ms(900));
    let gossip = node.take_to("n1").into_iter().filter(|body| body["type"] == "gossip");
    gossip.filter_map(|body| body["counts"].as_object()?.values().next().cloned()).collect()
}

#[test]
fn an_add_is_shown_and_told_once_it_is_stored() {
    for ack in [AckPolicy::Store, AckPolicy::Durable] {
        let mut node = with_ack(ack);
        node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
        assert_eq!(read(&mut node), 0, "{ack:?}");
        assert_eq!(told(&mut node), [] as [Value; 0], "{ack:?}");
        let cas = node.take_to("seq-kv").pop().unwrap();
        node.store_says(&cas, json!({"type": "cas_ok"}));
        assert_eq!(node.take_to("c1"), [json!({"type": "add_ok", "in_reply_to": 1})]);
        assert_eq!(read(&mut node), 3, "{ack:?}");
        assert_eq!(told(&mut node)[0], 3, "{ack:?}");
    }
}

#[test]
fn while_the_store_is_down_a_peer_is_told_of_unstored_adds() {
    let mut node = with_ack(AckPolicy::Durable);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    assert_eq!(told(&mut node), [] as [Value; 0], "the store may still answer");
    assert_eq!(told(&mut node)[0], 3);
    assert_eq!(read(&mut node), 3);
}

#[test]
fn once_the_store_answers_again_a_peers_confirmation_is_not_enough() {
    let mut node = with_ack(AckPolicy::Durable);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let cas = node.take_to("seq-kv").pop().unwrap();
    node.pass(ms(1100));
    let gossip = node.take_to("n1").into_iter().find(|body| body["counts"].is_object()).unwrap();
    node.store_says(&cas, json!({"type": "error", "code": 22, "text": "another value"}));
    node.ask("n1", json!({"type": "gossip_ok", "in_reply_to": gossip["msg_id"], "epoch": "00000001"}));
    assert_eq!(node.take_to("c1"), [] as [Value; 0]);
    let read = node.take_to("seq-kv").pop().unwrap();
    node.store_says(&read, json!({"type": "read_ok", "value": cas["to"]}));
    assert_eq!(node.take_to("c1"), [json!({"type": "add_ok", "in_reply_to": 1})]);
}

#[test]
fn a_store_that_is_silent_from_the_start_is_waited_for_no_longer_than_its_timeout() {
    let config = Config { store_timeout: ms(300), ..Config::default() };
    let mut node = Harness::member(config, 2);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    for (passes, counted) in [(299, 0), (1, 3)] {
        node.pass(ms(passes));
        assert_eq!(node.endpoint.node().counted().unwrap().up, counted);
    }
}

#[test]
fn with_acknowledgement_by_the_store_only_stored_adds_are_shown() {
    let mut node = with_ack(AckPolicy::Store);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    for _ in 0..5 {
        assert_eq!(told(&mut node), [] as [Value; 0]);
    }
    assert_eq!(read(&mut node), 0);
}

#[test]
fn with_acknowledgement_by_memory_everything_is_shown_at_once() {
    let mut node = with_ack(AckPolicy::Memory);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    assert_eq!(read(&mut node), 3);
    assert_eq!(told(&mut node)[0], 3);
}

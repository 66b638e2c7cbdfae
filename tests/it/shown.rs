//! What is shown is stored: neither clients nor peers see what a crash could still take back.

use maelstrom_counter::config::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

fn with_ack(ack: AckPolicy) -> Harness {
    let mut node = Harness::member(Config { ack, ..Config::default() }, 2);
    node.let_slot_be_written_after_first_read();
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
fn while_the_store_is_down_a_peer_must_be_told_what_is_not_stored() {
    let mut node = with_ack(AckPolicy::Durable);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    assert_eq!(told(&mut node), [] as [Value; 0], "it may yet answer");
    assert_eq!(told(&mut node)[0], 3);
    assert_eq!(read(&mut node), 3);
}

#[test]
fn where_the_store_alone_may_confirm_nothing_else_is_ever_shown() {
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

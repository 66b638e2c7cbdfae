//! Messages that come late: answers after a pause, and messages of earlier incarnations.

use maelstrom_counter::config::{AckPolicy, Config};
use maelstrom_counter::endpoint::Endpoint;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

fn memory() -> Config {
    Config { ack: AckPolicy::Memory, ..Config::default() }
}

#[test]
fn after_a_long_pause_the_requests_that_waited_are_not_answered() {
    let mut node = Harness::member(memory(), 1);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    node.pass(ms(1000));
    node.freeze(ms(4500));
    node.find(&[
        ("c2", json!({"type": "read", "msg_id": 1})),
        ("c2", json!({"type": "frob", "msg_id": 2})),
        ("c2", json!({"type": "add", "delta": 1, "msg_id": 3})),
    ]);
    assert_eq!(node.take_to("c2"), [] as [Value; 0], "no error is safe either");
    assert_eq!(node.endpoint.node().value(), 0);
    assert_eq!(node.answers("c3", json!({"type": "read", "msg_id": 1})).len(), 1, "handed in since");
}

/// The process is resumed, runs for a moment, and stands still again, several times before it reads.
#[test]
fn no_stutter_makes_a_request_that_waited_look_young() {
    for still in [60, 210, 300, 480, 700] {
        for glimpses in 0..8 {
            let mut node = Harness::member(memory(), 1);
            node.ask("c1", json!({"type": "read", "msg_id": 1}));
            node.freeze(ms(4200));
            for _ in 0..glimpses {
                node.glimpse();
                node.freeze(ms(still));
            }
            node.find(&[("c2", json!({"type": "read", "msg_id": 1}))]);
            assert_eq!(node.take_to("c2"), [] as [Value; 0], "{glimpses} glimpses, {still} ms apart");
            assert_eq!(node.answers("c3", json!({"type": "read", "msg_id": 1})).len(), 1);
        }
    }
}

/// An answer is written at once, unless the process is stopped before that.
#[test]
fn an_answer_that_could_not_leave_in_time_is_withdrawn() {
    let line = |src: &str, body: &Value| json!({"src": src, "dest": "n0", "body": body}).to_string();
    let mut endpoint = Endpoint::new(memory(), SmallRng::seed_from_u64(1));
    let mut out = Vec::new();
    endpoint.looked(ms(0), 0);
    let init = json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ["n0", "n1"]});
    endpoint.receive(ms(0), line("c0", &init).as_bytes(), &mut out);
    out.clear();
    for (src, looked) in [("c1", 0), ("c2", 2000)] {
        endpoint.looked(ms(looked), 0);
        let add = json!({"type": "add", "delta": 1, "msg_id": 1});
        endpoint.receive(ms(2000), line(src, &add).as_bytes(), &mut out);
    }
    endpoint.wake(ms(2000), &mut out);
    let heard = |out: &[u8]| {
        let lines = out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let dest = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap()["dest"].to_string();
        lines.map(dest).collect::<Vec<_>>()
    };
    let all = heard(&out);
    assert!(all.starts_with(&["\"c1\"".into(), "\"c2\"".into()]) && all.len() > 2, "{all:?}");
    endpoint.withdraw(ms(4050), 0, &mut out);
    assert_eq!(heard(&out), all);
    endpoint.withdraw(ms(4051), 0, &mut out);
    assert_eq!(heard(&out), all[1..], "c1 may have left; c2 has not, and others wait for no one");
    let (mut partly_written, mut copy) = (out.clone(), endpoint.clone());
    copy.withdraw(ms(9000), 10, &mut partly_written);
    assert_eq!(partly_written, out, "a line that has begun to leave is finished");
    endpoint.withdraw(ms(9000), 0, &mut out);
    assert_eq!(heard(&out), all[2..]);
}

#[test]
fn a_request_is_answered_up_to_four_seconds_after_it_may_have_been_sent() {
    for (waited, is_answered) in [(ms(4000), true), (ms(4001), false)] {
        let mut node = Harness::member(memory(), 1);
        node.ask("c1", json!({"type": "read", "msg_id": 1}));
        node.freeze(waited);
        node.find(&[("c2", json!({"type": "read", "msg_id": 1}))]);
        assert_eq!(node.take_to("c2").len(), usize::from(is_answered), "{waited:?}");
    }
}

#[test]
fn after_a_short_pause_requests_are_answered_but_the_time_that_they_waited_counts() {
    let mut node = Harness::member(Config { ack: AckPolicy::Store, ..Config::default() }, 1);
    node.let_record_be_written_after_first_read();
    node.pass(ms(1000));
    node.freeze(ms(3000));
    node.ask("c2", json!({"type": "add", "delta": 1, "msg_id": 3}));
    node.pass(ms(1000));
    assert_eq!(node.take_to("c2")[0]["code"], 0, "4 s after it may have been sent, not after it was read");
}

#[test]
fn an_answer_that_is_due_while_the_node_is_paused_is_never_given() {
    let mut node = Harness::member(Config { ack: AckPolicy::Store, ..Config::default() }, 1);
    node.let_record_be_written_after_first_read();
    node.ask("c2", json!({"type": "add", "delta": 1, "msg_id": 3}));
    let cas = node.take_to("seq-kv").remove(0);
    node.freeze(ms(5000));
    node.store_says(&cas, json!({"type": "cas_ok"}));
    node.pass(ms(1000));
    assert!(node.take_to("c2").is_empty());
}

/// The gossip to n1 that comes next, within 2 s.
fn next_gossip(node: &mut Harness) -> Option<Value> {
    node.take();
    for _ in 0..200 {
        node.pass(ms(10));
        if let Some(gossip) = node.take_to("n1").into_iter().find(|body| body["type"] == "gossip") {
            return Some(gossip);
        }
    }
    None
}

fn confirm(node: &mut Harness, gossip: &Value, epoch: &str) {
    node.ask("n1", json!({"type": "gossip_ok", "in_reply_to": gossip["msg_id"], "epoch": epoch}));
}

fn has_counts(gossip: &Value) -> bool {
    gossip["counts"].as_object().is_some_and(|counts| !counts.is_empty())
}

#[test]
fn a_peer_that_lost_its_memory_is_told_everything_again() {
    let mut node = Harness::member(memory(), 2);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let gossip = node.take_to("n1").remove(0);
    assert!(has_counts(&gossip));
    confirm(&mut node, &gossip, "00000001");
    assert_eq!(next_gossip(&mut node), None, "n1 has it");
    node.ask("n1", json!({"type": "gossip", "msg_id": 5, "epoch": "00000002"}));
    let answer = node.take_to("n1").remove(0);
    assert!(has_counts(&answer), "the new incarnation has nothing: {answer}");
}

#[test]
fn messages_of_an_earlier_incarnation_do_not_confirm_for_the_present_one() {
    let mut node = Harness::member(memory(), 2);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let first = node.take_to("n1").remove(0);
    let own = first["counts"].clone();
    // The second incarnation of n1 says hello. After that two messages of the first arrive, and then an answer.
    node.ask("n1", json!({"type": "gossip", "msg_id": 5, "epoch": "00000002"}));
    for msg_id in [1, 2] {
        node.ask("n1", json!({"type": "gossip", "msg_id": msg_id, "epoch": "00000001", "counts": own}));
    }
    confirm(&mut node, &first, "00000001");
    // The second incarnation is quiet now and lacks the count. It must be told until it confirms.
    for _ in 0..5 {
        let Some(gossip) = next_gossip(&mut node) else { break };
        if has_counts(&gossip) {
            return;
        }
        confirm(&mut node, &gossip, "00000002");
    }
    panic!("n1 was never told");
}

#[test]
fn a_message_that_was_sent_is_not_known_to_have_arrived() {
    let mut node = Harness::member(memory(), 2);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    for _ in 0..5 {
        let gossip = next_gossip(&mut node).expect("unconfirmed: to be sent again");
        assert!(has_counts(&gossip));
    }
}

#[test]
fn once_everybody_has_everything_the_node_is_silent() {
    let mut node = Harness::member(memory(), 2);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    for _ in 0..20 {
        node.answer_the_store();
        for gossip in node.take_to("n1") {
            confirm(&mut node, &gossip, "00000001");
        }
        node.pass(ms(100));
    }
    node.take();
    node.pass(ms(60_000));
    assert_eq!(node.take(), [] as [Value; 0]);
}

#[test]
fn a_claim_that_can_not_be_true_is_not_credited_to_the_peer_either() {
    let mut node = Harness::member(memory(), 2);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let gossip = node.take_to("n1").remove(0);
    let own = gossip["counts"].as_object().unwrap().keys().next().unwrap().clone();
    confirm(&mut node, &gossip, "00000001");
    let lie = json!({"type": "gossip", "msg_id": 5, "epoch": "00000001", "counts": {own: 1_000_000}});
    node.ask("n1", lie);
    node.ask("c1", json!({"type": "add", "delta": 4, "msg_id": 2}));
    assert!(has_counts(&next_gossip(&mut node).expect("n1 lacks the second add")));
}

#[test]
fn a_store_whose_answers_waited_for_this_node_is_not_down() {
    let mut node = Harness::member(Config::default(), 2);
    node.let_record_be_written_after_first_read();
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let cas = node.take_to("seq-kv").remove(0);
    for _ in 0..50 {
        for gossip in node.take_to("n1") {
            confirm(&mut node, &gossip, "00000001");
        }
        node.pass(ms(10));
    }
    node.freeze(ms(2000));
    node.glimpse();
    assert!(node.take_to("c1").is_empty(), "the peer's confirmation counts only while the store is down");
    let read = node.answers("c2", json!({"type": "read", "msg_id": 1}));
    assert_eq!(read[0]["value"], 0, "unstored adds are shown only then");
    node.store_says(&cas, json!({"type": "cas_ok"}));
    assert_eq!(node.take_to("c1"), [json!({"type": "add_ok", "in_reply_to": 1})]);
}

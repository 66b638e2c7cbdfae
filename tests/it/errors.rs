//! Every row of the table of errors. Bad input is never counted, lost or fatal.

use maelstrom_counter::config::{AckPolicy, Config, CounterKind, MAX_NODES};
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

fn memory() -> Config {
    Config { ack: AckPolicy::Memory, ..Config::default() }
}

fn code(answers: &[Value]) -> Option<i64> {
    match answers {
        [answer] if answer["type"] == "error" && answer["text"] != "" => {
            answer["text"].as_str().and(answer["code"].as_i64())
        }
        _ => None,
    }
}

#[test]
fn a_request_before_init_is_refused_for_now() {
    let mut node = Harness::new(memory(), 1);
    for request in [json!({"type": "read", "msg_id": 7}), json!({"type": "add", "delta": 1, "msg_id": 7})] {
        node.ask("c1", request);
        let answer = node.take().remove(0);
        assert_eq!((&answer["src"], &answer["dest"]), (&json!("n0"), &json!("c1")));
        assert_eq!(code(&[answer["body"].clone()]), Some(11));
        assert_eq!(answer["body"]["in_reply_to"], 7);
    }
    assert_eq!(code(&node.answers("c1", json!({"type": "frob", "msg_id": 7}))), Some(10));
    assert!(node.take().is_empty());
}

#[test]
fn a_request_before_init_that_has_waited_for_more_than_four_seconds_is_not_refused_any_more() {
    for (waited, is_answered) in [(ms(4000), true), (ms(4001), false)] {
        let mut node = Harness::new(memory(), 1);
        node.ask("c1", json!({"type": "gossip", "epoch": "00000001"}));
        node.freeze(waited);
        assert_eq!(node.answers("c1", json!({"type": "read", "msg_id": 7})).len(), usize::from(is_answered));
        let init = json!({"type": "init", "msg_id": 8, "node_id": "n0", "node_ids": ["n0"]});
        assert_eq!(node.answers("c0", init)[0]["type"], "init_ok", "that one always");
    }
}

#[test]
fn a_cluster_that_is_too_large_is_refused() {
    for (more, answer) in [(0, "init_ok"), (1, "error")] {
        let ids: Vec<_> = (0..MAX_NODES + more).map(|i| format!("n{i}")).collect();
        let init = json!({"type": "init", "msg_id": 8, "node_id": "n0", "node_ids": ids});
        assert_eq!(Harness::new(memory(), 1).answers("c0", init)[0]["type"], answer);
    }
}

#[test]
fn a_node_tells_its_name_and_its_count() {
    let mut node = Harness::new(memory(), 1);
    assert!(node.endpoint.node().name().is_none() && node.endpoint.node().counted().is_none());
    node.ask("c0", json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ["n0"]}));
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let node = node.endpoint.node();
    assert_eq!((node.name().unwrap().as_str(), node.replica().unwrap().node()), ("n0", "n0"));
    assert_eq!((node.counted().unwrap().up, node.value()), (3, 3));
}

#[test]
fn an_unknown_type_is_not_supported() {
    let mut node = Harness::member(memory(), 1);
    assert_eq!(code(&node.answers("c1", json!({"type": "frob", "msg_id": 7}))), Some(10));
}

#[test]
fn a_malformed_request_is_refused_and_counts_nothing() {
    let mut node = Harness::member(memory(), 3);
    let bodies = [
        r#"{"msg_id":7}"#,
        r#"{"type":7,"msg_id":7}"#,
        r#"{"type":"add","msg_id":7}"#,
        r#"{"type":"add","msg_id":7,"delta":-1}"#,
        r#"{"type":"add","msg_id":7,"delta":null}"#,
        r#"{"type":"add","msg_id":7,"delta":"1"}"#,
        r#"{"type":"add","msg_id":7,"delta":1.5}"#,
        r#"{"type":"add","msg_id":7,"delta":1e400}"#,
        r#"{"type":"add","msg_id":7,"delta":9223372036854775808}"#,
        r#"{"type":"add","msg_id":7,"delta":1000000000000000000000000000000}"#,
        r#"{"type":"add","msg_id":7,"delta":{"a":[1]}}"#,
        r#"{"type":"init","msg_id":7}"#,
    ];
    for body in bodies {
        node.take();
        node.line(format!(r#"{{"src":"c1","dest":"n0","body":{body}}}"#).as_bytes());
        assert_eq!(code(&node.take_to("c1")), Some(12), "{body}");
    }
    let deep = format!(
        r#"{{"src":"c1","dest":"n0","body":{{"type":"add","msg_id":7,"delta":{}{}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    node.line(deep.as_bytes());
    assert_eq!(code(&node.take_to("c1")), Some(12));
    assert_eq!(node.endpoint.node().value(), 0);
}

/// A stranger may not exist, and a message to a destination that does not exist mutes the node.
#[test]
fn gossip_is_never_refused_whoever_sends_it_and_whatever_it_says() {
    let gossips = [
        r#"{"type":"gossip","msg_id":5,"epoch":"e","counts":{}}"#,
        r#"{"type":"gossip","msg_id":5,"epoch":"00000001","counts":{"n1#00000001":-1}}"#,
        r#"{"type":"gossip","msg_id":5,"epoch":"00000001","counts":{"n1":1}}"#,
        r#"{"type":"gossip","msg_id":5,"epoch":"00000001","counts":[1]}"#,
        r#"{"type":"gossip","msg_id":5,"epoch":"00000001","counts":{},"ack":"x"}"#,
        r#"{"type":"gossip","msg_id":5}"#,
        r#"{"type":"gossip","msg_id":"x"}"#,
        r#"{"type":"gossip_ok","in_reply_to":"x"}"#,
        r#"{"type":"gossip_ok","in_reply_to":5,"msg_id":6,"epoch":"e"}"#,
    ];
    for is_member in [false, true] {
        for gossip in gossips {
            for src in ["zz", "n1", "n9", "seq-kv"] {
                let mut node = Harness::new(memory(), 1);
                if is_member {
                    node = Harness::member(memory(), 3);
                }
                node.line(format!(r#"{{"src":"{src}","dest":"n0","body":{gossip}}}"#).as_bytes());
                assert_eq!(node.take(), [] as [Value; 0], "{src}: {gossip}");
            }
        }
        let mut node = Harness::member(memory(), 3);
        let good = json!({"type": "gossip", "msg_id": 5, "epoch": "00000001", "counts": {"n1#00000001": 1}});
        node.ask("zz", good);
        assert_eq!(node.take(), [] as [Value; 0], "well-formed, but from a stranger");
    }
}

#[test]
fn a_line_that_names_nobody_to_answer_is_ignored() {
    let mut node = Harness::member(memory(), 3);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    node.pass(ms(5000));
    node.take();
    let lines: [&[u8]; 14] = [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b"{",
        b"null",
        b"[]",
        b"{}",
        br#"["c1",{"type":"read","msg_id":7}]"#,
        br#"{"src":7,"dest":"n0","body":{"type":"read","msg_id":7}}"#,
        br#"{"dest":"n0","body":{"type":"read","msg_id":7}}"#,
        br#"{"src":"c1","dest":"n0"}"#,
        br#"{"src":"c1","dest":"n0","body":[]}"#,
        br#"{"src":"c1","dest":"n0","body":{"type":"read","msg_id":"seven"}}"#,
        br#"{"src":"c1","dest":"n0","body":{"type":"frob_ok","in_reply_to":7,"msg_id":7}}"#,
    ];
    for line in lines {
        node.line(line);
        let said = node.take();
        assert!(said.is_empty(), "{}: {said:?}", String::from_utf8_lossy(line));
    }
}

#[test]
fn an_add_that_would_overflow_is_aborted_and_counts_nothing() {
    let mut node = Harness::member(memory(), 1);
    for _ in 0..2 {
        node.ask("c1", json!({"type": "add", "delta": i64::MAX, "msg_id": 7}));
    }
    assert_eq!(code(&node.answers("c1", json!({"type": "add", "delta": 2, "msg_id": 7}))), Some(14));
    let answers = node.answers("c1", json!({"type": "read", "msg_id": 8}));
    assert_eq!(answers, [json!({"type": "read_ok", "in_reply_to": 8, "value": u64::MAX - 1})]);
}

#[test]
fn a_pn_counter_takes_negative_deltas() {
    let mut node = Harness::member(Config { counter: CounterKind::Pn, ..memory() }, 1);
    for delta in [-5, 3, i64::MIN + 10] {
        node.ask("c1", json!({"type": "add", "delta": delta, "msg_id": 7}));
    }
    let answers = node.answers("c1", json!({"type": "read", "msg_id": 8}));
    node.ask("c1", json!({"type": "add", "delta": i64::MIN, "msg_id": 9}));
    assert_eq!(code(&node.answers("c1", json!({"type": "add", "delta": -100, "msg_id": 10}))), Some(14));
    assert_eq!(answers, [json!({"type": "read_ok", "in_reply_to": 8, "value": i64::MIN + 8})]);
}

#[test]
fn replies_hold_only_fields_that_the_schema_allows() {
    let mut node = Harness::member(memory(), 1);
    let naught = node.answers("c1", json!({"type": "add", "delta": 0, "msg_id": 6}));
    assert_eq!(naught, [json!({"type": "add_ok", "in_reply_to": 6})]);
    let added = node.answers("c1", json!({"type": "add", "delta": 3, "msg_id": 7}));
    assert_eq!(added, [json!({"type": "add_ok", "in_reply_to": 7})]);
    let read = node.answers("c1", json!({"type": "read", "msg_id": 8}));
    assert_eq!(read, [json!({"type": "read_ok", "in_reply_to": 8, "value": 3})]);
}

#[test]
fn a_second_init_is_confirmed_if_it_says_the_same() {
    let mut node = Harness::member(memory(), 1);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 7}));
    let again = node.answers("c2", json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ["n0"]}));
    assert_eq!(again, [json!({"type": "init_ok", "in_reply_to": 1})]);
    for (id, ids) in [("n1", ["n1", "n0"]), ("n1", ["n1", "n1"]), ("n0", ["n0", "n1"])] {
        let other = node.answers("c2", json!({"type": "init", "msg_id": 1, "node_id": id, "node_ids": ids}));
        assert_eq!(code(&other), Some(12), "{id} {ids:?}");
    }
    let doubled = json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ["n0", "n0"]});
    assert_eq!(node.answers("c2", doubled)[0]["type"], "init_ok");
    assert_eq!(node.endpoint.node().value(), 3);
}

#[test]
fn false_claims_about_this_process_are_refused_and_counts_of_unlisted_nodes_are_kept() {
    let mut node = Harness::member(memory(), 3);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 7}));
    node.pass(ms(200));
    let gossip = node.take().into_iter().find(|m| m["body"]["type"] == "gossip").unwrap();
    let own = gossip["body"]["counts"].as_object().unwrap().keys().next().unwrap().clone();
    let counts = json!({own: 1_000_000, "n2#00000001": 5, "zz#00000001": 70});
    node.ask("n1", json!({"type": "gossip", "msg_id": 9, "epoch": "00000001", "counts": counts}));
    assert_eq!(node.endpoint.node().value(), 3 + 5 + 70);
}

#[test]
fn an_add_that_found_neither_store_nor_peers_is_not_counted_or_indefinite_within_4_s() {
    for (ack, expected) in [(AckPolicy::Store, 11), (AckPolicy::Durable, 0)] {
        let mut node = Harness::member(Config { ack, ..Config::default() }, 3);
        node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 7}));
        node.pass(ms(3900));
        assert!(node.take_to("c1").is_empty());
        node.pass(ms(100));
        assert_eq!(code(&node.take_to("c1")), Some(expected), "{ack:?}");
    }
}

#[test]
fn an_add_while_the_store_is_known_to_be_down_is_refused_definitely_and_not_counted() {
    let mut node = Harness::member(Config { ack: AckPolicy::Store, ..Config::default() }, 3);
    node.let_record_be_written_after_first_read();
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 7}));
    node.pass(ms(1100));
    node.ask("c2", json!({"type": "add", "delta": 40, "msg_id": 8}));
    node.pass(ms(4000));
    assert_eq!(code(&node.take_to("c1")), Some(0));
    assert_eq!(code(&node.take_to("c2")), Some(11));
    let cas = node.take_to("seq-kv").pop().unwrap();
    assert_eq!(cas["to"].as_object().unwrap().values().collect::<Vec<_>>(), [3], "not the second");
    node.store_says(&cas, json!({"type": "cas_ok"}));
    assert_eq!(node.endpoint.node().value(), 3);
    assert!(node.take_to("seq-kv").iter().all(|request| request["type"] != "cas"));
}

#[test]
fn a_pending_add_is_counted_once_the_store_answers() {
    let mut node = Harness::member(Config { ack: AckPolicy::Store, ..Config::default() }, 1);
    node.ask("c1", json!({"type": "read", "msg_id": 7}));
    node.pass(ms(1500));
    node.ask("c2", json!({"type": "add", "delta": 40, "msg_id": 8}));
    assert_eq!(node.endpoint.node().value(), 0);
    let request = node.take_to("seq-kv").pop().unwrap();
    node.store_says(&request, json!({"type": "error", "code": 20, "text": "no such key"}));
    let record = node.let_record_be_written();
    assert_eq!(record.as_object().unwrap().values().collect::<Vec<_>>(), [40]);
    assert_eq!(node.take_to("c2")[0]["type"], "add_ok");
}

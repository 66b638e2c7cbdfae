//! Start, restart and shutdown of one node. The test plays the store.

use std::time::Duration;

use maelstrom_counter::config::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

#[test]
fn after_init_nothing_is_sent_unasked_until_the_first_message_or_for_2_s() {
    let mut node = Harness::member(Config::default(), 3);
    node.pass(ms(1999));
    assert!(node.take().is_empty());
    node.pass(ms(1));
    let dests: Vec<_> = node.take().iter().map(|m| m["dest"].clone()).collect();
    assert!(dests.contains(&json!("seq-kv")), "{dests:?}");

    let mut node = Harness::member(Config::default(), 3);
    node.ask("n1", json!({"type": "gossip", "msg_id": 9, "epoch": "00000001"}));
    assert_eq!(node.take_to("seq-kv").len(), 1);
}

#[test]
fn a_first_start_writes_the_record_even_without_a_count() {
    let mut node = Harness::member(Config::default(), 1);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    assert!(node.take_to("c1").is_empty(), "it may have been restarted: the read waits");
    let record = node.let_record_be_written();
    assert_eq!(record.as_object().unwrap().values().collect::<Vec<_>>(), [0]);
    assert_eq!(node.take_to("c1")[0]["value"], 0);
}

#[test]
fn a_first_start_reads_only_the_own_record() {
    let mut node = Harness::member(Config::default(), 3);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    node.let_record_be_written();
    assert_eq!(node.take_to("seq-kv"), [] as [Value; 0]);
}

#[test]
fn a_restart_recovers_the_earlier_incarnations_and_all_records_before_it_serves_reads() {
    let mut node = Harness::member(Config::default(), 3);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    let read = node.take_to("seq-kv").remove(0);
    assert_eq!((&read["type"], &read["key"]), (&json!("read"), &json!("n0")));
    node.store_says(&read, json!({"type": "read_ok", "value": {"n0#00000001": 4}}));
    let cas = node.take_to("seq-kv").remove(0);
    assert_eq!(cas["from"], json!({"n0#00000001": 4}));
    assert_eq!(cas["to"].as_object().unwrap().len(), 2, "the earlier incarnation, and this one");
    node.store_says(&cas, json!({"type": "cas_ok"}));
    assert!(node.take_to("c1").is_empty());
    let records = node.take_to("seq-kv");
    assert_eq!(records.iter().map(|r| r["key"].clone()).collect::<Vec<_>>(), ["n1", "n2"]);
    node.store_says(&records[0], json!({"type": "read_ok", "value": {"n1#00000007": 30, "n1#00000008": 2}}));
    node.store_says(&records[1], json!({"type": "error", "code": 20, "text": "no such key"}));
    assert_eq!(node.take_to("c1"), [json!({"type": "read_ok", "in_reply_to": 1, "value": 36})]);
}

#[test]
fn reads_are_held_for_1_s_at_most() {
    let mut node = Harness::member(Config::default(), 3);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    node.pass(ms(999));
    assert!(node.take_to("c1").is_empty());
    node.pass(ms(1));
    assert_eq!(node.take_to("c1")[0]["type"], "read_ok");
}

#[test]
fn a_record_that_this_node_did_not_write_is_left_alone() {
    for garbage in [json!("garbage"), json!({"n0": 3}), json!({"n1#00000001": 3}), json!({"n0#00000001": -3})]
    {
        let mut node = Harness::member(Config::default(), 1);
        node.ask("c1", json!({"type": "read", "msg_id": 1}));
        let mut reads = 0;
        for _ in 0..500 {
            for request in node.take_to("seq-kv") {
                assert_eq!(request["type"], "read", "{garbage} would be overwritten");
                node.store_says(&request, json!({"type": "read_ok", "value": garbage}));
                reads += 1;
            }
            node.pass(ms(10));
        }
        assert!((8..=12).contains(&reads), "after 50 ms, then twice as long each time up to 1 s: {reads}");
        assert_eq!(node.take_to("c1")[0]["type"], "read_ok", "it serves under its new replica");
    }
}

/// The store refuses. Returns how long it takes until it is asked again.
fn pause_after_a_refusal(node: &mut Harness) -> Duration {
    let request = node.take_to("seq-kv").pop().unwrap();
    node.store_says(&request, json!({"type": "error", "code": 13, "text": "crash"}));
    node.wait_for("seq-kv", |_| true).1
}

#[test]
fn a_store_that_refuses_is_left_alone_ever_longer_until_it_obeys() {
    let mut node = Harness::member(Config::default(), 1);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    for pause in [50, 100, 200, 400, 800, 1000, 1000] {
        assert_eq!(pause_after_a_refusal(&mut node), ms(pause));
        node.pass(ms(300));
    }
    let request = node.take_to("seq-kv").pop().unwrap();
    node.store_says(&request, json!({"type": "error", "code": 20, "text": "no such key"}));
    node.pass(ms(2000));
    node.let_record_be_written();
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 2}));
    assert_eq!(pause_after_a_refusal(&mut node), ms(50));
}

#[test]
fn an_answer_to_one_of_the_last_64_transmissions_counts() {
    for (back, counts) in [(64, true), (65, false)] {
        let mut node = Harness::member(Config::default(), 1);
        node.ask("c1", json!({"type": "read", "msg_id": 1}));
        let mut reads = node.take_to("seq-kv");
        while reads.len() < 70 {
            node.pass(ms(50));
            reads.extend(node.take_to("seq-kv"));
        }
        let read = reads.swap_remove(reads.len() - back);
        node.store_says(&read, json!({"type": "error", "code": 20, "text": "no such key"}));
        assert_eq!(node.take_to("seq-kv").iter().any(|request| request["type"] == "cas"), counts, "{back}");
    }
}

#[test]
fn a_lost_answer_is_cleared_up_by_reading_and_counts_once() {
    let mut node = Harness::member(Config::default(), 1);
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let read = node.take_to("seq-kv").remove(0);
    node.store_says(&read, json!({"type": "error", "code": 20, "text": "no such key"}));
    let cas = node.take_to("seq-kv").remove(0);
    node.pass(ms(1000));
    let again = node.take_to("seq-kv").pop().unwrap();
    assert_eq!((&again["from"], &again["to"]), (&cas["from"], &cas["to"]), "the same again");
    node.store_says(&again, json!({"type": "error", "code": 22, "text": "another value"}));
    let read = node.take_to("seq-kv").remove(0);
    assert_eq!(read["type"], "read", "the node does not know the present value");
    assert!(node.take_to("c1").is_empty());
    node.store_says(&read, json!({"type": "read_ok", "value": cas["to"]}));
    assert_eq!(node.take_to("c1"), [json!({"type": "add_ok", "in_reply_to": 1})]);
    assert!(node.take_to("seq-kv").is_empty(), "nothing is left to be written");
    node.store_says(&cas, json!({"type": "error", "code": 22, "text": "late"}));
    assert!(node.take().is_empty(), "an answer to a request that is not open counts for nothing");
}

#[test]
fn adds_that_come_while_a_commit_is_in_flight_share_the_next() {
    let mut node = Harness::member(Config::default(), 1);
    node.let_record_be_written_after_first_read();
    for id in 0..10 {
        node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": id}));
    }
    let requests = node.take_to("seq-kv");
    assert_eq!(requests.len(), 1, "one at a time");
    node.store_says(&requests[0], json!({"type": "cas_ok"}));
    assert_eq!(node.take_to("c1").len(), 1, "only the first was in it");
    let requests = node.take_to("seq-kv");
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["to"].as_object().unwrap().values().collect::<Vec<_>>(), [10]);
    node.store_says(&requests[0], json!({"type": "cas_ok"}));
    assert_eq!(node.take_to("c1").len(), 9);
}

#[test]
fn a_clean_shutdown_stores_the_record() {
    let mut node = Harness::member(Config { ack: AckPolicy::Memory, ..Config::default() }, 1);
    node.let_record_be_written_after_first_read();
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    node.terminate();
    assert!(!node.endpoint.is_done());
    assert_eq!(node.answers("c1", json!({"type": "add", "delta": 5, "msg_id": 2}))[0]["code"], 11);
    node.let_record_be_written();
    assert!(!node.endpoint.is_done(), "the next process may not have the replica yet");
    let record = node.let_record_be_written();
    assert!(node.endpoint.is_done());
    assert_eq!(node.endpoint.node().value(), 3);
    assert!(record["free"].is_array(), "{record}");
}

#[test]
fn a_clean_shutdown_takes_1_s_at_most() {
    let mut node = Harness::member(Config::default(), 1);
    node.let_record_be_written_after_first_read();
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    node.terminate();
    node.pass(ms(999));
    assert!(!node.endpoint.is_done());
    node.pass(ms(1));
    assert!(node.endpoint.is_done());
    assert_eq!(node.take_to("c1")[0]["code"], 0, "it may be in the store or not");
}

/// Found by the simulation: seed 9382 of the random mixes.
#[test]
fn a_node_that_ends_before_it_has_recovered_shows_nothing() {
    for close in [Harness::terminate, Harness::close_input] {
        let mut node = Harness::member(Config::default(), 3);
        node.ask("c1", json!({"type": "read", "msg_id": 1}));
        let read = node.take_to("seq-kv").remove(0);
        close(&mut node);
        if !node.endpoint.is_done() {
            node.store_says(&read, json!({"type": "read_ok", "value": {"n0#00000001": 4}}));
            let closing = node.take_to("seq-kv").remove(0);
            node.store_says(&closing, json!({"type": "cas_ok"}));
        }
        assert!(node.endpoint.is_done());
        assert_eq!(
            node.take_to("c1")[0]["code"],
            11,
            "an earlier incarnation may have shown adds that peers have stored"
        );
    }
}

#[test]
fn when_the_input_ends_the_record_is_sent_and_peers_are_told() {
    let mut node = Harness::member(Config { ack: AckPolicy::Memory, ..Config::default() }, 1);
    node.let_record_be_written_after_first_read();
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    node.close_input();
    assert!(node.endpoint.is_done());
    assert_eq!(node.take_to("seq-kv")[0]["to"].as_object().unwrap().values().collect::<Vec<_>>(), [3]);
}

#[test]
fn two_incarnations_share_neither_number_nor_message_ids() {
    let ids = |seed| {
        let mut node = Harness::new(Config::default(), seed);
        node.ask("c0", json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ["n0", "n1"]}));
        node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 2}));
        let gossip = node.take_to("n1").remove(0);
        (gossip["epoch"].clone(), gossip["msg_id"].clone())
    };
    let ((epoch_1, id_1), (epoch_2, id_2)) = (ids(1), ids(2));
    assert_ne!(epoch_1, epoch_2);
    assert_ne!(id_1, id_2);
}

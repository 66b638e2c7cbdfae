//! The bounds in GUARANTEES.md: how long things take at most, in gossip intervals and round trips.

use std::time::Duration;

use maelstrom_counter::config::{AckPolicy, Config};
use maelstrom_counter::judge::factory;
use serde_json::json;
use workbench::{Counter, Fault, Latency, LatencyShape, Plan, simulate};

use crate::harness::{Harness, ms};

/// The bench asks the nodes what they show ten times a second.
const SEEN_AFTER: Duration = ms(200);

/// A node tries a silent peer again within the longest pause. It tells any other peer in a round of its own, and may skip
/// every second round. Pauses and rounds are longer by a quarter at most.
fn convergence_bound(nodes: u32, config: &Config, latency: Duration) -> Duration {
    let rounds = 2 * (nodes - 1) * config.gossip_interval;
    (replica::PEER_BACKOFF_MAX + rounds) * 5 / 4 + 2 * latency
}

#[test]
fn nodes_agree_within_the_bound_after_a_heal() {
    let config = Config::default();
    for (seed, nodes, latency_ms) in (2..=9).flat_map(|nodes| [(0, nodes, 0), (1, nodes, 40), (2, nodes, 0)])
    {
        let plan = Plan {
            node_count: nodes as usize,
            nemesis: [Fault::Partition].into(),
            latency: Latency { mean_ms: latency_ms, shape: LatencyShape::Constant },
            ..Plan::new(&Counter::G, seed)
        };
        let bound = convergence_bound(nodes, &config, ms(latency_ms)) + SEEN_AFTER;
        let report = simulate(&plan, &mut factory(config.clone()));
        assert!(report.convergence.is_some_and(|took| took <= bound), "seed {seed}, {bound:?}:\n{report}");
    }
}

#[test]
fn an_add_takes_one_round_trip_to_the_store_after_the_one_in_flight() {
    let mut node = Harness::member(Config::default(), 1);
    node.let_record_be_written_after_first_read();
    node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 1}));
    let before = node.take_to("seq-kv").remove(0);
    node.ask("c1", json!({"type": "add", "delta": 2, "msg_id": 2}));
    node.store_says(&before, json!({"type": "cas_ok"}));
    assert_eq!(node.take_to("c1"), [json!({"type": "add_ok", "in_reply_to": 1})]);
    let next = node.take_to("seq-kv").remove(0);
    node.store_says(&next, json!({"type": "cas_ok"}));
    assert_eq!(node.take_to("c1"), [json!({"type": "add_ok", "in_reply_to": 2})]);
}

/// A node whose record is written. Each answer of the store took one `round_trip`.
fn with_a_store_that_takes(round_trip: Duration, config: Config) -> Harness {
    let mut node = Harness::member(config, 1);
    node.ask("c9", json!({"type": "read", "msg_id": 1}));
    for answer in [json!({"type": "error", "code": 20, "text": "no such key"}), json!({"type": "cas_ok"})] {
        let (request, _) = node.wait_for("seq-kv", |_| true);
        node.pass(round_trip);
        node.store_says(&request, answer);
    }
    node.take();
    node
}

#[test]
fn a_request_to_the_store_is_sent_again_after_two_round_trips_or_25_ms() {
    for (round_trip, again) in [(ms(5), ms(25)), (ms(50), ms(100))] {
        let mut node = with_a_store_that_takes(round_trip, Config::default());
        node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 1}));
        assert_eq!(node.take_to("seq-kv").len(), 1);
        for _ in 0..4 {
            let before = node.now;
            assert_eq!(node.next_said(ms(1000)).unwrap()["dest"], "seq-kv");
            assert_eq!(node.now.saturating_sub(before), again, "{round_trip:?}");
        }
    }
}

#[test]
fn before_it_is_known_how_long_the_store_takes_it_is_asked_four_times_within_the_timeout() {
    let mut node = Harness::member(Config::default(), 1);
    node.ask("c9", json!({"type": "read", "msg_id": 1}));
    for _ in 0..4 {
        let before = node.now;
        assert_eq!(node.next_said(ms(1000)).unwrap()["dest"], "seq-kv");
        assert!([ms(0), ms(250)].contains(&node.now.saturating_sub(before)));
    }
    assert_eq!(node.now, ms(750));
}

#[test]
fn an_answer_is_due_two_round_trips_to_the_store_sooner() {
    let mut node = with_a_store_that_takes(ms(200), Config { ack: AckPolicy::Store, ..Config::default() });
    node.pass(ms(1));
    node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 1}));
    node.pass(ms(3599));
    assert!(node.take_to("c1").is_empty());
    node.pass(ms(1));
    assert_eq!(node.take_to("c1")[0]["code"], 0);
}

#[test]
fn with_acknowledgement_by_memory_the_store_is_written_once_a_gossip_interval() {
    let mut node = with_a_store_that_takes(ms(5), Config { ack: AckPolicy::Memory, ..Config::default() });
    let mut writes = 0;
    for msg_id in 0..1000 {
        node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": msg_id}));
        for write in node.take_to("seq-kv") {
            node.store_says(&write, json!({"type": "cas_ok"}));
            writes += 1;
        }
        node.pass(ms(1));
    }
    assert!((9..=10).contains(&writes), "{writes}");
}

#[test]
fn a_restarted_node_serves_reads_after_three_round_trips_to_the_store() {
    let mut node = Harness::member(Config::default(), 5);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    for (kind, requests) in [("read", 1), ("cas", 1), ("read", 4)] {
        let asked = node.take_to("seq-kv");
        assert_eq!(asked.iter().filter(|request| request["type"] == kind).count(), requests, "{asked:?}");
        assert!(node.take_to("c1").is_empty());
        for request in asked {
            let answer = match (kind, request["key"].as_str()) {
                ("cas", _) => json!({"type": "cas_ok"}),
                (_, Some("n0")) => json!({"type": "read_ok", "value": {"n0#00000001": 4}}),
                _ => json!({"type": "error", "code": 20, "text": "no such key"}),
            };
            node.store_says(&request, answer);
        }
    }
    assert_eq!(node.take_to("c1"), [json!({"type": "read_ok", "in_reply_to": 1, "value": 4})]);
}

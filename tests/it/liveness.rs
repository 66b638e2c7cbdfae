//! How long things take at most, in gossip intervals and round trips: the bounds in GUARANTEES.md.

use std::time::Duration;

use maelstrom_counter::config::{Config, PEER_BACKOFF_MAX};
use maelstrom_counter::judge::factory;
use serde_json::json;
use workbench::{Fault, Latency, LatencyShape, Plan, Workload, simulate};

use crate::harness::{Harness, ms};

/// The bench asks the nodes what they show ten times a second.
const SEEN_AFTER: Duration = ms(200);

/// A silent peer is tried again within the longest pause; who has not been tried is told in a round of its own, of
/// which every second one may be skipped. Pauses and rounds are a quarter longer at most.
fn convergence_bound(nodes: u32, config: &Config, latency: Duration) -> Duration {
    let rounds = 2 * (nodes - 1) * config.gossip_interval;
    (PEER_BACKOFF_MAX + rounds) * 5 / 4 + 2 * latency
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
            ..Plan::new(Workload::GCounter, seed)
        };
        let bound = convergence_bound(nodes, &config, ms(latency_ms)) + SEEN_AFTER;
        let report = simulate(&plan, &mut factory(config.clone()));
        assert!(report.convergence.is_some_and(|took| took <= bound), "seed {seed}, {bound:?}:\n{report}");
    }
}

#[test]
fn an_add_takes_one_round_trip_to_the_store_or_what_is_left_of_the_one_before_and_one() {
    let mut node = Harness::member(Config::default(), 1);
    node.let_slot_be_written_after_first_read();
    node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": 1}));
    let before = node.take_to("seq-kv").remove(0);
    node.ask("c1", json!({"type": "add", "delta": 2, "msg_id": 2}));
    node.store_says(&before, json!({"type": "cas_ok"}));
    assert_eq!(node.take_to("c1"), [json!({"type": "add_ok", "in_reply_to": 1})]);
    let next = node.take_to("seq-kv").remove(0);
    node.store_says(&next, json!({"type": "cas_ok"}));
    assert_eq!(node.take_to("c1"), [json!({"type": "add_ok", "in_reply_to": 2})]);
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

//! Reads by level on three nodes, and WAIT.

use super::server::NatsServer;
use super::{BOUND, node, wait_until_ready};
use crate::harness::{Counterd, Setup, wait_until};
use crate::redis::wire::Wire;
use crate::web::{Answer, send};

/// Adds 1 to `views`. `seen` is what the client has seen, before and after.
fn add(counterd: &Counterd, seen: &mut String) {
    let url = format!("{}/v1/counters/views/add", counterd.http);
    let headers = [("content-type", "application/json"), ("counter-version", &**seen)];
    let answer = send("POST", &url, &headers[..if seen.is_empty() { 1 } else { 2 }], r#"{"delta": 1}"#);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("counter-version").clone_into(seen);
}

/// Reads `views`, with these parameters.
fn read(counterd: &Counterd, query: &str, seen: &str) -> Answer {
    let headers = [("counter-version", seen)];
    let headers = if seen.is_empty() { &[][..] } else { &headers };
    send("GET", &format!("{}/v1/counters/views?{query}", counterd.http), headers, "")
}

#[test]
fn reads_by_level_and_wait() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n2", "n3"].map(|name| node(name, &server.url));
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    // Each knows the others once all have told what they show.
    for node in &nodes {
        wait_until(BOUND, "all nodes tell what they show", || {
            read(node, "read=all", "").header("counter-fresh") != "unknown"
        });
    }
    let mut total = own_writes_are_read_on_any_node(&nodes);
    all_that_was_acknowledged_is_read(&nodes, &mut total);
    let [first, second, third] = nodes;
    wait_tells_how_many_nodes_have_it(&first);
    third.kill();
    a_node_that_is_dead_is_named(&first, &second);
}

fn own_writes_are_read_on_any_node(nodes: &[Counterd; 3]) -> i64 {
    let mut seen = String::new();
    for turn in 0..30 {
        add(&nodes[turn % 3], &mut seen);
        for other in [turn + 1, turn + 2] {
            let answer = read(&nodes[other % 3], "timeout=4s", &seen);
            assert_eq!(answer.json()["value"], turn + 1, "{answer:?}");
            answer.header("counter-version").clone_into(&mut seen);
        }
    }
    let answer = send("GET", &format!("{}/v1/sum", nodes[0].http), &[("counter-version", &seen)], "");
    assert_eq!(answer.json()["sum"], 30);
    30
}

fn all_that_was_acknowledged_is_read(nodes: &[Counterd; 3], total: &mut i64) {
    for turn in 0..10 {
        add(&nodes[turn % 3], &mut String::new());
        add(&nodes[(turn + 1) % 3], &mut String::new());
        *total += 2;
        let answer = read(&nodes[(turn + 2) % 3], "read=all&timeout=4s", "");
        assert_eq!(answer.json()["value"], *total, "{answer:?}");
        let fresh: u64 = answer.header("counter-fresh").parse().unwrap();
        assert!(fresh < 4000, "{fresh}");
    }
}

fn wait_tells_how_many_nodes_have_it(counterd: &Counterd) {
    let mut wire = Wire::to(&counterd.redis);
    assert!(wire.ask(&["INCR", "waits"]).starts_with(':'));
    // It does not wait for the time that it was given.
    assert_eq!(wire.ask(&["WAIT", "2", "60000"]), ":2\r\n");
    assert_eq!(wire.ask(&["WAIT", "3", "1"]), ":2\r\n", "there are no more");
}

fn a_node_that_is_dead_is_named(first: &Counterd, second: &Counterd) {
    let answer = read(first, "read=all&timeout=300ms", "");
    let problem = answer.problem(503, "not-reached");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("n3 (not heard for ") && !detail.contains("n2"), "{detail}");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(read(first, "", "").status, 200, "a local read asks nobody");
    wait_until(BOUND, "a node that asks in vain gets staler", || {
        read(first, "", "").header("counter-fresh").parse::<u64>().unwrap() > 3_000
    });

    let mut wire = Wire::to(&second.redis);
    assert!(wire.ask(&["INCR", "waits"]).starts_with(':'));
    assert_eq!(wire.ask(&["WAIT", "2", "300"]), ":1\r\n", "the dead node does not have it");
    assert_eq!(wire.ask(&["WAIT", "1", "60000"]), ":1\r\n");
}

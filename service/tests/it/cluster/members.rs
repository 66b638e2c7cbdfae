//! Who is in the cluster: nodes join, end, die, are forgotten and return.

use std::process::Output;

use serde_json::{Value, json};

use super::server::NatsServer;
use super::{BOUND, node, wait_until_agreed, wait_until_ready};
use crate::harness::{self, Counterd, Setup, wait_until};
use crate::redis::wire::Wire;
use crate::web::{get, post, send};

fn look(counterd: &Counterd) -> Value {
    get(&format!("{}/v1/cluster", counterd.http)).json()
}

/// What a node sees of another one.
pub(crate) fn member(counterd: &Counterd, name: &str) -> Option<Value> {
    let view = look(counterd);
    view["members"].as_array().unwrap().iter().find(|member| member["node"] == name).cloned()
}

/// Waits until all these nodes see another one in this state.
pub(crate) fn wait_until_seen(nodes: &[&Counterd], name: &str, state: &str) {
    wait_until(BOUND, "the others see it", || {
        let sees = |node: &&Counterd| member(node, name).is_some_and(|member| member["state"] == state);
        nodes.iter().all(sees)
    });
}

fn add(counterd: &Counterd, delta: &str) {
    let reply = Wire::to(&counterd.redis).ask(&["INCRBY", "views", delta]);
    assert!(reply.starts_with(':'), "{reply}");
}

fn run(counterd: &Counterd, arguments: &[&str]) -> Output {
    harness::command().args(arguments).env("COUNTERD_URL", &counterd.http).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn metrics(counterd: &Counterd) -> String {
    get(&format!("{}/metrics", counterd.http)).text
}

#[test]
fn each_node_sees_the_others() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n2", "n3"].map(|name| node(name, &server.url));
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    for name in ["n1", "n2", "n3"] {
        let others: Vec<_> = nodes.iter().filter(|node| look(node)["node"] != name).collect();
        wait_until_seen(&others, name, "alive");
    }
    add(&nodes[0], "5");
    wait_until_agreed(&nodes.each_ref(), (5, 5));
    wait_until(BOUND, "n1 knows that the others have it", || {
        ["n2", "n3"].iter().all(|name| member(&nodes[0], name).unwrap()["lag"] == 0)
    });
    let view = look(&nodes[0]);
    assert_eq!(view["cluster"], "shop");
    assert_eq!(
        (&view["at_risk"], &view["namesake"], &view["ready"]),
        (&json!(0), &json!(false), &json!(true))
    );
    assert_eq!(view["members"][0]["versions"], json!([1, 1]));
    let metrics = metrics(&nodes[0]);
    for line in [
        "counterd_peer_silent_seconds{peer=\"n2\"} ",
        "counterd_peer_lag{peer=\"n3\"} 0.0",
        "counterd_at_risk_changes 0.0",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let table = run(&nodes[0], &["cluster", "--also", &nodes[1].http]);
    let table = text(&table.stdout);
    assert!(table.starts_with("n1 is in the cluster shop, and ready. If it died now, 0 changes"), "{table}");
    assert!(table.contains("\nn2 is in the cluster shop"), "{table}");
    assert_eq!(table.matches("alive").count(), 4, "{table}");
}

#[test]
fn a_node_that_died_is_forgotten_and_returns() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n2", "n3"].map(|name| node(name, &server.url));
    let [first, second, third] = setups.each_ref().map(Setup::start);
    [&first, &second, &third].into_iter().for_each(wait_until_ready);
    for node in [&first, &second, &third] {
        add(node, "5");
    }
    wait_until_agreed(&[&first, &second, &third], (15, 15));
    third.kill();
    wait_until_seen(&[&first, &second], "n3", "silent");

    let refused = run(&first, &["cluster", "forget", "n3"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(said.contains("What n3 has counted stays"), "{said}");
    assert!(said.contains("may be alive") && said.contains("--yes"), "{said}");
    wait_until_seen(&[&first, &second], "n3", "silent");

    let done = run(&first, &["cluster", "forget", "n3", "--yes"]);
    assert_eq!(text(&done.stdout), "n3 is forgotten. Its counts stay.\n", "{}", text(&done.stderr));
    wait_until_seen(&[&first], "n3", "forgotten");
    // The other node finds out once it has something to tell n3.
    add(&second, "5");
    wait_until_seen(&[&second], "n3", "forgotten");
    assert!(!metrics(&first).contains("peer=\"n3\""), "no alert on a node that is not to come back");
    wait_until_agreed(&[&first, &second], (20, 20));

    let third = setups[2].start();
    wait_until_ready(&third);
    add(&third, "5");
    wait_until_agreed(&[&first, &second, &third], (25, 25));
    wait_until_seen(&[&first, &second], "n3", "alive");
}

#[test]
fn a_node_that_ends_cleanly_says_so() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n2"].map(|name| node(name, &server.url));
    let [first, second] = setups.each_ref().map(Setup::start);
    [&first, &second].into_iter().for_each(wait_until_ready);
    wait_until_seen(&[&first], "n2", "alive");
    assert!(second.terminate().success());
    wait_until_seen(&[&first], "n2", "left");
    // It was heard a moment ago, and is not alive all the same.
    let forget = |name: &str| post(&format!("{}/v1/cluster/{name}/forget", first.http), &json!({}));
    assert_eq!(forget("n2").json(), json!({"forgotten": "n2"}));
    assert_eq!(forget("n2").json(), json!({"forgotten": "n2"}), "to ask again does no harm");
    wait_until_seen(&[&first], "n2", "forgotten");
    forget("n1").problem(409, "conflict");
    forget("nobody").problem(400, "malformed");
}

#[test]
fn two_processes_under_one_name_are_told_loudly() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n1"].map(|name| node(name, &server.url));
    let [first, second] = setups.each_ref().map(Setup::start);
    let has_namesake = |counterd: &Counterd| look(counterd)["namesake"] == true;
    wait_until(BOUND, "both notice", || has_namesake(&first) && has_namesake(&second));
    for setup in &setups {
        assert!(setup.log().contains("another process runs under the name of this node"), "{}", setup.log());
    }
    assert!(metrics(&first).contains("counterd_namesake 1.0"));
    assert!(text(&run(&first, &["cluster"]).stdout).contains("ANOTHER PROCESS RUNS UNDER THE NAME n1"));
    // The other one may know the key.
    let url = format!("{}/v1/counters/views/add", first.http);
    let add = || {
        let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
        send("POST", &url, &headers, "{\"delta\": 1}")
    };
    add().problem(503, "unavailable");
    second.kill();
    wait_until(BOUND, "the other one is silent", || !has_namesake(&first));
    wait_until(BOUND, "keys are safe again", || add().status == 200);
}

#[test]
fn a_node_alone_is_a_cluster_of_one() {
    let counterd = Setup::new().with(&["--node", "n1"]).start();
    let view = look(&counterd);
    assert_eq!(
        view,
        json!({"node": "n1", "cluster": null, "site": null, "ready": true, "recovered": true, "at_risk": 0, "namesake": false, "members": []})
    );
    let table = text(&run(&counterd, &["cluster"]).stdout);
    assert_eq!(table, "n1 is alone, and ready. If it died now, 0 changes would be lost.\n");
    let forget = |name: &str| post(&format!("{}/v1/cluster/{name}/forget", counterd.http), &json!({}));
    forget("n1").problem(409, "conflict");
    forget("n2").problem(400, "malformed");
}

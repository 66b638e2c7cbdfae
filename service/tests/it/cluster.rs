//! Nodes of a cluster as real processes, on real NATS servers.

mod campaign;
mod counting;
mod cut;
mod doctor;
mod faults;
mod levels;
pub(crate) mod members;
mod retries;
mod security;
#[path = "../../../cluster/tests/server/mod.rs"]
pub(crate) mod server;
mod sites;
mod stores;
mod tls;
mod waiting;

use std::time::Duration;

use counting::Tally;
use server::NatsServer;

use crate::harness::{Counterd, Setup, wait_until};
use crate::redis::wire::Wire;

/// No wait of these tests is longer.
const BOUND: Duration = Duration::from_mins(1);

/// The node of this name in the cluster `shop`.
pub(crate) fn node(name: &str, nats: &str) -> Setup {
    Setup::new().with(&["--node", name, "--nats", nats, "--cluster", "shop"])
}

/// Waits until a node answers reads and changes.
pub(crate) fn wait_until_ready(counterd: &Counterd) {
    let url = format!("{}/readyz", counterd.http);
    wait_until(BOUND, "a node gets ready", || ureq::get(&url).call().is_ok());
}

/// Waits until all nodes show this value, or one between these two.
fn wait_until_agreed(nodes: &[&Counterd], (least, most): (i64, i64)) {
    let values = || nodes.iter().map(|node| node.value("views")).collect::<Vec<_>>();
    wait_until(BOUND, "all nodes agree", || {
        values().windows(2).all(|pair| pair[0] == pair[1]) && values()[0] >= least
    });
    let value = values()[0];
    assert!((least..=most).contains(&value), "{value} is not between {least} and {most}");
}

/// The place of the server that leads the stream.
fn leader(servers: &[NatsServer]) -> usize {
    let mut leader = None;
    wait_until(BOUND, "the stream has a leader", || {
        leader = servers.iter().find_map(|server| led_by(&server.monitor));
        leader.is_some()
    });
    let name = leader.unwrap_or_default();
    servers.iter().position(|server| server.name() == name).expect("it is one of them")
}

/// Which server leads the stream, as one of them says.
fn led_by(monitor: &str) -> Option<String> {
    let url = format!("{monitor}/jsz?streams=1");
    let text = ureq::get(&url).call().ok()?.body_mut().read_to_string().ok()?;
    let told: serde_json::Value = serde_json::from_str(&text).ok()?;
    let leader = told.pointer("/account_details/0/stream_detail/0/cluster/leader")?.as_str()?;
    (!leader.is_empty()).then(|| leader.to_owned())
}

#[test]
fn three_nodes_count_together() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n2", "n3"].map(|name| node(name, &server.url));
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    std::thread::scope(|scope| {
        for node in &nodes {
            scope.spawn(|| {
                let mut wire = Wire::to(&node.redis);
                for _ in 0..100 {
                    let reply = wire.ask(&["INCRBY", "views", "3"]);
                    assert!(reply.starts_with(':'), "{reply}");
                }
            });
        }
    });
    wait_until_agreed(&nodes.each_ref(), (900, 900));
}

#[test]
fn what_was_counted_outlives_all_nodes_at_once() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n2", "n3"].map(|name| node(name, &server.url));
    let mut total = 0;
    for _ in 0..3 {
        let nodes = setups.each_ref().map(Setup::start);
        nodes.iter().for_each(wait_until_ready);
        wait_until_agreed(&nodes.each_ref(), (total, total));
        for node in &nodes {
            let reply = Wire::to(&node.redis).ask(&["INCRBY", "views", "7"]);
            assert!(reply.starts_with(':'), "{reply}");
            total += 7;
        }
        nodes.into_iter().for_each(Counterd::kill);
    }
}

#[test]
fn a_node_that_is_killed_loses_nothing_that_it_acknowledged() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n2", "n3"].map(|name| node(name, &server.url));
    let [first, second, third] = setups.each_ref().map(Setup::start);
    [&first, &second, &third].into_iter().for_each(wait_until_ready);
    let tally = Tally::begin(&[&first, &second, &third]);
    tally.wait_for(200);
    second.kill();
    tally.wait_for(200);
    let second = setups[1].start();
    wait_until_ready(&second);
    tally.follow("n2", &second);
    tally.wait_for(200);
    let counted = tally.end();
    wait_until_agreed(&[&first, &second, &third], counted);
}

#[test]
fn a_node_that_ends_cleanly_goes_on_under_its_replica() {
    let Some(server) = NatsServer::start() else { return };
    let setups = ["n1", "n2"].map(|name| node(name, &server.url));
    let [first, second] = setups.each_ref().map(Setup::start);
    [&first, &second].into_iter().for_each(wait_until_ready);
    let mut total = 0;
    for _ in 0..3 {
        let first = setups[0].start();
        wait_until_ready(&first);
        wait_until_agreed(&[&first, &second], (total, total));
        let reply = Wire::to(&first.redis).ask(&["INCRBY", "views", "7"]);
        assert!(reply.starts_with(':'), "{reply}");
        total += 7;
        assert!(first.terminate().success());
    }
    drop(first);
    assert_eq!(replicas(&second), 1, "only n1 has counted");
}

/// How many replicas have counted, as a node knows.
fn replicas(counterd: &Counterd) -> u64 {
    let url = format!("{}/v1/export", counterd.http);
    let body = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    body.lines().filter(|line| line.contains("complete_to")).count() as u64
}

#[test]
fn a_node_says_what_it_lacks() {
    for (arguments, problem) in [
        (&["--nats", "nats://127.0.0.1:1"][..], "set cluster"),
        (&["--nats", "nats://127.0.0.1:1", "--cluster", "shop"], "set node"),
        (&["--cluster", "shop"], "set nats"),
        (&["--site", "eu"], "set nats"),
        (&["--nats", "127.0.0.1:1"], "no address of a NATS server"),
    ] {
        let refused = Setup::new().with(arguments).try_start().err().expect("it does not start");
        assert!(refused.log.contains(problem), "{}", refused.log);
    }
}

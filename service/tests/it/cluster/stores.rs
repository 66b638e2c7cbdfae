//! A stream that goes back, and one that is gone.

use async_nats::jetstream;
use cluster::Names;
use cluster::nats::{Store, open_stream};
use replica::Rows;
use replica::store::{Outcome, StoreRequest};
use tokio::runtime::Runtime;

use super::counting::Tally;
use super::members::wait_until_seen;
use super::server::NatsServer;
use super::{BOUND, node, wait_until_agreed, wait_until_ready};
use crate::harness::{self, Counterd, Setup, wait_until};
use crate::redis::wire::Wire;

const NAMES: [&str; 3] = ["n1", "n2", "n3"];

/// As after a restore from a backup. The nodes have the counts that the stream has lost.
#[test]
fn a_stream_that_went_back_costs_nothing_that_a_node_has() {
    let Some(mut server) = NatsServer::start() else { return };
    let setups = NAMES.map(|name| node(name, &server.url));
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    let tally = Tally::begin(&nodes.each_ref());
    tally.wait_for(200);
    server.kill();
    server.back_up();
    server.restart();
    tally.wait_for(1_000);
    server.kill();
    server.restore();
    server.restart();
    for name in NAMES {
        tally.wait_for_node(name, 200);
    }
    // What only this node has counted since is at the others, and this one starts from the stream.
    let [first, second, third] = nodes;
    third.kill();
    let third = setups[2].start();
    wait_until_ready(&third);
    tally.follow("n3", &third);
    for name in NAMES {
        tally.wait_for_node(name, 200);
    }
    let counted = tally.end();
    wait_until_agreed(&[&first, &second, &third], counted);
}

/// What the records in the stream have of `views`, all together. `None`: that can't be read now.
async fn stored(server: &NatsServer) -> Option<i128> {
    let names = Names::new("shop", "reader".into());
    let context = jetstream::new(async_nats::connect(&server.url).await.ok()?);
    let stream = open_stream(&context, &names, 1).await.ok()?;
    let store = Store::new(context, stream, names, 1 << 20);
    let Outcome::Nodes(nodes) = store.request(StoreRequest::Nodes).await.outcome else { return None };
    let mut rows = Rows::default();
    for node in nodes {
        let Outcome::Loaded(record) = store.request(StoreRequest::Load { node }).await.outcome else {
            return None;
        };
        for row in record.unwrap_or_default().rows.into_values() {
            rows.apply(&row).ok()?;
        }
    }
    Some(rows.value("views"))
}

fn add(counterd: &Counterd, delta: &str) {
    let reply = Wire::to(&counterd.redis).ask(&["INCRBY", "views", delta]);
    assert!(reply.starts_with(':'), "{reply}");
}

fn forget(name: &str, at: &Counterd) {
    let forget = ["cluster", "forget", name, "--yes", "--url", &at.http];
    let forgotten = harness::command().args(forget).output().unwrap();
    assert!(forgotten.status.success(), "{}", String::from_utf8_lossy(&forgotten.stderr));
}

/// Waits until the stream has all that was counted, and sees that it is not more.
fn wait_until_stored(server: &NatsServer, (least, most): (i64, i64)) {
    let runtime = Runtime::new().unwrap();
    let mut value = 0;
    wait_until(BOUND, "the stream has all", || {
        value = runtime.block_on(stored(server)).unwrap_or_default();
        value >= least.into()
    });
    assert!(value <= most.into(), "{value} is more than {most}");
}

/// All nodes die, and start again from the stream alone. They must have as much as it is known to have.
fn check_what_a_restart_finds(
    server: &NatsServer,
    setups: &[Setup],
    nodes: Vec<Counterd>,
    counted: (i64, i64),
) {
    wait_until_agreed(&nodes.iter().collect::<Vec<_>>(), counted);
    wait_until_stored(server, counted);
    nodes.into_iter().for_each(Counterd::kill);
    let nodes: Vec<_> = setups.iter().map(Setup::start).collect();
    nodes.iter().for_each(wait_until_ready);
    wait_until_agreed(&nodes.iter().collect::<Vec<_>>(), counted);
}

/// The runbook has this: one more node makes the stream, and what a dead node has counted is stored by forgetting it again.
#[test]
fn a_stream_that_is_lost_is_written_anew() {
    let Some(mut server) = NatsServer::start() else { return };
    let mut setups: Vec<_> = ["n1", "n2", "n3", "n4", "n5"].map(|name| node(name, &server.url)).into();
    let mut nodes: Vec<_> = setups.iter().map(Setup::start).collect();
    nodes.iter().for_each(wait_until_ready);
    // The third is quiet from here on. The others die, and one of them is forgotten.
    for (node, delta) in [(2, "70"), (3, "1000"), (4, "30000")] {
        add(&nodes[node], delta);
    }
    wait_until_agreed(&nodes.iter().collect::<Vec<_>>(), (31_070, 31_070));
    nodes.drain(3..).for_each(Counterd::kill);
    setups.truncate(3);
    forget("n5", &nodes[0]);
    let tally = Tally::begin(&[&nodes[0], &nodes[1]]);
    tally.wait_for(200);
    server.kill();
    server.lose_data();
    server.restart();
    for name in ["n1", "n2"] {
        tally.wait_for_node(name, 200);
    }
    for setup in &setups {
        wait_until(BOUND, "the stream is missed", || setup.log().contains("the stream is gone"));
    }
    setups.push(node("n6", &server.url));
    nodes.push(setups[3].start());
    nodes.iter().for_each(wait_until_ready);
    tally.wait_for(200);
    let (least, most) = tally.end();
    for gone in ["n4", "n5"] {
        forget(gone, &nodes[0]);
    }
    check_what_a_restart_finds(&server, &setups, nodes, (least + 31_070, most + 31_070));
}

#[test]
fn a_node_that_restarts_after_the_stream_was_lost_makes_it_and_has_its_counts() {
    let Some(mut server) = NatsServer::start() else { return };
    let setups: Vec<_> = NAMES.map(|name| node(name, &server.url)).into();
    let mut nodes: Vec<_> = setups.iter().map(Setup::start).collect();
    nodes.iter().for_each(wait_until_ready);
    let tally = Tally::begin(&nodes.iter().collect::<Vec<_>>());
    tally.wait_for(300);
    let (least, most) = tally.end();
    wait_until_agreed(&nodes.iter().collect::<Vec<_>>(), (least, most));
    server.kill();
    server.lose_data();
    server.restart();
    nodes.remove(2).kill();
    nodes.push(setups[2].start());
    nodes.iter().for_each(wait_until_ready);
    wait_until_seen(&[&nodes[2]], "n1", "alive");
    add(&nodes[2], "5");
    check_what_a_restart_finds(&server, &setups, nodes, (least + 5, most + 5));
}

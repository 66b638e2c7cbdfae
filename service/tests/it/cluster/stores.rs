//! A stream that goes back, and one that is gone.

use super::counting::Tally;
use super::server::NatsServer;
use super::{node, wait_until_agreed, wait_until_ready};
use crate::harness::Setup;

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

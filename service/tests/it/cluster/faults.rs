//! Servers that are killed and stopped while nodes count.

use super::counting::Tally;
use super::cut::Link;
use super::server::NatsServer;
use super::{node, wait_until_agreed, wait_until_ready};
use crate::harness::{Counterd, Setup};

#[test]
fn the_only_server_is_restarted() {
    let Some(mut server) = NatsServer::start() else { return };
    let setups = ["n1", "n2", "n3"].map(|name| node(name, &server.url));
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    let tally = Tally::begin(&nodes.each_ref());
    for _ in 0..3 {
        tally.wait_for(200);
        server.kill();
        server.restart();
    }
    for name in ["n1", "n2", "n3"] {
        tally.wait_for_node(name, 100);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes.each_ref(), counted);
}

/// Three servers, and a node on each.
fn three() -> Option<(Vec<NatsServer>, Vec<Setup>, Vec<Counterd>)> {
    let servers = NatsServer::start_cluster(3)?;
    let names = ["n1", "n2", "n3"];
    let setups: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let urls: Vec<_> = (0..3).map(|turn| servers[(place + turn) % 3].url.clone()).collect();
            node(name, &urls.join(","))
        })
        .collect();
    let nodes: Vec<_> = setups.iter().map(Setup::start).collect();
    nodes.iter().for_each(wait_until_ready);
    Some((servers, setups, nodes))
}

#[test]
fn each_server_in_turn_is_killed() {
    let Some((mut servers, _setups, nodes)) = three() else { return };
    let nodes: Vec<_> = nodes.iter().collect();
    let tally = Tally::begin(&nodes);
    for server in &mut servers {
        tally.wait_for(200);
        server.kill();
        for name in ["n1", "n2", "n3"] {
            tally.wait_for_node(name, 100);
        }
        server.restart();
    }
    let counted = tally.end();
    wait_until_agreed(&nodes, counted);
}

#[test]
fn adds_go_on_while_most_servers_are_dead() {
    let Some((mut servers, _setups, nodes)) = three() else { return };
    let nodes: Vec<_> = nodes.iter().collect();
    let tally = Tally::begin(&nodes);
    tally.wait_for(200);
    servers[0].kill();
    servers[1].kill();
    for name in ["n1", "n2", "n3"] {
        tally.wait_for_node(name, 200);
    }
    servers[0].restart();
    servers[1].restart();
    for name in ["n1", "n2", "n3"] {
        tally.wait_for_node(name, 200);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes, counted);
}

/// The node that is cut off acknowledges from memory: there is nobody whom it could ask.
#[test]
fn a_node_that_is_cut_off_goes_on() {
    let Some(server) = NatsServer::start() else { return };
    let link = Link::to(server.url.trim_start_matches("nats://"));
    let setups = [
        node("n1", &server.url),
        node("n2", &server.url),
        node("n3", &format!("nats://{}", link.address)).with(&["--ack", "memory"]),
    ];
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    let tally = Tally::begin(&nodes.each_ref());
    tally.wait_for(200);
    link.cut();
    for name in ["n1", "n2", "n3"] {
        tally.wait_for_node(name, 500);
    }
    link.heal();
    for name in ["n1", "n2", "n3"] {
        tally.wait_for_node(name, 500);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes.each_ref(), counted);
}

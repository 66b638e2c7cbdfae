//! Servers that are killed and stopped while nodes count.

use std::io::Write;
use std::net::TcpStream;

use super::counting::Tally;
use super::cut::Link;
use super::server::NatsServer;
use super::{leader, node, wait_until_agreed, wait_until_ready};
use crate::harness::{Counterd, Setup, is_missing};

const NAMES: [&str; 3] = ["n1", "n2", "n3"];

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
    for name in NAMES {
        tally.wait_for_node(name, 100);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes.each_ref(), counted);
}

/// Three servers, and a node on each.
fn three() -> Option<(Vec<NatsServer>, Vec<Setup>, Vec<Counterd>)> {
    let servers = NatsServer::start_cluster(3)?;
    let setups: Vec<_> = NAMES
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
        for name in NAMES {
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
    for name in NAMES {
        tally.wait_for_node(name, 200);
    }
    servers[0].restart();
    servers[1].restart();
    for name in NAMES {
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
    for name in NAMES {
        tally.wait_for_node(name, 500);
    }
    link.heal();
    for name in NAMES {
        tally.wait_for_node(name, 500);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes.each_ref(), counted);
}

#[test]
fn the_leader_of_the_stream_is_stopped() {
    let Some((servers, _setups, nodes)) = three() else { return };
    let nodes: Vec<_> = nodes.iter().collect();
    let tally = Tally::begin(&nodes);
    tally.wait_for(200);
    let leader = leader(&servers);
    servers[leader].signal("STOP");
    for name in NAMES {
        tally.wait_for_node(name, 500);
    }
    servers[leader].signal("CONT");
    for name in NAMES {
        tally.wait_for_node(name, 200);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes, counted);
}

#[test]
fn all_servers_are_killed_at_once() {
    let Some((mut servers, _setups, nodes)) = three() else { return };
    let nodes: Vec<_> = nodes.iter().collect();
    let tally = Tally::begin(&nodes);
    tally.wait_for(200);
    servers.iter_mut().for_each(NatsServer::kill);
    servers.iter_mut().for_each(NatsServer::restart);
    for name in NAMES {
        tally.wait_for_node(name, 200);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes, counted);
}

/// While it is stopped, the server drops what the node does not take.
#[test]
fn a_node_is_stopped_while_the_others_count() {
    let Some(server) = NatsServer::start() else { return };
    let setups = NAMES.map(|name| node(name, &server.url));
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    let tally = Tally::begin(&nodes.each_ref());
    tally.wait_for(200);
    nodes[2].signal("STOP");
    for name in ["n1", "n2"] {
        tally.wait_for_node(name, 2_000);
    }
    nodes[2].signal("CONT");
    for name in NAMES {
        tally.wait_for_node(name, 200);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes.each_ref(), counted);
}

/// More messages than the client of NATS keeps for a slow consumer. Frames get lost among them.
#[test]
fn a_node_is_flooded_with_messages_that_mean_nothing() {
    let Some(server) = NatsServer::start() else { return };
    let setups = NAMES.map(|name| node(name, &server.url));
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    let tally = Tally::begin(&nodes.each_ref());
    tally.wait_for(200);
    let mut flood = TcpStream::connect(server.url.trim_start_matches("nats://")).unwrap();
    let mut lines = b"CONNECT {\"verbose\":false}\r\n".to_vec();
    for _ in 0..1_000 {
        lines.extend(b"PUB counterd.shop.to.n1.n2 5\r\nhello\r\n");
    }
    for _ in 0..200 {
        flood.write_all(&lines).unwrap();
    }
    for name in NAMES {
        tally.wait_for_node(name, 500);
    }
    let counted = tally.end();
    wait_until_agreed(&nodes.each_ref(), counted);
}

/// Nothing is decided by comparing clocks of two machines.
#[test]
fn clocks_that_differ_by_hours_change_nothing() {
    if is_missing("faketime") {
        return;
    }
    let Some(server) = NatsServer::start() else { return };
    let by =
        |offset: &str| ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", offset].map(String::from);
    let setups = [
        node("n1", &server.url).started_by(by("+5h").into()),
        node("n2", &server.url),
        node("n3", &server.url).started_by(by("-5h").into()),
    ];
    let [first, second, third] = setups.each_ref().map(Setup::start);
    [&first, &second, &third].into_iter().for_each(wait_until_ready);
    let tally = Tally::begin(&[&first, &second, &third]);
    tally.wait_for(200);
    // The next process of the node has a clock that went back.
    first.kill();
    let again = node("n1", &server.url).started_by(by("-5h").into());
    let first = again.start();
    wait_until_ready(&first);
    tally.follow("n1", &first);
    for name in NAMES {
        tally.wait_for_node(name, 200);
    }
    let counted = tally.end();
    wait_until_agreed(&[&first, &second, &third], counted);
}

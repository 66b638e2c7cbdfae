//! Nodes that start before NATS does.

use super::server::NatsServer;
use super::{BOUND, node, wait_until_agreed, wait_until_ready};
use crate::harness::{Setup, wait_until};
use crate::redis::wire::Wire;

fn wait_until_told(setup: &Setup, problem: &str) {
    wait_until(BOUND, problem, || {
        setup.log().lines().any(|line| line.contains("this node waits for NATS") && line.contains(problem))
    });
}

#[test]
fn a_node_waits_for_the_server_and_for_jetstream() {
    let Some(mut server) = NatsServer::start() else { return };
    server.kill();
    let setup = node("n1", &server.url);
    let begun = setup.begin();
    wait_until_told(&setup, "can't connect to NATS");
    server.restart_without_jetstream();
    wait_until_told(&setup, "do not answer for JetStream");
    server.kill();
    server.restart();
    let counterd = begun.listens().expect("it starts after all");
    wait_until_ready(&counterd);
    assert_eq!(Wire::to(&counterd.redis).ask(&["INCRBY", "views", "3"]), ":3\r\n");
    wait_until_agreed(&[&counterd], (3, 3));
}

#[test]
fn a_node_that_waits_can_be_ended() {
    let Some(mut server) = NatsServer::start() else { return };
    server.kill();
    let setup = node("n1", &server.url);
    let begun = setup.begin();
    wait_until_told(&setup, "can't connect to NATS");
    assert!(begun.terminate(BOUND).success());
    server.restart_without_jetstream();
    let begun = setup.begin();
    wait_until_told(&setup, "do not answer for JetStream");
    assert!(begun.terminate(BOUND).success());
}

/// It may be given JetStream any time, without a restart.
#[test]
fn an_account_without_jetstream_is_waited_for() {
    let accounts = "accounts { SHOP: { users: [{ user: n1, password: secret }] } }";
    let Some(server) = NatsServer::start_with("s0", accounts, &[]) else { return };
    let setup = node("n1", &server.url.replace("nats://", "nats://n1:secret@"));
    let begun = setup.begin();
    wait_until_told(&setup, "no JetStream for this account");
    assert!(begun.terminate(BOUND).success());
}

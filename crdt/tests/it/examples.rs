//! The examples run, and end by themselves.

#[path = "../../examples/by_key.rs"]
mod by_key;
#[path = "../../examples/gossip.rs"]
mod gossip;
#[path = "../../examples/snapshot.rs"]
mod snapshot;

#[test]
fn counters_by_key() {
    by_key::main().unwrap();
}

#[test]
fn gossip_over_udp() {
    gossip::main().unwrap();
}

#[test]
fn a_snapshot_in_a_file() {
    snapshot::main().unwrap();
}

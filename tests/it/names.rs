//! The list of all nodes in the store, `/nodes`, which each process keeps up to date. The test plays the store.

use maelstrom_counter::config::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::harness::{Harness, Names, ms};

fn config() -> Config {
    Config { ack: AckPolicy::Store, ..Config::default() }
}

/// A node of two that was asked to add 3, with its requests about its record and about the list.
struct Start {
    node: Harness,
    record: Value,
    list: Value,
}

fn start() -> Start {
    let mut node = Harness::member(config(), 2);
    node.names = Names::Shown;
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let [record, list] = node.take_to("seq-kv").try_into().unwrap();
    assert_eq!((&record["type"], &record["key"]), (&json!("read"), &json!("n0")), "the record goes first");
    assert_eq!((&list["type"], &list["key"]), (&json!("cas"), &json!("/nodes")));
    assert_eq!((&list["create_if_not_exists"], &list["to"]), (&json!(true), &json!(["n0", "n1"])));
    Start { node, record, list }
}

impl Start {
    /// The record is created. Returns what the client gets then.
    fn let_record_be_created(&mut self) -> Vec<Value> {
        self.node.store_says(&self.record, json!({"type": "error", "code": 20, "text": "no such key"}));
        let commit = self.request("cas", "n0");
        self.node.store_says(&commit, json!({"type": "cas_ok"}));
        self.node.take_to("c1")
    }

    /// The node's only request.
    fn request(&mut self, kind: &str, key: &str) -> Value {
        let [request] = self.node.take_to("seq-kv").try_into().unwrap();
        assert_eq!((&request["type"], &request["key"]), (&json!(kind), &json!(key)));
        request
    }

    fn writes_the_list(&mut self) -> bool {
        let requests = self.node.take_to("seq-kv");
        requests.iter().any(|request| request["key"] == "/nodes" && request["type"] == "cas")
    }

    fn list_says(&mut self, answer: Value) {
        self.node.store_says(&self.list, answer);
    }
}

/// 65 nodes that start at once don't all send the list.
#[test]
fn a_long_list_is_read_before_it_is_written() {
    for (nodes, kind) in [(64, "cas"), (65, "read")] {
        let mut node = Harness::member(config(), nodes);
        node.names = Names::Shown;
        node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
        let [_, list] = node.take_to("seq-kv").try_into().unwrap();
        assert_eq!((&list["type"], &list["key"]), (&json!(kind), &json!("/nodes")));
    }
}

fn add_ok() -> Value {
    json!({"type": "add_ok", "in_reply_to": 1})
}

#[test]
fn no_commit_is_told_to_be_done_before_all_nodes_are_on_the_list() {
    let mut start = start();
    assert_eq!(start.let_record_be_created(), [] as [Value; 0], "the record is stored, and nobody lists it");
    start.list_says(json!({"type": "cas_ok"}));
    assert_eq!(start.node.take_to("c1"), [add_ok()]);
}

#[test]
fn a_list_with_all_nodes_is_read_while_the_record_is_written_and_costs_no_time() {
    let mut start = start();
    start.list_says(json!({"type": "error", "code": 22, "text": "there is a list"}));
    start.list = start.request("read", "/nodes");
    start.list_says(json!({"type": "read_ok", "value": ["n0", "n1", "n7"]}));
    assert_eq!(start.let_record_be_created(), [add_ok()]);
}

#[test]
fn names_that_the_list_lacks_are_added_to_it() {
    let mut start = start();
    start.list_says(json!({"type": "error", "code": 22, "text": "there is a list"}));
    start.list = start.request("read", "/nodes");
    assert_eq!(start.let_record_be_created(), [] as [Value; 0]);
    start.list_says(json!({"type": "read_ok", "value": ["n1", "n7"]}));
    start.list = start.request("cas", "/nodes");
    assert_eq!((&start.list["from"], &start.list["to"]), (&json!(["n1", "n7"]), &json!(["n0", "n1", "n7"])));
    // Somebody else was faster.
    start.list_says(json!({"type": "error", "code": 22, "text": "another list"}));
    start.list = start.request("read", "/nodes");
    start.list_says(json!({"type": "read_ok", "value": ["n0", "n1", "n7", "n8"]}));
    assert_eq!(start.node.take_to("c1"), [add_ok()]);
}

#[test]
fn a_request_about_the_list_is_sent_again_until_it_is_answered() {
    let mut start = start();
    assert_eq!(start.let_record_be_created(), [] as [Value; 0]);
    // A refusal does not end it either.
    start.list_says(json!({"type": "error", "code": 11, "text": "not now"}));
    for _ in 0..5 {
        let (again, after) = start.node.wait_for("seq-kv", |request| request["key"] == "/nodes");
        assert!(after <= ms(250), "{after:?}");
        assert_eq!((&again["to"], again["msg_id"] == start.list["msg_id"]), (&start.list["to"], false));
        start.list = again;
    }
    start.list_says(json!({"type": "cas_ok"}));
    assert_eq!(start.node.take_to("c1"), [add_ok()]);
    start.node.pass(ms(3000));
    assert!(!start.writes_the_list());
}

#[test]
fn with_garbage_in_place_of_the_list_a_node_works_and_leaves_it_alone() {
    for garbage in [json!({"n0": 3}), json!("n0"), json!(["n0/barrier"])] {
        let mut start = start();
        start.list_says(json!({"type": "error", "code": 22, "text": "there is something"}));
        start.list = start.request("read", "/nodes");
        start.list_says(json!({"type": "read_ok", "value": garbage}));
        assert_eq!(start.let_record_be_created(), [add_ok()]);
        start.node.pass(ms(3000));
        assert!(!start.writes_the_list());
    }
}

#[test]
fn a_commit_that_was_done_unheard_is_not_told_by_reading_either() {
    let mut start = start();
    start.node.store_says(&start.record, json!({"type": "error", "code": 20, "text": "no such key"}));
    let commit = start.request("cas", "n0");
    start.node.store_says(&commit, json!({"type": "error", "code": 22, "text": "it was done before"}));
    start.list_says(json!({"type": "cas_ok"}));
    let read = start.request("read", "n0");
    start.node.store_says(&read, json!({"type": "read_ok", "value": commit["to"]}));
    assert_eq!(start.node.take_to("c1"), [add_ok()]);
}

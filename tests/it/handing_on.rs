//! Handing on: a process that ends cleanly leaves its replica to the next one. A process that crashes never does.

use maelstrom_counter::config::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::harness::{Harness, ms};

/// A store with one key, which does what it is asked to.
#[derive(Default)]
struct Store {
    record: Value,
    /// All values that the record ever had.
    past: Vec<Value>,
}

impl Store {
    /// Performs a request and returns the answer, which the test gives later.
    fn perform(&mut self, request: &Value) -> Value {
        let error = |code: i64| json!({"type": "error", "code": code, "text": "no"});
        match request["type"].as_str() {
            Some("cas") if request["from"] == self.record => {
                self.record = request["to"].clone();
                self.past.push(self.record.clone());
                json!({"type": "cas_ok"})
            }
            Some("cas") => error(22),
            Some("read") if request["key"] == "n0" && !self.record.is_null() => {
                json!({"type": "read_ok", "value": self.record})
            }
            Some("read") => error(20),
            _ => json!({"type": "write_ok"}),
        }
    }

    /// Answers requests until there are no more.
    fn serve(&mut self, node: &mut Harness) {
        for _ in 0..20 {
            for request in node.take_to("seq-kv") {
                let answer = self.perform(&request);
                node.store_says(&request, answer);
            }
            node.let_peers_answer(0);
        }
    }

    fn rows(&self) -> Vec<(String, i64)> {
        let record = self.record.as_object().unwrap();
        record.iter().filter_map(|(replica, count)| Some((replica.clone(), count.as_i64()?))).collect()
    }

    fn check_that_no_value_came_back(&mut self) {
        let all = self.past.len();
        self.past.sort_by_key(Value::to_string);
        self.past.dedup();
        assert_eq!(self.past.len(), all, "no value may ever come back: a late compare-and-set would find it");
    }

    fn counts(&self) -> Vec<i64> {
        self.rows().into_iter().map(|(_, count)| count).collect()
    }
}

fn add(node: &mut Harness, delta: i64) {
    node.ask("c1", json!({"type": "add", "delta": delta, "msg_id": delta}));
}

fn acknowledged(node: &mut Harness) -> Vec<Value> {
    node.take_to("c1")
        .into_iter()
        .filter(|body| body["type"] == "add_ok")
        .map(|body| body["in_reply_to"].clone())
        .collect()
}

/// Runs an incarnation that adds `delta`, and is told to end.
fn run_to_a_clean_end(store: &mut Store, incarnation: u64, delta: i64) {
    let mut node = Harness::incarnation(Config::default(), 3, incarnation);
    add(&mut node, delta);
    store.serve(&mut node);
    assert_eq!(acknowledged(&mut node), [delta]);
    node.terminate();
    store.serve(&mut node);
    assert!(node.endpoint.is_done());
}

/// An incarnation that gets an add of 5, has read in its record that a replica is free, and has asked everybody about it.
/// Returns its takeover too.
fn successor(store: &mut Store, incarnation: u64) -> (Harness, Value) {
    let mut node = Harness::incarnation(Config::default(), 3, incarnation);
    add(&mut node, 5);
    for _ in 0..10 {
        for request in node.take_to("seq-kv") {
            if request["type"] == "cas" {
                return (node, request);
            }
            let answer = store.perform(&request);
            node.store_says(&request, answer);
        }
        node.let_peers_answer(10);
    }
    panic!("it takes nothing over")
}

#[test]
fn rolling_restarts_do_not_grow_the_vector() {
    let mut store = Store::default();
    for (incarnation, count) in (1..=5).zip([10, 20, 30, 40, 50]) {
        run_to_a_clean_end(&mut store, incarnation, 10);
        assert_eq!(store.counts(), [count]);
    }
    store.check_that_no_value_came_back();
}

#[test]
fn a_successor_that_counts_nothing_brings_no_value_back() {
    let mut store = Store::default();
    run_to_a_clean_end(&mut store, 1, 10);
    for incarnation in 2..5 {
        let mut node = Harness::incarnation(Config::default(), 3, incarnation);
        node.ask("c1", json!({"type": "read", "msg_id": 1}));
        store.serve(&mut node);
        assert!(store.record["held"].is_array(), "{}", store.record);
        node.terminate();
        store.serve(&mut node);
        assert!(node.endpoint.is_done());
    }
    assert_eq!(store.counts(), [10]);
    store.check_that_no_value_came_back();
}

#[test]
fn a_successor_counts_once_it_owns_the_replica() {
    let mut store = Store::default();
    run_to_a_clean_end(&mut store, 1, 10);
    let (mut node, takeover) = successor(&mut store, 2);
    let answer = store.perform(&takeover);
    node.store_says(&takeover, answer);
    let (replica, _) = store.rows().remove(0);
    let write = node.take_to("seq-kv").into_iter().find(|request| request["type"] == "cas").unwrap();
    assert_eq!(write["to"][replica], 15);
}

#[test]
fn a_crash_never_hands_on() {
    let mut store = Store::default();
    run_to_a_clean_end(&mut store, 1, 10);
    let mut crashed = Harness::incarnation(Config::default(), 3, 2);
    add(&mut crashed, 5);
    store.serve(&mut crashed);
    assert_eq!(store.rows().len(), 1, "it had inherited");
    run_to_a_clean_end(&mut store, 3, 7);
    assert_eq!(store.counts().iter().sum::<i64>(), 22);
    assert_eq!(store.rows().len(), 2, "the crashed process may have counted more than is known here");
}

#[test]
fn an_end_that_was_not_confirmed_hands_on_only_if_it_was_stored() {
    for is_stored in [false, true] {
        let mut store = Store::default();
        let mut node = Harness::incarnation(Config::default(), 3, 1);
        add(&mut node, 10);
        store.serve(&mut node);
        node.terminate();
        let closing = node.take_to("seq-kv").remove(0);
        if is_stored {
            store.perform(&closing);
        }
        node.pass(ms(1000));
        assert!(node.endpoint.is_done());
        run_to_a_clean_end(&mut store, 2, 5);
        assert_eq!(store.rows().len(), if is_stored { 1 } else { 2 });
        assert_eq!(store.perform(&closing)["code"], 22, "too late now");
    }
}

#[test]
fn of_two_processes_only_one_owns_the_replica() {
    let mut store = Store::default();
    run_to_a_clean_end(&mut store, 1, 10);
    let started = [2, 3].map(|incarnation| successor(&mut store, incarnation));
    let mut both = started.map(|(mut node, takeover)| {
        let answer = store.perform(&takeover);
        node.store_says(&takeover, answer);
        node
    });
    assert!(both.iter_mut().all(|node| acknowledged(node).is_empty()));
    for _ in 0..3 {
        for node in &mut both {
            store.serve(node);
        }
    }
    assert!(both.iter_mut().all(|node| acknowledged(node) == [5]));
    assert_eq!(store.rows().len(), 2);
    assert_eq!(store.counts().iter().sum::<i64>(), 20);
}

#[test]
fn an_ownership_whose_confirmation_is_lost_is_found_by_reading() {
    let mut store = Store::default();
    run_to_a_clean_end(&mut store, 1, 10);
    let (mut node, takeover) = successor(&mut store, 2);
    assert_eq!((&takeover["type"], &takeover["from"]), (&json!("cas"), &store.record));
    store.perform(&takeover);
    node.pass(ms(300));
    store.serve(&mut node);
    assert_eq!(acknowledged(&mut node), [5]);
    assert_eq!(store.counts(), [15]);
}

#[test]
fn a_replica_that_takes_too_long_to_own_is_declined() {
    let mut store = Store::default();
    run_to_a_clean_end(&mut store, 1, 10);
    let (mut node, takeover) = successor(&mut store, 2);
    node.pass(ms(1100));
    node.take_to("seq-kv");
    store.perform(&takeover);
    node.pass(ms(300));
    store.serve(&mut node);
    assert_eq!(acknowledged(&mut node), [5]);
    assert_eq!(store.rows().len(), 2, "it has begun to count under a replica of its own");
    assert_eq!(store.counts().iter().sum::<i64>(), 15);
}

#[test]
fn a_false_claim_about_the_predecessor_swallows_no_add() {
    let mut when_owned = [0, 0];
    for time_of_lie in 0..8 {
        let mut store = Store::default();
        run_to_a_clean_end(&mut store, 1, 10);
        let (replica, _) = store.rows().remove(0);
        let mut node = Harness::incarnation(Config::default(), 3, 2);
        add(&mut node, 5);
        let mut owns = false;
        for step in 0..20 {
            if step == time_of_lie {
                owns = node.endpoint.node().replica().is_some_and(|owned| owned.as_str() == replica);
                let counts = json!({&*replica: 1000});
                node.ask("n1", json!({"type": "gossip", "msg_id": 9, "epoch": "00000001", "counts": counts}));
            }
            for request in node.take_to("seq-kv") {
                let answer = store.perform(&request);
                node.store_says(&request, answer);
            }
            node.let_peers_answer(10);
        }
        when_owned[usize::from(owns)] += 1;
        assert_eq!(acknowledged(&mut node), [5]);
        let value = if owns { 15 } else { 1005 };
        assert_eq!(
            node.endpoint.node().value(),
            value,
            "until the process owns the replica it can't tell a false claim; after that it refuses one"
        );
        assert_eq!(store.counts().iter().sum::<i64>(), i64::try_from(value).unwrap());
    }
    assert!(when_owned.iter().all(|times| *times > 0), "{when_owned:?}");
}

#[test]
fn a_process_that_is_told_to_end_before_it_has_begun_changes_no_record() {
    let mut store = Store::default();
    run_to_a_clean_end(&mut store, 1, 10);
    let before = store.record.clone();
    let mut node = Harness::incarnation(Config::default(), 3, 2);
    add(&mut node, 5);
    let read = node.take_to("seq-kv").remove(0);
    node.terminate();
    assert_eq!(node.take_to("c1")[0]["code"], 11, "it was not counted, and will not be");
    let answer = store.perform(&read);
    node.store_says(&read, answer);
    assert!(node.endpoint.is_done());
    assert_eq!(store.record, before);
}

#[test]
fn peers_are_told_of_the_new_process_by_another_incarnation() {
    let mut store = Store::default();
    let epoch = |store: &mut Store, incarnation| {
        let mut node = Harness::incarnation(Config::default(), 2, incarnation);
        add(&mut node, 1);
        let gossip = node.take_to("n1").remove(0);
        store.serve(&mut node);
        node.terminate();
        store.serve(&mut node);
        gossip["epoch"].clone()
    };
    let (first, second) = (epoch(&mut store, 1), epoch(&mut store, 2));
    assert_eq!(store.rows().len(), 1);
    assert_ne!(first, second, "it has lost its memory, and must be told everything again");
}

#[test]
fn without_a_store_to_wait_for_adds_are_counted_at_once() {
    let mut store = Store::default();
    run_to_a_clean_end(&mut store, 1, 10);
    let mut node = Harness::incarnation(Config { ack: AckPolicy::Memory, ..Config::default() }, 3, 2);
    add(&mut node, 5);
    assert_eq!(acknowledged(&mut node), [5]);
    for _ in 0..3 {
        store.serve(&mut node);
        node.pass(ms(100));
    }
    assert_eq!(store.rows().len(), 2);
}

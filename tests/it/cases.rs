//! What happens to clusters that live for years: a store that is set back, and lists of nodes that shrink and grow.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use maelstrom_counter::config::Config;
use serde_json::{Value, json};

use crate::harness::ms;
use crate::network::Network;

const SEEDS: std::ops::Range<u64> = 0..20;

fn network(seed: u64) -> Network {
    Network::new(Config::default(), seed)
}

/// The warnings and errors that are logged meanwhile.
fn logged(what: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let log = Log::default();
    let shared = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || shared.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, what);
    let bytes = log.0.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A node counts in two processes that end cleanly. Then the whole store goes back to what it was between them.
fn store_set_back(network: &mut Network) {
    let both = ["n0", "n1"];
    network.start_all(&both);
    network.add("n0", 10);
    network.pass(ms(600));
    network.end("n0");
    let backup = network.store.clone();
    network.start("n0", &both);
    network.add("n0", 10);
    network.pass(ms(600));
    assert_eq!(network.value("n1"), 20);
    network.end("n0");
    network.store = backup;
    network.start("n0", &both);
    network.add("n0", 5);
    network.pass(ms(2000));
    network.add("n0", 1);
    network.pass(ms(3000));
}

#[test]
fn a_store_that_was_set_back_loses_nothing_that_a_live_node_knows_and_the_log_says_it() {
    for seed in SEEDS {
        let mut network = network(seed);
        let log = logged(|| store_set_back(&mut network));
        assert_eq!(
            ["n0", "n1"].map(|node| network.value(node)),
            [26, 26],
            "seed {seed}: {}",
            json!(network.store)
        );
        assert!(log.contains("the store went back, perhaps to a backup"), "seed {seed}: {log}");
        let record = network.store["n0"].to_string();
        assert!(record.contains(":20"), "seed {seed}: the old replica's count is stored again: {record}");
    }
}

/// Gossip would tell the node what it has lost, but only the answers to its question tell it in time.
#[test]
fn the_answers_to_the_question_are_what_saves_the_adds() {
    fn without_gossip(message: &mut Value) {
        if message["dest"] == "n0" {
            message["body"].as_object_mut().unwrap().remove("counts");
        }
    }
    fn and_with_too_small_answers(message: &mut Value) {
        without_gossip(message);
        if let Some(holds) = message["body"]["holds"].as_object_mut() {
            holds.values_mut().for_each(|count| *count = json!(0));
        }
    }
    for seed in SEEDS {
        let [right, wrong] = [without_gossip, and_with_too_small_answers].map(|saboteur| {
            let mut network = network(seed);
            network.saboteur = saboteur;
            store_set_back(&mut network);
            ["n0", "n1"].map(|node| network.value(node))
        });
        assert_eq!(right, [26, 26], "seed {seed}");
        assert_ne!(wrong, [26, 26], "seed {seed}: the planted bug is not seen");
    }
}

#[test]
fn an_ordinary_restart_goes_on_under_the_same_replica_and_says_nothing() {
    for seed in SEEDS {
        let mut network = network(seed);
        let log = logged(|| {
            let both = ["n0", "n1"];
            network.start_all(&both);
            for count in 1..=4 {
                network.add("n0", 1);
                network.pass(ms(300));
                network.end("n0");
                network.start("n0", &both);
                network.pass(ms(2500));
                assert_eq!(both.map(|node| network.value(node)), [count; 2], "seed {seed}");
            }
        });
        assert_eq!(log, "", "seed {seed}");
        let record = network.store["n0"].as_object().unwrap();
        assert_eq!(record.keys().filter(|key| key.contains('#')).count(), 1, "seed {seed}: {record:?}");
    }
}

#[test]
fn a_shorter_list_of_nodes_keeps_the_counts_of_those_that_are_gone() {
    let all = ["n0", "n1", "n2"];
    for seed in SEEDS {
        let mut network = network(seed);
        network.start_all(&all);
        for (node, delta) in all.into_iter().zip([1, 10, 100]) {
            network.add(node, delta);
        }
        network.pass(ms(1500));
        network.end_all(&all);
        let two = ["n0", "n1"];
        network.start_all(&two);
        network.pass(ms(3000));
        assert_eq!(two.map(|node| network.value(node)), [111, 111], "seed {seed}");
        network.end_all(&two);
        network.start_all(&all);
        network.pass(ms(2500));
        assert_eq!(all.map(|node| network.value(node)), [111; 3], "seed {seed}");
    }
}

#[test]
fn a_longer_list_of_nodes_brings_the_new_node_up_to_date() {
    let (two, all) = (["n0", "n1"], ["n0", "n1", "n2"]);
    for seed in SEEDS {
        let mut network = network(seed);
        network.start_all(&two);
        for (node, delta) in two.into_iter().zip([1, 10]) {
            network.add(node, delta);
        }
        network.pass(ms(1000));
        network.start("n2", &all);
        network.pass(ms(500));
        network.add("n2", 100);
        network.pass(ms(2000));
        for node in two {
            network.end(node);
            network.start(node, &all);
            network.pass(ms(2500));
        }
        assert_eq!(all.map(|node| network.value(node)), [111; 3], "seed {seed}");
    }
}

/// All nodes start at once: one writes the list of all nodes, and the others read it.
#[test]
fn a_start_costs_each_node_three_requests_about_the_list_of_all_nodes_at_most() {
    for nodes in [1, 3, 25] {
        let mut network = network(1);
        let names: Vec<String> = (0..nodes).map(|n| format!("n{n}")).collect();
        let list: Vec<&str> = names.iter().map(String::as_str).collect();
        network.start_all(&list);
        network.pass(ms(5000));
        let about = |kind: &str| {
            let of_kind =
                |request: &&serde_json::Value| request["key"] == "/nodes" && request["type"] == kind;
            network.requests.iter().filter(of_kind).count()
        };
        println!("{nodes} nodes: {} compare-and-sets, {} reads of the list", about("cas"), about("read"));
        println!("{} requests to the store in all", network.requests.len());
        assert!(about("cas") == nodes && about("read") < 2 * nodes);
        assert_eq!(network.store["/nodes"], json!(BTreeSet::from_iter(&names)));
    }
}

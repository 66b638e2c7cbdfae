//! Measures the node: the codec, a request from line to line, and a whole simulated cluster.
//!
//! `benches/merge` measures merging, beside other crates and the machine's limit.

use std::hint::black_box;
use std::time::Duration;

use crdt::GCounter;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use maelstrom_counter::codec;
use maelstrom_counter::config::{AckPolicy, Config};
use maelstrom_counter::endpoint::Endpoint;
use maelstrom_counter::judge::factory;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use replica::{ReplicaId, Rows, Tally};
use workbench::{Counter, Fault, Plan, simulate};

const ADD: &[u8] = br#"{"id":7,"src":"c1","dest":"n0","body":{"type":"add","delta":3,"msg_id":2}}"#;
const READ: &[u8] = br#"{"id":8,"src":"c1","dest":"n0","body":{"type":"read","msg_id":3}}"#;

fn replicas(count: usize) -> String {
    let entries: Vec<String> = (0..count).map(|i| format!(r#""n{i:05}#{i:08x}":{}"#, 1000 + i)).collect();
    format!("{{{}}}", entries.join(","))
}

/// The rows of a node that holds these counts.
fn known(counts: &str) -> Rows {
    let mut rows = Rows::new();
    let counts: GCounter<ReplicaId> = serde_json::from_str(counts).unwrap_or_default();
    for (replica, up) in counts {
        let row = Tally { up, down: 0 }.row(replica);
        assert!(rows.apply(&row).is_ok(), "a whole row can always be applied");
    }
    rows
}

fn decoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.bench_function("add", |b| b.iter(|| codec::decode(black_box(ADD), &Rows::new()).is_ok()));
    for count in [3, 128, 1024] {
        let counts = replicas(count);
        let line = format!(
            r#"{{"src":"n1","dest":"n0","body":{{"type":"gossip","msg_id":9,"epoch":"00000001","counts":{counts}}}}}"#
        );
        let known = known(&counts);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("gossip of known replicas", count), &line, |b, line| {
            b.iter(|| codec::decode(black_box(line.as_bytes()), &known).is_ok());
        });
    }
    group.finish();
}

fn requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("request");
    let mut endpoint =
        Endpoint::new(Config { ack: AckPolicy::Memory, ..Config::default() }, SmallRng::seed_from_u64(1));
    let init =
        br#"{"src":"c0","dest":"n0","body":{"type":"init","msg_id":1,"node_id":"n0","node_ids":["n0"]}}"#;
    let mut out = Vec::new();
    endpoint.receive(Duration::ZERO, init, &mut out);
    for (name, line) in [("add", ADD), ("read", READ)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                endpoint.receive(Duration::ZERO, black_box(line), &mut out);
                out.len()
            });
        });
    }
    group.finish();
}

fn clusters(c: &mut Criterion) {
    let mut group = c.benchmark_group("cluster");
    group.sample_size(10);
    for node_count in [5, 25] {
        let plan = Plan {
            node_count,
            time_limit: Duration::from_secs(10),
            nemesis: [Fault::Partition].into(),
            ..Plan::new(&Counter::G, 1)
        };
        group.bench_with_input(
            BenchmarkId::new("10 s at 100 requests/s, nodes", node_count),
            &plan,
            |b, plan| {
                b.iter(|| simulate(plan, &mut factory(Config::default())).valid);
            },
        );
    }
    group.finish();
}

criterion_group!(benches, decoding, requests, clusters);
criterion_main!(benches);

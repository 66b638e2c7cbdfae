//! Many named counters, beside maps of G-Counters: an add, the value, what 100 changes cost to send and to take in.

#![expect(clippy::expect_used, reason = "a bench may panic")]

mod setting;

use crdt::named::{Counters, RowDelta};
use crdt::{Delta, GCounter, Merge};
use crdt_compare::Numbers;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use setting::{SIZES, criterion};
use std::collections::BTreeMap;
use std::hint::black_box;

const ACTORS: [&str; 3] = ["n0", "n1", "n2"];
const CHANGED: usize = 100;

type Map = BTreeMap<String, GCounter<String>>;

fn names(n: u64) -> Vec<String> {
    (0..n).map(|n| format!("counter:{n:09}")).collect()
}

/// Some of the names, in any order.
fn drawn(names: &[String], how_many: usize) -> Vec<&String> {
    let len = names.len() as u64;
    Numbers(9).take(how_many).filter_map(|n| names.get(usize::try_from(n % len).ok()?)).collect()
}

fn state(names: &[String]) -> Counters<String> {
    let mut state = Counters::new();
    for actor in ACTORS {
        for name in names {
            state.add(actor, name, 3).expect("it has room");
        }
    }
    state
}

fn map(names: &[String]) -> Map {
    let counter: GCounter<String> = ACTORS.iter().map(|actor| ((*actor).to_string(), 3)).collect();
    names.iter().map(|name| (name.clone(), counter.clone())).collect()
}

fn single(c: &mut Criterion, n: u64) {
    let names = names(n);
    let (mut state, mut map) = (state(&names), map(&names));
    let drawn = drawn(&names, 1 << 16);
    let mut next = drawn.iter().cycle();
    let mut group = c.benchmark_group("named: add to any");
    group.bench_function(BenchmarkId::new("counters", n), |b| {
        b.iter(|| next.next().map(|name| state.add("n0", name, 1)));
    });
    group.bench_function(BenchmarkId::new("BTreeMap", n), |b| {
        b.iter(|| next.next().map(|&name| map.get_mut(name).map(|counter| counter.add("n0", 1))));
    });
    group.finish();
    let mut group = c.benchmark_group("named: value of any");
    group.bench_function(BenchmarkId::new("counters", n), |b| {
        b.iter(|| next.next().map(|name| state.value(name)));
    });
    group.bench_function(BenchmarkId::new("BTreeMap", n), |b| {
        b.iter(|| next.next().map(|&name| map.get(name).map(GCounter::value)));
    });
}

/// 100 counters have changed since the other one heard of it.
fn changed(c: &mut Criterion, n: u64) {
    let names = names(n);
    let (mut here, mut here_map) = (state(&names), map(&names));
    let (mut there, mut there_map) = (here.clone(), here_map.clone());
    let from = here.version("n0");
    for name in drawn(&names, CHANGED) {
        here.add("n0", name, 1).expect("it has room");
        if let Some(counter) = here_map.get_mut(name) {
            counter.add("n0", 1).expect("it has room");
        }
    }
    let mut group = c.benchmark_group("named: delta of 100");
    group.bench_function(BenchmarkId::new("counters", n), |b| {
        b.iter(|| black_box(&here).row_since("n0", from));
    });
    group.bench_function(BenchmarkId::new("BTreeMap", n), |b| {
        b.iter(|| black_box(&here_map).delta_since(black_box(&there_map)));
    });
    group.finish();
    let delta = here.row_since("n0", from).expect("it has changed");
    let map_delta = here_map.delta_since(&there_map);
    let mut group = c.benchmark_group("named: take in 100");
    // Each time it is news: the same slots at later numbers.
    let mut version = from;
    group.bench_function(BenchmarkId::new("counters", n), |b| {
        b.iter_batched_ref(
            || later(&delta, &mut version),
            |delta| there.apply(delta),
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function(BenchmarkId::new("BTreeMap", n), |b| {
        b.iter(|| Merge::merge(&mut there_map, black_box(&map_delta)));
    });
    group.finish();
    let mut group = c.benchmark_group("named: bytes of 100");
    let bytes = delta.to_bytes();
    group.bench_function(BenchmarkId::new("written", n), |b| b.iter(|| black_box(&delta).to_bytes()));
    group.bench_function(BenchmarkId::new("read", n), |b| {
        b.iter(|| RowDelta::<String>::from_bytes(black_box(&bytes)));
    });
}

fn later(delta: &RowDelta<String>, version: &mut u64) -> RowDelta<String> {
    let from = *version;
    *version += delta.len() as u64;
    let mut later = RowDelta::new(delta.actor().clone(), from, *version);
    for (number, item) in (from + 1..).zip(delta.items()) {
        later.push(item.slot, number, None, item.entry.to_entry());
    }
    later
}

fn all(c: &mut Criterion) {
    for n in SIZES.into_iter().filter(|n| *n > 1_000) {
        single(c, n);
        changed(c, n);
    }
}

criterion_group! { name = named; config = criterion(); targets = all }
criterion_main!(named);

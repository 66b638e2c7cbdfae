//! Writing, reading, and the whole way from bytes to the merged state.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

mod setting;

use crdt_compare::{Apart, BTree, Contestant, CrdtKit, Crdts, Hash, Json, Lattices, entries};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};
use setting::{SIZES, criterion};
use std::hint::black_box;

fn one<C, T>(c: &mut Criterion, n: u64, inner: fn(C) -> T)
where
    C: Contestant,
    T: Serialize + DeserializeOwned,
{
    let state = inner(C::build(&entries(n, 1)));
    let name = || BenchmarkId::new(C::name(), n);
    let json = serde_json::to_vec(&state).unwrap();
    let bytes = postcard::to_stdvec(&state).unwrap();
    c.benchmark_group("JSON encode")
        .bench_function(name(), |b| b.iter(|| serde_json::to_vec(black_box(&state)).unwrap()));
    c.benchmark_group("JSON decode")
        .bench_function(name(), |b| b.iter(|| serde_json::from_slice::<T>(black_box(&json)).unwrap()));
    c.benchmark_group("postcard encode")
        .bench_function(name(), |b| b.iter(|| postcard::to_stdvec(black_box(&state)).unwrap()));
    c.benchmark_group("postcard decode")
        .bench_function(name(), |b| b.iter(|| postcard::from_bytes::<T>(black_box(&bytes)).unwrap()));
}

fn json_to_merged<C: Json>(c: &mut Criterion, n: u64) {
    let mut state = C::build(&entries(n, 1));
    let json = C::build(&entries(n, 2)).to_json();
    c.benchmark_group("JSON to merged").bench_function(BenchmarkId::new(C::name(), n), |b| {
        b.iter(|| state.merge_json(black_box(&json)));
    });
}

fn own(c: &mut Criterion, n: u64) {
    let mut state = Apart::<String>::build(&entries(n, 1)).counter;
    let other = Apart::<String>::build(&entries(n, 2)).counter;
    let json = serde_json::to_vec(&other).unwrap();
    let mut group = c.benchmark_group("JSON to merged");
    group.bench_function(BenchmarkId::new("crdt-counters String seed", n), |b| {
        b.iter(|| {
            let heard = state
                .seed()
                .deserialize(&mut serde_json::Deserializer::from_slice(black_box(&json)))
                .unwrap();
            state.merge(&heard)
        });
    });
    drop(group);
    let mut group = c.benchmark_group("postcard to merged");
    let bytes = postcard::to_stdvec(&other).unwrap();
    group.bench_function(BenchmarkId::new("crdt-counters String seed", n), |b| {
        b.iter(|| {
            let heard =
                state.seed().deserialize(&mut postcard::Deserializer::from_bytes(black_box(&bytes))).unwrap();
            state.merge(&heard)
        });
    });
}

fn all(c: &mut Criterion) {
    for n in SIZES {
        own(c, n);
        json_to_merged::<Apart<String>>(c, n);
        json_to_merged::<Crdts<String>>(c, n);
        json_to_merged::<Lattices<String>>(c, n);
        json_to_merged::<Hash<String>>(c, n);
        json_to_merged::<BTree<String>>(c, n);
        one::<Apart<String>, _>(c, n, |it| it.counter);
        one::<Crdts<String>, _>(c, n, |it| it);
        one::<Lattices<String>, _>(c, n, |it| it);
        one::<Hash<String>, _>(c, n, |it| it);
        one::<BTree<String>, _>(c, n, |it| it);
        one::<Apart<u64>, _>(c, n, |it| it.counter);
        one::<CrdtKit, _>(c, n, |it| it);
    }
}

criterion_group! { name = codec; config = criterion(); targets = all }
criterion_main!(codec);

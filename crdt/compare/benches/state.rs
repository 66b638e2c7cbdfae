//! What is done with one state: value, add, difference, clone.

use crdt::Slot;
mod setting;

use crdt_compare::{BTree, Contestant, CrdtKit, Crdts, Hash, Id, Lattices, Shared, Yrs, entries};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use setting::{SIZES, criterion};
use std::hint::black_box;

fn one<C: Contestant>(c: &mut Criterion, n: u64) {
    let mut state = C::build(&entries(n, 1));
    let name = || BenchmarkId::new(C::name(), n);
    c.benchmark_group("value").bench_function(name(), |b| b.iter(|| black_box(&state).value()));
    c.benchmark_group("clone").bench_function(name(), |b| b.iter(|| black_box(&state).clone()));
    let before = state.sibling(&entries(n, 1));
    let middle = C::Id::make(n / 2);
    c.benchmark_group("add").bench_function(name(), |b| {
        b.iter(|| black_box(&mut state).add(black_box(&middle), 1));
    });
    state.add(&middle, 1);
    if state.delta_since(&before).is_some() {
        c.benchmark_group("delta_since, one changed").bench_function(name(), |b| {
            b.iter(|| black_box(&state).delta_since(black_box(&before)));
        });
        let other = state.sibling(&entries(n, 2));
        c.benchmark_group("delta_since, half changed").bench_function(name(), |b| {
            b.iter(|| black_box(&state).delta_since(black_box(&other)));
        });
    }
}

/// What only this crate has.
fn own(c: &mut Criterion, n: u64) {
    let mut state = Shared::<String>::build(&entries(n, 1)).counter;
    let mut slot = Slot::new(String::make(n / 2));
    c.benchmark_group("add").bench_function(BenchmarkId::new("crdt-counters String slot", n), |b| {
        b.iter(|| black_box(&mut state).add_at(black_box(&mut slot), 1));
    });
    let mut group = c.benchmark_group("raise one entry");
    group.bench_function(BenchmarkId::new("by slot", n), |b| {
        b.iter(|| black_box(&mut state).raise_at(black_box(&mut slot), black_box(u64::MAX / 2)));
    });
    let id = String::make(n / 2);
    group.bench_function(BenchmarkId::new("by id", n), |b| {
        b.iter(|| black_box(&mut state).raise(black_box(&id), black_box(u64::MAX / 2)));
    });
    let ids: Vec<String> = crdt_compare::Numbers(9).take(4096).map(|i| String::make(i % n)).collect();
    let mut next = ids.iter().cycle();
    group.bench_function(BenchmarkId::new("by random id", n), |b| {
        b.iter(|| next.next().map(|id| black_box(&mut state).raise(id, black_box(1))));
    });
}

fn all(c: &mut Criterion) {
    for n in SIZES {
        one::<Shared<String>>(c, n);
        one::<Shared<u64>>(c, n);
        own(c, n);
        one::<Crdts<String>>(c, n);
        one::<Lattices<String>>(c, n);
        one::<Hash<String>>(c, n);
        one::<BTree<String>>(c, n);
        one::<CrdtKit>(c, n);
        one::<Yrs>(c, n);
        one::<Hash<u64>>(c, n);
    }
}

criterion_group! { name = state; config = criterion(); targets = all }
criterion_main!(state);

//! Merging, in a steady state: the state has seen what it is given before, which spares the others their writes;
//! those that take the other side by value get a clone that is made off the clock.

mod setting;

use crdt_compare::{
    Apart, BTree, Contestant, CrdtKit, Crdts, Hash, Lattices, Limit, Shared, Yrs, entries, memcpy,
};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use setting::{SIZES, criterion};
use std::hint::black_box;

fn batch(n: u64) -> BatchSize {
    BatchSize::NumIterations((4096 / n).clamp(1, 256))
}

fn bench_merge<C: Contestant>(c: &mut Criterion, group: &str, n: u64, state: C, other: &C) {
    let mut group = c.benchmark_group(group);
    let mut state = state;
    let id = BenchmarkId::new(C::name(), n);
    if C::BY_VALUE {
        group.bench_function(id, |b| {
            b.iter_batched(|| other.clone(), |other| black_box(&mut state).merge_value(other), batch(n));
        });
    } else {
        group.bench_function(id, |b| b.iter(|| black_box(&mut state).merge_ref(black_box(other))));
    }
}

fn same_ids<C: Contestant>(c: &mut Criterion, n: u64) {
    let state = C::build(&entries(n, 1));
    let other = state.sibling(&entries(n, 2));
    bench_merge(c, "merge same ids", n, state, &other);
}

/// Equal ids in tables of their own: merging makes them share one, so that each time needs a new pair.
fn equal_tables(c: &mut Criterion, n: u64) {
    let state = Apart::<String>::build(&entries(n, 1));
    let other = Apart::<String>::build(&entries(n, 2));
    let mut group = c.benchmark_group("merge equal tables");
    group.bench_function(BenchmarkId::new(Apart::<String>::name(), n), |b| {
        b.iter_batched_ref(|| state.clone(), |state| state.merge_ref(black_box(&other)), batch(n));
    });
}

fn disjoint_halves<C: Contestant>(c: &mut Criterion, n: u64) {
    let all = entries(n, 1);
    let (even, odd): (Vec<_>, Vec<_>) = all.iter().partition(|&&(id, _)| id % 2 == 0);
    let (state, other) = (C::build(&even), C::build(&odd));
    let mut group = c.benchmark_group("merge disjoint halves");
    group.bench_function(BenchmarkId::new(C::name(), n), |b| {
        // A state of its own each time, as one that a process holds: it shares its ids with nobody.
        b.iter_batched_ref(
            || (C::build(&even), C::BY_VALUE.then(|| other.clone())),
            |(state, other_clone)| match other_clone.take() {
                Some(other) => state.merge_value(other),
                None => state.merge_ref(black_box(&other)),
            },
            batch(n),
        );
    });
    drop(state);
}

fn a_few_into_many<C: Contestant>(c: &mut Criterion, n: u64, few: u64) {
    let state = C::build(&entries(n, 1));
    let step = n / few;
    let changed: Vec<_> = (0..few).map(|i| (i * step + step / 2, 2_000_000)).collect();
    bench_merge(c, &format!("merge {few} into"), n, state, &C::build(&changed));
}

fn many_ways(c: &mut Criterion, n: u64) {
    let first = Shared::<u64>::build(&entries(n, 1));
    let others: Vec<_> = (2..10).map(|seed| first.sibling(&entries(n, seed)).counter).collect();
    let state = first.counter;
    let mut group = c.benchmark_group("merge eight ways");
    let mut fused = state.clone();
    group.bench_function(BenchmarkId::new("merge_all", n), |b| {
        b.iter(|| black_box(&mut fused).merge_all(black_box(&others)));
    });
    let mut one_by_one = state;
    group.bench_function(BenchmarkId::new("one by one", n), |b| {
        b.iter(|| black_box(&others).iter().map(|other| one_by_one.merge(other)).fold(false, |a, b| a | b));
    });
}

fn limits(c: &mut Criterion, n: u64) {
    let mut group = c.benchmark_group("merge same ids");
    let mut limit = Limit::new(n);
    group.bench_function(BenchmarkId::new("limit: a |= b", n), |b| b.iter(|| black_box(&mut limit).or()));
    let (mut to, from) =
        (vec![1_u64; usize::try_from(n).unwrap_or(0)], vec![2; usize::try_from(n).unwrap_or(0)]);
    group.bench_function(BenchmarkId::new("limit: memcpy", n), |b| {
        b.iter(|| memcpy(black_box(&mut to), black_box(&from)));
    });
}

fn all(c: &mut Criterion) {
    for n in SIZES {
        limits(c, n);
        same_ids::<Shared<String>>(c, n);
        same_ids::<Shared<u64>>(c, n);
        equal_tables(c, n);
        same_ids::<Crdts<String>>(c, n);
        same_ids::<Lattices<String>>(c, n);
        same_ids::<Hash<String>>(c, n);
        same_ids::<BTree<String>>(c, n);
        same_ids::<CrdtKit>(c, n);
        same_ids::<Yrs>(c, n);
        same_ids::<Hash<u64>>(c, n);
        same_ids::<BTree<u64>>(c, n);
        many_ways(c, n);
    }
    for n in SIZES {
        disjoint_halves::<Apart<String>>(c, n);
        disjoint_halves::<Crdts<String>>(c, n);
        disjoint_halves::<Lattices<String>>(c, n);
        disjoint_halves::<Hash<String>>(c, n);
        disjoint_halves::<BTree<String>>(c, n);
        disjoint_halves::<Apart<u64>>(c, n);
        disjoint_halves::<CrdtKit>(c, n);
        disjoint_halves::<Yrs>(c, n);
        disjoint_halves::<Hash<u64>>(c, n);
        disjoint_halves::<BTree<u64>>(c, n);
    }
    for (n, few) in SIZES.into_iter().flat_map(|n| [(n, 1), (n, 16)]).filter(|&(n, few)| few <= n) {
        a_few_into_many::<Apart<String>>(c, n, few);
        a_few_into_many::<Crdts<String>>(c, n, few);
        a_few_into_many::<Lattices<String>>(c, n, few);
        a_few_into_many::<Hash<String>>(c, n, few);
        a_few_into_many::<BTree<String>>(c, n, few);
        a_few_into_many::<Apart<u64>>(c, n, few);
        a_few_into_many::<CrdtKit>(c, n, few);
        a_few_into_many::<Yrs>(c, n, few);
        a_few_into_many::<Hash<u64>>(c, n, few);
    }
}

criterion_group! { name = merge; config = criterion(); targets = all }
criterion_main!(merge);

//! This crate, with a shared table of ids and with tables of their own.

use crate::{Contestant, Id, Json, sorted};
use crdt::GCounter;
use std::marker::PhantomData;

/// How the second counter of a pair comes by its ids.
pub trait Ids: Clone + 'static {
    const NAME: &'static str;
    const SHARED: bool;
}

#[derive(Clone)]
pub struct SharedIds;
#[derive(Clone)]
pub struct OwnIds;

impl Ids for SharedIds {
    const NAME: &'static str = "shared";
    const SHARED: bool = true;
}

impl Ids for OwnIds {
    const NAME: &'static str = "apart";
    const SHARED: bool = false;
}

#[derive(Clone)]
pub struct Ours<A, I> {
    pub counter: GCounter<A>,
    ids: PhantomData<I>,
}

pub type Shared<A> = Ours<A, SharedIds>;
pub type Apart<A> = Ours<A, OwnIds>;

impl<A: Id, I: Ids> Contestant for Ours<A, I> {
    type Id = A;
    const BY_VALUE: bool = false;

    const MAKE: &'static str = "crdt-counters";

    fn name() -> String {
        format!("{} {} {}", Self::MAKE, A::NAME, I::NAME)
    }

    fn build(entries: &[(u64, u64)]) -> Self {
        let counter = entries.iter().map(|&(id, n)| (A::make(id), n)).collect();
        Self { counter, ids: PhantomData }
    }

    fn sibling(&self, entries: &[(u64, u64)]) -> Self {
        let mut sibling = Self::build(entries);
        if I::SHARED {
            sibling.counter.share_ids(&self.counter);
        }
        sibling
    }

    fn detached(&self) -> Self {
        let counter = self.counter.iter().map(|(id, n)| (id.clone(), n)).collect();
        Self { counter, ids: PhantomData }
    }

    fn merge_value(&mut self, other: Self) {
        self.merge_ref(&other);
    }

    fn merge_ref(&mut self, other: &Self) {
        self.counter.merge(&other.counter);
    }

    fn value(&self) -> u128 {
        self.counter.value()
    }

    fn add(&mut self, id: &A, n: u32) {
        self.counter.add(id, n.into()).unwrap();
    }

    fn delta_since(&self, other: &Self) -> Option<Self> {
        Some(Self { counter: self.counter.delta_since(&other.counter), ids: PhantomData })
    }

    fn counts(&self) -> Vec<(u64, u64)> {
        sorted(self.counter.iter().map(|(id, n)| (id.number(), n)))
    }
}

impl<I: Ids> Json for Ours<String, I> {
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.counter).unwrap()
    }

    fn merge_json(&mut self, json: &[u8]) {
        self.counter.merge_json(json).unwrap();
    }
}

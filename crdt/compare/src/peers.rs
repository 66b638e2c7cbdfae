//! The others.

use crate::{Contestant, Id};
use crdt_kit::{Crdt, DeltaCrdt};
use crdts::{CmRDT, CvRDT};
use lattices::Max;
use lattices::Merge;
use lattices::map_union::MapUnionHashMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use yrs::StateVector;
use yrs::block::ClientID;

#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "A: Ord + Serialize", deserialize = "A: Ord + Deserialize<'de>"))]
pub struct Crdts<A: Ord>(pub crdts::GCounter<A>);

impl<A: Id> Contestant for Crdts<A> {
    type Id = A;
    const BY_VALUE: bool = true;

    fn name() -> String {
        format!("crdts {}", A::NAME)
    }

    fn build(entries: &[(u64, u64)]) -> Self {
        let mut counter = crdts::GCounter::new();
        for &(id, n) in entries {
            counter.apply(counter.inc_many(A::make(id), n));
        }
        Self(counter)
    }

    fn merge_value(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn merge_ref(&mut self, other: &Self) {
        self.0.merge(other.0.clone());
    }

    fn value(&self) -> u128 {
        self.0.read().try_into().unwrap()
    }

    fn add(&mut self, id: &A, n: u32) {
        self.0.apply(self.0.inc_many(id.clone(), n.into()));
    }

    fn delta_since(&self, _: &Self) -> Option<Self> {
        None
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "A: Serialize", deserialize = "A: Id + Deserialize<'de>"))]
pub struct Lattices<A>(pub MapUnionHashMap<A, Max<u64>>);

impl<A: Id> Contestant for Lattices<A> {
    type Id = A;
    const BY_VALUE: bool = true;

    fn name() -> String {
        format!("lattices {}", A::NAME)
    }

    fn build(entries: &[(u64, u64)]) -> Self {
        Self(MapUnionHashMap::new(entries.iter().map(|&(id, n)| (A::make(id), Max::new(n))).collect()))
    }

    fn merge_value(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn merge_ref(&mut self, other: &Self) {
        self.0.merge(other.0.clone());
    }

    fn value(&self) -> u128 {
        self.0.as_reveal_ref().values().map(|n| u128::from(*n.as_reveal_ref())).sum()
    }

    fn add(&mut self, id: &A, n: u32) {
        let before = self.0.as_reveal_ref().get(id).map_or(0, |n| *n.as_reveal_ref());
        self.0.merge(MapUnionHashMap::new([(id.clone(), Max::new(before + u64::from(n)))].into()));
    }

    fn delta_since(&self, _: &Self) -> Option<Self> {
        None
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct CrdtKit(pub crdt_kit::GCounter);

impl Contestant for CrdtKit {
    type Id = u64;
    const BY_VALUE: bool = false;

    fn name() -> String {
        "crdt-kit u64".into()
    }

    fn build(entries: &[(u64, u64)]) -> Self {
        let mut all = crdt_kit::GCounter::new(0);
        for &(id, n) in entries {
            let mut one = crdt_kit::GCounter::new(id);
            one.increment_by(n);
            all.merge(&one);
        }
        Self(all)
    }

    fn merge_value(&mut self, other: Self) {
        self.0.merge(&other.0);
    }

    fn merge_ref(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    fn value(&self) -> u128 {
        self.0.value().into()
    }

    fn add(&mut self, _: &u64, n: u32) {
        self.0.increment_by(n.into());
    }

    /// Its delta is a type of its own; that it is made is what counts here.
    fn delta_since(&self, other: &Self) -> Option<Self> {
        let delta = self.0.delta(&other.0);
        std::hint::black_box(delta);
        Some(Self(crdt_kit::GCounter::new(0)))
    }
}

#[derive(Clone)]
pub struct Yrs(pub StateVector);

impl Contestant for Yrs {
    type Id = u64;
    const BY_VALUE: bool = true;

    fn name() -> String {
        "yrs StateVector u64 (u32 counts)".into()
    }

    fn build(entries: &[(u64, u64)]) -> Self {
        // It takes 0 for no client.
        Self(entries.iter().map(|&(id, n)| (ClientID::new(id + 1), u32::try_from(n).unwrap())).collect())
    }

    fn merge_value(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn merge_ref(&mut self, other: &Self) {
        self.0.merge(other.0.clone());
    }

    fn value(&self) -> u128 {
        self.0.iter().map(|(_, &n)| u128::from(n)).sum()
    }

    fn add(&mut self, id: &u64, n: u32) {
        self.0.inc_by(ClientID::new(id + 1), n);
    }

    fn delta_since(&self, _: &Self) -> Option<Self> {
        None
    }
}

/// A map by hand: the same for both kinds of map.
macro_rules! by_hand {
    ($name:ident, $map:ident) => {
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(
            transparent,
            bound(serialize = "A: Id + Serialize", deserialize = "A: Id + Deserialize<'de>")
        )]
        pub struct $name<A>(pub $map<A, u64>);

        impl<A: Id> Contestant for $name<A> {
            type Id = A;
            const BY_VALUE: bool = false;

            fn name() -> String {
                format!("{} {}", stringify!($map), A::NAME)
            }

            fn build(entries: &[(u64, u64)]) -> Self {
                Self(entries.iter().map(|&(id, n)| (A::make(id), n)).collect())
            }

            fn merge_value(&mut self, other: Self) {
                self.merge_ref(&other);
            }

            fn merge_ref(&mut self, other: &Self) {
                for (id, &n) in &other.0 {
                    match self.0.get_mut(id) {
                        Some(count) => *count = n.max(*count),
                        None => drop(self.0.insert(id.clone(), n)),
                    }
                }
            }

            fn value(&self) -> u128 {
                self.0.values().map(|&n| u128::from(n)).sum()
            }

            fn add(&mut self, id: &A, n: u32) {
                match self.0.get_mut(id) {
                    Some(count) => *count += u64::from(n),
                    None => drop(self.0.insert(id.clone(), n.into())),
                }
            }

            fn delta_since(&self, other: &Self) -> Option<Self> {
                let larger = self.0.iter().filter(|&(id, n)| n > other.0.get(id).unwrap_or(&0));
                Some(Self(larger.map(|(id, &n)| (id.clone(), n)).collect()))
            }
        }
    };
}

by_hand!(Hash, HashMap);
by_hand!(BTree, BTreeMap);

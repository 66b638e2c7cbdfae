//! The other crates, each by its own merge.

use crate::{Contestant, Id, Json, sorted};
use crdt_kit::{Crdt, DeltaCrdt};
use crdts::{CmRDT, CvRDT, Dot, VClock};
use lattices::Max;
use lattices::Merge;
use lattices::map_union::{MapUnionBTreeMap, MapUnionHashMap};
use serde::{Deserialize, Serialize};
use yrs::StateVector;
use yrs::block::ClientID;

/// The crates with their versions, as in `Cargo.lock`.
pub const VERSIONS: [(&str, &str); 4] =
    [("crdts", "7.3.2"), ("lattices", "0.8.0-alpha.4"), ("crdt-kit", "0.5.1"), ("yrs", "0.28.1")];

/// Its vector clock, which its `GCounter` wraps: the same merge, a value without big integers, and a difference.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "A: Ord + Serialize", deserialize = "A: Ord + Deserialize<'de>"))]
pub struct Crdts<A: Ord>(pub VClock<A>);

impl<A: Id> Contestant for Crdts<A> {
    type Id = A;
    const BY_VALUE: bool = true;

    const MAKE: &'static str = "crdts";

    fn build(entries: &[(u64, u64)]) -> Self {
        Self(entries.iter().map(|&(id, n)| Dot::new(A::make(id), n)).collect())
    }

    fn merge_value(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn merge_ref(&mut self, other: &Self) {
        self.0.merge(other.0.clone());
    }

    fn value(&self) -> u128 {
        self.0.iter().map(|dot| u128::from(dot.counter)).sum()
    }

    fn add(&mut self, id: &A, n: u32) {
        let count = self.0.get(id) + u64::from(n);
        self.0.apply(Dot::new(id.clone(), count));
    }

    fn delta_since(&self, other: &Self) -> Option<Self> {
        Some(Self(self.0.clone_without(&other.0)))
    }

    fn counts(&self) -> Vec<(u64, u64)> {
        sorted(self.0.iter().map(|dot| (dot.actor.number(), dot.counter)))
    }
}

/// Its map of maxima, over both kinds of map that it merges. (It merges no map with another hasher.)
macro_rules! lattices {
    ($name:ident, $map:ident) => {
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(transparent, bound(serialize = "A: Serialize", deserialize = "A: Id + Deserialize<'de>"))]
        pub struct $name<A>(pub $map<A, Max<u64>>);

        impl<A: Id> Contestant for $name<A> {
            type Id = A;
            const MAKE: &'static str = "lattices";

            fn name() -> String {
                format!("lattices {} {}", stringify!($map), A::NAME)
            }

            const BY_VALUE: bool = true;

            fn build(entries: &[(u64, u64)]) -> Self {
                Self($map::new(entries.iter().map(|&(id, n)| (A::make(id), Max::new(n))).collect()))
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
                self.0.merge($map::new([(id.clone(), Max::new(before + u64::from(n)))].into()));
            }

            fn delta_since(&self, _: &Self) -> Option<Self> {
                None
            }

            fn counts(&self) -> Vec<(u64, u64)> {
                sorted(self.0.as_reveal_ref().iter().map(|(id, n)| (id.number(), *n.as_reveal_ref())))
            }
        }
    };
}

lattices!(Lattices, MapUnionHashMap);
lattices!(LatticesTree, MapUnionBTreeMap);

#[derive(Clone, Serialize, Deserialize)]
pub struct CrdtKit(pub crdt_kit::GCounter);

impl Contestant for CrdtKit {
    type Id = u64;
    const BY_VALUE: bool = false;

    const MAKE: &'static str = "crdt-kit";

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

    fn counts(&self) -> Vec<(u64, u64)> {
        // It has no iterator: its ids are found in its JSON.
        let json = serde_json::to_value(&self.0).unwrap();
        let ids = json.get("counts").and_then(serde_json::Value::as_object).unwrap().keys();
        sorted(ids.map(|id| id.parse().unwrap()).map(|id| (id, self.0.count_for(id))))
    }
}

#[derive(Clone)]
pub struct Yrs(pub StateVector);

impl Contestant for Yrs {
    type Id = u64;
    const BY_VALUE: bool = true;

    const MAKE: &'static str = "yrs";

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

    fn counts(&self) -> Vec<(u64, u64)> {
        sorted(self.0.iter().map(|(id, &n)| (id.get() - 1, n.into())))
    }
}

macro_rules! json_by_serde {
    ($($peer:ident),*) => {$(
        impl Json for $peer<String> {
            fn to_json(&self) -> Vec<u8> {
                serde_json::to_vec(self).unwrap()
            }

            fn merge_json(&mut self, json: &[u8]) {
                self.merge_value(serde_json::from_slice(json).unwrap());
            }
        }
    )*};
}

json_by_serde!(Crdts, Lattices, LatticesTree);

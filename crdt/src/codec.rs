//! A counter is written as a map of actor to count, in the order of the ids; one that goes both ways as two of these.

#[cfg(feature = "json")]
mod json;
mod seed;
mod text;

pub use seed::{PnSeed, Seed};

use crate::pncounter::{DECREMENTS, INCREMENTS};
use crate::{GCounter, PnCounter};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

impl<A: Serialize> Serialize for GCounter<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

/// Keys may come in any order. Zero counts are dropped, and of a doubled key the larger count wins: that is what
/// merging the entries one by one would give, so that no reader of the same bytes can end up elsewhere.
/// A count that is no whole number from 0 to `u64::MAX` is an error.
impl<'de, A: Ord + Clone + Deserialize<'de>> Deserialize<'de> for GCounter<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<A>(PhantomData<A>);

impl<'de, A: Ord + Clone + Deserialize<'de>> Visitor<'de> for Entries<A> {
    type Value = GCounter<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut entries = Vec::with_capacity(trusted(map.size_hint()));
        while let Some(entry) = map.next_entry::<A, u64>()? {
            entries.push(entry);
        }
        Ok(entries.into_iter().collect())
    }
}

const EXPECTED: &str = "a map of actors to counts";

/// How much room to make for what the input says of its own length: a lie must not cost memory.
fn trusted(size_hint: Option<usize>) -> usize {
    size_hint.unwrap_or(0).min(4096)
}

impl<A: Serialize> Serialize for PnCounter<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let side = |side| Side { counter: self, side };
        Sides { p: side(INCREMENTS), n: side(DECREMENTS) }.serialize(serializer)
    }
}

impl<'de, A: Ord + Clone + Deserialize<'de>> Deserialize<'de> for PnCounter<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Sides { p, n } = Sides::<GCounter<A>>::deserialize(deserializer)?;
        Ok(Self::from_parts(p, n))
    }
}

/// The form of a counter that goes both ways.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "PnCounter")]
struct Sides<T> {
    p: T,
    n: T,
}

struct Side<'a, A> {
    counter: &'a PnCounter<A>,
    side: usize,
}

impl<A: Serialize> Serialize for Side<'_, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let count = |(_, id, counts): (_, _, [u64; 2])| {
            counts.get(self.side).copied().filter(|&n| n > 0).map(|n| (id, n))
        };
        let entries = self.counter.ledger.iter().filter_map(count);
        let mut map = serializer.serialize_map(Some(entries.clone().count()))?;
        for (id, n) in entries {
            map.serialize_entry(id, &n)?;
        }
        map.end()
    }
}

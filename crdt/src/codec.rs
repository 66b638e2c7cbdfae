//! A counter is written as a map of actor to count, in the order of the ids.

#[cfg(feature = "json")]
mod json;
mod seed;

pub use seed::Seed;

use crate::GCounter;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

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

//! A counter is a map of actor to count. Input may be unsorted; zero counts are dropped and of a doubled key the
//! larger count wins, since that is what merging the two would give.

use crate::GCounter;
use core::fmt;
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

impl<A: Ord + Clone + Serialize> Serialize for GCounter<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, A: Ord + Clone + Deserialize<'de>> Deserialize<'de> for GCounter<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<A>(PhantomData<A>);

impl<'de, A: Ord + Clone + Deserialize<'de>> Visitor<'de> for Entries<A> {
    type Value = GCounter<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of actors to counts")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut counter = GCounter::new();
        while let Some(entry) = map.next_entry::<A, u64>()? {
            counter.extend([entry]);
        }
        Ok(counter)
    }
}

use super::{EXPECTED, trusted};
use crate::GCounter;
use crate::table::{gallop, search};
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::marker::PhantomData;
use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

/// Decodes a counter against the ids of one at hand: known ids are recognised in the input and never made, and the
/// result shares the table, so that merging it is one pass of `max`.
///
/// For ids that are written as strings. Ids that are not known yet are made by their own `Deserialize`.
/// The input may be anything that [`GCounter`]'s `Deserialize` takes, and the result is equal.
///
/// Made by [`GCounter::seed`].
///
/// ```
/// use serde::de::DeserializeSeed;
///
/// let state: crdt::GCounter<String> = [("n0".to_string(), 3)].into_iter().collect();
/// let seed: crdt::Seed<'_, String> = state.seed();
/// let heard = seed.deserialize(&mut serde_json::Deserializer::from_str(r#"{"n1":4,"n0":2}"#))?;
/// assert_eq!(heard.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
pub struct Seed<'a, A> {
    known: &'a GCounter<A>,
}

impl<A> Clone for Seed<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Seed<'_, A> {}

impl<A> GCounter<A> {
    /// A seed that decodes counters against the ids of this one.
    ///
    /// ```
    /// use serde::de::DeserializeSeed;
    ///
    /// let state: crdt::GCounter<String> = [("n0".to_string(), 3), ("n1".to_string(), 4)].into_iter().collect();
    /// let mut json = serde_json::Deserializer::from_str(r#"{"n0":5,"n1":4}"#);
    /// let heard = state.seed().deserialize(&mut json)?;
    /// assert_eq!(heard.value(), 9);
    /// assert!(heard.shares_ids(&state));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub const fn seed(&self) -> Seed<'_, A> {
        Seed { known: self }
    }
}

impl<'de, A: Ord + Clone + Borrow<str> + Deserialize<'de>> DeserializeSeed<'de> for Seed<'_, A> {
    type Value = GCounter<A>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, A: Ord + Clone + Borrow<str> + Deserialize<'de>> Visitor<'de> for Seed<'_, A> {
    type Value = GCounter<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut picked = Vec::with_capacity(trusted(map.size_hint()));
        let mut new = Vec::new();
        let (mut next, mut ascending) = (0, true);
        while let Some(key) = map.next_key_seed(KeySeed { known: self.known, next })? {
            let n = map.next_value::<u64>()?;
            match key {
                Key::Known(at) => {
                    ascending &= at >= next;
                    next = at + 1;
                    if n > 0 {
                        picked.push((at, n));
                    }
                }
                Key::New(id) => new.push((id, n)),
            }
        }
        if !ascending {
            picked.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            picked.dedup_by_key(|&mut (at, _)| at);
        }
        let mut counter = self.known.pick(&picked);
        if !new.is_empty() {
            counter.extend(new);
        }
        Ok(counter)
    }
}

enum Key<A> {
    Known(usize),
    New(A),
}

/// Recognises one key, most likely that of the id at `next`.
struct KeySeed<'a, A> {
    known: &'a GCounter<A>,
    next: usize,
}

impl<'de, A: Ord + Clone + Borrow<str> + Deserialize<'de>> DeserializeSeed<'de> for KeySeed<'_, A> {
    type Value = Key<A>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(KeyVisitor { seed: self, made: PhantomData })
    }
}

struct KeyVisitor<'a, A> {
    seed: KeySeed<'a, A>,
    made: PhantomData<A>,
}

impl<'de, A: Ord + Clone + Borrow<str> + Deserialize<'de>> Visitor<'de> for KeyVisitor<'_, A> {
    type Value = Key<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an actor's id as a string")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        let KeySeed { known, next } = self.seed;
        match find(known.ids(), key, next) {
            Some(at) => Ok(Key::Known(at)),
            None => A::deserialize(StrDeserializer::new(key)).map(Key::New),
        }
    }
}

/// The index of an id that is most likely the one at `next` or close behind.
fn find<A: Borrow<str>>(ids: &[A], key: &str, next: usize) -> Option<usize> {
    let cmp = |id: &A| id.borrow().cmp(key);
    match ids.get(next).map(cmp) {
        Some(Ordering::Equal) => Some(next),
        Some(Ordering::Less) => gallop(ids, next + 1, cmp).ok(),
        Some(Ordering::Greater) | None => search(ids, cmp).ok(),
    }
}

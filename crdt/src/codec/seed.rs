use super::{EXPECTED, Sides, text, trusted};
use crate::ledger::{Ledger, tidy};
use crate::table::Text;
use crate::{GCounter, PnCounter};
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::marker::PhantomData;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::ser::Serialize;

/// Decodes a counter against the ids of one at hand: known ids are recognised in the input and never made, and the
/// result shares the table, so that merging it is one pass of `max`.
///
/// For ids that are written as strings, and read as what they are written as. An id that is not known yet is made by
/// its own `Deserialize`, and so are all where an id is not written as the text that it borrows as.
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
pub struct Seed<'a, A> {
    known: &'a GCounter<A>,
}

/// As [`Seed`], for a counter that goes both ways.
///
/// Made by [`PnCounter::seed`].
///
/// ```
/// use serde::de::DeserializeSeed;
///
/// let mut state = crdt::PnCounter::<String>::new();
/// state.add("n0", 3)?;
/// let seed: crdt::PnSeed<'_, String> = state.seed();
/// let mut json = serde_json::Deserializer::from_str(r#"{"p":{"n0":5},"n":{}}"#);
/// assert_eq!(seed.deserialize(&mut json)?.value(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PnSeed<'a, A> {
    known: &'a PnCounter<A>,
}

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

impl<A> PnCounter<A> {
    /// A seed that decodes counters against the ids of this one.
    ///
    /// ```
    /// use serde::de::DeserializeSeed;
    ///
    /// let mut state = crdt::PnCounter::<String>::new();
    /// state.add("n0", 3)?;
    /// let mut json = serde_json::Deserializer::from_str(r#"{"p":{"n0":5},"n":{"n0":1}}"#);
    /// let heard = state.seed().deserialize(&mut json)?;
    /// assert!(heard.value() == 4 && heard.shares_ids(&state));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn seed(&self) -> PnSeed<'_, A> {
        PnSeed { known: self }
    }
}

/// An id that can be recognised in text.
trait Id<'de>: Ord + Clone + Borrow<str> + Serialize + Deserialize<'de> {}
impl<'de, A: Ord + Clone + Borrow<str> + Serialize + Deserialize<'de>> Id<'de> for A {}

impl<'de, A> DeserializeSeed<'de> for Seed<'_, A>
where
    A: Ord + Clone + Borrow<str> + Serialize + Deserialize<'de>,
{
    type Value = GCounter<A>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        MapSeed { known: &self.known.ledger }.deserialize(deserializer)
    }
}

impl<'de, A> DeserializeSeed<'de> for PnSeed<'_, A>
where
    A: Ord + Clone + Borrow<str> + Serialize + Deserialize<'de>,
{
    type Value = PnCounter<A>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_struct("PnCounter", &["p", "n"], SidesVisitor { known: &self.known.ledger })
    }
}

struct SidesVisitor<'a, A> {
    known: &'a Ledger<A, 2>,
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    P,
    N,
    #[serde(other)]
    Other,
}

impl<'de, A: Id<'de>> Visitor<'de> for SidesVisitor<'_, A> {
    type Value = PnCounter<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct PnCounter")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sides: S) -> Result<Self::Value, S::Error> {
        let seed = MapSeed { known: self.known };
        let p = sides.next_element_seed(seed)?.ok_or_else(|| Error::invalid_length(0, &self))?;
        let n = sides.next_element_seed(seed)?.ok_or_else(|| Error::invalid_length(1, &self))?;
        Ok(PnCounter::from_parts(p, n))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let seed = MapSeed { known: self.known };
        let mut sides = Sides { p: None, n: None };
        while let Some(field) = map.next_key()? {
            let (name, side) = match field {
                Field::P => ("p", &mut sides.p),
                Field::N => ("n", &mut sides.n),
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if side.replace(map.next_value_seed(seed)?).is_some() {
                return Err(Error::duplicate_field(name));
            }
        }
        let p = sides.p.ok_or_else(|| Error::missing_field("p"))?;
        let n = sides.n.ok_or_else(|| Error::missing_field("n"))?;
        Ok(PnCounter::from_parts(p, n))
    }
}

/// Decodes one map against the ids of a ledger of either kind.
pub(super) struct MapSeed<'a, A, const W: usize> {
    pub(super) known: &'a Ledger<A, W>,
}

impl<A, const W: usize> Clone for MapSeed<'_, A, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, const W: usize> Copy for MapSeed<'_, A, W> {}

impl<'de, A: Id<'de>, const W: usize> DeserializeSeed<'de> for MapSeed<'_, A, W> {
    type Value = GCounter<A>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if text::all(self.known, Text::Borrowed) {
            deserializer.deserialize_map(self)
        } else {
            GCounter::deserialize(deserializer)
        }
    }
}

impl<'de, A: Id<'de>, const W: usize> Visitor<'de> for MapSeed<'_, A, W> {
    type Value = GCounter<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut picked = Vec::with_capacity(trusted(map.size_hint()));
        let mut new = Vec::new();
        let mut next = 0;
        while let Some(key) = map.next_key_seed(KeySeed { known: self.known, next })? {
            let n = map.next_value::<u64>()?;
            match key {
                Key::Known(place) => {
                    next = place + 1;
                    if n > 0 {
                        picked.push((place, [n]));
                    }
                }
                Key::New(id) => new.push((id, n)),
            }
        }
        tidy(&mut picked);
        let mut counter = GCounter { ledger: self.known.pick(&picked) };
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
#[derive(Clone, Copy)]
struct KeySeed<'a, A, const W: usize> {
    known: &'a Ledger<A, W>,
    next: usize,
}

impl<'de, A: Id<'de>, const W: usize> DeserializeSeed<'de> for KeySeed<'_, A, W> {
    type Value = Key<A>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(KeyVisitor { seed: self, made: PhantomData })
    }
}

struct KeyVisitor<'a, A, const W: usize> {
    seed: KeySeed<'a, A, W>,
    made: PhantomData<A>,
}

impl<A: Borrow<str> + Serialize, const W: usize> KeyVisitor<'_, A, W> {
    fn place(&self, key: &str) -> Option<usize> {
        text::find(self.seed.known, key, self.seed.next)
    }
}

impl<'de, A: Id<'de>, const W: usize> Visitor<'de> for KeyVisitor<'_, A, W> {
    type Value = Key<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an actor's id as a string")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        match self.place(key) {
            Some(place) => Ok(Key::Known(place)),
            None => A::deserialize(StrDeserializer::new(key)).map(Key::New),
        }
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        match self.place(key) {
            Some(place) => Ok(Key::Known(place)),
            None => A::deserialize(BorrowedStrDeserializer::new(key)).map(Key::New),
        }
    }
}

impl<A> Clone for Seed<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Seed<'_, A> {}

impl<A: fmt::Debug> fmt::Debug for Seed<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seed").field("known", self.known).finish()
    }
}

impl<A> Clone for PnSeed<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for PnSeed<'_, A> {}

impl<A: fmt::Debug> fmt::Debug for PnSeed<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PnSeed").field("known", self.known).finish()
    }
}

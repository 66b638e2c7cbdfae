//! Maps by hand, as a good engineer writes them who wants no crate: each merges in the way that suits it.
#![expect(clippy::disallowed_types, reason = "a HashMap by hand is one of the contestants")]

use crate::{Contestant, Id, Json, sorted};
use rustc_hash::FxBuildHasher;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// An ordered map, whose merges walk both maps side by side, or else search for each id. The table shows the faster.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "A: Id + Serialize", deserialize = "A: Id + Deserialize<'de>"))]
pub struct Tree<A, const WALKED: bool>(pub BTreeMap<A, u64>);

pub type BTree<A> = Tree<A, true>;
pub type SearchedBTree<A> = Tree<A, false>;

/// Moves on to the first item that is not less, and takes that if it is equal.
#[inline]
fn advance<T>(
    next: &mut Option<T>,
    rest: &mut impl Iterator<Item = T>,
    order: impl Fn(&T) -> Ordering,
) -> Option<T> {
    while let Some(item) = next.as_ref() {
        match order(item) {
            Ordering::Less => *next = rest.next(),
            Ordering::Equal => return std::mem::replace(next, rest.next()),
            Ordering::Greater => return None,
        }
    }
    None
}

/// A hash map with the hasher of the Rust compiler, which is among the fastest for short keys.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "A: Id + Serialize", deserialize = "A: Id + Deserialize<'de>"))]
pub struct Hash<A>(pub HashMap<A, u64, FxBuildHasher>);

impl<A: Id, const WALKED: bool> Tree<A, WALKED> {
    /// Merges entries whose ids ascend.
    fn merge_sorted<Q, K>(
        &mut self,
        other: impl ExactSizeIterator<Item = (K, u64)> + Clone,
        own: impl Fn(K) -> A,
    ) where
        A: Borrow<Q>,
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        if WALKED {
            if !self.walk_equal(other.clone()) {
                let missing = self.walk(other, own);
                self.insert(missing);
            }
            return;
        }
        for (id, n) in other {
            match self.0.get_mut(id.borrow()) {
                Some(count) => *count = n.max(*count),
                None => drop(self.0.insert(own(id), n)),
            }
        }
    }

    /// Raises counts in lock step as far as the ids are equal: to find that out is faster than to find their order.
    fn walk_equal<Q, K>(&mut self, other: impl ExactSizeIterator<Item = (K, u64)>) -> bool
    where
        A: Borrow<Q>,
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.0.len() == other.len()
            && self.0.iter_mut().zip(other).all(|((our, count), (id, n))| {
                let equal = our.borrow() == id.borrow();
                if equal {
                    *count = n.max(*count);
                }
                equal
            })
    }

    /// Raises the counts of the ids that are here, and returns the entries of the others.
    fn walk<Q, K>(&mut self, other: impl Iterator<Item = (K, u64)>, own: impl Fn(K) -> A) -> Vec<(A, u64)>
    where
        A: Borrow<Q>,
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let mut missing = Vec::new();
        let mut ours = self.0.iter_mut();
        let mut next = ours.next();
        for (id, n) in other {
            match advance(&mut next, &mut ours, |(our, _)| (*our).borrow().cmp(id.borrow())) {
                Some((_, count)) => *count = n.max(*count),
                None => missing.push((own(id), n)),
            }
        }
        missing
    }

    /// Many new ids are merged in one pass over both maps, a few are inserted.
    fn insert(&mut self, missing: Vec<(A, u64)>) {
        // Measured: below that single insertions are faster.
        if missing.len() > (self.0.len() / 16).max(32) {
            self.0.append(&mut missing.into_iter().collect());
        } else {
            self.0.extend(missing);
        }
    }
}

impl<A: Id, const WALKED: bool> Contestant for Tree<A, WALKED> {
    type Id = A;
    const MAKE: &'static str = "BTreeMap";
    const BY_VALUE: bool = false;

    fn name() -> String {
        format!("BTreeMap{} {}", if WALKED { "" } else { ", searched" }, A::NAME)
    }

    fn build(entries: &[(u64, u64)]) -> Self {
        Self(entries.iter().map(|&(id, n)| (A::make(id), n)).collect())
    }

    fn merge_value(&mut self, other: Self) {
        self.merge_ref(&other);
    }

    fn merge_ref(&mut self, other: &Self) {
        self.merge_sorted::<A, &A>(other.0.iter().map(|(id, &n)| (id, n)), A::clone);
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
        let mut theirs = other.0.iter();
        let mut next = theirs.next();
        let larger = self.0.iter().filter(|&(id, n)| {
            advance(&mut next, &mut theirs, |(their, _)| (*their).cmp(id)).is_none_or(|(_, their)| n > their)
        });
        Some(Self(larger.map(|(id, &n)| (id.clone(), n)).collect()))
    }

    fn counts(&self) -> Vec<(u64, u64)> {
        sorted(self.0.iter().map(|(id, &n)| (id.number(), n)))
    }
}

impl<const WALKED: bool> Json for Tree<String, WALKED> {
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap()
    }

    fn merge_json(&mut self, json: &[u8]) {
        let mut read: Vec<(Cow<'_, str>, u64)> = Vec::new();
        each_entry(json, |id, n| read.push((id, n)));
        if !read.is_sorted_by(|a, b| a.0.cmp(&b.0) == Ordering::Less) {
            read.sort();
            // Of a doubled id the larger count, the later one, stays.
            read.dedup_by(|later, kept| {
                later.0 == kept.0 && {
                    kept.1 = later.1;
                    true
                }
            });
        }
        self.merge_sorted::<str, &str>(read.iter().map(|(id, n)| (&**id, *n)), str::to_owned);
    }
}

impl<A: Id> Hash<A> {
    /// `left` is how many entries may be new at most, this one among them.
    fn raise<Q>(&mut self, id: &Q, n: u64, left: usize, own: impl FnOnce() -> A)
    where
        A: Borrow<Q>,
        Q: std::hash::Hash + Eq + ?Sized,
    {
        if let Some(count) = self.0.get_mut(id) {
            *count = n.max(*count);
            return;
        }
        // Grown once, not doubled time and again.
        if self.0.len() == self.0.capacity() {
            self.0.reserve(left);
        }
        self.0.insert(own(), n);
    }
}

impl<A: Id> Contestant for Hash<A> {
    type Id = A;
    const MAKE: &'static str = "HashMap";
    const BY_VALUE: bool = false;

    fn build(entries: &[(u64, u64)]) -> Self {
        Self(entries.iter().map(|&(id, n)| (A::make(id), n)).collect())
    }

    fn merge_value(&mut self, other: Self) {
        self.merge_ref(&other);
    }

    fn merge_ref(&mut self, other: &Self) {
        let count = other.0.len();
        for (seen, (id, &n)) in other.0.iter().enumerate() {
            self.raise(id, n, count - seen, || id.clone());
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

    fn counts(&self) -> Vec<(u64, u64)> {
        sorted(self.0.iter().map(|(id, &n)| (id.number(), n)))
    }
}

impl Json for Hash<String> {
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap()
    }

    fn merge_json(&mut self, json: &[u8]) {
        each_entry(json, |id, n| self.raise(&*id, n, 1, || id.clone().into_owned()));
    }
}

/// Calls `f` for each entry of a JSON object of counts. Ids without escapes are borrowed from the text.
fn each_entry<'a>(json: &'a [u8], f: impl FnMut(Cow<'a, str>, u64)) {
    serde_json::Deserializer::from_slice(json).deserialize_map(Each(f)).unwrap();
}

struct Each<F>(F);

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, F: FnMut(Cow<'de, str>, u64)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of counts")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        while let Some((Key(id), n)) = map.next_entry()? {
            (self.0)(id, n);
        }
        Ok(())
    }
}

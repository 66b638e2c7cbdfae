//! Writes a map as a list of pairs: for ids that a format can't have as keys.
//!
//! The keys of a JSON object are strings. Ids that are texts, numbers or unit enums can be keys; tuples and structs can't,
//! and `serde_json` refuses them ("key must be a string"). Write such counters, and maps with such keys, as a list:
//!
//! ```
//! use crdt::{GCounter, PnCounter};
//! use serde::{Deserialize, Serialize};
//! use std::collections::BTreeMap;
//!
//! #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
//! struct Replica {
//!     node: String,
//!     life: u32,
//! }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct State {
//!     #[serde(with = "crdt::pairs")]
//!     views: GCounter<Replica>,
//!     #[serde(with = "crdt::pairs")]
//!     stock: BTreeMap<(u32, String), PnCounter<String>>,
//! }
//!
//! let views = GCounter::from([(Replica { node: "n0".into(), life: 7 }, 3)]);
//! let state = State { views, stock: BTreeMap::from([((1, "bolts".into()), PnCounter::new())]) };
//! let json = serde_json::to_string(&state)?;
//! assert_eq!(
//!     json,
//!     r#"{"views":[[{"node":"n0","life":7},3]],"stock":[[[1,"bolts"],{"p":{},"n":{}}]]}"#
//! );
//! assert_eq!(serde_json::from_str::<State>(&json)?, state);
//! # Ok::<(), serde_json::Error>(())
//! ```

use alloc::vec::Vec;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// Writes the entries of `map`, in its order, as a list of pairs. An entry of a `PnCounter` is
/// `[id, [increments, decrements]]`.
///
/// ```
/// let mut json = Vec::new();
/// crdt::pairs::serialize(&crdt::GCounter::from([((1, 2), 3)]), &mut serde_json::Serializer::new(&mut json))?;
/// assert_eq!(json, b"[[[1,2],3]]");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// If the serializer fails.
pub fn serialize<'a, T, S: Serializer>(map: &'a T, serializer: S) -> Result<S::Ok, S::Error>
where
    &'a T: IntoIterator<Item: Serialize>,
{
    serializer.collect_seq(map)
}

/// Reads a list of pairs. Of a doubled key a counter takes the larger count, a standard map the last value.
///
/// ```
/// let mut json = serde_json::Deserializer::from_str("[[[1,2],3]]");
/// let counter: crdt::GCounter<(u8, u8)> = crdt::pairs::deserialize(&mut json)?;
/// assert_eq!(counter.get(&(1, 2)), 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// If the input is no list of pairs of a key and a value.
pub fn deserialize<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>
where
    T: IntoIterator<Item: Deserialize<'de>> + FromIterator<T::Item>,
{
    Vec::deserialize(deserializer).map(T::from_iter)
}

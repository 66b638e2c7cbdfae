//! Counter CRDTs: counts that many replicas raise on their own, and merge without losing or doubling anything.
//!
//! ```
//! use crdt::GCounter;
//!
//! let mut here = GCounter::<String>::new();
//! let mut there = GCounter::<String>::new();
//! here.add("n0", 3)?; // each replica adds under an id of its own
//! there.add("n1", 4)?;
//! let delta = there.delta_since(&here); // what `here` lacks
//! assert!(here.merge(&delta)); // true: something was new
//! assert!(!here.merge(&delta)); // delivered again: nothing happens
//! assert_eq!(here.value(), 7);
//! # Ok::<(), crdt::Overflow>(())
//! ```
//!
//! # The tour
//!
//! * [`GCounter`] only grows; [`PnCounter`] goes both ways, and has every method of the other. A [`VersionVector`] says
//!   what each replica has seen.
//! * [`merge`](GCounter::merge) takes in another state or a delta, in any order and any number of times, and says
//!   whether anything changed; [`merge_all`](GCounter::merge_all) takes many, [`merge_if`](GCounter::merge_if) only what
//!   you accept. [`delta_since`](GCounter::delta_since)
//!   is what another state lacks: a delta is a counter like any other. `<=` is the order of the lattice.
//! * Actor ids are anything `Ord + Clone`. Every method takes them owned or by reference, and text ids as any text, see
//!   [`ToActor`]. A [`Slot`] is a handle to one's own count, for the hot add.
//! * An add that would pass `u64::MAX` is an error, [`Overflow`], and changes nothing. Values are `u128` and `i128`,
//!   which no sum can pass.
//! * [`Merge`] and [`Delta`] are the traits, with their laws; [`laws`] checks these on any type, also on yours. [`Max`],
//!   [`Min`], [`Lww`], `Option`, tuples, sets by union, and maps of all of these merge as they stand:
//!
//!   ```
//!   use crdt::{Delta, Merge, PnCounter};
//!   use std::collections::BTreeMap;
//!
//!   type Stock = BTreeMap<(&'static str, &'static str), PnCounter<String>>; // by tenant and article
//!
//!   let (mut here, mut there) = (Stock::new(), Stock::new());
//!   here.entry(("acme", "bolts")).or_default().add("n0", 500)?;
//!   there.entry(("acme", "nuts")).or_default().add("n1", -3)?;
//!   let delta = there.delta_since(&here);
//!   assert!(Merge::merge(&mut here, &delta)); // not `here.merge(..)`: see [`Merge`]
//!   assert_eq!(here[&("acme", "nuts")].value(), -3);
//!   # Ok::<(), crdt::Overflow>(())
//!   ```
//! * [`named::Counters`] has thousands or millions of counters by name. Its deltas cost what changed. It has batches, resets that
//!   concurrent adds survive, and totals that count once however often they are reported.
//! * With serde a counter is a map, `{"n0":3,"n1":4}`. [`GCounter::seed`] decodes against the ids of a state at hand,
//!   so that no id is made and the merge is one pass; with the feature `json`, `GCounter::merge_json` takes bytes
//!   straight into the state. Ids that JSON can't have as keys are written by [`pairs`].
//! * For files there is `GCounter::to_bytes` (feature `bytes`): canonical, with a version and a checksum.
//!
//! # How it is fast
//!
//! The ids are a sorted table behind an `Arc`, shared by all counters that have the same ones; the counts are plain
//! numbers beside it, in cache lines, or in the counter itself up to eight. A merge of two counters that share a table is
//! one SIMD pass of `max` without a branch, compiled for several instruction sets and chosen at run time. New ids of a
//! large counter wait in a short list beside the table, until they are one in 12. There is no unsafe code in this crate.
//!
//! # Features
//!
//! * `std` (default): detects the processor's SIMD by the standard library, and has `HashMap` and `HashSet` merge.
//!   Without it the crate is `no_std` and needs `alloc`, and atomics: it does not build for thumbv6m.
//! * `serde` (default): `Serialize`, `Deserialize` and the seed.
//! * `json`: reads JSON bytes against known ids. Brings `serde_json`.
//! * `bytes`: a binary form for keeping, with a version and a checksum. Brings `crc32fast`.
//! * `rc`: ids of `Arc<str>`, `Rc<str>` and their like with serde (serde's own feature `rc`).
//! * `arbitrary`: counters and lattices for fuzz targets. Brings `arbitrary` and `std`.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod actor;
#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(feature = "bytes")]
pub mod bytes;
#[cfg(feature = "serde")]
mod codec;
mod counts;
mod gcounter;
mod iter;
mod kernels;
mod lattice;
pub mod laws;
mod ledger;
mod merge;
pub mod named;
mod overflow;
#[cfg(feature = "serde")]
pub mod pairs;
mod pncounter;
mod slot;
mod table;
mod tail;

pub use actor::ToActor;
#[cfg(feature = "serde")]
pub use codec::{PnSeed, Seed};
pub use gcounter::GCounter;
pub use iter::{IntoIter, Iter, PnIter};
pub use lattice::{Lww, Max, Min, VersionVector};
pub use merge::{Delta, Merge};
pub use overflow::Overflow;
pub use pncounter::PnCounter;
pub use slot::Slot;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

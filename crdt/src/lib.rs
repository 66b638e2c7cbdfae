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
//! * [`GCounter`] only grows; [`PnCounter`] goes both ways. A **version vector** is a `GCounter` whose sum nobody asks
//!   for: `<=`, `partial_cmp` and `delta_since` are its questions.
//! * [`merge`](GCounter::merge) takes in another state or a delta, in any order and any number of times, and says
//!   whether anything changed; [`merge_all`](GCounter::merge_all) takes many, [`merge_if`](GCounter::merge_if) only what
//!   you accept. [`delta_since`](GCounter::delta_since)
//!   is what another state lacks: a delta is a counter like any other. `<=` is the order of the lattice.
//! * Actor ids are anything `Ord + Clone`. A [`Slot`] is a handle to one's own count, for the hot add.
//! * An add that would pass `u64::MAX` is an error, [`Overflow`], and changes nothing. Values are `u128` and `i128`,
//!   which no sum can pass.
//! * [`Merge`] and [`Delta`] are the traits, with their laws; [`laws`] checks these on any type, also on yours.
//! * With serde a counter is a map, `{"n0":3,"n1":4}`. [`GCounter::seed`] decodes against the ids of a state at hand,
//!   so that no id is made and the merge is one pass; with the feature `json`, `GCounter::merge_json` takes bytes
//!   straight into the state.
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
//! * `std` (default): detects the processor's SIMD by the standard library. Without it the crate is `no_std` and needs
//!   `alloc`, and atomics with compare-and-swap (so not thumbv6m).
//! * `serde` (default): `Serialize`, `Deserialize` and the seed.
//! * `json`: reads JSON bytes against known ids. Brings `serde_json`.

#![no_std]

extern crate alloc;

mod actor;
#[cfg(feature = "serde")]
mod codec;
mod counts;
mod gcounter;
mod iter;
mod kernels;
pub mod laws;
mod ledger;
mod merge;
mod overflow;
mod pncounter;
mod slot;
mod table;
mod tail;

pub use actor::ToActor;
#[cfg(feature = "serde")]
pub use codec::{PnSeed, Seed};
pub use gcounter::GCounter;
pub use iter::{Iter, PnIter};
pub use merge::{Delta, Merge};
pub use overflow::Overflow;
pub use pncounter::PnCounter;
pub use slot::Slot;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

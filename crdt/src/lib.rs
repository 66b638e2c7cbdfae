//! Counter CRDTs: counts that many replicas raise on their own and merge without losing or doubling anything.
//!
//! ```
//! use crdt::GCounter;
//!
//! let mut here = GCounter::<String>::new();
//! let mut there = GCounter::<String>::new();
//! here.add("n0", 3)?;
//! there.add("n1", 4)?;
//! assert!(here.merge(&there));
//! assert_eq!(here.value(), 7);
//! # Ok::<(), crdt::Overflow>(())
//! ```

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
mod merge;
mod overflow;
mod pncounter;
mod slot;
mod table;

pub use actor::ToActor;
#[cfg(feature = "serde")]
pub use codec::Seed;
pub use gcounter::GCounter;
pub use iter::Iter;
pub use merge::{Delta, Merge};
pub use overflow::Overflow;
pub use pncounter::PnCounter;
pub use slot::Slot;

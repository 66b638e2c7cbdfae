//! Many counters by name: a delta costs what changed, however many there are.
//!
//! A map of counters merges as it is, see [`Merge`](crate::Merge), but each counter has its own table of actors, and a delta is
//! found by looking at all of them. [`Counters`] has all counters of all actors in one state: some 40 bytes for a counter and
//! actor, and a delta costs what changed.
//!
//! # Rows, slots, numbers, versions
//!
//! * A **row** is all that one actor has counted. Nobody else changes it.
//! * A **slot** is one counter in a row. Slots are numbered 0, 1, 2 and so on, in the order in which the actor first changed the
//!   counters. Slot 7 of an actor is the same counter everywhere, so its name travels once.
//! * An **entry** is all that a slot holds: increments, decrements, and seldom [more](More). It is absolute, never a difference.
//! * A **number** counts the changes of a row. Each slot has the number at which it last changed. All changes of one
//!   [`Batch`] share one.
//! * The **version** of a row is the number up to which a state has *covered* it. A row at a version is exactly what its actor
//!   had at that number.
//! * A [**delta**](RowDelta) covers the numbers above one up to another. Whoever has not covered its beginning must not apply
//!   it, and [`apply`](Counters::apply) refuses it: there would be a gap, and the version would claim what is not there.
//!   For the same reason [parts](Part) of a delta are applied together, or not at all.
//!
//! This is Scuttlebutt reconciliation (van Renesse, Dumitriu, Gough, Thomas, *Efficient Reconciliation and Flow Control for
//! Anti-Entropy Protocols*, LADIS 2008), with a stricter rule for what is too long for one message.
//!
//! ```
//! use crdt::named::{Assembly, Counters};
//!
//! let mut here = Counters::<String>::new();
//! let mut there = Counters::<String>::new();
//! for article in ["bolts", "nuts", "nails"] {
//!     here.add("n0", article, 500)?;
//! }
//! let mut assembly = Assembly::new(1 << 20);
//! for delta in here.delta_since(there.versions()) {
//!     for part in delta.split(1_000) { // each fits a message
//!         if let Some(delta) = assembly.accept(part)? {
//!             there.apply(&delta)?;
//!         }
//!     }
//! }
//! assert_eq!(here, there);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Resets and sources
//!
//! A [reset](Batch::reset) notes how much it has seen, and the value leaves that out. So adds that are concurrent with it
//! survive, and two resets at once subtract the same counts once.
//!
//! A client may [report a total](Batch::report) of its own instead of adding: "sensor 7 has counted 41 so far". Reported again,
//! to whatever replica, it counts once.

mod apply;
mod assembly;
mod baseline;
mod batch;
mod births;
mod changes;
mod counters;
mod delta;
mod directory;
mod entries;
mod entry;
mod errors;
mod index;
mod join;
mod more;
mod names;
mod part;
#[cfg(feature = "bytes")]
mod restored;
mod row;

pub use assembly::Assembly;
pub use baseline::Baseline;
pub use batch::Batch;
pub use counters::Counters;
pub use delta::{ItemRef, RowDelta};
pub use entry::{Entry, EntryRef};
pub use errors::{ChangeError, DeltaError, PartError};
pub use more::More;
pub use part::Part;
#[cfg(feature = "bytes")]
pub(crate) use restored::Restored;

/// So many sources may report totals to one counter. Merging accepts more: two replicas may each have heard of so many.
pub const MAX_SOURCES: usize = 1_024;

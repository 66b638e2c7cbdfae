//! What holds of the crate as a user sees it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

mod alike;
mod examples;
mod fuzz_bodies;
mod fuzzed;
mod gossip;
mod kept;
mod lattices;
mod lawless;
mod laws;
mod mistakes;
mod newcomers;
mod no_allocation;
mod oracle;
mod panics;
mod pn;
mod reading;
mod roads;
mod snippets;
mod support;

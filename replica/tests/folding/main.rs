//! Folding, as a model.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod cluster;
mod counter;
mod counterexamples;
mod frame;
mod holds;
mod peer;
mod planted;
mod rows;
mod search;
mod setup;
mod state;
mod store;

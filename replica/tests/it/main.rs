//! The replica's integration tests, one binary: its store's conformance, and whole clusters on virtual time.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod clusters;
mod conformance;
mod doubles;
mod driven;
mod forgetting;
mod imports;
mod inheriting;
mod levels;
mod named;
mod nodes;
mod notes;
mod peers;
mod planted;
mod recovering;
mod roster;
mod trouble;
mod world;

//! Random clusters over a model of JetStream: the store and the codec that ship, judged by the replica's own judge.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod clusters;
mod codec;
mod jetstream;
mod planted;
mod woken;
#[allow(dead_code, reason = "the replica's own tests use the rest")]
#[path = "../../../replica/tests/it/world/mod.rs"]
mod world;

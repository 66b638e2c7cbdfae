//! The codec by property, and the store against a real nats-server.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod asking;
mod busy;
mod conformance;
mod fixtures;
mod journal;
mod measured;
mod rights;
mod samples;
#[path = "../server/mod.rs"]
mod server;
mod streams;
mod wire;

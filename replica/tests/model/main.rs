#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod cluster;
mod configurations;
mod generator;
mod memo;
mod message;
mod planted;
mod printed;
mod process;
mod rules;
mod saboteur;
mod search;
mod setup;
mod state;
mod store;

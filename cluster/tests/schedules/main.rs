//! Every schedule of small scenarios, over the store that ships.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

#[path = "../campaign/jetstream/copy.rs"]
mod copy;
mod judge;
#[path = "../campaign/planted.rs"]
mod planted;
mod processes;
mod scenario;
mod scenarios;
mod search;
mod searches;
mod steps;
mod stream;
#[path = "../campaign/woken.rs"]
mod woken;
mod world;

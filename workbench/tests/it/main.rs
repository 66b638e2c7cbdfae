//! The bench from outside: what it says of good nodes and of bad ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod bugs;
mod campaign;
mod determinism;
mod faults;
mod lin_kv;
mod others;
mod parity;
mod toy;
mod words;

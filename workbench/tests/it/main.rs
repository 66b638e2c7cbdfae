//! The bench from outside: its verdicts on good nodes and on bad ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod bugs;
mod campaign;
mod determinism;
mod faults;
mod kafka;
mod leader;
mod lin_kv;
mod others;
mod own;
mod parity;
mod report;
mod shrinking;
mod toy;
mod transactions;
mod words;

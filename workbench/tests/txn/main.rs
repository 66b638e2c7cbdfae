//! The checkers of transactions: planted anomalies, simulated databases, and a naive checker beside them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

mod database;
mod lists;
mod naive;
mod random;
mod registers;
mod script;
mod speed;

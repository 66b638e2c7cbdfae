//! The integration tests, one binary.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod errors;
mod fuzzed;
mod fuzzing;
mod handing_on;
mod harness;
mod hostile;
mod liveness;
mod planted;
mod processes;
mod recovery;
mod shown;
mod simulated;
mod stragglers;
mod tidy;

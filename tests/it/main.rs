//! The integration tests, one binary.

mod errors;
mod harness;
mod recovery;
mod simulated;
mod stragglers;
mod tidy;

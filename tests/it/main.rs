//! The integration tests, one binary.

mod errors;
mod harness;
mod recovery;
mod stragglers;
mod tidy;

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

mod campaigns;
mod cases;
mod cluster;
mod conformance;
mod crash_points;
mod errors;
mod fuzzed;
mod fuzzing;
mod handing_on;
mod harness;
mod hints;
mod hostile;
mod lies;
mod liveness;
mod load;
mod names;
mod network;
mod pipes;
mod planted;
mod planted_crashes;
mod processes;
mod recovery;
mod rounds;
mod script;
mod shown;
mod simulated;
mod stragglers;
mod sweeps;
mod tidy;
mod zombies;

//! `counterd` as its users meet it: real processes, real clients.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod access;
mod cli;
#[cfg(feature = "nats")]
mod cluster;
mod config;
mod dashboard;
mod disk;
mod faults;
mod harness;
mod history;
mod http;
mod http_errors;
mod http_limits;
mod levels;
mod metrics;
mod openapi;
mod packaging;
mod redis;
mod shutdown;
mod start;
mod tls;
mod web;

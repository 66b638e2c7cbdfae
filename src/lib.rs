//! A partition- and crash-proof counter that speaks the [Maelstrom] protocol.
//!
//! It is one world around a [`replica`]. Data flows one way: a line comes in ([`runtime`]), becomes a message ([`codec`])
//! and then an input of the replica ([`node`]). The replica's effects become messages to clients, peers and the store
//! ([`seq_kv`]), and these become lines ([`endpoint`]). Only the shell ([`runtime`]) touches clocks, pipes, signals and
//! generators.
//!
//! [Maelstrom]: https://github.com/jepsen-io/maelstrom

pub mod cli;
mod clients;
mod clock;
pub mod codec;
pub mod config;
pub mod endpoint;
#[cfg(feature = "bench")]
pub mod judge;
#[cfg(not(feature = "bench"))]
#[path = "no_bench.rs"]
pub mod judge;
pub mod lines;
pub mod log;
pub mod message;
pub mod msg_ids;
pub mod node;
pub mod runtime;
pub mod seq_kv;
pub mod stall_detector;
pub mod stdio;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;

//! A partition- and crash-proof counter that speaks the [Maelstrom] protocol.
//!
//! Data flows one way: a line comes in ([`runtime`]), becomes a message ([`codec`]), is handled by the node
//! ([`node`]), a pure state machine, and the messages that it wants sent become lines again ([`endpoint`]).
//! Only [`runtime`] knows of clocks, pipes, signals and generators.
//!
//! [Maelstrom]: https://github.com/jepsen-io/maelstrom

pub mod cli;
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
pub mod node;
pub mod replica;
pub mod runtime;
pub mod stdio;
pub mod vector;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;

//! Exhaustive model checking: every state that a small cluster can get into is visited, and the guarantees are
//! checked in each.
//!
//! # What is real and what is model
//!
//! The nodes are real: [`process`] drives an [`Endpoint`](maelstrom_counter::endpoint::Endpoint), line in and line
//! out, through the real codec. Around it stand the smallest things that can do what the world does:
//!
//! * the network ([`state`]) is a set of messages on their way. Any may arrive at any time, or never, and so many
//!   of them twice. What a dead process sent stays on its way, and an answer to it reaches its next life;
//! * the store ([`store`]) is Maelstrom's `seq-kv`: it may answer a request that changes nothing from any state that
//!   is not older than what that client has last seen;
//! * time passes for each process apart, a quarter of a second at once and so often per life;
//! * processes crash and start again, are told to end, end with their input, and have doubles under their own name.
//!
//! A node's random generator is a constant of its life ([`life`]): a state does not depend on how it was reached.
//!
//! What must hold is in [`rules`], the clusters that are searched are in [`configurations`] and, for those with the
//! time, in [`long`]; [`planted`] shows that bugs are found. `--nocapture` tells how many states there are:
//!
//! ```text
//! cargo test --test model -- --nocapture
//! cargo test --test model long -- --ignored --nocapture --test-threads 1
//! ```
//!
//! # What it does not cover
//!
//! Adds reach their node once, and at once; a process hears a client's read as its first message, and begins at once
//! after a crash (one that begins later is one whose messages take longer); deltas are positive; clocks go a quarter
//! of a second at once, so many times per life; a message of which a copy is on its way already is sent but once.
//!
//! # Why it is fast
//!
//! What a process does depends on its own state and its input alone, and clusters have many states where their
//! processes have few. So each step of a process is taken once and remembered, by fingerprint; most steps of the
//! search only look it up.
//!
//! What can no longer matter is forgotten: a message that changes nothing where it arrives does not arrive, and what
//! the store answers to nobody is dropped once no life can begin that might take it for its own. No order of events
//! is left out by that.
//!
//! Fingerprints of processes are taken from their `Debug` text, which shows every field there is.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod cluster;
mod configurations;
mod life;
mod long;
mod message;
mod planted;
mod process;
mod rules;
mod sabotage;
mod search;
mod setup;
mod state;
mod steps;
mod store;

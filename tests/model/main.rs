//! Exhaustive model checking: it visits every state that a small cluster can reach, and checks the guarantees in each.
//!
//! # What is real and what is model
//!
//! The nodes are real: [`process`] drives an [`Endpoint`](maelstrom_counter::endpoint::Endpoint), line in and line
//! out, through the real codec. Around it stand the smallest things that can do what the world does:
//!
//! * The network ([`state`]) is a set of messages on their way. Each may arrive at any time or never, and a bounded number
//!   arrive twice. The messages of a dead process stay on their way, and answers to them reach the next incarnation.
//! * The store ([`store`]) is Maelstrom's `seq-kv`. It may answer a request that changes nothing from any state that is not
//!   older than the state that this client has last seen.
//! * Time passes for each process apart, a quarter of a second at once, and a bounded number of times per incarnation.
//! * Processes crash and start again, are told to end, end with their input, and have doubles under their own name.
//!
//! A node's random generator is a constant of its incarnation ([`generator`]). So a state does not depend on how it was
//! reached.
//!
//! The rules are in [`rules`]. The clusters that are searched are in [`configurations`]; [`long`] has searches that take
//! longer. [`planted`] shows that bugs are found. `--nocapture` prints how many states there are:
//!
//! ```text
//! cargo test --test model -- --nocapture
//! cargo test --test model long -- --ignored --nocapture --test-threads 1
//! ```
//!
//! # What it does not cover
//!
//! * Each add reaches its node once, without delay.
//! * A process gets a client's read as its first message.
//! * A process begins at once after a crash. (A later start is the same as slower messages.)
//! * Deltas are positive.
//! * Clocks go a quarter of a second at once, a bounded number of times per incarnation.
//! * A message is not sent again while the same message is on its way.
//!
//! # Why it is fast
//!
//! A step of a process depends on its own state and its input alone. A cluster has many states, but its processes have few.
//! So the model takes each step of a process once and remembers it, by fingerprint. Most steps of the search only look it
//! up.
//!
//! The model forgets messages that can no longer matter. A message that changes nothing where it arrives does not arrive.
//! An answer of the store that no process waits for is dropped once no incarnation can begin that might mistake it for its
//! own. No order of events is left out by that.
//!
//! The fingerprint of a process is that of its `Debug` text, which shows every field.

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
#[path = "../../replica/tests/model/generator.rs"]
mod generator;
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

//! Exhaustive model checking at the seam: every state that a small cluster can get into is visited, and the guarantees are
//! checked in each.
//!
//! # What is real and what is model
//!
//! The replicas are real: [`process`] drives a [`Replica`](replica::Replica) through its public seam, with typed inputs and
//! effects. Around it stand the smallest things that can do what a world does:
//!
//! * the network ([`state`]) is a set of frames on their way. Any may arrive at any time, or never, and so many of them twice;
//! * the store ([`store`]) keeps records with numbered revisions. It is linearizable, or weaker in loads and conflicts. A request
//!   may be done at any time, also when the process that asked is dead, and its outcome may arrive at any later time. So many
//!   outcomes are unknown (a commit among them may be done later), and so many requests are refused;
//! * time passes for each process apart, a quarter of a second at once and so often per process. A process may be stopped
//!   for two seconds: then `heard` lags behind `now` until its next tick;
//! * processes crash and start again, are told to end, end with their input, and have doubles under their own name;
//! * records go back to an earlier state, as a store does that is restored from a backup;
//! * processes begin with lists of nodes that differ, and change from one process to the next;
//! * operators forget a node, whose processes may run on, and may return;
//! * clients of many counters add to one or, in a batch, to two, and reset them;
//! * several inputs may come before a tick, in the setups that say so. In the others a tick follows each input.
//!
//! Some dangers take a long history. So a search may begin behind one: see [`past`].
//!
//! A process's random generator is a constant of its incarnation ([`generator`]): so a state does not depend on how it was
//! reached.
//!
//! With many counters what must hold is said by a [`ledger`]: it follows what clients ask for, and says what each row must be at
//! each version, and what each read must show. [`audit`] compares.
//!
//! What must hold is in [`rules`]. The clusters that are searched are in [`configurations`], [`backups`], [`forgets`], [`many`] and, for
//! those with the time, in [`long`]. [`planted`] and [`planted_many`] show that bugs are found. `--nocapture` tells how many states there are:
//!
//! ```text
//! cargo test -p counter-replica --test model -- --nocapture
//! cargo test -p counter-replica --test model long -- --ignored --nocapture --test-threads 1
//! ```
//!
//! `tests/model/` in the root package is its sister: the node with its codec, over Maelstrom's store.
//!
//! # Whose outcome it is
//!
//! A world may hand the outcome of a dead process's request to a later process of that node. Tokens start at random, so the
//! later process ignores it. One configuration has such a world, and one planted bug shows what happens if tokens are used
//! again. In the other configurations the outcome goes to the process that asked. That leaves no behaviour out as long as
//! that one configuration holds, and makes the searches smaller.
//!
//! # What it does not cover
//!
//! Adds reach their node once, and at once. A client reads as the first thing in each process, and the next process begins at
//! once after a crash (one that begins later is one whose messages take longer). Clocks go so many ticks per process. A frame
//! of which a copy is on its way already is sent but once. Nothing foreign stands in a record.
//!
//! A store that answers every request answers a fence, and a request for the names of all nodes, at once: in the step that asked.
//! The names are those of all nodes. The setups in which lists differ, outcomes are unknown or requests are refused have both as
//! requests like others.
//!
//! No source reports totals, and no row has so many counters that its hints are parts. With two processes of one node at once, or the
//! store down, a reset may tell its client what an earlier one has told: it has not seen that one.
//!
//! Where records go back, no process begins before its predecessor is gone, and nobody is forgotten. A store that goes back
//! under a process that counts under an inherited replica is a hole that GUARANTEES states. So is a frame that a third node
//! relays and dies: where three nodes are searched and a record goes back, none dies.
//!
//! # Why it is fast
//!
//! What a process does depends on its own state and its input alone, and clusters have many states where their processes have
//! few. So each step of a process is computed once and remembered, by fingerprint; most steps of the search only look it up.
//!
//! What can no longer matter is forgotten: a message that changes nothing where it arrives does not arrive, an outcome that
//! no process waits for is dropped, and so is a commit of a dead process whose revision has passed. No order of events is
//! left out by that.
//!
//! Fingerprints are taken from `Debug` texts, which show every field there is. Counters of tokens and frame ids are among
//! them: two processes that differ in nothing else count as different. That costs states, and hides none. The searches are
//! small enough to leave it so.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

mod adds;
mod audit;
mod backups;
mod cluster;
mod configurations;
mod distortion;
mod forgets;
mod generator;
mod ledger;
mod long;
mod many;
mod memo;
mod message;
mod past;
mod planted;
mod planted_many;
mod printed;
mod process;
mod rules;
mod saboteur;
mod search;
mod setup;
mod state;
mod store;
mod wishes;

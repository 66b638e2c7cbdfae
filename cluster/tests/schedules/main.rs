//! Every schedule of small scenarios, over the store that ships.
//!
//! # What is real and what is model
//!
//! The [`Store`](cluster::store::Store) is real. Each process has one ([`processes`]), and asks it for one thing after the other, as a
//! replica does. Below it stands the smallest thing that can do what JetStream does ([`stream`]): a sequence of changes, calls that are
//! under way, and readers whose servers are behind. The [`judge`] holds the records and all answers against what the port promises.
//!
//! # What a schedule is
//!
//! A sequence of [`steps`](steps::Step). Each decides which call goes on next, and how: a write is done and told; done, and the answer lost,
//! or late; not done; done later, also after its process has died; or it finds another append in the way. A reader gets the next
//! message, or one that has replaced it; the message gets lost; the reader gives up. Its server lacks the last so many replacements.
//! [`search`] tries all of them, as far as the bounds of the [`scenario`] on unusual steps allow.
//!
//! At the end of each schedule a new process must be able to open the record and to commit, and another node must find that.
//!
//! # Why it is fast
//!
//! A state that was seen before is not searched again. And some steps need not wait for others: a reader that begins may have a server that
//! comes forward later, and a message that nobody replaces is sent early or late. So these go first. Which subjects are replaced is learnt
//! on the way, and then the search begins anew ([`search::search`]). A request begins with a step of its own, for what it must find depends
//! on when it is asked.
//!
//! # What it does not cover
//!
//! A process that polls its own tasks in another order. Two messages that get lost in a row to readers, or more faults than the bounds say:
//! [`searches::deeper`] takes them. Elections and lost majorities come only as what a client sees of them; the campaign has them.
//!
//! ```text
//! cargo test -p counter-cluster --test schedules -- --nocapture
//! SCENARIO=seal FAULTS=2 cargo test --release -p counter-cluster --test schedules deeper -- --ignored --nocapture
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]

#[path = "../campaign/jetstream/copy.rs"]
mod copy;
mod judge;
#[path = "../campaign/planted.rs"]
mod planted;
mod processes;
mod scenario;
mod scenarios;
mod search;
mod searches;
mod steps;
mod stream;
#[path = "../campaign/woken.rs"]
mod woken;
mod world;

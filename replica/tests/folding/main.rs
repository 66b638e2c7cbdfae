//! Folding, as a model: can the rows of ended incarnations become one row, and no add be lost?
//!
//! # What is modelled
//!
//! Nothing of the replica's code runs here. The model has the rules of the DESIGN ("Folding, only if a model passes"), and small
//! amendments to them. One node folds its own rows; one or two peers hold them. There are
//!
//! * processes of the folding node ([`counter`]), numbered in the order in which they start. They count, commit, gossip, seal, ask,
//!   and fold. They crash, end cleanly, or run on beside their successors;
//! * processes of the peers ([`peer`]). They confirm, answer, relay, store hints, crash, recover, run on beside their successors,
//!   and are forgotten;
//! * the store ([`store`]): records that a commit replaces if they still are at the revision that it names. A commit may be done at
//!   any time, also when its process is dead. Its outcome may stay unknown. The folding node's record may be restored;
//! * frames, replies and relayed rows ([`frame`]). They arrive at once, or never, or late: at any later time, any number of times.
//!
//! Each add is an octal digit of its own. So a sum tells which adds are in it, and how often, and rows merge by the larger number
//! as real ones do.
//!
//! # What must hold
//!
//! What all converge to is the merge of the rows of all records and all processes. The larger count of a row wins, with its floor;
//! rows below the largest floor are left out. In every state
//!
//! * each acknowledged add is in that once, as far as `--ack` promises: an add that is not stored survives the death of one
//!   process that holds it (with `memory`, of none);
//! * no add is in that twice, nor in any process or record;
//! * a process that has recovered shows every add that it has shown before.
//!
//! # What the model leaves out
//!
//! Forgetting the folding node itself: who folds it is one more process of that node. Two folding nodes at once: rows of different
//! nodes meet in hints only. Inheriting is one step, in which all peers answer. A process reads all records at one moment. No two
//! processes have one number. A store that goes back while a process below the seal runs on: rule 7.
//!
//! # Where to read on
//!
//! [`counterexamples`] has what the rules of the DESIGN don't prevent, [`holds`] what was searched whole, and [`planted`] what each
//! rule is for. `--nocapture` prints the sizes and the steps:
//!
//! ```text
//! cargo test -p counter-replica --test folding -- --nocapture
//! cargo test -p counter-replica --test folding long -- --ignored --nocapture --test-threads 1
//! ```

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and speaks by printing"
)]
#![allow(clippy::struct_excessive_bools, reason = "what may be true of a process is independent")]

mod cluster;
mod counter;
mod counterexamples;
mod events;
mod frame;
mod holds;
mod peer;
mod planted;
mod rows;
mod search;
mod setup;
mod state;
mod store;

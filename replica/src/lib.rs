//! A replica of a counter that never loses an acknowledged add.
//!
//! # The counter
//!
//! Every node keeps a row per replica ([`Rows`]: a state-based CRDT), merges what it hears by pointwise maximum,
//! gossips to random peers, and commits its own part to a store. Nodes stay writable through partitions and crashes, by
//! default also through store outages, and agree soon after.
//!
//! # The machine
//!
//! A [`Replica`] performs nothing. It takes an [`Input`] and the time, and gives [`Effect`]s. It reads no clock, opens no
//! file and sends no message: the *world* around it does. Besides clients' requests, three things pass the seam:
//!
//! * Frames to and from peers ([`frame`]). They may be lost, doubled, delayed and reordered.
//! * Requests to a store and their outcomes ([`store`]). The store may be slow, silent, or leave an outcome unknown.
//! * Time, and up to which time all input has been handled ([`Input::Tick`]).
//!
//! # An example: two nodes, no store
//!
//! ```
//! use std::time::Duration;
//! use replica::{AckPolicy, Config, Effect, Input, NodeId, Replica, Request, Ticket};
//!
//! let config = Config { ack: AckPolicy::Memory, ..Config::default() };
//! let names = ["a", "b"].map(NodeId::from);
//! let mut nodes = [1, 2].map(|seed| Replica::new(&config, names[seed - 1].clone(), seed as u64));
//! let mut inputs: Vec<(usize, Input)> = Vec::new();
//! for node in [0, 1] {
//!     inputs.push((node, Input::Roster(names.iter().cloned().collect())));
//! }
//! let answer_by = Duration::from_secs(4);
//! inputs.push((0, Input::Client { ticket: Ticket(1), answer_by, request: Request::add(5) }));
//!
//! for now in (0..1000).map(Duration::from_millis) {
//!     inputs.extend([0, 1].map(|node| (node, Input::Tick { heard: now })));
//!     while !inputs.is_empty() {
//!         let (node, input) = inputs.remove(0);
//!         nodes[node].handle(now, input);
//!         while let Some(effect) = nodes[node].poll_effect() {
//!             match effect {
//!                 Effect::Send { frame, .. } => {
//!                     inputs.push((1 - node, Input::Peer { from: names[node].clone(), frame }));
//!                 }
//!                 Effect::Reply { ticket, result } => println!("{ticket:?}: {result:?}"),
//!                 Effect::Store { .. } | Effect::Done => {}
//!             }
//!         }
//!     }
//! }
//! assert_eq!(nodes[1].value(), 5);
//! ```
//!
//! # Inside
//!
//! Three parts, each to be read alone. Durability has the count of this process and the node's record. Replication has the
//! state and gossip. Clients has the requests that wait. `parts.rs` wires them: its `tick` says in which order they act,
//! and why.

mod clients;
mod config;
mod context;
mod durability;
pub mod frame;
mod identity;
mod machine;
mod own;
mod parts;
mod replication;
mod seam;
mod state;
pub mod store;
mod tally;

pub use config::{
    ASK_WHILE_ADDS_WAIT, AckPolicy, Config, MAX_BATCH, MAX_COUNTERS, MAX_FORGETS, MAX_NAME, MAX_NOTE,
    MAX_PENDING, MAX_REPLICAS, MAX_SOURCES, MAX_WAITS, MOST_TOLD, Numbering, PEER_BACKOFF_MAX,
    RECOVER_WITHIN, SHUT_DOWN_WITHIN,
};
pub use frame::{Claim, Frame, FrameId, Inquiry};
pub use identity::{Incarnation, NoIdentity, NodeId, ReplicaId};
pub use machine::{PeerStatus, Replica};
pub use seam::{Change, Effect, Input, Name, Refusal, Reply, Request, Step, Ticket, Until};
pub use tally::{Part, RowDelta, Rows, THE_COUNTER, Tally};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;

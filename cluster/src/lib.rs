//! Counters on several machines: the replica over NATS, with JetStream as its store.
//!
//! [`join`] connects to NATS and gives [`Counters`](embedded::Counters), as a directory does, and a [`Cluster`], which knows the other
//! nodes. Behind them the replica gossips with the other nodes over NATS subjects. Its record is in a stream that all nodes share.
//!
//! Two halves can be read alone:
//!
//! * [`wire`] and [`journal`] turn frames and records into bytes and back. They do no I/O.
//! * [`nats`] does the I/O: it publishes and reads messages, and says of each request to the store how it ended.
//!
//! `docs/decisions/0029-a-cluster-over-nats.md` says why it is so.

pub mod journal;
pub mod members;
pub mod nats;
pub mod wire;

pub use members::{Member, Standing, View};
pub use nats::{Cluster, Elsewhere, JoinError, NotMade, Settings, join};

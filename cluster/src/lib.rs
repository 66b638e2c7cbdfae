//! Counters on several machines: the replica over NATS, with JetStream as its store.
//!
//! [`join`] connects to NATS and gives [`Counters`](embedded::Counters), as a directory does, and a [`Cluster`], which knows the other
//! nodes. Behind them the replica gossips with the other nodes over NATS subjects. Its record is in a stream that all nodes share.
//!
//! Three parts can be read alone:
//!
//! * [`wire`] and [`journal`] turn frames and records into bytes and back. They do no I/O.
//! * [`store`] keeps the records in a log of messages. It asks for I/O through a port, [`store::Engine`].
//! * [`nats`] does the I/O: it publishes and reads messages, and is the engine of the store.
//!
//! `docs/decisions/0029-a-cluster-over-nats.md` says why it is so.

pub mod journal;
pub mod members;
mod names;
pub mod nats;
pub mod store;
pub mod wire;

pub use members::{Member, Standing, View};
pub use names::{Names, Rights};
pub use nats::{Cluster, Elsewhere, JoinError, NotMade, Settings, join};

//! The settings, and the bounds that can't be set.

use std::time::Duration;

/// When an add is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckPolicy {
    /// Once the store has confirmed it. The add survives if all nodes die at once.
    Store,
    /// As `Store`. But while the store does not answer, once a peer has confirmed it.
    Durable,
    /// At once. A crash loses the adds that had not yet left the node.
    Memory,
}

/// The settings of a replica.
///
/// ```
/// use replica::{AckPolicy, Config};
///
/// let config = Config { ack: AckPolicy::Memory, ..Config::default() };
/// assert_eq!(config.fanout, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Config {
    /// When an add is acknowledged.
    pub ack: AckPolicy,
    /// Mean time between two gossip rounds; each round is jittered by a quarter either way.
    pub gossip_interval: Duration,
    /// How many peers a round gossips to, at most.
    pub fanout: usize,
    /// How long the store may take to answer before it counts as down.
    pub store_timeout: Duration,
    /// How long a peer may take to confirm a frame before it is sent again.
    pub peer_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ack: AckPolicy::Durable,
            gossip_interval: Duration::from_millis(100),
            fanout: 1,
            store_timeout: Duration::from_secs(1),
            peer_timeout: Duration::from_millis(500),
        }
    }
}

/// The longest time that a replica holds its reads after its start, until it has recovered.
pub const RECOVER_WITHIN: Duration = Duration::from_secs(1);

/// The longest time that a process which may go on under its predecessor's replica lets an add wait for the answers of all
/// nodes. Then it counts under a new one.
pub const ASK_WHILE_ADDS_WAIT: Duration = Duration::from_millis(250);

/// The longest time that a clean shutdown waits for the store to confirm the record.
pub const SHUT_DOWN_WITHIN: Duration = Duration::from_secs(1);

/// The longest pause between two attempts to reach a silent peer.
pub const PEER_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How many adds, and how many reads, may wait for their answer at once. Further ones are refused.
pub const MAX_PENDING: usize = 65_536;

/// How many operators may wait for a node to be forgotten. Further ones are refused.
pub const MAX_FORGETS: usize = 64;

/// How many rows others may bring into the state. Past this, rows of unknown replicas are refused, with an error in the
/// log. Known rows go on growing.
///
/// Each crash of a node that had counted leaves a row for good, and a peer can invent rows. Five nodes reach the bound if
/// each crashes every 40 minutes for a year.
pub const MAX_REPLICAS: usize = 1 << 16;

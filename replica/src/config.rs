//! What can be set, and the bounds that can't.

use std::time::Duration;

/// When an add is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckPolicy {
    /// Once the store has confirmed it: survives every node dying at once.
    Store,
    /// As `Store`; while the store does not answer, once a peer has confirmed it.
    Durable,
    /// At once: a crash loses what had not yet left the node.
    Memory,
}

/// How a replica behaves.
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

/// For how long a replica that starts holds its reads at most, until it has recovered what it knew before.
pub const RECOVER_WITHIN: Duration = Duration::from_secs(1);

/// How long a clean shutdown waits at most for the store to confirm the record.
pub const SHUT_DOWN_WITHIN: Duration = Duration::from_secs(1);

/// The longest pause between two attempts to reach a silent peer.
pub const PEER_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How many adds, and how many reads, may wait for their answer at once. Further ones are refused.
pub const MAX_PENDING: usize = 65_536;

/// How many rows others may bring into the state. Each crash of a node that had counted leaves one for good, and a
/// peer can invent them. Past this, rows of unknown replicas are refused, loudly; known ones go on growing. Five nodes
/// reach it if each crashes every 40 minutes for a year.
pub const MAX_REPLICAS: usize = 1 << 16;

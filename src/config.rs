//! The node's settings, and the bounds that can't be set.

use std::time::Duration;

pub use replica::{AckPolicy, MAX_PENDING, MAX_REPLICAS, SHUT_DOWN_WITHIN};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum CounterKind {
    /// A counter that only grows: a negative delta is refused.
    G,
    /// A counter that goes up and down.
    Pn,
}

/// How a node behaves. [`Config::default`] is what the command line defaults to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Config {
    /// What is counted.
    pub counter: CounterKind,
    /// When an add is acknowledged.
    pub ack: AckPolicy,
    /// Mean time between two gossip rounds of a node; each round is jittered by a quarter either way.
    pub gossip_interval: Duration,
    /// How many peers a round gossips to, at most.
    pub fanout: usize,
    /// How long the store may take to answer before it counts as down.
    pub store_timeout: Duration,
    /// How long a peer may take to confirm a message before it is sent anew.
    pub peer_timeout: Duration,
}

impl Config {
    /// The replica's part of the settings.
    pub fn replica(&self) -> replica::Config {
        replica::Config {
            ack: self.ack,
            gossip_interval: self.gossip_interval,
            fanout: self.fanout,
            store_timeout: self.store_timeout,
            peer_timeout: self.peer_timeout,
            recover_within: None,
            numbering: replica::Numbering::BySum,
            // Rows are short: there is one counter.
            max_frame: usize::MAX,
            // No client can ask how fresh a read is.
            survey_interval: None,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let replica::Config { ack, gossip_interval, fanout, store_timeout, peer_timeout, .. } =
            replica::Config::default();
        Self { counter: CounterKind::G, ack, gossip_interval, fanout, store_timeout, peer_timeout }
    }
}

/// A node answers a client's request within this time, or never. Maelstrom's clients leave the network after 5 s, and a
/// reply to a client that has left mutes the node for the rest of the test.
pub const REPLY_WITHIN: Duration = Duration::from_secs(4);

/// The most that is subtracted from [`REPLY_WITHIN`] for the time that a request was on its way.
///
/// Maelstrom hands over messages one at a time, each when it is due. So a request waits behind the message before it, for
/// as long as messages take. Twice the store's round trip is subtracted, up to this bound.
pub const ON_THE_WAY_MAX: Duration = Duration::from_secs(2);

/// After `init_ok` a node sends nothing unasked until the first message, or for this long. Peers and services may still be
/// starting, and a message to one that does not exist yet mutes the node.
pub const QUIET_FOR: Duration = Duration::from_secs(2);

/// The longest line that is read or written, in bytes. A longer one is skipped, with a warning.
pub const MAX_LINE: usize = 16 << 20;

/// The longest name of a node or a client, in bytes.
pub const MAX_NAME: usize = 64;

/// The largest cluster, in nodes.
pub const MAX_NODES: usize = 16_384;

/// The longest row in a record, with the longest name and the longest counts: `"…#9f3a17c2":[…,…],`.
const LONGEST_ROW: usize = MAX_NAME + "\"#9f3a17c2\":[,],".len() + 2 * 20;

/// The longest text of a record that a node reads, in bytes. A compare-and-set holds two records, the old and the new,
/// and must fit into one line.
pub const MAX_RECORD: usize = MAX_LINE - MAX_REPLICAS * LONGEST_ROW - (1 << 12);

// The records that a node writes are shorter than that.
const _: () = assert!(MAX_RECORD > MAX_REPLICAS * LONGEST_ROW + LONGEST_ROW);

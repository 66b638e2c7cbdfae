//! What can be set, and the bounds that can't.

use std::time::Duration;

/// When an add is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum AckPolicy {
    /// Once the store has confirmed it: survives every node dying at once.
    Store,
    /// As `store`; while the store does not answer, once a peer has confirmed it.
    Durable,
    /// At once: a crash loses what had not yet left the node.
    Memory,
}

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

impl Default for Config {
    fn default() -> Self {
        Self {
            counter: CounterKind::G,
            ack: AckPolicy::Durable,
            gossip_interval: Duration::from_millis(100),
            fanout: 1,
            store_timeout: Duration::from_secs(1),
            peer_timeout: Duration::from_millis(500),
        }
    }
}

/// A client's request is answered within this time, or never: Maelstrom's clients leave the network after
/// 5 s, and a reply to one that has left mutes the node for the rest of the test.
pub const REPLY_WITHIN: Duration = Duration::from_secs(4);

/// Messages are handed over one at a time, each when it is due: a request waits behind the message before it, for
/// as long as messages take. Twice the store's round trip, but no more than this, is taken off
/// [`REPLY_WITHIN`] for that.
pub const ON_THE_WAY_MAX: Duration = Duration::from_secs(2);

/// After `init_ok` nothing is sent unasked until the first message, or for this long: peers and services may
/// still be starting, and a message to one that is not there yet mutes the node.
pub const SETTLE_FOR: Duration = Duration::from_secs(2);

/// For how long a node that starts holds its reads at most, until it has recovered what it knew before.
pub const RECOVER_WITHIN: Duration = Duration::from_secs(1);

/// How long a clean shutdown waits at most for the store to confirm the slot.
pub const SHUT_DOWN_WITHIN: Duration = Duration::from_secs(1);

/// The longest pause between two attempts to reach a silent peer.
pub const PEER_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How many adds, and how many reads, may wait for their answer at once. What comes beyond is refused.
pub const MAX_WAITING: usize = 65_536;

/// The longest line that is read or written, in bytes. A longer one is skipped, with a warning.
pub const MAX_LINE: usize = 16 << 20;

/// The longest name of a node or a client, in bytes.
pub const MAX_NAME: usize = 64;

/// The largest cluster, in nodes.
pub const MAX_NODES: usize = 16_384;

/// How many replicas others may bring into the vector. Each crash of a node that had counted leaves one behind for
/// good, and a peer can make them up: past this, replicas that are not known yet are refused, loudly, while those
/// that are go on growing. Five nodes reach it if each crashes every 40 minutes for a year, a thousand with 65
/// crashes each.
///
/// It is as large as one line allows: a peer that has lost its memory is told everything at once, and a
/// compare-and-set names a slot as it was and as it shall be.
pub const MAX_REPLICAS: usize = 1 << 16;

/// A replica in a slot, its name and counts as long as can be: `"…#9f3a17c2":[…,…],`.
const LONGEST_ENTRY: usize = MAX_NAME + "\"#9f3a17c2\":[,],".len() + 2 * 20;

/// The longest text of a slot that this node takes for its own, in bytes.
pub const MAX_SLOT: usize = MAX_LINE - MAX_REPLICAS * LONGEST_ENTRY - (1 << 12);

// This node's own slots, as it writes them, are shorter than that.
const _: () = assert!(MAX_SLOT > MAX_REPLICAS * LONGEST_ENTRY + LONGEST_ENTRY);

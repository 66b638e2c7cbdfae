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

impl AckPolicy {
    /// Its name, as settings and reports have it.
    ///
    /// ```
    /// assert_eq!(replica::AckPolicy::Durable.as_str(), "durable");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Durable => "durable",
            Self::Memory => "memory",
        }
    }
}

/// How the changes of a replica are numbered. All nodes of a cluster number alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Numbering {
    /// Each change takes the next number. Messages and records carry the numbers.
    ByChange,
    /// For worlds whose messages have no room for numbers: the number is the sum of all increments and decrements. There is
    /// one counter, named `""`, and it can only be added to. So its row says which number it has.
    BySum,
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
    /// For worlds whose records may be long: how long it may take to read them at the start. So long, the store does not count as
    /// down because it has not opened the record yet, and reads wait for the recovery. Once the store has been down for
    /// [`RECOVER_WITHIN`] they wait no longer. `None`: records are short, so these times are `store_timeout` and [`RECOVER_WITHIN`].
    pub recover_within: Option<Duration>,
    /// How changes are numbered.
    pub numbering: Numbering,
    /// How many bytes of rows a frame may have, about, as [`RowDelta::size`](crate::RowDelta) counts them. A row that is longer
    /// travels in parts, one a frame.
    pub max_frame: usize,
    /// How old the last answer of a peer to the question what it shows may get before it is asked again, though nobody waits. With
    /// many peers it is asked less often. `None`: it is asked only if somebody waits.
    pub survey_interval: Option<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ack: AckPolicy::Durable,
            gossip_interval: Duration::from_millis(100),
            fanout: 1,
            store_timeout: Duration::from_secs(1),
            peer_timeout: Duration::from_millis(500),
            recover_within: None,
            numbering: Numbering::ByChange,
            max_frame: 256 * 1024,
            survey_interval: None,
        }
    }
}

/// The longest time that a replica holds its reads after its start, until it has recovered. [`Config::recover_within`] makes it longer.
pub const RECOVER_WITHIN: Duration = Duration::from_secs(1);

/// The longest time that a process which may go on under its predecessor's replica lets an add wait for the answers of all
/// nodes. Then it counts under a new one.
pub const ASK_WHILE_ADDS_WAIT: Duration = Duration::from_millis(250);

/// The longest time that a clean shutdown waits for the store to confirm the record.
pub const SHUT_DOWN_WITHIN: Duration = Duration::from_secs(1);

/// The longest pause between two attempts to reach a silent peer.
pub const PEER_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How many changes, and how many reads, may wait for their answer at once. So many notes may wait to be stored. Further ones are
/// refused.
pub const MAX_PENDING: usize = 65_536;

/// How many clients may wait until a node shows, or its peers have, so much. Further ones are refused.
pub const MAX_WAITS: usize = 4_096;

/// How many operators may wait for a node to be forgotten. Further ones are refused.
pub const MAX_FORGETS: usize = 64;

/// How many rows others may bring into the state. Past this, rows of unknown replicas are refused, with an error in the
/// log. Known rows go on growing.
///
/// Each crash of a node that had counted leaves a row for good, and a peer can invent rows. Five nodes reach the bound if
/// each crashes every 40 minutes for a year.
pub const MAX_REPLICAS: usize = 1 << 16;

/// How many items the answer to an [inquiry](crate::Inquiry) may have.
pub const MOST_TOLD: usize = 1024;

/// How many bytes of a row may be collected from one peer, part by part.
pub(crate) const MOST_COLLECTED: usize = 1 << 30;

/// The rows with so many counters at most are kept whole as hints.
pub(crate) const WHOLE_HINT: u32 = 64;

/// How many counters a node may hold. Past this, changes of unknown counters are refused.
pub const MAX_COUNTERS: usize = 1 << 24;

/// How many bytes the name of a counter or a source may have.
pub const MAX_NAME: usize = 1024;

/// How many bytes a [note](crate::store::Note) may have. Its world sees to that.
pub const MAX_NOTE: usize = 1024;

/// How many steps a batch may have.
pub const MAX_BATCH: usize = 10_000;

/// How many sources may report to a counter. Past this, reports of unknown sources are refused. Sources that were new on both
/// sides of a partition may be more together: all of them count.
pub const MAX_SOURCES: usize = 1024;

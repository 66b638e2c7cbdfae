//! The plan of a run: everything that decides it, and nothing about the host that performs it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use crate::check::Check;
use crate::nemesis::Fault;
use crate::network::Latency;
use crate::promises::Promises;
use crate::topology::Topology;
use crate::units;
use crate::workload::{TransactionOptions, Workload};

/// The most clients of a run. In the end all of them read at the same moment, and wait 5 s for the answer. Three nodes
/// answer 10,000 reads within a second, but not 100,000 in time.
const MAX_CLIENTS: usize = 10_000;
/// The most requests of a run: as many as 100 a second make in a day. The history takes some 250 bytes for each.
const MAX_REQUESTS: f64 = 1e7;

/// A whole run, decided in advance. In the simulation the same plan gives the same history, byte for byte.
///
/// Build one with [`Plan::new`] and set what differs:
///
/// ```
/// use std::time::Duration;
/// use workbench::{Counter, Fault, Plan};
///
/// let plan = Plan {
///     node_count: 5,
///     time_limit: Duration::from_secs(10),
///     nemesis: [Fault::Partition, Fault::Kill].into(),
///     ..Plan::new(&Counter::G, 42)
/// };
/// assert_eq!(plan.workers(), 5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Plan {
    /// The requests of the clients, and how their answers are judged.
    pub workload: &'static dyn Workload,
    /// Seed of every random choice of the bench.
    pub seed: u64,
    /// The number in the name of the first node: `n0` if it is 0. The names of the others follow it. At most 1,000.
    pub first_node: usize,
    /// Number of nodes, at least 1.
    pub node_count: usize,
    /// Number of concurrent clients. They are bound to the nodes in turn.
    pub concurrency: Concurrency,
    /// Requests a second, all clients together, on average. 0 sends none.
    pub rate: f64,
    /// What happens to a request that is due while every client waits for an answer.
    pub load: LoadModel,
    /// How long clients and faults run before the final phase.
    #[serde(serialize_with = "units::seconds")]
    pub time_limit: Duration,
    /// Delay of messages between servers.
    pub latency: Latency,
    /// The kinds of fault to inject.
    pub nemesis: BTreeSet<Fault>,
    /// Mean time between two acts of one kind of nemesis; gaps are uniform between 0 and twice this.
    #[serde(serialize_with = "units::seconds")]
    pub nemesis_interval: Duration,
    /// Of the faults that the nemesis draws, only these happen, by their numbers from 1: see
    /// [`Report::drawn_faults`](crate::Report::drawn_faults). `None` lets all of them happen.
    pub kept_faults: Option<BTreeSet<u32>>,
    /// Lower bound on the fraction of operations that must succeed, if any.
    pub availability: Option<f64>,
    /// Probability that a message between servers (nodes and services) is lost.
    pub loss: f64,
    /// Probability that a message between servers arrives twice, each copy with a delay of its own.
    pub duplicate: f64,
    /// Probability that a service does what it was asked and its answer is lost.
    pub store_loss: f64,
    /// Lose all messages between nodes and services, in the whole run.
    pub cut_store: bool,
    /// Lose all messages between nodes, in the whole run. A heal does not change that.
    pub cut_peers: bool,
    /// Nodes start at random times within this span, the services with the first node, `n0`. Before that they don't exist
    /// as destinations. Zero starts all at once, services first.
    #[serde(serialize_with = "units::seconds")]
    pub stagger: Duration,
    /// Time between the last heal and the final reads.
    #[serde(serialize_with = "units::seconds")]
    pub final_wait: Duration,
    /// After the final reads, watch for this long that no server sends anything.
    #[serde(serialize_with = "units::optional_seconds")]
    pub silence: Option<Duration>,
    /// The neighbours that [`Broadcast`](crate::Broadcast) gives to the nodes.
    pub topology: Topology,
    /// The transactions of the clients of a [`Database`](crate::Database), and how well they must be isolated.
    pub transactions: TransactionOptions,
    /// Read every node of a counter ten times a second between the last heal and the final reads, to see when the nodes
    /// converge. A read can bring a node up to date, so this may hide that its final read would have been stale.
    pub probes: bool,
    /// Malformed lines to hand to the nodes while clients run.
    pub malformed: u32,
    /// Keep the messages: see [`Report::trace`](crate::Report::trace).
    pub trace: bool,
    /// The [strict](crate::Check::is_strict) checks that count. The findings of the others are
    /// [remarks](crate::Report::remarks).
    pub strict: BTreeSet<Check>,
    /// The extra promises of the nodes. (Reports call them `claims`, as they always have.)
    #[serde(rename = "claims")]
    pub promises: Promises,
    /// The settings of the nodes for this run, by the names of the program's flags that set them. The program that makes the
    /// nodes writes and reads them. The bench records them, and gives them to the command that replays the run.
    pub settings: BTreeMap<&'static str, String>,
    /// Upper bound on the time from the last heal until all nodes show the same value for good.
    #[serde(serialize_with = "units::optional_seconds")]
    pub max_convergence: Option<Duration>,
    /// Demand that at least one operation of each kind succeeds, as Maelstrom does. In a short run full of faults even a
    /// good node may have none.
    pub demand_success: bool,
    /// Upper bound on any node's peak memory, in MiB (child processes only).
    pub max_rss_mb: Option<u64>,
}

impl Plan {
    /// The default run: 3 nodes, a client each, 100 requests a second for 20 s, no faults, all checks.
    pub fn new(workload: &'static dyn Workload, seed: u64) -> Self {
        Self {
            workload,
            seed,
            first_node: 0,
            node_count: 3,
            concurrency: Concurrency::PerNode(1),
            rate: 100.0,
            load: LoadModel::Closed,
            time_limit: Duration::from_secs(20),
            latency: Latency::default(),
            nemesis: BTreeSet::new(),
            nemesis_interval: Duration::from_millis(2500),
            kept_faults: None,
            availability: None,
            loss: 0.0,
            duplicate: 0.0,
            store_loss: 0.0,
            cut_store: false,
            cut_peers: false,
            stagger: Duration::ZERO,
            final_wait: Duration::from_secs(10),
            silence: None,
            topology: Topology::Grid,
            transactions: TransactionOptions::default(),
            probes: true,
            malformed: 0,
            trace: false,
            strict: Check::strict().collect(),
            promises: Promises::default(),
            settings: BTreeMap::new(),
            max_convergence: None,
            demand_success: true,
            max_rss_mb: None,
        }
    }

    /// How many clients an open load may have at once: the planned ones, and enough for the requests that come while a
    /// request without an answer holds its client. At most 10,000 in all.
    pub(crate) fn most_workers(&self) -> usize {
        const SECONDS: f64 = 6.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast saturates, and so is bounded"
        )]
        let more = (self.rate * SECONDS).ceil() as usize;
        self.workers().saturating_add(more).min(MAX_CLIENTS.max(self.workers()))
    }

    /// The numbers in the names of the nodes.
    pub fn nodes(&self) -> Range<usize> {
        self.first_node..self.first_node + self.node_count
    }

    /// Number of concurrent clients.
    pub fn workers(&self) -> usize {
        match self.concurrency {
            Concurrency::Total(count) => count,
            Concurrency::PerNode(times) => times.saturating_mul(self.node_count),
        }
    }

    /// Checks that a run is not too large for a machine: the clients, and the requests, which are kept until the end.
    ///
    /// # Errors
    /// The text says what is too large, and the bound.
    pub fn check_size(&self) -> Result<(), String> {
        let workers = self.workers();
        if workers > MAX_CLIENTS {
            return Err(format!(
                "--concurrency {} with {} nodes makes {workers} clients, at most {MAX_CLIENTS} are allowed: in the end all \
                 of them read at the same moment",
                self.concurrency, self.node_count
            ));
        }
        let (rate, seconds) = (self.rate, self.time_limit.as_secs_f64());
        if rate * seconds > MAX_REQUESTS {
            return Err(format!(
                "--rate {rate} for --time-limit {seconds} makes {:.0} requests, at most {MAX_REQUESTS} are allowed: the \
                 history is kept in memory, 250 bytes a request",
                rate * seconds
            ));
        }
        Ok(())
    }
}

/// What happens to a request that is due while every client waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum LoadModel {
    /// It waits for a client, as in Maelstrom. A node that does not answer holds its clients for 5 s each, so the rate drops.
    Closed,
    /// Another client joins and sends it. So requests arrive at the planned rate, and each node gets its share of them.
    /// The number of clients is bounded by those that wait if no node answers.
    Open,
}

/// How many clients run at once: `4` in all, or `2n`, two for each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// So many clients, whatever the number of nodes.
    Total(usize),
    /// So many clients for each node.
    PerNode(usize),
}

impl std::str::FromStr for Concurrency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, make): (&str, fn(usize) -> Self) = match text.strip_suffix('n') {
            Some(digits) => (digits, Self::PerNode),
            None => (text, Self::Total),
        };
        match digits.parse() {
            Ok(count @ 1..=MAX_CLIENTS) => Ok(make(count)),
            _ => Err(format!(
                "expected a whole number from 1 to {MAX_CLIENTS}, or one followed by n, like 4 or 2n"
            )),
        }
    }
}

impl std::fmt::Display for Concurrency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Total(count) => write!(f, "{count}"),
            Self::PerNode(times) => write!(f, "{times}n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Counter;

    #[test]
    fn clients_are_counted_without_overflow() {
        let plan = Plan { concurrency: Concurrency::PerNode(usize::MAX), ..Plan::new(&Counter::G, 1) };
        assert_eq!(plan.workers(), usize::MAX);
        assert!(plan.check_size().is_err());
    }
}

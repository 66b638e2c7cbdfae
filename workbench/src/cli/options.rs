//! The flags of `test`.

mod idle;
mod nodes;
mod refused;
mod transactions;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

pub use self::idle::IdleOptions;
pub use self::nodes::NodeList;
pub use self::refused::RefusedOptions;
pub use self::transactions::TransactionFlags;
use super::values::{self, FaultList, StrictList, availability, fraction, rate, seconds};
use crate::check::Check;
use crate::error::BenchError;
use crate::host::process::FloodPlan;
use crate::nemesis::Fault;
use crate::network::{Latency, LatencyShape};
use crate::plan::{Concurrency, LoadModel, Plan};
use crate::promises::Promises;
use crate::topology::Topology;
use crate::workload::{Counter, LinKv, Workload};

const LOAD: &str = "Load";
const NETWORK: &str = "Network";
const FAULTS: &str = "Faults";
const VERDICT: &str = "Verdict";
const OUTPUT: &str = "Output";
const PIPE_TEST: &str = "Pipe test";

/// Flags of a test, with Maelstrom's names where Maelstrom has them. Flatten it into a command of your own. Of a flag that
/// is given twice the last one counts.
#[derive(Args, Clone, Debug)]
#[command(args_override_self = true)]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
pub struct TestOptions {
    /// What the clients ask for [default: g-counter; with --bin lin-kv]
    #[arg(short, long, value_parser = values::workload())]
    pub workload: Option<&'static dyn Workload>,

    /// The program to test: a path, or a name to look up here and then in PATH
    #[arg(long, value_name = "FILE")]
    pub bin: Option<PathBuf>,

    /// Number of nodes, which are called n0, n1, … [default: 3; with --bin the five n1 to n5]
    #[arg(long, value_name = "N", value_parser = values::node_count, allow_negative_numbers = true)]
    pub node_count: Option<u16>,

    /// Names of the nodes, like n1,n2,n3: n and ascending numbers without a gap
    #[arg(long, value_name = "NAMES")]
    pub nodes: Option<NodeList>,

    /// How long clients and faults run: seconds, or a time with its unit, like 500ms, 20s or 1m [default: 20; with --bin 60]
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub time_limit: Option<Duration>,

    /// How often to repeat the test, up to the first run that is not valid. The seeds ascend
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::test_count, allow_negative_numbers = true)]
    pub test_count: u32,

    /// Seed of every random choice of the bench [default: a new one, printed]
    #[arg(long, value_name = "SEED", value_parser = values::seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,

    /// Number of clients; 2n means two for each node
    #[arg(long, value_name = "N", default_value = "1n", allow_hyphen_values = true, help_heading = LOAD)]
    pub concurrency: Concurrency,

    /// Requests a second, all clients together, on average [default: 100; with --bin 5]
    #[arg(long, value_name = "HZ", value_parser = rate, allow_negative_numbers = true, help_heading = LOAD)]
    pub rate: Option<f64>,

    /// Hand the nodes so many malformed lines in the middle of the run
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::malformed, allow_negative_numbers = true, help_heading = LOAD)]
    pub malformed: u32,

    /// How the neighbours are arranged of which the broadcast workload tells the nodes
    #[arg(long, value_enum, value_name = "SHAPE", default_value = "grid", help_heading = LOAD)]
    pub topology: Topology,

    /// Flags of the workloads of transactions.
    #[command(flatten)]
    pub transactions: TransactionFlags,

    /// Mean delay of messages between servers, in milliseconds; clients have none
    #[arg(long, value_name = "MS", default_value = "0", value_parser = values::latency, allow_negative_numbers = true, help_heading = NETWORK)]
    pub latency: u64,

    /// How delays are spread
    #[arg(long, value_enum, value_name = "SHAPE", default_value = "constant", help_heading = NETWORK)]
    pub latency_dist: LatencyShape,

    /// Probability that a message between servers is lost
    #[arg(long, value_name = "P", default_value = "0", value_parser = fraction, allow_negative_numbers = true, help_heading = NETWORK)]
    pub loss: f64,

    /// Probability that a message between servers arrives twice
    #[arg(long, value_name = "P", default_value = "0", value_parser = fraction, allow_negative_numbers = true, help_heading = NETWORK)]
    pub duplicate: f64,

    /// Probability that a service does what it was asked and its answer is lost
    #[arg(long, value_name = "P", default_value = "0", value_parser = fraction, allow_negative_numbers = true, help_heading = NETWORK)]
    pub store_loss: f64,

    /// Cut nodes off from the services for the whole run
    #[arg(long, help_heading = NETWORK)]
    pub cut_store: bool,

    /// Cut nodes off from each other for the whole run
    #[arg(long, help_heading = NETWORK)]
    pub cut_peers: bool,

    /// Start nodes at random times within so many seconds, and the services with the first node
    #[arg(long, value_name = "S", default_value = "0", value_parser = seconds, allow_negative_numbers = true, help_heading = NETWORK)]
    pub stagger: Duration,

    /// Faults to inject, separated by commas: partition, kill, pause, restart, loss, duplicate, slow, store; or none
    /// [default: partition; with --bin none]
    #[arg(long, value_name = "FAULTS", help_heading = FAULTS)]
    pub nemesis: Option<FaultList>,

    /// Mean time between two acts of one nemesis, in seconds [default: an eighth of the time limit, at most 10; with --bin 10]
    ///
    /// Gaps are uniform between 0 and twice this. The first act comes at once.
    #[arg(long, value_name = "S", value_parser = values::interval, allow_negative_numbers = true, help_heading = FAULTS)]
    pub nemesis_interval: Option<Duration>,

    /// Time between the last heal and the final reads, in seconds
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds, allow_negative_numbers = true, help_heading = FAULTS)]
    pub final_wait: Duration,

    /// Fraction of the requests that must succeed: 0 to 1, or total
    #[arg(long, value_name = "FRACTION", value_parser = availability, allow_negative_numbers = true, help_heading = VERDICT)]
    pub availability: Option<f64>,

    /// Demand more than Maelstrom does: all that can be checked, or only these checks, separated by commas
    ///
    /// This is the default for this program's own node. What checks find that are not asked for is told as remarks.
    #[arg(
        long,
        value_name = "CHECKS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        conflicts_with = "flood",
        help_heading = VERDICT
    )]
    pub strict: Option<StrictList>,

    /// Judge as Maelstrom does, no stricter; the default with --bin
    #[arg(long, conflicts_with_all = ["strict", "flood"], help_heading = VERDICT)]
    pub lenient: bool,

    /// Time from the last heal within which all nodes must agree, in seconds
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true, help_heading = VERDICT)]
    pub max_convergence: Option<Duration>,

    /// After the final reads, watch for so many seconds that no server sends anything
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true, help_heading = VERDICT)]
    pub silence: Option<Duration>,

    /// Peak memory of a node that is allowed, in MiB
    #[arg(long, value_name = "MB", value_parser = values::memory_mb, allow_negative_numbers = true, help_heading = VERDICT)]
    pub max_rss_mb: Option<u64>,

    /// Print the outcome as one JSON document
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,

    /// Where runs are recorded, each in a directory of its own
    #[arg(long, value_name = "DIR", default_value = "store", help_heading = OUTPUT)]
    pub store: PathBuf,

    /// Flags of Maelstrom's that change nothing here.
    #[command(flatten)]
    pub idle: IdleOptions,

    /// Flags of Maelstrom's that this bench refuses.
    #[command(flatten)]
    pub refused: RefusedOptions,

    /// Instead of all this: hand one node so many requests as fast as it takes them
    #[arg(long, value_name = "N", value_parser = values::flood, allow_negative_numbers = true, help_heading = PIPE_TEST)]
    pub flood: Option<u32>,

    /// With --flood: CPU time a request that is allowed, in microseconds
    #[arg(long, value_name = "US", requires = "flood", value_parser = values::cpu_us, allow_negative_numbers = true, help_heading = PIPE_TEST)]
    pub max_cpu_us: Option<f64>,

    /// The extra promises of the nodes. The command sets them; there is no flag.
    #[arg(skip)]
    pub promises: Promises,

    /// Arguments for the node. It runs in a directory of its own, so paths among them must be absolute
    #[arg(last = true, value_name = "NODE_ARGS", help_heading = "Arguments")]
    pub node_args: Vec<String>,
}

impl TestOptions {
    /// The plan that these flags ask for. `seed` is used if they name none.
    ///
    /// With `--bin`, the defaults are Maelstrom's. Without it the run is shorter and denser, and its clients don't wait for
    /// nodes that do not answer.
    pub fn plan(&self, seed: u64) -> Plan {
        let is_ours = self.bin.is_none();
        let nodes = self.node_list();
        let longest = Duration::from_secs(10);
        let time_limit = self.time_limit.unwrap_or(Duration::from_secs(if is_ours { 20 } else { 60 }));
        let faults = if is_ours { [Fault::Partition].into() } else { BTreeSet::new() };
        Plan {
            first_node: nodes.first(),
            node_count: nodes.count(),
            concurrency: self.concurrency,
            rate: self.rate.unwrap_or(if is_ours { 100.0 } else { 5.0 }),
            load: if is_ours { LoadModel::Open } else { LoadModel::Closed },
            time_limit,
            latency: Latency { mean_ms: self.latency, shape: self.latency_dist },
            nemesis: self.nemesis.as_ref().map_or(faults, |list| list.faults().clone()),
            nemesis_interval: self.nemesis_interval.unwrap_or(if is_ours {
                longest.min(time_limit / 8)
            } else {
                longest
            }),
            topology: self.topology,
            transactions: self.transactions.options(),
            probes: is_ours,
            availability: self.availability,
            loss: self.loss,
            duplicate: self.duplicate,
            store_loss: self.store_loss,
            cut_store: self.cut_store,
            cut_peers: self.cut_peers,
            stagger: self.stagger,
            final_wait: self.final_wait,
            silence: self.silence,
            malformed: self.malformed,
            max_convergence: self.max_convergence,
            trace: true,
            strict: self.strict_checks(),
            promises: self.promises(),
            max_rss_mb: self.max_rss_mb,
            ..Plan::new(self.workload(), self.seed.unwrap_or(seed))
        }
    }

    /// What the clients ask for. With `--bin` the default is Maelstrom's.
    pub fn workload(&self) -> &'static dyn Workload {
        self.workload.unwrap_or(if self.bin.is_some() { &LinKv } else { &Counter::G })
    }

    /// The nodes. With `--bin` the default is Maelstrom's, and `--node-count` goes before `--nodes`.
    fn node_list(&self) -> NodeList {
        match (self.node_count, self.nodes) {
            (Some(count), _) => NodeList::numbered(count),
            (None, Some(nodes)) => nodes,
            (None, None) if self.bin.is_some() => NodeList::MAELSTROMS,
            (None, None) => NodeList::numbered(3),
        }
    }

    /// The pipe test that the flags ask for, if they ask for one.
    pub(super) fn flood_plan(&self, seed: u64) -> Option<FloodPlan> {
        let (workload, max_cpu_us, max_rss_mb) = (self.workload(), self.max_cpu_us, self.max_rss_mb);
        self.flood.map(|requests| FloodPlan { requests, seed, workload, max_cpu_us, max_rss_mb })
    }

    /// The strict checks that count. The default is all for the own node, and none for other programs.
    fn strict_checks(&self) -> BTreeSet<Check> {
        match &self.strict {
            Some(list) => list.checks(),
            None if self.lenient || self.bin.is_some() => BTreeSet::new(),
            None => StrictList::All.checks(),
        }
    }

    /// The extra promises. A user who names a check that belongs to a promise makes that promise.
    fn promises(&self) -> Promises {
        let is_named = matches!(&self.strict, Some(StrictList::These(checks))
            if checks.contains(&Check::MonotonicReadsAcrossCrashes));
        Promises { reads_survive_crashes: is_named || self.promises.reads_survive_crashes, ..self.promises }
    }

    /// # Errors
    /// If a flag would have no effect, or the run would be too large.
    pub(super) fn check(&self) -> Result<(), BenchError> {
        self.refused.check()?;
        self.plan(0).check_size().map_err(BenchError::Usage)?;
        self.check_convergence()?;
        let Some(StrictList::These(checks)) = &self.strict else { return Ok(()) };
        let idle = checks.iter().find(|check| !check.concerns(self.workload()));
        if let Some(check) = idle {
            let (name, workload) = (check.name(), self.workload().name());
            return Err(BenchError::Usage(format!("--strict={name} has nothing to check in {workload}")));
        }
        if checks.contains(&Check::Malformed) && self.malformed == 0 {
            return Err(BenchError::Usage(
                "--strict=malformed has nothing to check without --malformed".into(),
            ));
        }
        Ok(())
    }
}

impl TestOptions {
    /// Refuses a bound on convergence for another program: only final reads judge it, for an earlier read could bring a
    /// node up to date.
    fn check_convergence(&self) -> Result<(), BenchError> {
        match self.max_convergence {
            Some(bound) if self.bin.is_some() && bound < self.final_wait => Err(BenchError::Usage(format!(
                "--max-convergence {} can't be measured before the final reads, which come --final-wait {} s after the last \
                 heal: reading a node sooner could bring it up to date. Give --final-wait {0} too",
                bound.as_secs_f64(),
                self.final_wait.as_secs_f64()
            ))),
            _ => Ok(()),
        }
    }

    /// Notes for the user about flags that are accepted but do nothing, or not everything.
    pub(super) fn notes(&self) -> Vec<String> {
        let workload = self.workload().name();
        let is_idle = self.workload().protocol().iter().all(|rpc| rpc.name != "txn");
        let idle = self.transactions.given().filter(|_| is_idle);
        let idle = idle.map(|flag| format!("--{flag} has no effect: {workload} has no transactions"));
        idle.chain(self.idle.notes()).collect()
    }
}

#[cfg(test)]
mod tests;

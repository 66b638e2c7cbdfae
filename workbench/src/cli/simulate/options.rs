//! The flags of `simulate`.

use std::num::NonZero;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::replay::CommandLine;
use crate::cli::values::{self, FaultList, FaultNumbers, fraction, seconds, seed_range};
use crate::nemesis::Fault;
use crate::network::{Latency, LatencyShape};
use crate::plan::{Concurrency, LoadModel, Plan};
use crate::workload::Workload;

/// Flags of a campaign of simulated clusters. Flatten it into a command of your own.
///
/// A seed draws everything about its cluster. A flag that pins a part of it leaves the rest as it was drawn. Of a flag that
/// is given twice the last one counts.
#[derive(Args, Clone, Debug)]
#[command(args_override_self = true)]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
pub struct SimulateOptions {
    /// Seeds to run: 0..10000, or a single one; each stands for a cluster of its own
    #[arg(long, value_name = "RANGE", default_value = "0..1000", value_parser = seed_range, allow_hyphen_values = true)]
    pub seeds: Range<u64>,

    /// What the clients ask for
    #[arg(short, long, value_parser = values::workload(), default_value = "g-counter")]
    pub workload: &'static dyn Workload,

    /// Simulate all seeds, also if one fails, and count the failures
    #[arg(long)]
    pub keep_going: bool,

    /// Begin no cluster after so much time: 10m, 2h, or a number of seconds
    #[arg(long, value_name = "TIME", value_parser = seconds, allow_negative_numbers = true)]
    pub time_budget: Option<Duration>,

    /// Do not look for a smaller cluster that fails as well
    #[arg(long)]
    pub no_shrink: bool,

    /// Number of nodes [default: 1 to 9, by the seed]
    #[arg(long, value_name = "N", value_parser = values::node_count, allow_negative_numbers = true)]
    pub node_count: Option<u16>,

    /// Number of clients: 4 in all, or 2n, two for each node [default: 1n to 3n, by the seed]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub concurrency: Option<Concurrency>,

    /// Requests a second [default: 5 to 300, by the seed]
    #[arg(long, value_name = "HZ", value_parser = values::rate, allow_negative_numbers = true)]
    pub rate: Option<f64>,

    /// What happens to a request that is due while every client waits [default: by the seed]
    #[arg(long, value_parser = values::load())]
    pub load: Option<LoadModel>,

    /// How long clients and faults run, in virtual time [default: 10 to 60 s, by the seed]
    #[arg(long, value_name = "TIME", value_parser = seconds, allow_negative_numbers = true)]
    pub time_limit: Option<Duration>,

    /// Mean delay of messages between servers, in milliseconds [default: 0 to 100, by the seed]
    #[arg(long, value_name = "MS", value_parser = values::latency, allow_negative_numbers = true)]
    pub latency: Option<u64>,

    /// How delays are spread [default: by the seed]
    #[arg(long, value_enum, value_name = "SHAPE")]
    pub latency_dist: Option<LatencyShape>,

    /// Probability that a message between servers is lost [default: 0 to 0.1, by the seed]
    #[arg(long, value_name = "P", value_parser = fraction, allow_negative_numbers = true)]
    pub loss: Option<f64>,

    /// Probability that a message between servers arrives twice [default: 0 to 0.3, by the seed]
    #[arg(long, value_name = "P", value_parser = fraction, allow_negative_numbers = true)]
    pub duplicate: Option<f64>,

    /// Probability that a service does what it was asked and its answer is lost [default: 0 to 0.2, by the seed]
    #[arg(long, value_name = "P", value_parser = fraction, allow_negative_numbers = true)]
    pub store_loss: Option<f64>,

    /// Faults that every cluster has, separated by commas, or none [default: some, by the seed]
    #[arg(long, value_name = "FAULTS")]
    pub nemesis: Option<FaultList>,

    /// Faults of which the seed draws some, separated by commas [default: all]
    #[arg(long, value_name = "FAULTS")]
    pub nemesis_from: Option<FaultList>,

    /// Mean time between two acts of one nemesis, in virtual time [default: by the seed]
    #[arg(long, value_name = "TIME", value_parser = values::interval, allow_negative_numbers = true)]
    pub nemesis_interval: Option<Duration>,

    /// Of the faults that are drawn only those of these numbers, counted from 1 and separated by commas, or none
    #[arg(long, value_name = "NUMBERS")]
    pub only_faults: Option<FaultNumbers>,

    /// Time from the last heal within which all nodes must agree, in virtual time
    #[arg(long, value_name = "TIME", value_parser = seconds, allow_negative_numbers = true)]
    pub max_convergence: Option<Duration>,

    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = values::threads, allow_negative_numbers = true)]
    pub threads: Option<NonZero<usize>>,

    /// Print the outcome as one JSON document
    #[arg(long)]
    pub json: bool,

    /// Where a failure is recorded, or a single seed
    #[arg(long, value_name = "DIR", default_value = "store")]
    pub store: PathBuf,

    /// The program's name and version, for the record. The program sets it; there is no flag.
    #[arg(skip)]
    pub version: String,

    /// How the program was called, for the line that replays. The default is this process's command line.
    #[arg(skip = CommandLine::of_this_process())]
    pub command_line: CommandLine,
}

impl SimulateOptions {
    /// The plan for a seed.
    pub fn plan(&self, seed: u64) -> Plan {
        let drawn = self.drawn(seed);
        let latency = Latency {
            mean_ms: self.latency.unwrap_or(drawn.latency.mean_ms),
            shape: self.latency_dist.unwrap_or(drawn.latency.shape),
        };
        Plan {
            node_count: self.node_count.map_or(drawn.node_count, usize::from),
            concurrency: self.concurrency.unwrap_or(drawn.concurrency),
            rate: self.rate.unwrap_or(drawn.rate),
            load: self.load.unwrap_or(drawn.load),
            time_limit: self.time_limit.unwrap_or(drawn.time_limit),
            latency,
            loss: self.loss.unwrap_or(drawn.loss),
            duplicate: self.duplicate.unwrap_or(drawn.duplicate),
            store_loss: self.store_loss.unwrap_or(drawn.store_loss),
            nemesis: self.nemesis.as_ref().map_or(drawn.nemesis, |list| list.faults().clone()),
            nemesis_interval: self.nemesis_interval.unwrap_or(drawn.nemesis_interval),
            only_faults: self.only_faults.as_ref().map(|only| only.numbers().clone()),
            max_convergence: self.max_convergence,
            ..drawn
        }
    }

    /// The plan that the seed draws, if no flag pins anything.
    fn drawn(&self, seed: u64) -> Plan {
        match &self.nemesis_from {
            Some(list) => {
                let faults: Vec<Fault> = list.faults().iter().copied().collect();
                Plan::drawn(self.workload, seed, &faults)
            }
            None => Plan::drawn(self.workload, seed, Plan::all_faults()),
        }
    }

    /// The largest run that the flags allow.
    pub(super) fn largest(&self) -> Plan {
        let plan = self.plan(self.seeds.start);
        let node_count = self.node_count.map_or(9, usize::from);
        let concurrency = self.concurrency.unwrap_or(Concurrency::PerNode(3));
        let time_limit = self.time_limit.unwrap_or(Duration::from_mins(1));
        Plan { node_count, concurrency, time_limit, rate: self.rate.unwrap_or(300.0), ..plan }
    }

    /// The flags that give this plan, and no other. What the seed draws by itself needs no flag.
    pub(super) fn flags(&self, plan: &Plan) -> Vec<String> {
        let drawn = self.drawn(plan.seed).mix();
        let differs = |pin: &(&str, String)| !drawn.contains(pin);
        let mut pins = vec![("seeds", plan.seed.to_string()), ("workload", self.workload.name().to_owned())];
        pins.extend(self.nemesis_from.as_ref().map(|list| ("nemesis-from", list.to_string())));
        pins.extend(plan.mix().into_iter().filter(differs));
        pins.extend(plan.max_convergence.map(|span| ("max-convergence", span.as_secs_f64().to_string())));
        pins.into_iter().flat_map(|(flag, value)| [format!("--{flag}"), value]).collect()
    }
}

//! The flags of `simulate`.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::super::values::{self, FaultList, fraction, seconds, seed_range};
use crate::mix::word;
use crate::nemesis::Fault;
use crate::network::{Latency, LatencyShape};
use crate::plan::{Concurrency, LoadModel, Plan};
use crate::workload::Workload;

/// Flags of a campaign of simulated clusters. Flatten it into a command of your own.
#[derive(Args, Clone, Debug)]
pub struct SimulateOptions {
    /// Seeds to run: 0..10000, or a single one; each stands for a cluster of its own
    #[arg(long, value_name = "RANGE", default_value = "0..1000", value_parser = seed_range, allow_hyphen_values = true)]
    pub seeds: Range<u64>,

    /// What the clients ask for
    #[arg(short, long, value_parser = values::workload(), default_value = "g-counter")]
    pub workload: &'static dyn Workload,

    /// Number of nodes [default: 1 to 9, by the seed]
    #[arg(long, value_name = "N", value_parser = values::node_count, allow_negative_numbers = true)]
    pub node_count: Option<u16>,

    /// Number of clients; 2n means two for each node [default: 1n to 3n, by the seed]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub concurrency: Option<Concurrency>,

    /// How long clients and faults run, in virtual seconds [default: 10 to 60, by the seed]
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub time_limit: Option<Duration>,

    /// Requests a second [default: 5 to 300, by the seed]
    #[arg(long, value_name = "HZ", value_parser = values::rate, allow_negative_numbers = true)]
    pub rate: Option<f64>,

    /// What happens to a request that is due while every client waits for an answer [default: by the seed]
    #[arg(long, value_enum, value_name = "MODEL")]
    pub load: Option<LoadModel>,

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

    /// Faults to choose from, separated by commas, or none
    #[arg(
        long,
        value_name = "FAULTS",
        default_value = "partition,kill,pause,restart,loss,duplicate,slow,store"
    )]
    pub nemesis: FaultList,

    /// Mean time between two acts of one nemesis, in virtual seconds [default: a 4th to a 20th of the run, by the seed]
    #[arg(long, value_name = "S", value_parser = values::interval, allow_negative_numbers = true)]
    pub nemesis_interval: Option<Duration>,

    /// Of the faults that the seed gives, let only these happen: their numbers, separated by commas, or none
    #[arg(long, value_name = "NUMBERS", value_parser = values::fault_numbers)]
    pub faults: Option<BTreeSet<u32>>,

    /// Time from the last heal within which all nodes must agree, in virtual seconds
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub max_convergence: Option<Duration>,

    /// Run all seeds, also after a failure, and count the failures
    #[arg(long)]
    pub keep_going: bool,

    /// End after this time, in seconds or such as 10m, with a tally
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub time_budget: Option<Duration>,

    /// Do not look for a smaller cluster that fails as the first failure does
    #[arg(long)]
    pub no_shrink: bool,

    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = values::threads, allow_negative_numbers = true)]
    pub threads: Option<NonZero<usize>>,

    /// Print the outcome as one JSON document
    #[arg(long)]
    pub json: bool,

    /// Where a failure is recorded, or a single seed
    #[arg(long, value_name = "DIR", default_value = "store")]
    pub store: PathBuf,

    /// The name and version of the program, to be recorded. The command sets it; there is no flag.
    #[arg(skip)]
    pub version: Option<&'static str>,
}

impl SimulateOptions {
    /// The plan for a seed.
    pub fn plan(&self, seed: u64) -> Plan {
        let drawn = self.drawn(seed);
        Plan {
            node_count: self.node_count.map_or(drawn.node_count, usize::from),
            concurrency: self.concurrency.unwrap_or(drawn.concurrency),
            time_limit: self.time_limit.unwrap_or(drawn.time_limit),
            rate: self.rate.unwrap_or(drawn.rate),
            load: self.load.unwrap_or(drawn.load),
            latency: Latency {
                mean_ms: self.latency.unwrap_or(drawn.latency.mean_ms),
                shape: self.latency_dist.unwrap_or(drawn.latency.shape),
            },
            loss: self.loss.unwrap_or(drawn.loss),
            duplicate: self.duplicate.unwrap_or(drawn.duplicate),
            store_loss: self.store_loss.unwrap_or(drawn.store_loss),
            nemesis_interval: self.nemesis_interval.unwrap_or(drawn.nemesis_interval),
            kept_faults: self.faults.clone(),
            max_convergence: self.max_convergence,
            ..drawn
        }
    }

    /// The seed, if it is a single one.
    pub(super) fn single(&self) -> Option<u64> {
        (self.seeds.end - self.seeds.start == 1).then_some(self.seeds.start)
    }

    /// The plan that the seed alone gives.
    fn drawn(&self, seed: u64) -> Plan {
        let faults: Vec<Fault> = self.nemesis.faults().iter().copied().collect();
        Plan::drawn(self.workload, seed, &faults)
    }

    /// The largest run that the flags allow.
    pub(super) fn largest(&self) -> Plan {
        let plan = self.plan(self.seeds.start);
        let time_limit = self.time_limit.unwrap_or(Duration::from_mins(1));
        Plan { time_limit, rate: self.rate.unwrap_or(300.0), ..plan }
    }

    /// The flags that give this plan: its seed, all that differs from what the seed alone gives, and the nodes' settings.
    pub(super) fn replay(&self, plan: &Plan) -> Vec<String> {
        let faults: Vec<String> = self.nemesis.faults().iter().map(|fault| fault.name()).collect();
        let faults = if faults.is_empty() { "none".to_owned() } else { faults.join(",") };
        let mut flags = Flags(Vec::new());
        flags.give("seeds", plan.seed.to_string());
        flags.give("workload", self.workload.name().to_owned());
        flags.give("nemesis", faults);
        let drawn = self.drawn(plan.seed);
        flags.pin("node-count", &drawn, plan, |plan| plan.node_count.to_string());
        flags.pin("concurrency", &drawn, plan, |plan| plan.concurrency.to_string());
        flags.pin("time-limit", &drawn, plan, |plan| plan.time_limit.as_secs_f64().to_string());
        flags.pin("rate", &drawn, plan, |plan| plan.rate.to_string());
        flags.pin("load", &drawn, plan, |plan| word(plan.load));
        flags.pin("latency", &drawn, plan, |plan| plan.latency.mean_ms.to_string());
        flags.pin("latency-dist", &drawn, plan, |plan| word(plan.latency.shape));
        flags.pin("loss", &drawn, plan, |plan| plan.loss.to_string());
        flags.pin("duplicate", &drawn, plan, |plan| plan.duplicate.to_string());
        flags.pin("store-loss", &drawn, plan, |plan| plan.store_loss.to_string());
        flags.pin("nemesis-interval", &drawn, plan, |plan| plan.nemesis_interval.as_secs_f64().to_string());
        let numbers = |kept: &BTreeSet<u32>| kept.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        if let Some(kept) = &plan.kept_faults {
            flags.give("faults", if kept.is_empty() { "none".into() } else { numbers(kept) });
        }
        if let Some(bound) = plan.max_convergence {
            flags.give("max-convergence", bound.as_secs_f64().to_string());
        }
        plan.settings.iter().for_each(|(name, value)| flags.give(name, value.clone()));
        flags.0.push("--no-shrink".into());
        flags.0
    }
}

struct Flags(Vec<String>);

impl Flags {
    fn give(&mut self, name: &str, value: String) {
        self.0.extend([format!("--{name}"), value]);
    }

    /// Gives the flag if it changes the plan.
    fn pin(&mut self, name: &str, drawn: &Plan, plan: &Plan, value: impl Fn(&Plan) -> String) {
        if value(drawn) != value(plan) {
            self.give(name, value(plan));
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: SimulateOptions,
    }

    fn parse(flags: &str) -> SimulateOptions {
        Cli::try_parse_from(["simulate"].into_iter().chain(flags.split_whitespace())).unwrap().options
    }

    #[test]
    fn the_replay_stands_for_the_same_plan() {
        for flags in [
            "",
            "--nemesis none --node-count 4",
            "--nemesis kill,store --time-limit 7.5 --rate 3 -w pn-counter",
            "--latency 7 --latency-dist uniform --loss 0.015 --duplicate 0 --store-loss 1 --nemesis-interval 0.3",
            "--faults 3,1 --concurrency 2 --load closed --max-convergence 2.5",
            "--faults none --time-limit 0.1",
        ] {
            let options = parse(flags);
            for seed in 0..40 {
                let replayed = parse(&options.replay(&options.plan(seed)).join(" "));
                assert_eq!(replayed.plan(seed), options.plan(seed), "{flags}");
                assert_eq!(replayed.seeds, seed..seed + 1);
            }
        }
    }

    #[test]
    fn a_flag_pins_one_thing_and_the_rest_is_drawn_as_before() {
        let free = parse("").plan(3);
        assert_eq!(parse("--loss 0.5").plan(3), Plan { loss: 0.5, ..free.clone() });
        assert_eq!(parse("--node-count 8").plan(3), Plan { node_count: 8, ..free });
    }

    #[test]
    fn no_run_is_larger_than_a_machine_can_bear() {
        for (flags, is_fine) in [
            ("", true),
            ("--rate 100000 --time-limit 100", true),
            ("--rate 200000", false),
            ("--time-limit 86400", false),
            ("--time-limit 86400 --rate 10", true),
        ] {
            assert_eq!(parse(flags).largest().check_size().is_ok(), is_fine, "{flags}");
        }
    }

    #[test]
    fn seeds_are_a_range_or_one() {
        assert_eq!(parse("--seeds 3..9").seeds, 3..9);
        assert_eq!(parse("--seeds 3").seeds, 3..4);
        for wrong in ["x", "-1", "9..3", "3..3", "..", "18446744073709551615", "0..18446744073709551615"] {
            assert!(Cli::try_parse_from(["simulate", "--seeds", wrong]).is_err(), "{wrong}");
        }
    }
}

//! The flags of `test`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{self, FaultList, StrictList, availability, fraction, rate, seconds};
use crate::check::Check;
use crate::claims::Claims;
use crate::error::BenchError;
use crate::network::{Latency, LatencyShape};
use crate::plan::{Concurrency, Plan};
use crate::workload::Workload;

/// Flags of a test, with Maelstrom's names where Maelstrom has them. Flatten it into a command of your own.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
pub struct TestOptions {
    /// What the clients ask for
    #[arg(short, long, value_enum, default_value = "g-counter")]
    pub workload: Workload,

    /// The program to test: a path, or a name to look up here and then in PATH [default: this one]
    #[arg(long, value_name = "FILE")]
    pub bin: Option<PathBuf>,

    /// Number of nodes
    #[arg(long, value_name = "N", default_value = "3", value_parser = values::node_count, allow_negative_numbers = true)]
    pub node_count: u16,

    /// Number of clients; 2n means two for each node
    #[arg(long, value_name = "N", default_value = "1n", allow_hyphen_values = true)]
    pub concurrency: Concurrency,

    /// Requests a second, all clients together, on average
    #[arg(long, value_name = "HZ", default_value = "100", value_parser = rate, allow_negative_numbers = true)]
    pub rate: f64,

    /// How long clients and faults run, in seconds
    #[arg(long, value_name = "S", default_value = "20", value_parser = seconds, allow_negative_numbers = true)]
    pub time_limit: Duration,

    /// Mean delay of messages between servers, in milliseconds; clients have none
    #[arg(long, value_name = "MS", default_value = "0", value_parser = values::latency, allow_negative_numbers = true)]
    pub latency: u64,

    /// How delays are spread
    #[arg(long, value_enum, value_name = "SHAPE", default_value = "constant")]
    pub latency_dist: LatencyShape,

    /// Faults to inject, separated by commas: partition, kill, pause, restart, loss, duplicate, slow, store; or none
    #[arg(long, value_name = "FAULTS", default_value = "partition")]
    pub nemesis: FaultList,

    /// Mean time between two acts of one nemesis, in seconds [default: an eighth of the time limit, at most 10]
    ///
    /// Gaps are uniform between 0 and twice this, so that by default at least two faults begin in every run.
    #[arg(long, value_name = "S", value_parser = values::interval, allow_negative_numbers = true)]
    pub nemesis_interval: Option<Duration>,

    /// Fraction of the requests that must succeed: 0 to 1, or total
    #[arg(long, value_name = "FRACTION", value_parser = availability, allow_negative_numbers = true)]
    pub availability: Option<f64>,

    /// Seed of every random choice of the bench [default: a new one, printed]
    #[arg(long, value_name = "SEED", value_parser = values::seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,

    /// Print the outcome as one JSON document
    #[arg(long)]
    pub json: bool,

    /// Where runs are recorded, each in a directory of its own
    #[arg(long, value_name = "DIR", default_value = "store")]
    pub store: PathBuf,

    /// Probability that a message between servers is lost
    #[arg(long, value_name = "P", default_value = "0", value_parser = fraction, allow_negative_numbers = true)]
    pub loss: f64,

    /// Probability that a message between servers arrives twice
    #[arg(long, value_name = "P", default_value = "0", value_parser = fraction, allow_negative_numbers = true)]
    pub duplicate: f64,

    /// Probability that a service does what it was asked and its answer is lost
    #[arg(long, value_name = "P", default_value = "0", value_parser = fraction, allow_negative_numbers = true)]
    pub store_loss: f64,

    /// Cut nodes off from the services for the whole run
    #[arg(long)]
    pub cut_store: bool,

    /// Cut nodes off from each other for the whole run
    #[arg(long)]
    pub cut_peers: bool,

    /// Start nodes at random times within so many seconds, and the services with the first node
    #[arg(long, value_name = "S", default_value = "0", value_parser = seconds, allow_negative_numbers = true)]
    pub stagger: Duration,

    /// Time between the last heal and the final reads, in seconds
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds, allow_negative_numbers = true)]
    pub final_wait: Duration,

    /// After the final reads, watch for so many seconds that no server sends anything
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub silence: Option<Duration>,

    /// Time from the last heal within which all nodes must agree, in seconds
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub max_convergence: Option<Duration>,

    /// Hand the nodes so many malformed lines in the middle of the run
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::malformed, allow_negative_numbers = true)]
    pub malformed: u32,

    /// Demand more than Maelstrom does: all that can be checked, or only these checks, separated by commas
    ///
    /// This is the default for this program's own node. What checks find that are not asked for is told as remarks.
    #[arg(
        long,
        value_name = "CHECKS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        conflicts_with = "flood"
    )]
    pub strict: Option<StrictList>,

    /// Judge as Maelstrom does, no stricter; the default with --bin
    #[arg(long, conflicts_with_all = ["strict", "flood"])]
    pub lenient: bool,

    /// Instead of all this: hand one node so many requests as fast as it takes them
    #[arg(long, value_name = "N", value_parser = values::flood, allow_negative_numbers = true)]
    pub flood: Option<u32>,

    /// With --flood: CPU time a request that is allowed, in microseconds
    #[arg(long, value_name = "US", requires = "flood", value_parser = values::cpu_us, allow_negative_numbers = true)]
    pub max_cpu_us: Option<f64>,

    /// Peak memory of a node that is allowed, in MiB
    #[arg(long, value_name = "MB", value_parser = values::memory_mb, allow_negative_numbers = true)]
    pub max_rss_mb: Option<u64>,

    /// What the nodes claim of themselves: for the command to say, there is no flag for it.
    #[arg(skip)]
    pub claims: Claims,

    /// Arguments for the node. It runs in a directory of its own, so paths among them must be absolute
    #[arg(last = true, value_name = "NODE_ARGS")]
    pub node_args: Vec<String>,
}

impl TestOptions {
    /// What these flags ask for. `seed` is for when they name none.
    pub fn plan(&self, seed: u64) -> Plan {
        let longest = Duration::from_secs(10);
        Plan {
            node_count: usize::from(self.node_count),
            concurrency: self.concurrency,
            rate: self.rate,
            time_limit: self.time_limit,
            latency: Latency { mean_ms: self.latency, shape: self.latency_dist },
            nemesis: self.nemesis.faults().clone(),
            nemesis_interval: self.nemesis_interval.unwrap_or(longest.min(self.time_limit / 8)),
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
            claims: self.claims(),
            max_rss_mb: self.max_rss_mb,
            ..Plan::new(self.workload, self.seed.unwrap_or(seed))
        }
    }

    /// All for the own node, none for others, unless something is asked for.
    fn strict_checks(&self) -> BTreeSet<Check> {
        match &self.strict {
            Some(list) => list.checks(),
            None if self.lenient || self.bin.is_some() => BTreeSet::new(),
            None => StrictList::All.checks(),
        }
    }

    /// Whoever asks by name for a check that is there for those who claim it makes the claim.
    fn claims(&self) -> Claims {
        let is_named = matches!(&self.strict, Some(StrictList::These(checks))
            if checks.contains(&Check::MonotonicReadsAcrossCrashes));
        Claims { reads_survive_crashes: is_named || self.claims.reads_survive_crashes, ..self.claims }
    }

    /// # Errors
    /// If a flag would have no effect, or the run would be too large.
    pub(super) fn check(&self) -> Result<(), BenchError> {
        self.plan(0).check_size().map_err(BenchError::Usage)?;
        let Some(StrictList::These(checks)) = &self.strict else { return Ok(()) };
        let idle = checks.iter().find(|check| !check.concerns(self.workload));
        if let Some(check) = idle {
            let (name, workload) = (check.name(), self.workload.name());
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::nemesis::Fault;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: TestOptions,
    }

    fn parse(flags: &str) -> Result<TestOptions, clap::Error> {
        let args = ["test"].into_iter().chain(flags.split_whitespace());
        Cli::try_parse_from(args).map(|cli| cli.options)
    }

    #[test]
    fn the_defaults_are_the_default_plan_with_partitions() {
        let plan = parse("").unwrap().plan(9);
        let expected =
            Plan { nemesis: [Fault::Partition].into(), trace: true, ..Plan::new(Workload::GCounter, 9) };
        assert_eq!(plan, expected);
    }

    #[test]
    fn maelstroms_flags_mean_what_they_mean_there() {
        let flags = "-w pn-counter --node-count 5 --concurrency 2n --rate 10.5 --time-limit 60 --latency 100 \
             --latency-dist exponential --nemesis partition,kill,pause --nemesis-interval 7 --availability total";
        let plan = parse(flags).unwrap().plan(9);
        assert_eq!((plan.workload, plan.node_count, plan.workers()), (Workload::PnCounter, 5, 10));
        assert_eq!(plan.nemesis, [Fault::Partition, Fault::Kill, Fault::Pause].into());
        assert_eq!(plan.nemesis_interval, Duration::from_secs(7));
        assert_eq!(plan.availability, Some(1.0));
        assert_eq!(plan.latency, Latency { mean_ms: 100, shape: LatencyShape::Exponential });
    }

    #[test]
    fn the_own_node_is_judged_strictly_and_others_as_asked() {
        let strict = |flags: &str| parse(flags).unwrap().plan(9).strict;
        let all: BTreeSet<Check> = Check::strict().collect();
        assert_eq!(strict(""), all);
        assert!(strict("--lenient").is_empty() && strict("--bin x").is_empty());
        assert!(strict("--bin x --lenient").is_empty());
        assert_eq!(strict("--bin x --strict"), all);
        let two = [Check::OwnAdds, Check::Agreement].into();
        assert_eq!(strict("--bin x --strict=own-adds,agreement"), two);
        assert_eq!(strict("--strict=agreement,own-adds"), two);
        assert!(all.iter().all(|check| check.is_strict()));
    }

    #[test]
    fn a_claim_is_made_by_asking_for_its_check() {
        let claims = |flags: &str| parse(flags).unwrap().plan(9).claims;
        assert!(claims("--bin x --strict=monotonic-reads-across-crashes").reads_survive_crashes);
        assert!(!claims("--bin x --strict").reads_survive_crashes);
    }

    #[test]
    fn a_flag_without_effect_is_refused() {
        let check = |flags: &str| parse(flags).unwrap().check();
        for flags in [
            "--strict=own-adds -w pn-counter",
            "--strict=agreement -w echo",
            "--strict=definite-errors -w g-set",
            "--strict=malformed",
        ] {
            assert!(check(flags).is_err(), "{flags}");
        }
        for flags in ["--strict -w echo", "--strict=malformed --malformed 9", "--strict=agreement -w g-set"] {
            assert!(check(flags).is_ok(), "{flags}");
        }
    }

    #[test]
    fn long_runs_have_maelstroms_interval() {
        assert_eq!(parse("--time-limit 200").unwrap().plan(9).nemesis_interval, Duration::from_secs(10));
    }

    #[test]
    fn what_follows_two_dashes_is_for_the_node() {
        let options = parse("--nemesis none --seed 3 -- --ack memory").unwrap();
        assert_eq!(options.node_args, ["--ack", "memory"]);
        assert_eq!((options.plan(9).seed, options.plan(9).nemesis.len()), (3, 0));
    }

    #[test]
    fn every_number_has_bounds_and_says_which() {
        use clap::CommandFactory;
        use clap::error::ErrorKind::{MissingRequiredArgument, ValueValidation};
        let command = Cli::command();
        let names = ["N", "HZ", "S", "MS", "FRACTION", "SEED", "P", "US", "MB"];
        let is_number =
            |arg: &&clap::Arg| arg.get_value_names().is_some_and(|given| names.contains(&given[0].as_str()));
        let numbers: Vec<_> =
            command.get_arguments().filter(is_number).filter_map(clap::Arg::get_long).collect();
        assert!(numbers.len() >= 19, "{numbers:?}");
        for flag in numbers {
            // `--seed` alone takes all that 64 bits hold.
            for value in ["-1", "-0.5", "nan", "inf", "1e400", "18446744073709551616"] {
                let error = parse(&format!("--{flag} {value}")).unwrap_err();
                let text = error.to_string();
                assert!(matches!(error.kind(), ValueValidation | MissingRequiredArgument), "{text}");
                assert!(text.contains("expected") && text.contains(" to "), "{text}");
            }
        }
    }

    #[test]
    fn a_run_that_no_machine_can_bear_is_refused() {
        for flags in ["--concurrency 5000n", "--rate 1000000", "--rate 200 --time-limit 86400"] {
            let error = parse(flags).unwrap().check().unwrap_err().to_string();
            assert!(error.contains("at most"), "{error}");
        }
        for flags in ["--concurrency 3000n", "--concurrency 10n --node-count 1000", "--time-limit 86400"] {
            parse(flags).unwrap().check().unwrap();
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for flags in [
            "--loss 2",
            "--loss nan",
            "--node-count 0",
            "--concurrency 0n",
            "--concurrency x",
            "--concurrency 99999999999n",
            "--concurrency 10001",
            "--rate 1e-300",
            "--flood 0",
            "--nemesis-interval 1e-9",
            "--malformed 100001",
            "--max-rss-mb 18014398509481985",
            "--rate -1",
            "--rate inf",
            "--nemesis earthquake",
            "--availability 7",
            "--time-limit -3",
            "--nemesis-interval 0",
            "--max-cpu-us 2",
            "--latency-dist wavy",
            "--strict --lenient",
            "--strict=own-adds,charm",
            "--strict own-adds",
            "--strict --flood 9",
            "--lenient --flood 9",
            "extra",
        ] {
            assert!(parse(flags).is_err(), "{flags}");
        }
    }
}

//! The flags of `test`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{self, FaultList, StrictList, availability, fraction, rate, seconds};
use crate::check::Check;
use crate::claims::Claims;
use crate::error::BenchError;
use crate::nemesis::Fault;
use crate::network::{Latency, LatencyShape};
use crate::plan::{Concurrency, LoadModel, Plan};
use crate::topology::Topology;
use crate::workload::Workload;

/// Flags of a test, with Maelstrom's names where Maelstrom has them. Flatten it into a command of your own. Of a flag that
/// is given twice the last one counts.
#[derive(Args, Clone, Debug)]
#[command(args_override_self = true)]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
pub struct TestOptions {
    /// What the clients ask for
    #[arg(short, long, value_enum, default_value = "g-counter")]
    pub workload: Workload,

    /// The program to test: a path, or a name to look up here and then in PATH [default: this one]
    #[arg(long, value_name = "FILE")]
    pub bin: Option<PathBuf>,

    /// Number of nodes, which are called n0, n1, … [default: 3]
    #[arg(long, value_name = "N", value_parser = values::node_count, allow_negative_numbers = true)]
    pub node_count: Option<u16>,

    /// As --node-count, for as many nodes as are named here, separated by commas. They are called n0, n1, … all the same
    #[arg(long, value_name = "NAMES", value_parser = values::node_list)]
    pub nodes: Option<u16>,

    /// Number of clients; 2n means two for each node
    #[arg(long, value_name = "N", default_value = "1n", allow_hyphen_values = true)]
    pub concurrency: Concurrency,

    /// Requests a second, all clients together, on average [default: 100; with --bin 5]
    #[arg(long, value_name = "HZ", value_parser = rate, allow_negative_numbers = true)]
    pub rate: Option<f64>,

    /// How long clients and faults run, in seconds [default: 20; with --bin 60]
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub time_limit: Option<Duration>,

    /// Mean delay of messages between servers, in milliseconds; clients have none
    #[arg(long, value_name = "MS", default_value = "0", value_parser = values::latency, allow_negative_numbers = true)]
    pub latency: u64,

    /// How delays are spread
    #[arg(long, value_enum, value_name = "SHAPE", default_value = "constant")]
    pub latency_dist: LatencyShape,

    /// Faults to inject, separated by commas: partition, kill, pause, restart, loss, duplicate, slow, store; or none
    /// [default: partition; with --bin none]
    #[arg(long, value_name = "FAULTS")]
    pub nemesis: Option<FaultList>,

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

    /// How the neighbours are arranged of which the broadcast workload tells the nodes
    #[arg(long, value_enum, value_name = "SHAPE", default_value = "grid")]
    pub topology: Topology,

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

    /// Flags of Maelstrom's that change nothing here.
    #[command(flatten)]
    pub idle: IdleOptions,

    /// What the nodes claim of themselves: for the command to say, there is no flag for it.
    #[arg(skip)]
    pub claims: Claims,

    /// Arguments for the node. It runs in a directory of its own, so paths among them must be absolute
    #[arg(last = true, value_name = "NODE_ARGS")]
    pub node_args: Vec<String>,
}

impl TestOptions {
    /// What these flags ask for. `seed` is for when they name none.
    ///
    /// What they leave open is as in Maelstrom where `--bin` names the program. For the program that the command was made
    /// for it is a shorter and denser run, whose clients don't wait for nodes that do not answer.
    pub fn plan(&self, seed: u64) -> Plan {
        let is_ours = self.bin.is_none();
        let longest = Duration::from_secs(10);
        let time_limit = self.time_limit.unwrap_or(Duration::from_secs(if is_ours { 20 } else { 60 }));
        let faults = if is_ours { [Fault::Partition].into() } else { BTreeSet::new() };
        Plan {
            node_count: usize::from(self.node_count.or(self.nodes).unwrap_or(3)),
            concurrency: self.concurrency,
            rate: self.rate.unwrap_or(if is_ours { 100.0 } else { 5.0 }),
            load: if is_ours { LoadModel::Open } else { LoadModel::Closed },
            time_limit,
            latency: Latency { mean_ms: self.latency, shape: self.latency_dist },
            nemesis: self.nemesis.as_ref().map_or(faults, |list| list.faults().clone()),
            nemesis_interval: self.nemesis_interval.unwrap_or(longest.min(time_limit / 8)),
            topology: self.topology,
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
        self.check_convergence()?;
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

impl TestOptions {
    /// Of a foreign node the final reads alone tell whether all agree: any read before them could bring it up to date.
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

    /// What the user should know of flags that are accepted and do nothing, or not all that they say.
    pub(super) fn notes(&self) -> Vec<String> {
        let renamed = self.nodes.is_some().then(|| "--nodes: here nodes are called n0, n1, …".to_owned());
        renamed.into_iter().chain(self.idle.notes()).collect()
    }
}

/// Flags of Maelstrom's that change nothing here: what they ask for is always done, or concerns workloads that are not here.
#[derive(Args, Clone, Debug, Default)]
pub struct IdleOptions {
    /// Accepted and without effect: what nodes write to standard error is in the record, n0.log and so on
    #[arg(long)]
    pub log_stderr: bool,

    /// Accepted and without effect: every message is in the record, messages.jsonl
    #[arg(long)]
    pub log_net_send: bool,

    /// Accepted and without effect: every message is in the record, messages.jsonl
    #[arg(long)]
    pub log_net_recv: bool,

    /// Accepted and without effect: for workloads of transactions
    #[arg(long, value_name = "MODELS")]
    pub consistency_models: Option<String>,

    /// Accepted and without effect: for workloads of transactions
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    pub key_count: Option<u32>,

    /// Accepted and without effect: for workloads of transactions
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    pub max_txn_length: Option<u32>,

    /// Accepted and without effect: for workloads of transactions
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    pub max_writes_per_key: Option<u32>,
}

impl IdleOptions {
    fn notes(&self) -> impl Iterator<Item = String> {
        let log = "what nodes write to standard error is in the record, n0.log and so on";
        let messages = "every message is in the record, messages.jsonl";
        let transactions = "it is for workloads of transactions, which are not here";
        [
            (self.log_stderr, "log-stderr", log),
            (self.log_net_send, "log-net-send", messages),
            (self.log_net_recv, "log-net-recv", messages),
            (self.consistency_models.is_some(), "consistency-models", transactions),
            (self.key_count.is_some(), "key-count", transactions),
            (self.max_txn_length.is_some(), "max-txn-length", transactions),
            (self.max_writes_per_key.is_some(), "max-writes-per-key", transactions),
        ]
        .into_iter()
        .filter(|(is_given, _, _)| *is_given)
        .map(|(_, flag, why)| format!("--{flag} has no effect: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

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
        let own = Plan {
            nemesis: [Fault::Partition].into(),
            load: LoadModel::Open,
            trace: true,
            ..Plan::new(Workload::GCounter, 9)
        };
        assert_eq!(plan, own);
    }

    #[test]
    fn for_other_programs_the_defaults_are_maelstroms() {
        let plan = parse("--bin x").unwrap().plan(9);
        let expected = Plan {
            rate: 5.0,
            time_limit: Duration::from_mins(1),
            nemesis_interval: Duration::from_millis(7500),
            probes: false,
            strict: BTreeSet::new(),
            trace: true,
            ..Plan::new(Workload::GCounter, 9)
        };
        assert_eq!(plan, expected);
    }

    #[test]
    fn of_a_flag_given_twice_the_last_counts() {
        let plan = parse("--seed 1 --rate 3 --nemesis kill --seed 2 --rate 4 --json --json --nemesis none")
            .unwrap()
            .plan(9);
        assert_eq!((plan.seed, plan.rate, plan.nemesis.len()), (2, 4.0, 0));
    }

    #[test]
    fn flags_of_maelstroms_guide_are_taken() {
        for (flags, notes) in [
            ("--log-stderr --log-net-send --log-net-recv", 3),
            ("--topology tree4", 0),
            ("--topology total", 0),
            ("--nodes n1", 1),
            ("--nodes n1,n2,n3", 1),
            (
                "--consistency-models read-committed --key-count 3 --max-txn-length 4 --max-writes-per-key 8",
                4,
            ),
        ] {
            let options = parse(flags).unwrap_or_else(|error| panic!("{flags}: {error}"));
            assert_eq!(options.notes().len(), notes, "{flags}");
        }
        assert_eq!(parse("--bin x --nodes n1").unwrap().plan(9).node_count, 1);
        assert_eq!(parse("--nodes n1,n2 --node-count 4").unwrap().plan(9).node_count, 4);
        assert_eq!(parse("--topology tree4").unwrap().plan(9).topology, Topology::Tree4);
        for wrong in ["--nodes ,", "--topology ring"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn convergence_of_a_foreign_node_is_not_measured_by_reading_it() {
        let check = |flags: &str| parse(flags).unwrap().check();
        assert!(check("--max-convergence 2").is_ok());
        let refused = check("--bin x --max-convergence 2").unwrap_err().to_string();
        assert!(refused.contains("--final-wait 2"), "{refused}");
        assert!(check("--bin x --max-convergence 2 --final-wait 2").is_ok());
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

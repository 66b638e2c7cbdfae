//! The `simulate` command: many clusters in virtual time.

use std::io::Write;
use std::num::NonZero;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::store::RunDirectory;
use super::values::{self, FaultList, seconds, seed_range};
use super::{Verdict, conclude, text};
use crate::campaign::{CampaignFailure, CampaignReport, simulate_many};
use crate::error::BenchError;
use crate::host::machine::MachineFactory;
use crate::host::simulation::simulate;
use crate::nemesis::Fault;
use crate::plan::Plan;
use crate::report::Report;
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

    /// How long clients and faults run, in virtual seconds [default: 10 to 60, by the seed]
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub time_limit: Option<Duration>,

    /// Requests a second [default: 5 to 300, by the seed]
    #[arg(long, value_name = "HZ", value_parser = values::rate, allow_negative_numbers = true)]
    pub rate: Option<f64>,

    /// Faults to choose from, separated by commas, or none
    #[arg(
        long,
        value_name = "FAULTS",
        default_value = "partition,kill,pause,restart,loss,duplicate,slow,store"
    )]
    pub nemesis: FaultList,

    /// Time from the last heal within which all nodes must agree, in virtual seconds
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
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
}

impl SimulateOptions {
    /// The plan for a seed.
    pub fn plan(&self, seed: u64) -> Plan {
        let faults: Vec<Fault> = self.nemesis.faults().iter().copied().collect();
        let drawn = Plan::drawn(self.workload, seed, &faults);
        Plan {
            node_count: self.node_count.map_or(drawn.node_count, usize::from),
            time_limit: self.time_limit.unwrap_or(drawn.time_limit),
            rate: self.rate.unwrap_or(drawn.rate),
            max_convergence: self.max_convergence,
            ..drawn
        }
    }

    /// The largest run that the flags allow.
    fn largest(&self) -> Plan {
        let plan = self.plan(self.seeds.start);
        let time_limit = self.time_limit.unwrap_or(Duration::from_mins(1));
        Plan { time_limit, rate: self.rate.unwrap_or(300.0), ..plan }
    }

    /// The flags that run this seed alone, with all other flags the same.
    fn replay(&self, seed: u64) -> String {
        let faults: Vec<String> = self.nemesis.faults().iter().map(|fault| fault.name()).collect();
        let faults = if faults.is_empty() { "none".to_owned() } else { faults.join(",") };
        let mut flags =
            vec![format!("--seeds {seed} --workload {} --nemesis {faults}", self.workload.name())];
        let given = [
            ("node-count", self.node_count.map(f64::from)),
            ("time-limit", self.time_limit.map(|span| span.as_secs_f64())),
            ("rate", self.rate),
            ("max-convergence", self.max_convergence.map(|span| span.as_secs_f64())),
        ];
        let given =
            given.into_iter().filter_map(|(flag, value)| value.map(|value| format!("--{flag} {value}")));
        flags.extend(given);
        flags.join(" ")
    }
}

/// Simulates the clusters that the flags ask for, up to the first failure, with nodes made by `factory`. The outcome goes
/// to `out`, progress to standard error. `adapt` may change a plan, for example one that demands too much of the nodes.
///
/// The first failure, or a run of a single seed, is printed in full and recorded. The report names the flags that replay
/// it.
///
/// # Errors
/// If a run would be too large, or the outcome can't be printed. If it can't be recorded, a note on standard error says so.
pub fn run_simulations<F: MachineFactory>(
    options: &SimulateOptions,
    adapt: impl Fn(Plan) -> Plan + Sync,
    factory: impl Fn(&Plan) -> F + Sync,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    options.largest().check_size().map_err(BenchError::Usage)?;
    let bar = progress_bar(options.seeds.end - options.seeds.start);
    let plan = |seed| adapt(options.plan(seed));
    let report = simulate_many(options.seeds.clone(), options.threads, plan, &factory, |progress| {
        bar.set_position(progress.runs);
        bar.set_message(format!("{} operations", progress.operations));
    });
    bar.finish_and_clear();
    if options.seeds.end - options.seeds.start == 1 && report.failure.is_none() {
        return show_single(options, &plan(options.seeds.start), &factory, out);
    }
    show(options, &report, &factory, out)?;
    Ok(Verdict::of(report.failure.is_none()))
}

fn show_single<F: MachineFactory>(
    options: &SimulateOptions,
    plan: &Plan,
    factory: &impl Fn(&Plan) -> F,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    let report = simulate(&Plan { trace: true, ..plan.clone() }, &mut factory(plan));
    conclude(
        options.json,
        &text(options.json, &report, || report.to_string()),
        || record(options, &report).map(Some),
        out,
    )?;
    Ok(Verdict::of(report.valid))
}

fn show<F: MachineFactory>(
    options: &SimulateOptions,
    report: &CampaignReport,
    factory: &impl Fn(&Plan) -> F,
    out: &mut dyn Write,
) -> Result<(), BenchError> {
    let record = || {
        let Some(CampaignFailure { plan, report: Some(_), .. }) = &report.failure else { return Ok(None) };
        // Run it once more and keep the messages. The run is the same.
        let traced = Plan { trace: true, ..(**plan).clone() };
        record(options, &simulate(&traced, &mut factory(&traced))).map(Some)
    };
    let text = text(options.json, report, || describe(options, report));
    conclude(options.json, &text, record, out)
}

fn record(options: &SimulateOptions, report: &Report) -> Result<PathBuf, BenchError> {
    RunDirectory::create(&options.store, "simulate", report.plan.seed)?.write_run(report)
}

fn describe(options: &SimulateOptions, report: &CampaignReport) -> String {
    let totals = totals(report);
    let Some(failure) = &report.failure else { return format!("{totals}: all valid") };
    let story = match (&failure.report, &failure.panic) {
        (Some(run), _) => run.to_string(),
        (None, Some(panic)) => format!("a node panicked: {panic}"),
        (None, None) => String::new(),
    };
    let replay = options.replay(failure.seed);
    format!("{story}\n\n{totals}: seed {} failed\nreplay      simulate {replay}", failure.seed)
}

fn totals(report: &CampaignReport) -> String {
    let CampaignReport { runs, operations, messages, excused, excused_runs, .. } = report;
    let note = if *excused == 0 {
        String::new()
    } else {
        format!(", {excused} acknowledged adds excused in {excused_runs} clusters")
    };
    format!("{runs} clusters, {operations} operations, {messages} messages{note}")
}

fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>4} {bar:30} {pos} of {len} clusters, {msg}");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
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
        ] {
            let options = parse(flags);
            assert_eq!(parse(&options.replay(17)).plan(17), options.plan(17), "{flags}");
            assert_eq!(parse(&options.replay(17)).seeds, 17..18);
        }
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

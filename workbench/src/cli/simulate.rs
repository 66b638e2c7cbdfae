//! The `simulate` command: many clusters in virtual time.

mod options;
mod outcome;
mod replay;

use std::io::{ErrorKind, Write};
use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub use self::options::SimulateOptions;
use self::outcome::{FailedCluster, Outcome, ShrunkCluster, Stop};
pub use self::replay::CommandLine;
use super::store::RunDirectory;
use super::{Verdict, conclude, text};
use crate::campaign::{Campaign, CampaignReport, RunOutcome};
use crate::error::BenchError;
use crate::host::machine::MachineFactory;
use crate::host::process::Interrupt;
use crate::plan::Plan;
use crate::report::Report;
use crate::shrink::{Shrunk, shrink};

/// How many runs may look for a smaller cluster that fails.
const SHRINKING_RUNS: u32 = 200;

/// Simulates the clusters that the flags ask for, up to the first failure, with nodes made by `factory`. The outcome goes
/// to `out`, progress to standard error. `adapt` may change a plan, for example one that demands too much of the nodes. It
/// may note [settings](Plan::settings) of the nodes in it.
///
/// The first failure is printed in full and recorded, with the command line that replays it. Then a smaller cluster is
/// sought that fails by the same check. A run of a single seed is printed and recorded in any case. SIGINT, SIGTERM, SIGHUP
/// and SIGQUIT end the campaign, and the outcome says how to go on.
///
/// # Errors
/// If a run would be too large, the outcome can't be printed, or a signal ended the campaign before a cluster failed. If a
/// run can't be recorded, a note on standard error says so.
pub fn run_simulations<F: MachineFactory>(
    options: &SimulateOptions,
    adapt: impl Fn(Plan) -> Plan + Sync,
    factory: impl Fn(&Plan) -> F + Sync,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    options.largest().check_size().map_err(BenchError::Usage)?;
    let simulations = Simulations { options, adapt, factory, interrupt: Interrupt::watch()? };
    if options.seeds.end - options.seeds.start > 1 {
        let (campaign, stop) = simulations.campaign();
        return simulations.tell(&campaign, stop, out);
    }
    let seed = options.seeds.start;
    let run = simulations.run(&options.plan(seed), true);
    match &run.result {
        Ok(report) if report.valid => show_valid(options, report, out),
        Ok(_) | Err(_) => simulations.tell(&CampaignReport::of_one(seed, run), Stop::AtTheEnd, out),
    }
}

/// Prints and records a single run.
fn show_valid(
    options: &SimulateOptions,
    report: &Report,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    let directory = || RunDirectory::create(&options.store, "simulate", report.plan.seed);
    let record = || directory()?.write_run(report).map(Some);
    conclude(options.json, &text(options.json, report, || report.to_string()), record, out)?;
    Ok(Verdict::Valid)
}

/// All that simulates a cluster.
struct Simulations<'a, A, M> {
    options: &'a SimulateOptions,
    adapt: A,
    factory: M,
    interrupt: Interrupt,
}

impl<F, A, M> Simulations<'_, A, M>
where
    F: MachineFactory,
    A: Fn(Plan) -> Plan + Sync,
    M: Fn(&Plan) -> F + Sync,
{
    /// Runs a plan as the flags pin it: before it is adapted.
    fn run(&self, plan: &Plan, trace: bool) -> RunOutcome {
        RunOutcome::of(Plan { trace, ..(self.adapt)(plan.clone()) }, &self.factory)
    }

    fn campaign(&self) -> (CampaignReport, Stop) {
        let SimulateOptions { seeds, threads, keep_going, time_budget, .. } = self.options;
        let campaign = Campaign { seeds: seeds.clone(), threads: *threads, keep_going: *keep_going };
        let bar = progress_bar(seeds.end - seeds.start);
        let is_late = || time_budget.is_some_and(|budget| bar.elapsed() >= budget);
        let progress = |report: &CampaignReport| {
            bar.set_position(report.runs);
            let failed =
                if report.failed == 0 { String::new() } else { format!(", {} FAILED", report.failed) };
            bar.set_message(format!("{} operations{failed}", report.operations));
            if self.interrupt.is_set() || is_late() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let report = campaign.run(|seed| (self.adapt)(self.options.plan(seed)), &self.factory, progress);
        let stop = match report.next_seed == seeds.end {
            true => Stop::AtTheEnd,
            false if self.interrupt.is_set() => Stop::Interrupted,
            false if is_late() => Stop::OutOfTime,
            false => Stop::AtAFailure,
        };
        bar.finish_and_clear();
        (report, stop)
    }

    /// Tells how a campaign ended: first the failure, and then a smaller one, for that takes time.
    fn tell(&self, report: &CampaignReport, stop: Stop, out: &mut dyn Write) -> Result<Verdict, BenchError> {
        let options = self.options;
        let mut outcome = Outcome::new(report, stop, options);
        if let Some(failure) = &report.failure {
            let plan = options.plan(failure.seed);
            let cluster = self.recorded(&plan);
            outcome.cluster = Some(cluster);
        }
        if !options.json {
            print(out, &outcome.to_string())?;
        }
        if let (Some(cluster), false) = (&outcome.cluster, options.no_shrink) {
            let shrunk = self.shrunk(cluster);
            if !options.json {
                print(out, &shrunk.to_string())?;
            }
            outcome.shrunk = Some(shrunk);
        }
        if options.json {
            print(out, &text(true, &outcome, String::new))?;
        }
        match stop {
            _ if report.failure.is_some() => Ok(Verdict::Invalid),
            Stop::Interrupted => Err(BenchError::Interrupted),
            Stop::AtTheEnd | Stop::AtAFailure | Stop::OutOfTime => Ok(Verdict::Valid),
        }
    }

    /// Runs a plan that fails once more, to keep its messages. The run is the same.
    fn recorded(&self, plan: &Plan) -> FailedCluster {
        let run = self.run(plan, true);
        let directory = run.result.as_ref().ok().and_then(|report| {
            let made = RunDirectory::create(&self.options.store, "simulate", plan.seed);
            let written = made.and_then(|directory| directory.write_run(report));
            let problem = |error: &BenchError| {
                // If standard error is closed there is no one to tell.
                let _ = writeln!(std::io::stderr(), "error: the record of this run is not complete: {error}");
            };
            written.inspect_err(problem).ok()
        });
        FailedCluster::new(self.options, plan.clone(), run, directory)
    }

    /// Looks for a smaller cluster that fails by the same check, until a signal comes.
    fn shrunk(&self, cluster: &FailedCluster) -> ShrunkCluster {
        let gravest = cluster.findings.first();
        let fails = |plan: &Plan| {
            let findings =
                if self.interrupt.is_set() { Vec::new() } else { self.run(plan, false).findings() };
            gravest.is_some_and(|gravest| findings.contains(gravest))
        };
        let Shrunk { plan, runs } = shrink(&cluster.plan, SHRINKING_RUNS, fails);
        ShrunkCluster::new(runs, &cluster.plan, self.recorded(&plan))
    }
}

/// A reader that closes early (`| head`) has all that it wanted.
fn print(out: &mut dyn Write, text: &str) -> Result<(), BenchError> {
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(BenchError::io("cannot print the outcome")),
    }
}

fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>4} {bar:30} {pos} of {len} clusters, {msg}");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests;

//! The `simulate` command: many clusters in virtual time.

mod called;
mod options;
mod stop;
mod tell;

use std::io::Write;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::called::Called;
pub use self::options::SimulateOptions;
use self::stop::Stop;
use self::tell::Teller;
use super::store::RunDirectory;
use super::{Verdict, conclude, text};
use crate::campaign::{CampaignFailure, CampaignReport, run, simulate_while};
use crate::error::BenchError;
use crate::host::machine::MachineFactory;
use crate::plan::Plan;
use crate::shrink::{Shrunk, shrink};

/// Simulates the clusters that the flags ask for, with nodes made by `factory`. The outcome goes to `out`, progress to
/// standard error. `adapt` may change a plan, for example one that demands too much of the nodes, or set
/// [`Plan::settings`]. A plan that it has adapted it must leave as it is.
///
/// It ends at the first failure, unless the flags say otherwise, or with a tally after SIGINT, SIGTERM or the time budget.
/// The first failure, or a run of a single seed, is printed in full and recorded, with a command that replays it. Then a
/// failure is made smaller, as [`shrink`] does.
///
/// # Errors
/// If a run would be too large, or the outcome can't be printed, or a signal came before a failure. If the outcome can't be
/// recorded, a note on standard error says so.
pub fn run_simulations<F: MachineFactory>(
    options: &SimulateOptions,
    adapt: impl Fn(Plan) -> Plan + Sync,
    factory: impl Fn(&Plan) -> F + Sync,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    options.largest().check_size().map_err(BenchError::Usage)?;
    let campaign = Campaign { options, adapt, factory, called: Called::new(std::env::args_os()) };
    match options.single() {
        Some(seed) => campaign.run_single(seed, out),
        None => campaign.run(out),
    }
}

struct Campaign<'a, A, M> {
    options: &'a SimulateOptions,
    adapt: A,
    factory: M,
    called: Called,
}

impl<A: Fn(Plan) -> Plan + Sync, F: MachineFactory, M: Fn(&Plan) -> F + Sync> Campaign<'_, A, M> {
    /// Runs one seed, once, so that a node's log is not doubled.
    fn run_single(&self, seed: u64, out: &mut dyn Write) -> Result<Verdict, BenchError> {
        let options = self.options;
        let plan = Plan { trace: true, ..self.plan(seed) };
        let outcome = run(plan, &self.factory);
        let report = match &outcome {
            Ok(report) => report,
            Err(failure) => {
                let mut tally = CampaignReport { next_seed: options.seeds.end, ..CampaignReport::default() };
                tally.add(&outcome);
                self.conclude_failure(&tally, failure, &Stop::watch(None)?, out)?;
                return Ok(Verdict::Invalid);
            }
        };
        let record = || {
            let directory = RunDirectory::create(&options.store, "simulate", seed)?;
            self.note_replay(&directory, &report.plan)?;
            directory.write_run(report).map(Some)
        };
        conclude(options.json, &text(options.json, report, || report.to_string()), record, out)?;
        Ok(Verdict::Valid)
    }

    fn run(&self, out: &mut dyn Write) -> Result<Verdict, BenchError> {
        let options = self.options;
        let stop = Stop::watch(options.time_budget)?;
        let bar = progress_bar(options.seeds.end - options.seeds.start);
        let go_on = |progress: &CampaignReport| {
            bar.set_position(progress.runs);
            let failed =
                if progress.failed > 0 { format!(", {} failed", progress.failed) } else { String::new() };
            bar.set_message(format!("{} operations{failed}", progress.operations));
            (options.keep_going || progress.failure.is_none()) && !stop.is_due()
        };
        let report = simulate_while(
            options.seeds.clone(),
            options.threads,
            |seed| self.plan(seed),
            &self.factory,
            go_on,
        );
        bar.finish_and_clear();
        let Some(failure) = &report.failure else {
            conclude(options.json, &self.teller(&report).told(), || Ok(None), out)?;
            return if stop.is_signalled() { Err(BenchError::Interrupted) } else { Ok(Verdict::Valid) };
        };
        // Run it once more and keep the messages. The run is the same.
        self.conclude_failure(&report, &self.traced(failure), &stop, out)?;
        Ok(Verdict::Invalid)
    }

    fn plan(&self, seed: u64) -> Plan {
        (self.adapt)(self.options.plan(seed))
    }

    fn teller<'b>(&'b self, report: &'b CampaignReport) -> Teller<'b> {
        Teller { options: self.options, called: &self.called, report, failure: None, shrunk: None }
    }

    /// The same failure with its messages.
    fn traced(&self, failure: &CampaignFailure) -> CampaignFailure {
        let plan = Plan { trace: true, ..(*failure.plan).clone() };
        run(plan, &self.factory).err().unwrap_or_else(|| failure.clone())
    }

    /// Tells and records a failure, and then a smaller one. As JSON, both are one document.
    fn conclude_failure(
        &self,
        report: &CampaignReport,
        failure: &CampaignFailure,
        stop: &Stop,
        out: &mut dyn Write,
    ) -> Result<(), BenchError> {
        let teller = Teller { failure: Some(failure), ..self.teller(report) };
        if self.options.json {
            let shrunk = self.shrink(failure, stop);
            let record = || {
                let directory = self.record_failure(failure)?;
                let recorded = shrunk.as_ref().map(|shrunk| self.record_shrunk(&directory, shrunk));
                recorded.transpose().map(|_| Some(directory.path().to_owned()))
            };
            let teller = Teller { shrunk: shrunk.as_ref(), ..teller };
            return conclude(true, &teller.told(), record, out);
        }
        let mut directory = None;
        let record = || {
            let made = directory.insert(self.record_failure(failure)?);
            Ok(Some(made.path().to_owned()))
        };
        conclude(false, &teller.told(), record, out)?;
        let Some(shrunk) = self.shrink(failure, stop) else { return Ok(()) };
        let record = || directory.map(|outer| self.record_shrunk(&outer, &shrunk)).transpose();
        conclude(false, &teller.shrunk(failure, &shrunk), record, out)
    }

    fn record_failure(&self, failure: &CampaignFailure) -> Result<RunDirectory, BenchError> {
        let directory = RunDirectory::create(&self.options.store, "simulate", failure.seed)?;
        self.record(&directory, failure)?;
        Ok(directory)
    }

    fn record_shrunk(&self, outer: &RunDirectory, shrunk: &Shrunk) -> Result<PathBuf, BenchError> {
        let directory = outer.within("shrunk")?;
        self.record(&directory, &self.traced(&shrunk.failure))?;
        Ok(directory.path().to_owned())
    }

    /// A smaller failure, if there is one.
    fn shrink(&self, failure: &CampaignFailure, stop: &Stop) -> Option<Shrunk> {
        if self.options.no_shrink {
            return None;
        }
        let plain = CampaignFailure {
            plan: Box::new(Plan { trace: false, ..(*failure.plan).clone() }),
            ..failure.clone()
        };
        let shrunk = shrink(&plain, &self.adapt, &self.factory, || !stop.is_signalled());
        (shrunk.failure.plan != plain.plan).then_some(shrunk)
    }

    fn record(&self, directory: &RunDirectory, failure: &CampaignFailure) -> Result<(), BenchError> {
        self.note_replay(directory, &failure.plan)?;
        match &failure.report {
            Some(report) => directory.write_run(report).map(drop),
            None => directory.write_results(failure).map(drop),
        }
    }

    /// Writes the command that replays this plan, and with which program it does.
    fn note_replay(&self, directory: &RunDirectory, plan: &Plan) -> Result<(), BenchError> {
        let replay = self.called.replay(&self.options.replay(plan));
        let program = tell::program(self.options);
        directory.write("replay.txt", |file| writeln!(file, "# {program}\n{replay}"))
    }
}

fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>4} {bar:30} {pos} of {len} clusters, {msg}");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

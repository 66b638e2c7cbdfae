//! Many seeds on all cores.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use serde::Serialize;

use crate::check::Check;
use crate::host::machine::MachineFactory;
use crate::host::simulation::simulate;
use crate::plan::Plan;
use crate::report::Report;

/// The outcome of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CampaignReport {
    /// Clusters simulated.
    pub runs: u64,
    /// Operations of all of them.
    pub operations: u64,
    /// Messages of all of them.
    pub messages: u64,
    /// Excused adds: acknowledged adds that the nodes may lose by their promise. See [`Durability`](crate::Durability).
    pub excused: u64,
    /// Clusters with at least one excused add.
    pub excused_runs: u64,
    /// The first seed that was not run. All seeds of the campaign below it were.
    pub next_seed: u64,
    /// Clusters that failed.
    pub failed: u64,
    /// In how many clusters each check failed.
    pub broken: BTreeMap<Check, u64>,
    /// Clusters in which a machine panicked.
    pub panics: u64,
    /// The lowest seeds that failed, at most [`MOST_SEEDS`](Self::MOST_SEEDS).
    pub failed_seeds: BTreeSet<u64>,
    /// The failure with the lowest seed, if there is one.
    pub failure: Option<CampaignFailure>,
}

impl CampaignReport {
    /// How many failed seeds are kept.
    pub const MOST_SEEDS: usize = 100;

    pub(crate) fn add(&mut self, outcome: &Result<Report, CampaignFailure>) {
        self.runs += 1;
        let run = match outcome {
            Ok(run) => Some(run),
            Err(failure) => failure.report.as_deref(),
        };
        if let Some(run) = run {
            self.operations += run.operations.count;
            self.messages += run.messages.journal.all.sent;
            self.excused += run.excused;
            self.excused_runs += u64::from(run.excused > 0);
        }
        if let Err(failure) = outcome {
            self.add_failure(failure);
        }
    }

    fn add_failure(&mut self, failure: &CampaignFailure) {
        self.failed += 1;
        self.panics += u64::from(failure.report.is_none());
        for check in failure.report.iter().flat_map(|run| run.violations.counts().keys()) {
            *self.broken.entry(*check).or_default() += 1;
        }
        self.failed_seeds.insert(failure.seed);
        if self.failed_seeds.len() > Self::MOST_SEEDS {
            self.failed_seeds.pop_last();
        }
        if self.failure.as_ref().is_none_or(|other| failure.seed < other.seed) {
            self.failure = Some(failure.clone());
        }
    }
}

/// A seed that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CampaignFailure {
    /// The seed.
    pub seed: u64,
    /// The plan of the run.
    pub plan: Box<Plan>,
    /// The report of the run. `None` if a machine panicked.
    pub report: Option<Box<Report>>,
    /// The machine's panic message.
    pub panic: Option<String>,
}

/// Simulates a cluster for each seed, on `threads` threads (all cores if `None`), up to the first failure. `plan` gives
/// the plan for a seed, `factory` makes its nodes, and `progress` is called after each run.
///
/// The failure does not depend on the number of threads. If several seeds fail, the report names the lowest one, and all
/// lower seeds have been run.
pub fn simulate_many<F: MachineFactory>(
    seeds: Range<u64>,
    threads: Option<NonZero<usize>>,
    plan: impl Fn(u64) -> Plan + Sync,
    factory: impl Fn(&Plan) -> F + Sync,
    progress: impl Fn(&CampaignReport) + Sync,
) -> CampaignReport {
    simulate_while(seeds, threads, plan, factory, |report| {
        progress(report);
        report.failure.is_none()
    })
}

/// The same, for as long as `go_on` says so. It is asked after each run. Runs under way are finished.
pub fn simulate_while<F: MachineFactory>(
    seeds: Range<u64>,
    threads: Option<NonZero<usize>>,
    plan: impl Fn(u64) -> Plan + Sync,
    factory: impl Fn(&Plan) -> F + Sync,
    go_on: impl Fn(&CampaignReport) -> bool + Sync,
) -> CampaignReport {
    let threads = threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let report = CampaignReport { next_seed: seeds.start, ..CampaignReport::default() };
    let shared = Mutex::new(Shared { end: seeds.end, is_over: false, report });
    let work = || {
        while let Some(seed) = take(&shared) {
            let outcome = run(plan(seed), &factory).map_err(|failure| CampaignFailure { seed, ..failure });
            let mut shared = lock(&shared);
            shared.report.add(&outcome);
            shared.is_over |= !go_on(&shared.report);
        }
    };
    thread::scope(|scope| {
        // Where the system has no more threads to give, fewer do the same.
        let spawned = (1..threads).map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok());
        let _ = spawned.count();
        work();
    });
    shared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).report
}

struct Shared {
    end: u64,
    is_over: bool,
    report: CampaignReport,
}

/// The next seed. Once the campaign is over no more are given out. Those under way are lower.
fn take(shared: &Mutex<Shared>) -> Option<u64> {
    let mut shared = lock(shared);
    if shared.report.next_seed >= shared.end || shared.is_over {
        return None;
    }
    shared.report.next_seed += 1;
    Some(shared.report.next_seed - 1)
}

/// Simulates one cluster.
pub(crate) fn run<F: MachineFactory>(
    plan: Plan,
    factory: &impl Fn(&Plan) -> F,
) -> Result<Report, CampaignFailure> {
    let (report, panic) = match catch_unwind(AssertUnwindSafe(|| simulate(&plan, &mut factory(&plan)))) {
        Ok(report) if report.valid => return Ok(report),
        Ok(report) => (Some(Box::new(report)), None),
        Err(panic) => (None, Some(panic_text(&*panic))),
    };
    Err(CampaignFailure { seed: plan.seed, plan: Box::new(plan), report, panic })
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    // Nothing that panics is done under this lock but what `go_on` does.
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

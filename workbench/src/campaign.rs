//! Many seeds on all cores.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use serde::Serialize;

use crate::check::Check;
use crate::host::machine::MachineFactory;
use crate::host::simulation::simulate;
use crate::plan::Plan;
use crate::report::Report;

/// How many failing seeds of a kind are listed.
const LISTED: usize = 10;

/// Which clusters to simulate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// A cluster for each of these seeds.
    pub seeds: Range<u64>,
    /// How many threads simulate; all cores if `None`.
    pub threads: Option<NonZero<usize>>,
    /// Whether to simulate all clusters, also if one fails.
    pub keep_going: bool,
}

/// The outcome of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CampaignReport {
    /// Clusters simulated.
    pub runs: u64,
    /// The next seed. All seeds before it have been run, and none from it on.
    pub next_seed: u64,
    /// Operations of all of them.
    pub operations: u64,
    /// Messages of all of them.
    pub messages: u64,
    /// Excused adds: acknowledged adds that the nodes may lose by their promise. See [`Durability`](crate::Durability).
    pub excused: u64,
    /// Clusters with at least one excused add.
    pub excused_runs: u64,
    /// Clusters that failed.
    pub failed: u64,
    /// The failed clusters by what was found: the name of a check, or `panic`. A cluster in which several checks failed is
    /// in each.
    pub findings: BTreeMap<String, FailedSeeds>,
    /// The failure with the lowest seed, if there is one.
    pub failure: Option<CampaignFailure>,
}

/// The clusters in which one check failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FailedSeeds {
    /// How many there are.
    pub count: u64,
    /// The ten lowest seeds of them.
    pub lowest: BTreeSet<u64>,
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
/// The outcome does not depend on the number of threads. If several seeds fail, the report names the lowest one, and all
/// lower seeds have been run.
pub fn simulate_many<F: MachineFactory>(
    seeds: Range<u64>,
    threads: Option<NonZero<usize>>,
    plan: impl Fn(u64) -> Plan + Sync,
    factory: impl Fn(&Plan) -> F + Sync,
    progress: impl Fn(&CampaignReport) + Sync,
) -> CampaignReport {
    let campaign = Campaign { seeds, threads, keep_going: false };
    campaign.run(plan, factory, |report| {
        progress(report);
        ControlFlow::Continue(())
    })
}

impl Campaign {
    /// Simulates the clusters. `plan` gives the plan for a seed, and `factory` makes its nodes. `progress` is called after
    /// each run, and may end the campaign: then no more clusters are begun.
    ///
    /// The outcome does not depend on the number of threads, unless `progress` ended it.
    pub fn run<F: MachineFactory>(
        &self,
        plan: impl Fn(u64) -> Plan + Sync,
        factory: impl Fn(&Plan) -> F + Sync,
        progress: impl Fn(&CampaignReport) -> ControlFlow<()> + Sync,
    ) -> CampaignReport {
        let threads = self.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let report = CampaignReport { next_seed: self.seeds.start, ..CampaignReport::default() };
        let shared = Mutex::new(Shared { is_ended: false, report });
        let work = || {
            while let Some(seed) = self.take(&shared) {
                let outcome = RunOutcome::of(plan(seed), &factory);
                record(&shared, seed, outcome, &progress);
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

    /// The next seed. After a failure no more are given out; those under way are lower or do not matter.
    fn take(&self, shared: &Mutex<Shared>) -> Option<u64> {
        let mut shared = lock(shared);
        let has_failed = shared.report.failure.is_some() && !self.keep_going;
        let seed = shared.report.next_seed;
        if seed >= self.seeds.end || has_failed || shared.is_ended {
            return None;
        }
        shared.report.next_seed += 1;
        Some(seed)
    }
}

struct Shared {
    is_ended: bool,
    report: CampaignReport,
}

/// A run that may have ended by a panic.
pub(crate) struct RunOutcome {
    pub(crate) plan: Plan,
    pub(crate) result: Result<Report, String>,
}

impl RunOutcome {
    pub(crate) fn of<F: MachineFactory>(plan: Plan, factory: &impl Fn(&Plan) -> F) -> Self {
        let simulated = catch_unwind(AssertUnwindSafe(|| simulate(&plan, &mut factory(&plan))));
        Self { plan, result: simulated.map_err(|panic| panic_text(&*panic)) }
    }

    /// What was found: names of checks, or `panic`. The gravest one comes first.
    pub(crate) fn findings(&self) -> Vec<String> {
        match &self.result {
            Ok(report) => report.violations.counts().keys().copied().map(Check::name).collect(),
            Err(_) => vec!["panic".to_owned()],
        }
    }
}

impl CampaignReport {
    /// The report of a campaign of one seed.
    #[cfg(feature = "cli")]
    pub(crate) fn of_one(seed: u64, outcome: RunOutcome) -> Self {
        let mut report = Self { next_seed: seed.saturating_add(1), ..Self::default() };
        report.add(seed, outcome);
        report
    }

    fn add(&mut self, seed: u64, outcome: RunOutcome) {
        self.runs += 1;
        if let Ok(run) = &outcome.result {
            self.operations += run.operations.count;
            self.messages += run.messages.journal.all.sent;
            self.excused += run.excused;
            self.excused_runs += u64::from(run.excused > 0);
        }
        if outcome.result.as_ref().is_ok_and(|run| run.valid) {
            return;
        }
        self.failed += 1;
        for finding in outcome.findings() {
            let seeds = self.findings.entry(finding).or_default();
            seeds.count += 1;
            seeds.lowest.insert(seed);
            if seeds.lowest.len() > LISTED {
                seeds.lowest.pop_last();
            }
        }
        if self.failure.as_ref().is_none_or(|other| seed < other.seed) {
            self.failure = Some(CampaignFailure::of(seed, outcome));
        }
    }
}

impl CampaignFailure {
    fn of(seed: u64, outcome: RunOutcome) -> Self {
        let panic = outcome.result.as_ref().err().cloned();
        let report = outcome.result.ok().map(Box::new);
        Self { seed, plan: Box::new(outcome.plan), report, panic }
    }
}

fn record(
    shared: &Mutex<Shared>,
    seed: u64,
    outcome: RunOutcome,
    progress: &impl Fn(&CampaignReport) -> ControlFlow<()>,
) {
    let mut shared = lock(shared);
    shared.report.add(seed, outcome);
    shared.is_ended |= progress(&shared.report).is_break();
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    // Nothing that panics is done under this lock but what `progress` does.
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

//! Many seeds on all cores.

use std::any::Any;
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use serde::Serialize;

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
    /// The failure with the lowest seed, if there is one.
    pub failure: Option<CampaignFailure>,
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
    let threads = threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let shared = Mutex::new(Shared { next: seeds.start, end: seeds.end, report: CampaignReport::default() });
    let work = || {
        while let Some(seed) = take(&shared) {
            let outcome = run(plan(seed), &factory);
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

struct Shared {
    next: u64,
    end: u64,
    report: CampaignReport,
}

struct RunOutcome {
    plan: Plan,
    result: Result<Report, String>,
}

/// The next seed. After a failure no more are given out; those under way are lower or do not matter.
fn take(shared: &Mutex<Shared>) -> Option<u64> {
    let mut shared = lock(shared);
    if shared.next >= shared.end || shared.report.failure.is_some() {
        return None;
    }
    shared.next += 1;
    Some(shared.next - 1)
}

fn run<F: MachineFactory>(plan: Plan, factory: &impl Fn(&Plan) -> F) -> RunOutcome {
    let simulated = catch_unwind(AssertUnwindSafe(|| simulate(&plan, &mut factory(&plan))));
    RunOutcome { plan, result: simulated.map_err(|panic| panic_text(&*panic)) }
}

fn record(shared: &Mutex<Shared>, seed: u64, outcome: RunOutcome, progress: &impl Fn(&CampaignReport)) {
    let mut shared = lock(shared);
    let report = &mut shared.report;
    report.runs += 1;
    if let Ok(run) = &outcome.result {
        report.operations += run.operations.count;
        report.messages += run.messages.journal.all.sent;
        report.excused += run.excused;
        report.excused_runs += u64::from(run.excused > 0);
    }
    let failed = outcome.result.as_ref().map_or(true, |run| !run.valid);
    if failed && report.failure.as_ref().is_none_or(|other| seed < other.seed) {
        let panic = outcome.result.as_ref().err().cloned();
        let run = outcome.result.ok().map(Box::new);
        report.failure = Some(CampaignFailure { seed, plan: Box::new(outcome.plan), report: run, panic });
    }
    progress(report);
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    // Nothing that panics is done under this lock but what `progress` does.
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

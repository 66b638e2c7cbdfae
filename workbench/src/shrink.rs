//! Makes a failing plan smaller.

use std::time::Duration;

use serde::Serialize;

use crate::campaign::{CampaignFailure, run};
use crate::check::Check;
use crate::host::machine::MachineFactory;
use crate::nemesis::Fault;
use crate::network::Latency;
use crate::plan::{Concurrency, Plan};

/// The most clusters that are simulated to shrink one failure.
const MOST_RUNS: u32 = 200;
/// The shortest mean time between two acts of one nemesis that the command line accepts.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// A smaller failure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shrunk {
    /// The smallest failure that was found. It is the one that was given if all smaller plans hold.
    pub failure: CampaignFailure,
    /// How many clusters were simulated.
    pub runs: u32,
}

/// Looks for a smaller plan that fails by the same check: with fewer nodes, clients and requests, a shorter time, a better
/// network, and fewer faults. It simulates at most 200 clusters, and none after `go_on` says no. Without `go_on` the same
/// failure gives the same result.
///
/// The check is the one of the first violation. A panic stands for any panic.
///
/// `adapt` is applied to each plan, as for [`run_simulations`](crate::run_simulations). A plan that it has adapted it must
/// leave as it is.
pub fn shrink<F: MachineFactory>(
    failure: &CampaignFailure,
    adapt: impl Fn(Plan) -> Plan,
    factory: impl Fn(&Plan) -> F,
    go_on: impl Fn() -> bool,
) -> Shrunk {
    let mut shrinking = Shrinking {
        simulate: |plan| run(plan, &factory).err(),
        adapt,
        go_on,
        check: first_check(failure),
        best: failure.clone(),
        runs: 0,
    };
    while shrinking.round() {}
    Shrunk { failure: shrinking.best, runs: shrinking.runs }
}

/// The check of the first violation. `None` stands for a panic.
fn first_check(failure: &CampaignFailure) -> Option<Check> {
    let violations = &failure.report.as_ref()?.violations;
    let first = violations.examples().first().map(|violation| violation.check);
    first.or_else(|| violations.counts().keys().next().copied())
}

struct Shrinking<S, A, G> {
    simulate: S,
    adapt: A,
    go_on: G,
    check: Option<Check>,
    best: CampaignFailure,
    runs: u32,
}

impl<S, A, G> Shrinking<S, A, G>
where
    S: Fn(Plan) -> Option<CampaignFailure>,
    A: Fn(Plan) -> Plan,
    G: Fn() -> bool,
{
    /// Tries to make everything smaller. Returns whether something became so.
    fn round(&mut self) -> bool {
        let before = self.best.plan.clone();
        for smaller in [node_counts, time_limits, rates, clients, networks] {
            while smaller(&self.best.plan).into_iter().any(|plan| self.attempt(plan)) {}
        }
        self.drop_faults();
        self.best.plan != before
    }

    /// Whether this plan fails in the same way. Then it is the best so far.
    fn attempt(&mut self, plan: Plan) -> bool {
        let plan = (self.adapt)(plan);
        if plan == *self.best.plan || self.runs >= MOST_RUNS || !(self.go_on)() {
            return false;
        }
        self.runs += 1;
        let Some(failure) = (self.simulate)(plan) else { return false };
        let is_same = match (self.check, &failure.report) {
            (Some(check), Some(report)) => report.violations.counts().contains_key(&check),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_same {
            self.best = failure;
        }
        is_same
    }

    /// Leaves out all faults, or all of one kind, or halves of them, and so on down to each in turn.
    fn drop_faults(&mut self) {
        if self.kept().is_empty() || self.keep(&[]) {
            return;
        }
        for kind in Fault::ALL {
            self.leave_out(|shrinking, number| shrinking.kind(number) == Some(kind));
        }
        let mut size = self.kept().len().div_ceil(2);
        while size > 0 {
            for chunk in self.kept().chunks(size) {
                self.leave_out(|_, number| chunk.contains(&number));
            }
            size /= 2;
        }
    }

    fn leave_out(&mut self, is_left_out: impl Fn(&Self, u32) -> bool) {
        let kept = self.kept();
        let others: Vec<u32> = kept.iter().copied().filter(|number| !is_left_out(self, *number)).collect();
        if others.len() < kept.len() {
            self.keep(&others);
        }
    }

    fn keep(&mut self, numbers: &[u32]) -> bool {
        let kept_faults = Some(numbers.iter().copied().collect());
        self.attempt(Plan { kept_faults, ..(*self.best.plan).clone() })
    }

    /// The numbers of the faults that happen.
    fn kept(&self) -> Vec<u32> {
        // A run that panicked does not tell how many there were.
        const GUESS: u32 = 50;
        let drawn = self.best.report.as_ref().map(|report| report.drawn_faults.len());
        let last = drawn.map_or(GUESS, |count| u32::try_from(count).unwrap_or(u32::MAX));
        let kept = &self.best.plan.kept_faults;
        (1..=last).filter(|number| kept.as_ref().is_none_or(|kept| kept.contains(number))).collect()
    }

    fn kind(&self, number: u32) -> Option<Fault> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.best.report.as_ref()?.drawn_faults.get(index).copied()
    }
}

fn node_counts(plan: &Plan) -> Vec<Plan> {
    let count = plan.node_count;
    let smaller = [1, 2, 3, count / 2, count - 1];
    let smaller = smaller.into_iter().filter(|less| (1..count).contains(less));
    smaller.map(|node_count| Plan { node_count, ..plan.clone() }).collect()
}

/// Shorter times. In half the time the same faults happen at twice the pace, or only those that begin in it.
fn time_limits(plan: &Plan) -> Vec<Plan> {
    let seconds = plan.time_limit.as_secs();
    let shorter = [1, 2, 5, seconds / 2, seconds * 3 / 4].map(Duration::from_secs);
    let shorter = shorter.into_iter().filter(|less| !less.is_zero() && *less < plan.time_limit);
    let plans = shorter.flat_map(|time_limit| {
        let part = time_limit.as_secs_f64() / plan.time_limit.as_secs_f64();
        let nemesis_interval = plan.nemesis_interval.mul_f64(part).max(SHORTEST_INTERVAL);
        let faster = Plan { time_limit, nemesis_interval, ..plan.clone() };
        [faster, Plan { time_limit, ..plan.clone() }]
    });
    plans.collect()
}

fn rates(plan: &Plan) -> Vec<Plan> {
    let smaller = [1.0, 5.0, 20.0, (plan.rate / 2.0).floor()];
    let smaller = smaller.into_iter().filter(|less| *less >= 1.0 && *less < plan.rate);
    smaller.map(|rate| Plan { rate, ..plan.clone() }).collect()
}

fn clients(plan: &Plan) -> Vec<Plan> {
    let is_smallest = plan.workers() <= plan.node_count;
    let one_each = Plan { concurrency: Concurrency::PerNode(1), ..plan.clone() };
    if is_smallest { Vec::new() } else { vec![one_each] }
}

fn networks(plan: &Plan) -> Vec<Plan> {
    let prompt = Latency { mean_ms: 0, ..plan.latency };
    let perfect = Plan { loss: 0.0, duplicate: 0.0, store_loss: 0.0, latency: prompt, ..plan.clone() };
    let better = [
        perfect,
        Plan { loss: 0.0, ..plan.clone() },
        Plan { duplicate: 0.0, ..plan.clone() },
        Plan { store_loss: 0.0, ..plan.clone() },
        Plan { latency: prompt, ..plan.clone() },
    ];
    better.into_iter().filter(|better| better != plan).collect()
}

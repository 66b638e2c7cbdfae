//! From a plan that fails to a smaller one that fails too.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::nemesis::Fault;
use crate::network::{Latency, LatencyShape};
use crate::plan::{Concurrency, Plan};

/// The shortest run and the lowest rate that are tried.
const SHORTEST: Duration = Duration::from_secs(1);
const SLOWEST: f64 = 1.0;
/// The most faults of which single ones are left out.
const MOST_FAULTS: u32 = 64;

/// A plan that still fails, and how many runs it took to find it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The smallest plan that was found.
    pub plan: Plan,
    /// The runs that were tried.
    pub runs: u32,
}

/// Looks for a smaller plan that fails as well: fewer nodes, less time, a lower rate, fewer faults, a better network. The
/// seed stays. `fails` says whether a plan fails in the same way as the first one. It is called `most_runs` times at most.
///
/// The search is greedy: it ends at a plan of which no step makes a smaller failing one. The same plan and the same answers
/// of `fails` give the same outcome.
///
/// ```
/// use workbench::{Counter, Fault, Plan, shrink};
///
/// let plan = Plan { node_count: 9, nemesis: Fault::ALL.into(), ..Plan::new(&Counter::G, 42) };
/// let fails = |plan: &Plan| plan.node_count >= 3 && plan.nemesis.contains(&Fault::Kill);
/// let shrunk = shrink(&plan, 200, fails).plan;
/// assert_eq!((shrunk.node_count, shrunk.nemesis), (3, [Fault::Kill].into()));
/// ```
pub fn shrink(plan: &Plan, most_runs: u32, mut fails: impl FnMut(&Plan) -> bool) -> Shrunk {
    let mut shrunk = Shrunk { plan: plan.clone(), runs: 0 };
    loop {
        let before = shrunk.plan.clone();
        for step in STEPS {
            shrunk.take(*step, most_runs, &mut fails);
        }
        if shrunk.plan == before || shrunk.runs >= most_runs {
            return shrunk;
        }
    }
}

impl Shrunk {
    /// Takes a step again and again, as long as that makes a smaller plan that fails.
    fn take(&mut self, step: Step, most_runs: u32, fails: &mut impl FnMut(&Plan) -> bool) {
        loop {
            let mut candidates = step(&self.plan).into_iter().filter(|smaller| *smaller != self.plan);
            let found = candidates.find(|smaller| {
                let may_run = self.runs < most_runs;
                self.runs += u32::from(may_run);
                may_run && fails(smaller)
            });
            match found {
                Some(smaller) => self.plan = smaller,
                None => return,
            }
        }
    }
}

/// Gives smaller plans, the smallest first.
type Step = fn(&Plan) -> Vec<Plan>;

/// What saves the most time in later runs comes first.
const STEPS: &[Step] =
    &[less_time, fewer_nodes, fewer_faults, fewer_kinds, no_losses, no_latency, fewer_clients, a_lower_rate];

fn less_time(plan: &Plan) -> Vec<Plan> {
    let shorter = |factor| {
        // Whole seconds make a short flag.
        let seconds = plan.time_limit.mul_f64(factor).as_secs();
        Plan { time_limit: Duration::from_secs(seconds).max(SHORTEST), ..plan.clone() }
    };
    let shorter = [0.25, 0.5, 0.8].map(shorter).into_iter();
    shorter.filter(|smaller| smaller.time_limit < plan.time_limit).collect()
}

fn fewer_nodes(plan: &Plan) -> Vec<Plan> {
    let counts = [1, 2, 3, 5, plan.node_count / 2, plan.node_count.saturating_sub(1)];
    let fewer: BTreeSet<usize> =
        counts.into_iter().filter(|count| (1..plan.node_count).contains(count)).collect();
    fewer.into_iter().map(|node_count| Plan { node_count, ..plan.clone() }).collect()
}

fn fewer_kinds(plan: &Plan) -> Vec<Plan> {
    let without = |fault: &Fault| {
        let mut nemesis = plan.nemesis.clone();
        nemesis.remove(fault);
        Plan { nemesis, ..plan.clone() }
    };
    plan.nemesis.iter().map(without).collect()
}

/// Leaves out faults that the nemesis has drawn: all but the first few, and then a part of these, down to a single one.
fn fewer_faults(plan: &Plan) -> Vec<Plan> {
    let only = |faults: BTreeSet<u32>| Plan { only_faults: Some(faults), ..plan.clone() };
    if plan.nemesis.is_empty() {
        return if plan.only_faults.is_some() {
            vec![Plan { only_faults: None, ..plan.clone() }]
        } else {
            Vec::new()
        };
    }
    let Some(kept) = &plan.only_faults else {
        let first =
            std::iter::successors(Some(1), |count| Some(count * 2)).take_while(|count| *count <= MOST_FAULTS);
        return std::iter::once(0).chain(first).map(|count| only((1..=count).collect())).collect();
    };
    let kept: Vec<u32> = kept.iter().copied().collect();
    let sizes = std::iter::successors(Some(kept.len()), |size| Some(size / 2)).take_while(|size| *size > 0);
    let parts = sizes.flat_map(|size| kept.chunks(size));
    parts.map(|part| only(kept.iter().copied().filter(|fault| !part.contains(fault)).collect())).collect()
}

fn no_losses(plan: &Plan) -> Vec<Plan> {
    vec![
        Plan { loss: 0.0, duplicate: 0.0, store_loss: 0.0, ..plan.clone() },
        Plan { loss: 0.0, ..plan.clone() },
        Plan { duplicate: 0.0, ..plan.clone() },
        Plan { store_loss: 0.0, ..plan.clone() },
    ]
}

fn no_latency(plan: &Plan) -> Vec<Plan> {
    let constant = Latency { shape: LatencyShape::Constant, ..plan.latency };
    vec![Plan { latency: Latency::default(), ..plan.clone() }, Plan { latency: constant, ..plan.clone() }]
}

fn fewer_clients(plan: &Plan) -> Vec<Plan> {
    let fewer = [Concurrency::Total(1), Concurrency::PerNode(1)]
        .map(|concurrency| Plan { concurrency, ..plan.clone() });
    fewer.into_iter().filter(|smaller| smaller.workers() < plan.workers()).collect()
}

fn a_lower_rate(plan: &Plan) -> Vec<Plan> {
    let rates = [0.1, 0.5, 0.8].map(|factor| (plan.rate * factor).round().max(SLOWEST)).into_iter();
    rates.filter(|rate| *rate < plan.rate).map(|rate| Plan { rate, ..plan.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Counter;

    fn large() -> Plan {
        Plan { loss: 0.1, ..Plan::drawn(&Counter::G, 7, Plan::all_faults()) }
    }

    #[test]
    fn what_always_fails_becomes_as_small_as_can_be() {
        let Shrunk { plan, runs } = shrink(&large(), 200, |_| true);
        assert_eq!((plan.node_count, plan.workers(), plan.time_limit), (1, 1, SHORTEST));
        assert_eq!((plan.loss, plan.latency, plan.rate), (0.0, Latency::default(), SLOWEST));
        assert_eq!((plan.nemesis.len(), plan.only_faults), (0, None));
        assert!(runs < 60, "{runs}");
    }

    #[test]
    fn only_the_faults_that_matter_are_kept() {
        let fails = |plan: &Plan| {
            plan.only_faults.as_ref().is_none_or(|kept| kept.contains(&3) && kept.contains(&11))
        };
        let needs_kinds = |plan: &Plan| !plan.nemesis.is_empty() && fails(plan);
        let plan = Plan { nemesis: [Fault::Kill].into(), ..large() };
        assert_eq!(shrink(&plan, 200, needs_kinds).plan.only_faults, Some([3, 11].into()));
    }

    #[test]
    fn runs_are_bounded_and_what_does_not_fail_is_not_returned() {
        let plan = large();
        let mut calls = 0;
        let shrunk = shrink(&plan, 5, |_| {
            calls += 1;
            false
        });
        assert_eq!((shrunk, calls), (Shrunk { plan, runs: 5 }, 5));
    }
}

//! Random clusters: each seed gives a plan with another size and other faults.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;
use serde::Serialize;

use crate::nemesis::Fault;
use crate::network::{Latency, LatencyShape};
use crate::plan::{Concurrency, LoadModel, Plan};
use crate::seeds::{Random, Seeds};
use crate::workload::Workload;

impl Plan {
    /// A plan whose size, rate, latencies, losses and faults all follow from the seed: 1 to 9 nodes for 10 to 60 s, with
    /// any of `faults` (each with even chances), on networks from perfect to bad.
    pub fn drawn(workload: &'static dyn Workload, seed: u64, faults: &[Fault]) -> Self {
        let random = &mut Seeds::new(seed ^ SALT).generator();
        let time_limit = Duration::from_secs(random.random_range(10..=60));
        Self {
            node_count: pick(random, &[1, 2, 3, 3, 3, 4, 5, 5, 5, 7, 9]),
            concurrency: Concurrency::PerNode(pick(random, &[1, 1, 1, 2, 3])),
            rate: pick(random, &[5.0, 20.0, 50.0, 100.0, 100.0, 300.0]),
            time_limit,
            latency: latency(random),
            nemesis: faults.iter().copied().filter(|_| random.random()).collect(),
            nemesis_interval: time_limit / random.random_range(4..=20),
            loss: pick(random, &[0.0, 0.0, 0.0, 0.0, 0.02, 0.1]),
            duplicate: pick(random, &[0.0, 0.0, 0.0, 0.1, 0.3]),
            store_loss: pick(random, &[0.0, 0.0, 0.0, 0.05, 0.2]),
            load: if random.random() { LoadModel::Open } else { LoadModel::Closed },
            demand_success: false,
            ..Self::new(workload, seed)
        }
    }

    /// The plan, with messages no slower than a node can bear.
    ///
    /// Messages are handed over one at a time, each when it is due. If a message takes a second, a client's request waits too
    /// long behind it: no answer is sure to find the client. An answer that comes too late mutes its node.
    #[must_use]
    pub fn bearable(self) -> Self {
        let is_slowed = self.nemesis.contains(&Fault::Slow);
        let longest_mean_ms = match self.latency.shape {
            LatencyShape::Exponential if is_slowed => 5,
            LatencyShape::Exponential => 50,
            LatencyShape::Constant | LatencyShape::Uniform if is_slowed => 20,
            LatencyShape::Constant | LatencyShape::Uniform => 200,
        };
        let latency = Latency { mean_ms: self.latency.mean_ms.min(longest_mean_ms), ..self.latency };
        Self { latency, ..self }
    }

    /// What is drawn for a run, for people: four lines at most.
    pub fn describe(&self) -> String {
        let clients = format!("{} ({})", count(self.workers(), "client"), self.concurrency);
        let load = format!("{} load of {} requests a second", word(self.load), self.rate);
        let (nodes, seconds) = (count(self.node_count, "node"), self.time_limit.as_secs_f64());
        let Latency { mean_ms, shape } = self.latency;
        let network = format!(
            "latency {mean_ms} ms ({}), lost {}, doubled {}, answers of services lost {}",
            word(shape),
            self.loss,
            self.duplicate,
            self.store_loss
        );
        let settings = self.settings.iter().map(|(name, value)| format!("{name} {value}"));
        let mut lines =
            vec![format!("{nodes}, {clients}, {load} for {seconds} s"), network, self.describe_faults()];
        lines.extend((!self.settings.is_empty()).then(|| settings.collect::<Vec<_>>().join(", ")));
        lines.join("\n")
    }

    fn describe_faults(&self) -> String {
        if self.nemesis.is_empty() || self.kept_faults.as_ref().is_some_and(BTreeSet::is_empty) {
            return "no faults".into();
        }
        let kinds: Vec<String> = self.nemesis.iter().map(|fault| fault.name()).collect();
        let every = format!("{} every {} s", kinds.join(", "), self.nemesis_interval.as_secs_f64());
        let Some(kept) = &self.kept_faults else { return every };
        let numbers: Vec<String> = kept.iter().map(u32::to_string).collect();
        format!("of {every} only number {}", numbers.join(", "))
    }

    /// Every fault there is.
    pub fn all_faults() -> &'static [Fault] {
        &Fault::ALL
    }
}

/// Keeps this stream apart from those that the run itself draws from the same seed.
const SALT: u64 = 0x6d69_785f_706c_616e;

/// The name of a value, as in JSON and on the command line.
pub(crate) fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `1 node`, `2 nodes`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn latency(random: &mut Random) -> Latency {
    let shapes = [LatencyShape::Constant, LatencyShape::Uniform, LatencyShape::Exponential];
    Latency { mean_ms: pick(random, &[0, 0, 1, 10, 50, 100]), shape: pick(random, &shapes) }
}

fn pick<T: Copy + Default>(random: &mut Random, choices: &[T]) -> T {
    choices.choose(random).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Counter;

    #[test]
    fn a_seed_gives_one_plan_and_other_seeds_give_others() {
        let draw = |seed| Plan::drawn(&Counter::G, seed, Plan::all_faults());
        assert_eq!(draw(3), draw(3));
        let sizes: std::collections::BTreeSet<usize> = (0..200).map(|seed| draw(seed).node_count).collect();
        assert_eq!(sizes, [1, 2, 3, 4, 5, 7, 9].into());
        for fault in Plan::all_faults() {
            assert!((0..200).any(|seed| draw(seed).nemesis.contains(fault)), "{fault:?}");
        }
        assert!((0..200).all(|seed| Plan::drawn(&Counter::G, seed, &[]).nemesis.is_empty()));
    }
}

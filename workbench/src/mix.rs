//! Random clusters: each seed gives a plan with another size and other faults.

use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;

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

    /// Everything that [`Plan::drawn`] draws from the seed, by the names of the flags of `simulate` that pin it. Two plans
    /// with one seed and one mix are the same, if they demand the same of the nodes.
    pub fn mix(&self) -> Vec<(&'static str, String)> {
        let seconds = |span: Duration| span.as_secs_f64().to_string();
        let names = |faults: &mut dyn Iterator<Item = String>| {
            let names = faults.collect::<Vec<_>>().join(",");
            if names.is_empty() { "none".to_owned() } else { names }
        };
        let mut mix = vec![
            ("node-count", self.node_count.to_string()),
            ("concurrency", self.concurrency.to_string()),
            ("rate", self.rate.to_string()),
            ("load", self.load.name().to_owned()),
            ("time-limit", seconds(self.time_limit)),
            ("latency", self.latency.mean_ms.to_string()),
            ("latency-dist", self.latency.shape.name().to_owned()),
            ("loss", self.loss.to_string()),
            ("duplicate", self.duplicate.to_string()),
            ("store-loss", self.store_loss.to_string()),
            ("nemesis", names(&mut self.nemesis.iter().map(|fault| fault.name()))),
            ("nemesis-interval", seconds(self.nemesis_interval)),
        ];
        let kept = self.only_faults.as_ref();
        mix.extend(kept.map(|kept| ("only-faults", names(&mut kept.iter().map(u32::to_string)))));
        mix
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

    /// Every fault there is.
    pub fn all_faults() -> &'static [Fault] {
        &Fault::ALL
    }
}

/// Keeps this stream apart from those that the run itself draws from the same seed.
const SALT: u64 = 0x6d69_785f_706c_616e;

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

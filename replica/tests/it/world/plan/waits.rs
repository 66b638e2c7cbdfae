//! What clients wait for: to read what they have counted themselves, or all that was acknowledged, and for peers to have it.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::{Plan, ms};

/// What a client wants to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Some of the changes that were acknowledged last, by whichever nodes.
    Own,
    /// All that was acknowledged.
    All,
    /// So many peers have what this process has counted.
    Held(usize),
}

/// A client that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    pub(crate) node: usize,
    pub(crate) wanted: Wanted,
    /// How long it waits.
    pub(crate) within: Duration,
}

impl Plan {
    /// Drawn apart from all else, so that a seed's other faults stay what they were.
    pub(super) fn draw_waits(&mut self) {
        let rng = &mut SmallRng::seed_from_u64(self.seed ^ 0x7761_6974);
        let end = u64::try_from(self.heal_at.as_millis()).unwrap();
        for _ in 0..rng.random_range(0..30) {
            let wanted = match rng.random_range(0..3) {
                0 => Wanted::Own,
                1 => Wanted::All,
                _ => Wanted::Held(rng.random_range(0..self.nodes)),
            };
            let (node, at) = (rng.random_range(0..self.nodes), ms(rng.random_range(100..end)));
            let within = ms([20, 200, 1000, 4000][rng.random_range(0..4)]);
            self.waits.push((at, Waits { node, wanted, within }));
        }
    }
}

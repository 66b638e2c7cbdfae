//! One seed, many independent streams of random numbers.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

/// The bench's generator: small, fast, and the same on every machine.
pub type Random = Xoshiro256PlusPlus;

/// Hands out generators that all follow from one seed, so that what one part draws does not disturb another.
#[derive(Debug)]
pub(crate) struct Seeds {
    root: Random,
}

impl Seeds {
    pub(crate) fn new(seed: u64) -> Self {
        Self { root: Random::seed_from_u64(seed) }
    }

    /// A seed for another generator.
    pub(crate) fn next_seed(&mut self) -> u64 {
        self.root.next_u64()
    }

    pub(crate) fn generator(&mut self) -> Random {
        Random::seed_from_u64(self.next_seed())
    }
}

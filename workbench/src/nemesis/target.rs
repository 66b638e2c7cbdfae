//! The nodes that a kill or a pause hits.

use rand::RngExt;
use rand::seq::SliceRandom;

use super::grudge::{majority, minority_third};
use crate::seeds::Random;

/// A way to choose nodes, as Jepsen has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Any number of nodes, but not none.
    Some,
    One,
    MinorityThird,
    Minority,
    Majority,
    All,
}

impl Target {
    const EVERY: [Self; 6] =
        [Self::Some, Self::One, Self::MinorityThird, Self::Minority, Self::Majority, Self::All];

    /// The ways that hit at least one of so many nodes. (Jepsen draws the others too, and nothing happens.)
    pub(crate) fn effective(count: usize) -> Vec<Self> {
        let hits = |target: &Self| match target {
            Self::MinorityThird => minority_third(count) > 0,
            Self::Minority => majority(count) > 1,
            Self::Some | Self::One | Self::Majority | Self::All => true,
        };
        Self::EVERY.into_iter().filter(hits).collect()
    }

    /// Draws the nodes, in ascending order.
    pub(crate) fn draw(self, count: usize, random: &mut Random) -> Vec<usize> {
        let size = match self {
            Self::Some => random.random_range(1..=count),
            Self::One => 1,
            Self::MinorityThird => minority_third(count),
            Self::Minority => majority(count) - 1,
            Self::Majority => majority(count),
            Self::All => count,
        };
        let mut nodes: Vec<usize> = (0..count).collect();
        nodes.shuffle(random);
        nodes.truncate(size);
        nodes.sort_unstable();
        nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;

    #[test]
    fn sizes_are_jepsens() {
        let mut random = Seeds::new(4).generator();
        let mut size = |target: Target| target.draw(5, &mut random).len();
        assert_eq!(size(Target::One), 1);
        assert_eq!(size(Target::MinorityThird), 1);
        assert_eq!(size(Target::Minority), 2);
        assert_eq!(size(Target::Majority), 3);
        assert_eq!(size(Target::All), 5);
        let mut sizes: Vec<usize> = (0..200).map(|_| size(Target::Some)).collect();
        sizes.sort_unstable();
        sizes.dedup();
        assert_eq!(sizes, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn ways_that_are_left_out_would_hit_no_node() {
        let mut random = Seeds::new(4).generator();
        for count in 1..9 {
            for target in Target::effective(count) {
                assert!(!target.draw(count, &mut random).is_empty(), "{target:?} of {count}");
            }
        }
    }
}

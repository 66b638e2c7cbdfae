//! A set of integers, kept as ranges. Sums of subsets of adds are dense, so hundreds of adds stay cheap.

use serde::Serialize;

/// Disjoint closed ranges in ascending order, with gaps between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    /// The set of one number.
    pub fn of(value: i64) -> Self {
        Self(vec![(value, value)])
    }

    /// Adds to the set every number that is `delta` away from one in it. Saturates at the ends of the integers.
    pub fn allow(&mut self, delta: i64) {
        let moved = self.0.iter().map(|(low, high)| (low.saturating_add(delta), high.saturating_add(delta)));
        let mut all: Vec<(i64, i64)> = self.0.iter().copied().chain(moved).collect();
        all.sort_unstable();
        self.0.clear();
        for (low, high) in all {
            match self.0.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
                _ => self.0.push((low, high)),
            }
        }
    }

    /// Whether the number is in the set.
    pub fn contains(&self, value: i64) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&value))
    }

    /// The smallest and the largest number.
    pub fn bounds(&self) -> (i64, i64) {
        let low = self.0.first().map_or(0, |(low, _)| *low);
        (low, self.0.last().map_or(0, |(_, high)| *high))
    }

    /// The ranges, closed, in ascending order.
    pub fn as_slice(&self) -> &[(i64, i64)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The same, by trying every subset.
    fn naive(start: i64, deltas: &[i64]) -> BTreeSet<i64> {
        let mut sums = BTreeSet::from([start]);
        for delta in deltas {
            sums.extend(sums.clone().iter().map(|sum| sum + delta));
        }
        sums
    }

    #[test]
    fn as_the_naive_version_does() {
        let cases: [&[i64]; 5] = [&[], &[3], &[10, 3, 10], &[-5, 4, -1, 0], &[100, 1, 1, -50, 7]];
        for deltas in cases {
            let mut ranges = Ranges::of(20);
            for delta in deltas {
                ranges.allow(*delta);
            }
            let expected = naive(20, deltas);
            for value in -200..300 {
                assert_eq!(ranges.contains(value), expected.contains(&value), "{deltas:?} {value}");
            }
            let (low, high) = ranges.bounds();
            assert_eq!((Some(&low), Some(&high)), (expected.first(), expected.last()));
        }
    }

    #[test]
    fn a_thousand_adds_are_one_range() {
        let mut ranges = Ranges::of(0);
        (0..1000).for_each(|number| ranges.allow(number % 5));
        assert_eq!(ranges.as_slice(), [(0, 2000)]);
    }
}

//! Sets of adds.
//!
//! The size of each add is a power of eight of its own. So a sum of sizes tells, in octal digits, which adds are in it, and how
//! often.

use crate::setup::Setup;

/// More adds than any setup has.
const MOST_ADDS: usize = 8;

/// The size of an add. It stands for the add in a set of adds.
pub(crate) fn size(add: usize) -> u64 {
    Setup::delta(add).unsigned_abs()
}

/// The adds in a sum of sizes.
pub(crate) fn adds_in(sum: u64) -> u64 {
    (0..MOST_ADDS).map(size).filter(|add| sum & (add * 7) != 0).sum()
}

/// The adds in a value: of those with a negative delta, the ones that are not missing.
pub(crate) fn adds_of(value: i128) -> u64 {
    let negative: u64 = (0..MOST_ADDS).filter(|add| Setup::delta(*add) < 0).map(size).sum();
    let sum = u64::try_from(value + i128::from(negative)).expect("no value is so low");
    adds_in(sum) ^ negative
}

/// Whether every add is in the sum at most once, and none that was not asked for.
pub(crate) fn is_plausible(sum: u64, asked: u64) -> bool {
    sum == adds_in(sum) && sum & !asked == 0
}

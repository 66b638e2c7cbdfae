//! Bugs that are planted are found.

use crate::world::{Plan, Sabotage, run};

/// The first of 3,000 clusters that finds the bug, and what it says.
fn found(sabotage: Sabotage) -> Option<(u64, String)> {
    (0..3000).find_map(|seed| run(Plan::draw(seed), sabotage, false).err().map(|problem| (seed, problem)))
}

#[test]
fn every_planted_bug_is_found() {
    for sabotage in Sabotage::all() {
        let (seed, problem) = found(sabotage).unwrap_or_else(|| panic!("{sabotage:?} is not found"));
        println!("{sabotage:?}: cluster {seed}: {problem}");
    }
}

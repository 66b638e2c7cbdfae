//! Visiting all states.

use std::collections::BTreeSet;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::cluster::Cluster;
use crate::setup::Setup;

/// One thread for each search, since it then finds the shortest path. Tests run side by side.
const THREADS: usize = 1;

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The rules that are broken in some state.
    pub(crate) broken: BTreeSet<&'static str>,
    /// The conditions that a search must see, and saw.
    pub(crate) seen: BTreeSet<&'static str>,
}

/// Visits all states, in order of their depth, until one breaks a rule. Then it prints the steps that lead there.
///
/// # Panics
///
/// If there are more than `most` steps between them: a search that is cut off proves nothing.
pub(crate) fn search(name: &str, setup: Setup, most: usize) -> Found {
    let checker = Cluster::new(setup)
        .checker()
        .threads(THREADS)
        .finish_when(HasDiscoveries::AnyFailures)
        .target_state_count(most)
        .spawn_bfs()
        .join();
    println!(
        "{name}: {} states, {} steps between them, depth {}, {} steps of processes",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        checker.model().steps.len(),
    );
    let mut found = Found::default();
    for (property, path) in checker.discoveries() {
        if checker.model().property(property).expectation == Expectation::Sometimes {
            found.seen.insert(property);
            continue;
        }
        found.broken.insert(property);
        let path = path.into_actions();
        println!("{name}: {property} is broken in {} steps:", path.len());
        for action in &path {
            println!("    {action:?}");
        }
    }
    let is_whole = checker.state_count() < most || !found.broken.is_empty();
    assert!(is_whole, "{name}: cut off after {most} steps");
    found
}

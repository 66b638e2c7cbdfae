//! Visiting all states.

use stateright::{Checker, HasDiscoveries, Model};

use crate::cluster::Cluster;
use crate::rules::{Broken, EVERY_RULE};
use crate::setup::Setup;

/// Tests run side by side; on one thread a search finds the shortest path.
const THREADS: usize = 1;

/// What a search has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The rules that some state breaks.
    pub(crate) broken: Broken,
    /// What was to be seen, and was.
    pub(crate) seen: Vec<&'static str>,
}

/// Visits all states, in order of their depth, until one breaks a rule; then prints the steps to it.
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
    let mut discoveries = checker.discoveries();
    let mut found = Found::default();
    if let Some(path) = discoveries.remove(EVERY_RULE) {
        found.broken.clone_from(&path.last_state().broken);
        let actions = path.into_actions();
        println!("{name}: {:?} broken in {} steps:", found.broken, actions.len());
        for action in &actions {
            println!("    {action:?}");
        }
    }
    found.seen.extend(discoveries.into_keys());
    let is_whole = checker.state_count() < most || !found.broken.is_empty();
    assert!(is_whole, "{name}: cut off after {most} steps");
    found
}

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
    if std::env::var("START").is_ok() {
        let state = &checker.model().init_states()[0];
        println!("{:?}\n{:?}\n{:?}", state.on_the_way, state.store, state.adds);
        for p in &state.processes {
            println!("{p:?}");
        }
    }
    if std::env::var("DEEP").is_ok() {
        // follow a path
        let model = checker.model();
        let mut n = 0_u64;
        for _ in 0..3000 {
        let mut state = model.init_states().remove(0);
        let mut seen = std::collections::BTreeMap::new();
        loop {
            let mut actions = vec![];
            model.actions(&state, &mut actions);
            n = n.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let steps: Vec<_> = actions.into_iter().filter_map(|a| model.next_state(&state, a.clone()).map(|s| (a, s))).collect();
            if steps.is_empty() { break; }
            let k = (n >> 33) as usize % steps.len();
            let (a, s) = steps[k].clone();
            let i = seen.len();
            seen.insert(i, ());
            if i > 80 { println!("  {a:?}"); }
            state = s;
            if i > 110 { break; }
        }
        if seen.len() > 80 { break; }
        }
    }
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

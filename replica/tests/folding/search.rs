//! Visiting all states.

use stateright::{Checker, HasDiscoveries, Model};

use crate::cluster::{Cluster, EVERY_RULE, FOLDED};
use crate::setup::Setup;
use crate::state::Rule;

/// A search that visits more states than this is cut off, and fails.
const MOST: usize = 12_000_000;

/// What a search has found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) broken: Option<Rule>,
    pub(crate) has_folded: bool,
}

/// Visits all states, in order of their depth, until one breaks a rule; then prints the steps to it.
pub(crate) fn search(name: &str, setup: Setup) -> Found {
    let checker = Cluster(setup)
        .checker()
        .threads(1)
        .finish_when(HasDiscoveries::AnyFailures)
        .target_state_count(MOST)
        .spawn_bfs()
        .join();
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    println!("{name}: {states} states, {steps} steps between them, depth {}", checker.max_depth());
    let mut discoveries = checker.discoveries();
    let has_folded = discoveries.contains_key(FOLDED);
    let broken = discoveries.remove(EVERY_RULE).and_then(|path| {
        let broken = path.last_state().broken;
        println!("{name}: {broken:?} in these steps:");
        let steps = path.into_vec();
        if std::env::var("STATE").is_ok() { println!("{:#?}", steps.last()); }
        for (state, action) in &steps {
            if let Some(action) = action {
                println!("    {}", told(state, *action));
            }
        }
        broken
    });
    assert!(steps < MOST || broken.is_some(), "{name}: cut off after {MOST} steps");
    Found { broken, has_folded }
}

/// A step, with the processes by their names.
fn told(state: &crate::state::State, action: crate::cluster::Action) -> String {
    let counters: Vec<_> = state.counters.iter().map(|it| (it.process, it.replica, it.rows)).collect();
    let peers: Vec<_> = state.peers.iter().map(|it| (it.node, it.process, it.rows)).collect();
    format!("{action:?} at {counters:?} {peers:?} record {:?} hints {:?}", state.record.rows, state.hints)
}

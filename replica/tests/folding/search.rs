//! Visiting all states.

use stateright::{Checker, HasDiscoveries, Model};

use crate::cluster::{Cluster, EVERY_RULE, FOLDED};
use crate::setup::Setup;
use crate::state::{Rule, State};

/// A search that visits more states than this is cut off, and fails.
const MOST: usize = 20_000_000;

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
        for (state, action) in &steps {
            match action {
                Some(action) => println!("    {}\n        {action:?}", told(state)),
                None => println!("    {}", told(state)),
            }
        }
        broken
    });
    assert!(steps < MOST || broken.is_some(), "{name}: cut off after {MOST} steps");
    Found { broken, has_folded }
}

/// Who holds what: `1 as 1` is the first process, which counts under the first replica.
fn told(state: &State) -> String {
    let counters =
        state.counters.iter().map(|it| format!("{} as {} {:?}", it.process, it.replica, it.holds()));
    let peers = state.peers.iter().map(|it| format!("peer {}/{} {:?}", it.node, it.process, it.rows));
    let hints = state.hints.iter().map(|it| format!("hints {:?}", it.hints));
    let record = format!("record {:?} sealed at {}", state.record.rows, state.record.seal);
    counters.chain(peers).chain([record]).chain(hints).collect::<Vec<_>>().join(", ")
}

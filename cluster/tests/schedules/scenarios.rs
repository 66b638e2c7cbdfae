//! The scenarios.

use crate::planted::Mistake;
use crate::scenario::{Do, Scenario, process, with_snapshots};
use crate::search::search_deeper;
use crate::steps::Bounds;

use Do::{Commit, CommitMuch, Fence, Load, Nodes, Seal};

/// What one message can have, mostly.
const WHOLE: usize = 1 << 20;

const LOOKS: &[&[Do]] = &[&[Fence, Load("n1"), Nodes]];

const ONE_FAULT: Bounds = Bounds { faults: 1, behind: 1, kills: 0 };

const TWO_PROCESSES: Scenario = Scenario {
    name: "two processes of one node",
    most: WHOLE,
    past: &[process("n1", &[&[Commit]])],
    runs: &[process("n1", &[&[Commit, Commit]]), process("n1", &[&[Commit]])],
    looks: LOOKS,
    bounds: ONE_FAULT,
    meets: &["told of a conflict", "done later"],
};

const A_SNAPSHOT: Scenario = Scenario {
    name: "a commit while a snapshot is made, and a load",
    most: WHOLE,
    past: &[process("n1", &[&[Commit]])],
    runs: &[with_snapshots("n1", &[&[Commit, Commit]]), process("n2", &[&[Fence, Load("n1")]])],
    looks: LOOKS,
    bounds: Bounds { faults: 0, behind: 1, kills: 0 },
    meets: &["messages removed while they are read"],
};

const PARTS: Scenario = Scenario {
    name: "a commit in parts, cut off anywhere",
    most: 64,
    past: &[],
    runs: &[process("n1", &[&[CommitMuch]]), process("n1", &[&[CommitMuch]])],
    looks: LOOKS,
    bounds: Bounds { faults: 0, behind: 0, kills: 1 },
    meets: &["done later"],
};

const A_SEAL: Scenario = Scenario {
    name: "a seal beside a commit",
    most: WHOLE,
    past: &[process("n1", &[&[Commit]])],
    runs: &[process("n1", &[&[Commit, Commit]]), process("n2", &[&[Seal("n1")]])],
    looks: LOOKS,
    bounds: ONE_FAULT,
    meets: &["sealed", "told of a conflict"],
};

const A_FIRST_COMMIT: Scenario = Scenario {
    name: "the first commit of a node, and a list of all",
    most: WHOLE,
    past: &[],
    runs: &[process("n1", &[&[Commit]]), process("n2", &[&[Fence, Nodes, Fence, Nodes]])],
    looks: LOOKS,
    bounds: ONE_FAULT,
    meets: &["listed"],
};

const AN_EARLIER_SNAPSHOT: Scenario = Scenario {
    name: "a snapshot of an earlier process",
    most: WHOLE,
    past: &[process("n1", &[&[Commit]])],
    runs: &[with_snapshots("n1", &[&[Commit]]), process("n1", &[&[Commit, Commit]])],
    looks: LOOKS,
    bounds: Bounds { faults: 1, behind: 0, kills: 0 },
    meets: &["told of a conflict"],
};

const ALL: &[Scenario] = &[TWO_PROCESSES, A_SNAPSHOT, PARTS, A_SEAL, A_FIRST_COMMIT, AN_EARLIER_SNAPSHOT];

#[test]
fn no_schedule_breaks_a_rule() {
    for scenario in ALL {
        let begun = std::time::Instant::now();
        match search_deeper(scenario, Mistake::None, 10_000_000) {
            Ok(found) => println!("{}: {:?} in {:?}", scenario.name, found, begun.elapsed()),
            Err(broken) => panic!("{}: {broken:#?}", scenario.name),
        }
    }
}

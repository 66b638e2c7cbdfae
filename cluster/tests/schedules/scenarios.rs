//! The scenarios.

use crate::planted::Mistake;
use crate::scenario::{Do, Scenario, process, with_few_snapshots, with_snapshots};
use crate::steps::Bounds;

use Do::{Commit, CommitMuch, Fence, Load, Nodes, Seal};

/// A message may have so many bytes, so that each commit is one message.
const WHOLE: usize = 1 << 20;

/// A message may have so many bytes, so that none is long enough for a commit.
const IN_PARTS: usize = 64;

/// A message may have so many bytes, so that a commit is one message and a snapshot two.
const IN_FEW: usize = 130;

/// In the end another node looks.
const LOOKS: &[&[Do]] = &[&[Fence, Load("n1"), Nodes]];

const fn bounds(faults: u8, behind: u8, kills: u8) -> Bounds {
    Bounds { faults, behind, kills }
}

/// Two processes of one node commit at once. Either may stand still for as long as you like, with an append under way.
const TWO_PROCESSES: Scenario = Scenario {
    name: "two processes of one node",
    most: WHOLE,
    past: &[process("n1", &[&[Commit]])],
    runs: &[process("n1", &[&[Commit, Commit]]), process("n1", &[&[Commit]])],
    looks: LOOKS,
    bounds: bounds(1, 1, 0),
    meets: &["told of a conflict", "done later", "done, and the answer lost"],
};

/// A process goes on committing while it makes one snapshot after the other, and places of its log are taken again.
const A_SNAPSHOT: Scenario = Scenario {
    name: "snapshots beside commits",
    most: WHOLE,
    past: &[with_snapshots("n1", &[&[Commit]])],
    runs: &[with_snapshots("n1", &[&[Commit, Commit]])],
    looks: LOOKS,
    bounds: bounds(1, 0, 0),
    meets: &["done later"],
};

/// Another node reads meanwhile.
const A_SNAPSHOT_AND_A_LOAD: Scenario = Scenario {
    name: "snapshots beside commits and a load",
    most: WHOLE,
    past: &[with_snapshots("n1", &[&[Commit]])],
    runs: &[with_snapshots("n1", &[&[Commit, Commit]]), process("n2", &[&[Fence, Load("n1")]])],
    looks: LOOKS,
    bounds: bounds(0, 0, 0),
    meets: &["messages replaced while they are read"],
};

/// The servers that serve the reads may be behind.
const A_LOAD_OF_A_SERVER_BEHIND: Scenario = Scenario {
    name: "a snapshot beside a load of a server that is behind",
    runs: &[with_snapshots("n1", &[&[Commit]]), process("n2", &[&[Fence, Load("n1")]])],
    bounds: bounds(0, 2, 0),
    meets: &["messages replaced while they are read", "a read of a server that is behind"],
    ..A_SNAPSHOT_AND_A_LOAD
};

/// While another node reads, all is replaced that it is to read: a snapshot has it, behind the fence.
const A_LONG_LOAD: Scenario = Scenario {
    name: "a load while all is replaced",
    past: &[process("n1", &[&[Commit]])],
    runs: &[with_few_snapshots("n1", &[&[Commit, Commit, Commit]]), process("n2", &[&[Fence, Load("n1")]])],
    meets: &["messages replaced while they are read"],
    ..A_SNAPSHOT_AND_A_LOAD
};

/// A process dies anywhere in a commit of several parts, and another one goes on.
const PARTS: Scenario = Scenario {
    name: "a commit in parts, cut off anywhere",
    most: IN_PARTS,
    past: &[],
    runs: &[process("n1", &[&[CommitMuch]]), process("n1", &[&[Commit]])],
    looks: LOOKS,
    bounds: bounds(1, 0, 1),
    meets: &["done later", "told of a conflict"],
};

/// Another node forgets the node of a process that commits.
const A_SEAL: Scenario = Scenario {
    name: "a seal beside commits",
    most: WHOLE,
    past: &[process("n1", &[&[Commit]])],
    runs: &[process("n1", &[&[Commit, Commit]]), process("n2", &[&[Seal("n1")]])],
    looks: LOOKS,
    bounds: bounds(1, 1, 0),
    meets: &["sealed", "told of a conflict"],
};

/// The same, and snapshots are made.
const A_SEAL_AND_A_SNAPSHOT: Scenario = Scenario {
    name: "a seal beside a snapshot",
    past: &[with_snapshots("n1", &[&[Commit]])],
    runs: &[with_snapshots("n1", &[&[Commit]]), process("n2", &[&[Seal("n1")]])],
    bounds: bounds(1, 0, 0),
    ..A_SEAL
};

/// A node is listed as soon as its first commit is done.
const A_FIRST_COMMIT: Scenario = Scenario {
    name: "the first commit of a node beside a list of all",
    most: WHOLE,
    past: &[],
    runs: &[process("n1", &[&[Commit]]), process("n2", &[&[Fence, Nodes, Fence, Load("n1"), Nodes]])],
    looks: LOOKS,
    bounds: bounds(1, 1, 0),
    meets: &["listed", "loaded"],
};

/// An earlier process of the node makes a snapshot, for as long as you like, while a later one commits.
const AN_EARLIER_SNAPSHOT: Scenario = Scenario {
    name: "a snapshot of an earlier process",
    most: WHOLE,
    past: &[with_snapshots("n1", &[&[Commit]])],
    runs: &[with_snapshots("n1", &[&[Commit]]), process("n1", &[&[Commit, Commit]])],
    looks: LOOKS,
    bounds: bounds(1, 0, 0),
    meets: &["told of a conflict", "done later"],
};

/// Both of them make snapshots.
const TWO_SNAPSHOTS: Scenario = Scenario {
    name: "snapshots of two processes",
    runs: &[with_snapshots("n1", &[&[Commit]]), with_snapshots("n1", &[&[Commit]])],
    meets: &["told of a conflict"],
    ..AN_EARLIER_SNAPSHOT
};

/// A snapshot of several parts, cut off anywhere.
const A_LONG_SNAPSHOT: Scenario = Scenario {
    name: "a snapshot in parts, cut off anywhere",
    most: IN_FEW,
    past: &[process("n1", &[&[Commit]])],
    runs: &[with_snapshots("n1", &[&[Commit, Commit]]), process("n1", &[&[Commit]])],
    looks: LOOKS,
    bounds: bounds(0, 0, 1),
    meets: &["done later"],
};

/// Both of them write long ones, and go on committing.
const TWO_LONG_SNAPSHOTS: Scenario = Scenario {
    name: "snapshots in pieces of two processes",
    most: IN_FEW,
    runs: &[with_snapshots("n1", &[&[Commit, Commit]]), with_snapshots("n1", &[&[Commit]])],
    bounds: bounds(0, 0, 0),
    ..TWO_SNAPSHOTS
};

/// All scenarios of the normal run.
pub(crate) const ALL: &[Scenario] = &[
    TWO_PROCESSES,
    A_SNAPSHOT,
    A_SNAPSHOT_AND_A_LOAD,
    A_LOAD_OF_A_SERVER_BEHIND,
    A_LONG_LOAD,
    PARTS,
    A_SEAL,
    A_SEAL_AND_A_SNAPSHOT,
    A_FIRST_COMMIT,
    AN_EARLIER_SNAPSHOT,
    TWO_SNAPSHOTS,
    A_LONG_SNAPSHOT,
    TWO_LONG_SNAPSHOTS,
];

/// The scenario that shows a mistake.
pub(crate) const fn that_shows(mistake: Mistake) -> &'static Scenario {
    match mistake {
        Mistake::None
        | Mistake::TimeoutIsRefusal
        | Mistake::ConflictIsDone
        | Mistake::RefusalIsDone
        | Mistake::NothingExpected => &TWO_PROCESSES,
        Mistake::NoFence | Mistake::BehindIsBelieved | Mistake::FenceReused | Mistake::LossIsUnseen => {
            &A_FIRST_COMMIT
        }
        Mistake::StopsAtFence => &A_LONG_LOAD,
        Mistake::SnapshotLosesTail | Mistake::PlaceIsFree => &A_SNAPSHOT,
        Mistake::SnapshotIsBelieved => &A_LONG_SNAPSHOT,
        Mistake::PartsAreBelieved | Mistake::FirstPartIsAll => &PARTS,
    }
}

/// Scenarios in which each process does one thing at a time, with so few bounds that every order of steps can be tried.
pub(crate) const SMALL: &[Scenario] = &[
    Scenario {
        name: "two processes",
        runs: &[process("n1", &[&[Commit]]), process("n1", &[&[Commit]])],
        bounds: bounds(0, 1, 0),
        ..TWO_PROCESSES
    },
    Scenario {
        name: "a commit and a load",
        runs: &[process("n1", &[&[Commit]]), process("n2", &[&[Fence, Load("n1")]])],
        bounds: bounds(1, 0, 0),
        ..TWO_PROCESSES
    },
];

/// Those that take longer.
pub(crate) const LARGE: &[Scenario] = &[
    Scenario {
        name: "snapshots, commits and a load, behind",
        bounds: bounds(0, 1, 0),
        ..A_SNAPSHOT_AND_A_LOAD
    },
    Scenario {
        name: "two processes of one node, and longer",
        runs: &[process("n1", &[&[Commit, Commit]]), process("n1", &[&[Commit, Commit]])],
        ..TWO_PROCESSES
    },
    Scenario {
        name: "two processes of one node and a load",
        runs: &[
            with_snapshots("n1", &[&[Commit]]),
            process("n1", &[&[Commit]]),
            process("n2", &[&[Fence, Load("n1")]]),
        ],
        bounds: bounds(0, 1, 0),
        ..AN_EARLIER_SNAPSHOT
    },
];

//! What a search covers: the processes, what each asks its store for, and how much may go wrong.

use crate::steps::Bounds;

/// What a process does. Its replica goes on in the same way whatever the outcome is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    /// Opens the own record, unless the last commit is known to be done, and then commits a change.
    Commit,
    /// A change that is longer than a small message.
    CommitMuch,
    Fence,
    Load(&'static str),
    Nodes,
    /// Loads the record of a node, and seals that.
    Seal(&'static str),
}

/// A process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Runs {
    pub(crate) node: &'static str,
    /// What it does, one thing after the other; several such rows beside each other.
    pub(crate) does: &'static [&'static [Do]],
    /// It makes a snapshot each time that its log has grown by so many bytes.
    pub(crate) snapshots_every: usize,
}

/// Processes, one store, and what may go wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// How many bytes a message may have.
    pub(crate) most: usize,
    /// Processes that were there before, one after the other, with nothing going wrong.
    pub(crate) past: &'static [Runs],
    pub(crate) runs: &'static [Runs],
    pub(crate) bounds: Bounds,
    /// What a process of another node asks for in the end.
    pub(crate) looks: &'static [&'static [Do]],
    /// What some schedule must come to.
    pub(crate) meets: &'static [&'static str],
}

/// A process that does this, and makes no snapshots.
pub(crate) const fn process(node: &'static str, does: &'static [&'static [Do]]) -> Runs {
    Runs { node, does, snapshots_every: usize::MAX }
}

/// A process that does this, and makes a snapshot after each commit.
pub(crate) const fn with_snapshots(node: &'static str, does: &'static [&'static [Do]]) -> Runs {
    Runs { node, does, snapshots_every: 1 }
}

/// A process that does this, and makes a snapshot after its first commit, and after each second one then.
pub(crate) const fn with_few_snapshots(node: &'static str, does: &'static [&'static [Do]]) -> Runs {
    Runs { node, does, snapshots_every: 600 }
}

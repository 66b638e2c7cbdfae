//! The store as a port: a replica's requests to it, and its possible answers.
//!
//! Each node has one record in the store. Processes of that node write it, and whoever forgets the node seals it. A write
//! succeeds only if the record is still as the writer knows it. So of several writes at once only one succeeds. A replica
//! has at most one [`Open`](StoreRequest::Open) or [`Commit`](StoreRequest::Commit) open at a time. Everything that it
//! counts meanwhile goes with the next commit (group commit).
//!
//! A commit carries only what changed. The store decides how it lays out a record: one value, rows, or a log with
//! snapshots. [`Record::apply`] says what the record holds afterwards.
//!
//! [`memory`] is the reference store. [`conformance`] is a suite that every store must pass.

pub mod conformance;
pub mod memory;
mod record;

use std::fmt;

pub use record::{Changes, Note, Noted, Ownership, Record, Seal};

use crate::identity::NodeId;
use crate::tally::RowDelta;

/// Names one request to the store. The replica chooses it, at random at first; the world gives it back with the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// A state of a node's record. The store chooses it, and it means something to this process alone. The replica only gives
/// it back, and never one from before the last outcome. A store that is given such a one must answer with a conflict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Revision(pub u64);

/// A replica's request to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreRequest {
    /// Read the own record as this node's processes have left it, and tell its revision. An old state would lose nothing:
    /// the next commit conflicts.
    Open,
    /// Change the own record, if it is still at `expect`.
    ///
    /// No commit brings back an earlier state of the record: rows only grow, an owner is never the same twice, and hints
    /// are dropped only together with such a change. So a commit that arrives late can't apply.
    ///
    /// A commit that was done is a [`Fence`](Self::Fence) too.
    Commit {
        /// The revision that the changes are made against.
        expect: Revision,
        /// The changes to rows and hints.
        changes: Changes,
        /// Who owns a replica that was, or may be, handed on. It replaces what the record said of it; `None` removes that.
        owner: Option<Ownership>,
    },
    /// Once it is done, each later [`Load`](Self::Load) sees whatever was committed before this request.
    Fence,
    /// Read a node's record. Several may be open at once, beside a commit, and be answered in any order.
    Load {
        /// The node.
        node: NodeId,
    },
    /// The names of all nodes that have a record.
    ///
    /// After a [`Fence`](Self::Fence) none is missing whose record was committed before that fence. A name without a
    /// record may be among them. A store that can't list its records keeps a list of names beside them, and writes a
    /// name there before it answers the first `Nodes` of a process that knows it. Such a store misses a node until a
    /// process that has it on its roster asks. So whoever relies on `Nodes` asks at each start.
    Nodes,
    /// Seal another node's record, if it still is `from`: the node was forgotten. [`Record::seal`] says what it holds
    /// afterwards. To seal a sealed record again only adds the rows.
    ///
    /// `from` is a record that was [loaded](Self::Load), `None` if there was none. Any number of nodes may try at once, and
    /// processes of that node may commit meanwhile: only one succeeds.
    Seal {
        /// The node.
        node: NodeId,
        /// The record must be this one.
        from: Option<Record>,
        /// Rows of that node which have grown, or are new: what each has above the version in the record.
        rows: Vec<RowDelta>,
    },
}

/// How a request to the store ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// `Open`: the record, `None` if there is none, and its revision.
    Opened {
        /// The record.
        record: Option<Record>,
        /// The next commit must expect this revision.
        revision: Revision,
    },
    /// `Open`: the store holds something that no replica has written. It must not be overwritten.
    Foreign,
    /// `Commit`: done.
    Committed {
        /// The next commit must expect this revision.
        revision: Revision,
    },
    /// `Seal`: done.
    Sealed,
    /// `Commit` and `Seal`: the record is not the expected one. This very commit may be the reason, if the store repeats
    /// requests. The replica opens the record again to learn.
    Conflict,
    /// `Fence`: done.
    Fenced,
    /// `Load`: the record, if there is one that can be read.
    Loaded(Option<Record>),
    /// `Nodes`: the names, each once.
    Nodes(Vec<NodeId>),
    /// Any request: not done, and it will not be.
    NotDone,
    /// Any request: it may have been done, or may be done later.
    Unknown,
}

/// In words, for the log.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened { .. } => "opened",
            Self::Foreign => "no record of a replica",
            Self::Committed { .. } => "committed",
            Self::Conflict => "conflict",
            Self::Sealed => "sealed",
            Self::Fenced => "fenced",
            Self::Loaded(_) => "loaded",
            Self::Nodes(_) => "nodes listed",
            Self::NotDone => "not done",
            Self::Unknown => "perhaps done",
        })
    }
}

//! The store as a port: what a replica asks of it, and how it may answer.
//!
//! Each node has one record in the store. Only processes of that node write it, each time on the condition that it is
//! still as they know it: so of several processes under one name only one gets through. A replica has at most one
//! [`Open`](StoreRequest::Open) or [`Commit`](StoreRequest::Commit) open at a time. Everything that it counts meanwhile
//! goes with the next commit (group commit).
//!
//! A commit carries only what changed. How a record is laid out (one value, rows, a log with snapshots) is the store's
//! affair; [`Record::apply`] says what the record holds afterwards.

mod record;

use std::fmt;

pub use record::{Changes, Ownership, Record};

use crate::identity::NodeId;

/// Names one request to the store. The replica chooses it, at random at first; the world gives it back with the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// A state of a node's record. The store chooses it; the replica only gives it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// What a replica asks of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreRequest {
    /// Read the own record, and tell its revision.
    Open,
    /// Change the own record, if it is still at `expect`.
    ///
    /// No commit of any process makes a record that stood there before: rows only grow, an owner is never the same
    /// twice, and hints are dropped only together with such a change.
    ///
    /// A commit that was done is a [`Fence`](Self::Fence) too.
    Commit {
        /// The revision that the changes are made against.
        expect: Revision,
        /// What is to be changed.
        changes: Changes,
        /// Who owns a replica that was, or may be, handed on: replaces what the record said of it.
        owner: Option<Ownership>,
    },
    /// From now on [`Load`](Self::Load) sees whatever was committed before this request.
    Fence,
    /// Read another node's record.
    Load {
        /// Whose.
        node: NodeId,
    },
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// `Open`: the record, `None` if there is none, and its revision.
    Opened {
        /// What stands there.
        record: Option<Record>,
        /// To be expected by the next commit.
        revision: Revision,
    },
    /// `Open`: something stands there that no replica has written. It must not be overwritten.
    Foreign,
    /// `Commit`: done.
    Committed {
        /// To be expected by the next commit.
        revision: Revision,
    },
    /// `Commit`: not done, for the record is not at the expected revision.
    Conflict,
    /// `Fence`: done.
    Fenced,
    /// `Load`: the record, if there is one that can be read.
    Loaded(Option<Record>),
    /// Any request: not done, and it will not be.
    NotDone,
    /// Any request: it may have been done, or may be done yet.
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
            Self::Fenced => "fenced",
            Self::Loaded(_) => "loaded",
            Self::NotDone => "not done",
            Self::Unknown => "perhaps done",
        })
    }
}

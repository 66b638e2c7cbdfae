//! The store: the folding node's record, and what stands of it in the peers' records.

use crate::rows::{Row, Rows};

/// The record of the folding node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Record {
    pub(crate) revision: u8,
    pub(crate) rows: Rows,
    /// Processes that count under smaller numbers have to stop.
    pub(crate) seal: u8,
    /// The replica that the next process may go on under. 0 if there is none.
    pub(crate) free: u8,
    /// What was folded of each replica. It stays empty if the protocol is not amended to need it.
    pub(crate) folded: Rows,
}

/// The part of the peers' records that matters here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PeerRecord {
    pub(crate) hints: Rows,
    /// The process that has written it last.
    pub(crate) process: u8,
}

/// A commit on its way to the folding node's record, or done and not told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Commit {
    /// The process that asked, by its own number. 0 if nobody waits for the outcome.
    pub(crate) by: u8,
    pub(crate) expect: u8,
    pub(crate) rows: Rows,
    /// The row of the process that asked.
    pub(crate) own: (u8, Row),
    pub(crate) seal: u8,
    /// Takes over the free replica.
    pub(crate) takes: bool,
    /// The replica is free from now on: it is the process's last commit.
    pub(crate) frees: bool,
    pub(crate) folded: Rows,
}

impl Record {
    /// Does a commit, if the record still is as it expects.
    pub(crate) fn apply(&mut self, commit: &Commit) -> bool {
        if self.revision != commit.expect {
            return false;
        }
        self.revision += 1;
        self.rows.merge(&commit.rows);
        self.seal = self.seal.max(commit.seal);
        self.folded.join(&commit.folded);
        if commit.takes {
            self.free = 0;
        }
        if commit.frees {
            self.free = commit.own.0;
        }
        true
    }
}

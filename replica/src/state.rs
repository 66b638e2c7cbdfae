//! The state of a node: the rows that it holds and shows, and which of them are not known to be stored.
//!
//! A row is *stored* up to the version that the record of its node has. A node that told its row while the store did not
//! answer may have died since. So this node keeps what such a row has above that version in its own record, as a *hint*,
//! until it learns that it is stored. A node that reads the record merges hints like any other rows. The idea is hinted
//! handoff, from the Dynamo paper (SOSP 2007, section 4.6).

use std::collections::BTreeMap;

use crdt::VersionVector;

use crate::config::WHOLE_HINT;
use crate::frame::Claim;
use crate::identity::ReplicaId;
use crate::seam::{Name, Refusal};
use crate::tally::{Part, RowDelta, Rows};

/// The rows that a node holds and shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    rows: Rows,
    /// The replicas whose row is not known to be stored as it is, each with the version that is.
    unstored: BTreeMap<ReplicaId, u64>,
    /// Hints that were read and can't be merged yet: the rows that they build on are still to be read.
    early: BTreeMap<ReplicaId, RowDelta>,
}

impl State {
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Merges a claim. Returns whether it brought something new, and whether that may be missing in the record of its node.
    ///
    /// A row that does not connect to what is held is left out. In a frame such a row was meant for an earlier process of
    /// this node. In a record it is a hint: it waits until the row that it builds on was read.
    pub(crate) fn merge(&mut self, claim: &Claim, is_record: bool) -> (bool, bool) {
        let (mut is_news, mut has_hints) = (false, !claim.unstored.is_empty());
        for row in claim.rows.iter().filter(|row| row.from() < row.upto()) {
            let is_stored = !claim.unstored.contains(row.actor());
            if row.from() > 0 && row.from() > self.rows.version(row.actor()) {
                if is_record && !is_stored {
                    self.early.insert(row.actor().clone(), row.clone());
                }
                continue;
            }
            is_news |= self.merge_row(row, is_stored);
            if !self.early.is_empty()
                && let Some(hint) = self.early.remove(row.actor())
            {
                if hint.from() > self.rows.version(hint.actor()) {
                    self.early.insert(hint.actor().clone(), hint);
                } else {
                    is_news |= self.merge_row(&hint, false);
                    has_hints = true;
                }
            }
        }
        (is_news, has_hints)
    }

    /// Merges a row that connects to what is held.
    pub(crate) fn merge_row(&mut self, row: &RowDelta, is_stored: bool) -> bool {
        let replica = row.actor();
        let before = if is_stored { 0 } else { self.rows.version(replica) };
        let is_news = match self.rows.apply(row) {
            Ok(is_news) => is_news,
            Err(error) => {
                tracing::error!(%replica, %error, "a row is ignored: its sender has made a mistake");
                return false;
            }
        };
        if is_stored {
            self.note_stored(replica, row.upto());
        } else if row.upto() > before {
            self.unstored.entry(replica.clone()).or_insert(before);
        }
        is_news
    }

    /// Adds to a counter in the row of a replica that is this process's own. Returns the number of the change.
    pub(crate) fn add(&mut self, replica: &ReplicaId, counter: &Name, delta: i64) -> Result<u64, Refusal> {
        self.rows.add(replica, counter, delta).map_err(|_| Refusal::Overflow)
    }

    /// Notes that the row of a replica is not known to be stored above this version.
    pub(crate) fn note_unstored(&mut self, replica: &ReplicaId, above: u64) {
        if self.rows.version(replica) > above {
            self.unstored.insert(replica.clone(), above);
        }
    }

    /// Notes that the row of a replica is stored up to this version.
    pub(crate) fn note_stored(&mut self, replica: &ReplicaId, upto: u64) {
        if let Some(stored) = self.unstored.get_mut(replica) {
            *stored = upto.max(*stored);
            if *stored >= self.rows.version(replica) {
                self.unstored.remove(replica);
            }
        }
    }

    /// The replicas whose row is not known to be stored as it is.
    pub(crate) fn unstored(&self) -> impl Iterator<Item = &ReplicaId> {
        self.unstored.keys()
    }

    /// What each row of the replicas of `node` has above some version: `above` says which. `None`: that row is not wanted.
    pub(crate) fn rows_of(&self, node: &str, above: impl Fn(&ReplicaId) -> Option<u64>) -> Vec<RowDelta> {
        let own = self.rows.versions().counter().keys().filter(|replica| replica.node() == node);
        own.filter_map(|replica| self.rows.row_since(replica, above(replica)?)).collect()
    }

    /// What a peer lacks that has covered `known`, of the rows that `wanted` accepts.
    pub(crate) fn rows_since(
        &self,
        known: &VersionVector<ReplicaId>,
        wanted: impl Fn(&ReplicaId) -> bool,
    ) -> Vec<RowDelta> {
        let newer = self.rows.versions().delta_since(known);
        let newer = newer.counter().keys().filter(|replica| wanted(replica));
        let since = |replica: &ReplicaId| self.rows.row_since(replica, known.counter().get(replica));
        newer.filter_map(since).collect()
    }

    /// The claim that states these rows, and a part of another one. It says which of them are not known to be stored.
    pub(crate) fn claim(&self, rows: Vec<RowDelta>, part: Option<Box<Part>>) -> Claim {
        let all = rows.iter().chain(part.iter().map(|part| part.delta())).map(RowDelta::actor);
        let unstored = all.filter(|replica| self.unstored.contains_key(*replica)).cloned().collect();
        Claim { rows, part, unstored }
    }

    /// The replicas of other nodes whose row is not known to be stored, each with the version up to which a hint for the record
    /// of `node` goes.
    pub(crate) fn hinted<'a>(&'a self, node: &'a str) -> impl Iterator<Item = (&'a ReplicaId, u64)> {
        let held = self.unstored.keys().map(|replica| (replica, self.rows.version(replica)));
        let early = self.early.iter().map(|(replica, hint)| (replica, hint.upto()));
        let early = early.filter(|(replica, _)| !self.unstored.contains_key(*replica));
        held.chain(early).filter(move |(replica, _)| replica.node() != node)
    }

    /// What the row of a replica has that is not known to be stored.
    pub(crate) fn hint(&self, replica: &ReplicaId) -> Option<RowDelta> {
        let Some(stored) = self.unstored.get(replica) else { return self.early.get(replica).cloned() };
        // A short row is kept whole. So it can be merged even if the record that it builds on went back.
        let is_short = self.rows.slots(replica) <= WHOLE_HINT;
        self.rows.row_since(replica, if is_short { 0 } else { *stored })
    }
}

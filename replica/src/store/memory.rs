//! The reference store: all records in memory, linearizable, with numbered revisions.

use std::collections::BTreeMap;

use super::{Outcome, Record, Revision, StoreRequest};
use crate::identity::NodeId;

/// A store in memory, for tests and examples. It is what every other store is compared with.
///
/// Each request is done at once and in full, and every later request sees it. So there is nothing for a fence to do. The
/// revision of a record is the number of commits that it has seen. A request costs one copy of the record at most.
///
/// ```
/// use replica::store::{Changes, Outcome, Revision, StoreRequest, memory::Memory};
/// use replica::{NodeId, Tally};
///
/// let (n0, n1) = (NodeId::from("n0"), NodeId::from("n1"));
/// let mut store = Memory::default();
/// let row = Tally { up: 3, down: 0 }.row("n0#00000001".parse()?);
/// let changes = Changes { rows: vec![row], ..Changes::default() };
/// let commit = StoreRequest::Commit { expect: Revision(0), changes, owner: None };
/// assert_eq!(store.request(&n0, &commit), Outcome::Committed { revision: Revision(1) });
/// assert_eq!(store.request(&n0, &commit), Outcome::Conflict, "the record has moved on");
///
/// let loaded = store.request(&n1, &StoreRequest::Load { node: n0.clone() });
/// assert_eq!(loaded, Outcome::Loaded(store.record(&n0).cloned()));
/// # Ok::<(), replica::NoIdentity>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Memory {
    records: BTreeMap<NodeId, (Revision, Record)>,
}

impl Memory {
    /// Does what a process of `node` asks, and says how it ended. That is never [`Outcome::Unknown`],
    /// [`Outcome::NotDone`] or [`Outcome::Foreign`].
    pub fn request(&mut self, node: &NodeId, request: &StoreRequest) -> Outcome {
        match request {
            StoreRequest::Open => {
                let (revision, record) = self.records.get(node).cloned().unzip();
                Outcome::Opened { record, revision: revision.unwrap_or_default() }
            }
            StoreRequest::Commit { expect, changes, owner } => {
                if *expect != self.records.get(node).map(|(revision, _)| *revision).unwrap_or_default() {
                    return Outcome::Conflict;
                }
                let (revision, record) = self.records.entry(node.clone()).or_default();
                *revision = Revision(revision.0 + 1);
                record.apply(changes, owner.clone());
                Outcome::Committed { revision: *revision }
            }
            StoreRequest::Fence => Outcome::Fenced,
            StoreRequest::Load { node } => Outcome::Loaded(self.record(node).cloned()),
            StoreRequest::Nodes => Outcome::Nodes(self.records.keys().cloned().collect()),
            StoreRequest::Seal { node, from, rows } => {
                if self.record(node) != from.as_ref() {
                    return Outcome::Conflict;
                }
                let (revision, record) = self.records.entry(node.clone()).or_default();
                *revision = Revision(revision.0 + 1);
                record.seal(rows);
                Outcome::Sealed
            }
        }
    }

    /// The record of a node, if it has one.
    pub fn record(&self, node: &NodeId) -> Option<&Record> {
        self.records.get(node).map(|(_, record)| record)
    }
}

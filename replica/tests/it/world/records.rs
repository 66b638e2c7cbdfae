//! The records of a world's store. They can go back to what they were.

use std::collections::BTreeMap;
use std::time::Duration;

use replica::store::memory::Memory;
use replica::store::{Noted, Outcome, Record, Revision, StoreRequest};
use replica::{AckPolicy, NodeId, ReplicaId, RowDelta};

use super::ledger::name;
use super::plan::{Kind, Plan};

/// A [reference store](replica::store::memory) for each node, so that one node's record can go back alone.
pub(crate) struct Records {
    by_node: Vec<Own>,
    /// Whether records may go back.
    goes_back: bool,
    /// Whether a hint must stand until its node has stored what it says. With `AckPolicy::Memory` no frame says what is not stored, so a
    /// hint may go early.
    keeps_hints: bool,
}

/// The store of one node's record.
#[derive(Default)]
struct Own {
    memory: Memory,
    /// What it was, and since when, as far as it can go back. After that has happened it grows from there.
    versions: Vec<(Duration, Memory)>,
    /// The largest version of each row that ever stood there.
    stored: BTreeMap<ReplicaId, u64>,
    /// The notes of all commits, each with what it says of its change.
    notes: BTreeMap<u64, i128>,
    /// Notes that were put off.
    late: Vec<Noted>,
    /// The revisions of a record that went back start here, so that none is given twice.
    base: u64,
}

impl Records {
    pub(crate) fn new(plan: &Plan) -> Self {
        let by_node = (0..plan.nodes).map(|_| Own::default()).collect();
        let keeps_hints = plan.config.ack != AckPolicy::Memory;
        Self { by_node, goes_back: plan.has(Kind::Backs), keeps_hints }
    }

    pub(crate) fn record(&self, node: &NodeId) -> Option<&Record> {
        self.by_node.iter().find_map(|own| own.memory.record(node))
    }

    /// The record of each node that has one.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &Record)> {
        let record = |node| self.record(&name(node)).map(|record| (node, record));
        (0..self.by_node.len()).filter_map(record)
    }

    /// Whether this version of a replica's row was ever in its node's record.
    pub(crate) fn was_stored(&self, replica: &ReplicaId, version: u64) -> bool {
        let own = self.index(replica.node()).map(|node| &self.by_node[node]);
        own.is_some_and(|own| own.stored.get(replica).is_some_and(|stored| version <= *stored))
    }

    /// Whether the record of a node has so much of a replica's row, as a row or a hint.
    pub(crate) fn has(&self, node: usize, replica: &ReplicaId, version: u64) -> bool {
        let Some(record) = self.record(&name(node)) else { return false };
        let row = record.rows.get(replica).or_else(|| record.hints.get(replica));
        row.is_some_and(|row| version <= row.upto())
    }

    /// What a note in a node's record says of its change.
    pub(crate) fn note(&self, node: usize, id: u64) -> Option<i128> {
        self.by_node[node].notes.get(&id).copied()
    }

    /// The notes that were put off before; these are now.
    pub(crate) fn put_off(&mut self, node: usize, notes: Vec<Noted>) -> Vec<Noted> {
        std::mem::replace(&mut self.by_node[node].late, notes)
    }

    /// The notes in a node's record.
    pub(crate) fn notes(&self, node: usize) -> impl Iterator<Item = u64> {
        self.by_node[node].notes.keys().copied()
    }

    /// Nobody has what a replica counted above this number, for the store went back.
    pub(crate) fn cut(&mut self, replica: &ReplicaId, upto: u64) {
        for stored in self.by_node.iter_mut().filter_map(|own| own.stored.get_mut(replica)) {
            *stored = upto.min(*stored);
        }
    }

    fn index(&self, node: &str) -> Option<usize> {
        (0..self.by_node.len()).find(|at| name(*at).as_str() == node)
    }

    /// Does what a process of `node` asks.
    pub(crate) fn request(&mut self, node: usize, request: &StoreRequest, now: Duration) -> Outcome {
        let about = match request {
            StoreRequest::Load { node } | StoreRequest::Seal { node, .. } => self.index(node.as_str()),
            StoreRequest::Nodes => return self.nodes(),
            StoreRequest::Open | StoreRequest::Commit { .. } | StoreRequest::Fence => Some(node),
        };
        let Some(about) = about else { return Outcome::NotDone };
        let outcome = self.by_node[about].request(&name(about), request);
        if matches!(outcome, Outcome::Committed { .. } | Outcome::Sealed) {
            let own = &mut self.by_node[about];
            if self.goes_back {
                own.versions.push((now, own.memory.clone()));
            }
            let rows = own.memory.record(&name(about)).into_iter().flat_map(|record| record.rows.values());
            for row in rows {
                let stored = own.stored.entry(row.actor().clone()).or_default();
                *stored = row.upto().max(*stored);
            }
        }
        outcome
    }

    /// A request of a process of `node` changes records, if any. Nothing may get lost by that.
    pub(crate) fn checked(
        &mut self,
        node: usize,
        request: &StoreRequest,
        perform: impl FnOnce(&mut Self) -> Outcome,
    ) -> Result<Outcome, String> {
        let (changed, seals) = match request {
            StoreRequest::Seal { node, .. } => (node.clone(), true),
            _ => (name(node), false),
        };
        let before = self.record(&changed).map(Covered::of);
        let outcome = perform(self);
        let Some((before, after)) = before.zip(self.record(&changed)) else { return Ok(outcome) };
        let grew = before.rows.iter().all(|(replica, version)| *version <= after.version(replica));
        let mut hints = before.hints.iter();
        let stand = hints.all(|(replica, upto)| self.still_stands(replica, *upto, after));
        if !grew || self.keeps_hints && !stand {
            return Err("a commit dropped something from the record that is stored nowhere else".into());
        }
        if !seals && matches!(outcome, Outcome::Committed { .. }) && after.is_sealed() {
            return Err("a process of a forgotten node has committed, and the node has not returned".into());
        }
        Ok(outcome)
    }

    /// A hint was in a record before a change. It must have got into its node's record, or stand there still.
    fn still_stands(&self, replica: &ReplicaId, upto: u64, after: &Record) -> bool {
        let is_there = after.hints.get(replica).is_some_and(|held| upto <= held.upto());
        is_there || self.was_stored(replica, upto)
    }

    fn nodes(&self) -> Outcome {
        Outcome::Nodes(self.all().map(|(node, _)| name(node)).collect())
    }

    /// The times at which a node's record has changed, and whether it said then that a replica is free.
    pub(crate) fn changes(&self, node: usize) -> impl Iterator<Item = (Duration, bool)> {
        let owner = move |memory: &Memory| memory.record(&name(node)).and_then(|record| record.owner.clone());
        let is_free = move |memory: &Memory| owner(memory).is_some_and(|owner| owner.is_free);
        self.by_node[node].versions.iter().map(move |(at, memory)| (*at, is_free(memory)))
    }

    /// The record of the node is again what it was at this time. There was none before the first commit.
    pub(crate) fn go_back(&mut self, node: usize, to: Duration, now: Duration) {
        let own = &mut self.by_node[node];
        own.versions.retain(|(at, _)| *at <= to);
        own.memory = own.versions.last().map(|(_, memory)| memory.clone()).unwrap_or_default();
        own.base += 1 << 32;
        own.versions.push((now, own.memory.clone()));
    }
}

impl Own {
    fn request(&mut self, node: &NodeId, request: &StoreRequest) -> Outcome {
        let mut request = request.clone();
        if let StoreRequest::Commit { expect, .. } = &mut request {
            let Some(revision) = expect.0.checked_sub(self.base) else { return Outcome::Conflict };
            *expect = Revision(revision);
        }
        match self.memory.request(node, &request) {
            Outcome::Opened { record, revision } => {
                Outcome::Opened { record, revision: Revision(revision.0 + self.base) }
            }
            Outcome::Committed { revision } => {
                if let StoreRequest::Commit { changes, .. } = &request {
                    self.notes.extend(changes.notes.iter().map(|noted| (noted.note.until, noted.value)));
                }
                Outcome::Committed { revision: Revision(revision.0 + self.base) }
            }
            outcome => outcome,
        }
    }
}

/// The versions of the rows and hints of a record.
struct Covered {
    rows: Vec<(ReplicaId, u64)>,
    hints: Vec<(ReplicaId, u64)>,
}

impl Covered {
    fn of(record: &Record) -> Self {
        let versions = |rows: &BTreeMap<ReplicaId, RowDelta>| {
            rows.iter().map(|(replica, row)| (replica.clone(), row.upto())).collect()
        };
        Self { rows: versions(&record.rows), hints: versions(&record.hints) }
    }
}

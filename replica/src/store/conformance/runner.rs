//! Runs requests to their end, and says what is wrong with how they ended.

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::{Failure, Subject};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::store::{Changes, Outcome, Ownership, Record, Revision, StoreRequest};
use crate::tally::RowDelta;

/// How often a request is run whose outcome is not known.
const ATTEMPTS: usize = 64;

/// A store under test.
pub(super) struct Runner<S> {
    pub store: S,
}

/// What a commit is to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    pub changes: Changes,
    pub owner: Option<Ownership>,
}

impl Change {
    /// Only rows.
    pub(super) fn rows(rows: impl IntoIterator<Item = RowDelta>) -> Self {
        Self { changes: Changes { rows: rows.into_iter().collect(), ..Changes::default() }, owner: None }
    }

    fn at(&self, expect: Revision) -> StoreRequest {
        StoreRequest::Commit { expect, changes: self.changes.clone(), owner: self.owner.clone() }
    }

    /// What the record holds afterwards.
    pub(super) fn applied_to(&self, record: &Record) -> Record {
        let mut after = record.clone();
        after.apply(&self.changes, self.owner.clone());
        after
    }
}

impl<S: Subject> Runner<S> {
    pub(super) fn new(store: S) -> Self {
        Self { store }
    }

    /// Runs a request until its outcome is known.
    fn run(&mut self, process: &mut S::Process, request: &StoreRequest) -> Result<Outcome, Failure> {
        for _ in 0..ATTEMPTS {
            let outcome = self.store.run(process, request.clone());
            let is_known = !matches!(outcome, Outcome::NotDone | Outcome::Unknown);
            if is_known || !self.store.loses_outcomes() {
                return Ok(outcome);
            }
        }
        Err(Failure {
            rule: "A request that is asked again and again must be done at last.",
            found: format!("it was not known to be done after {ATTEMPTS} attempts"),
        })
    }

    pub(super) fn open(&mut self, process: &mut S::Process) -> Result<(Option<Record>, Revision), Failure> {
        match self.run(process, &StoreRequest::Open)? {
            Outcome::Opened { record, revision } => Ok((record, revision)),
            other => Err(ended("An open must bring the record and its revision.", &other)),
        }
    }

    /// Opens the record, which must hold `wanted`.
    pub(super) fn open_to_find(
        &mut self,
        process: &mut S::Process,
        wanted: &Record,
        rule: &'static str,
    ) -> Result<Revision, Failure> {
        let (record, revision) = self.open(process)?;
        compare(rule, record.as_ref(), Some(wanted)).map(|()| revision)
    }

    /// Loads the record of `node`, which must hold `wanted`.
    pub(super) fn load_to_find(
        &mut self,
        process: &mut S::Process,
        (node, wanted): (&NodeId, Option<&Record>),
        rule: &'static str,
    ) -> Result<(), Failure> {
        match self.run(process, &StoreRequest::Load { node: node.clone() })? {
            Outcome::Loaded(record) => compare(rule, record.as_ref(), wanted),
            other => Err(ended("A load must bring the record, if there is one.", &other)),
        }
    }

    pub(super) fn fence(&mut self, process: &mut S::Process) -> Result<(), Failure> {
        match self.run(process, &StoreRequest::Fence)? {
            Outcome::Fenced => Ok(()),
            other => Err(ended("A fence must be done.", &other)),
        }
    }

    pub(super) fn nodes(&mut self, process: &mut S::Process) -> Result<Vec<NodeId>, Failure> {
        match self.run(process, &StoreRequest::Nodes)? {
            Outcome::Nodes(names) => Ok(names),
            other => Err(ended("The nodes must be listed.", &other)),
        }
    }

    /// Makes a change of the record, which holds `record` at `revision`. Returns what it holds then, and where.
    pub(super) fn commit(
        &mut self,
        process: &mut S::Process,
        (record, mut revision): (&Record, Revision),
        change: &Change,
    ) -> Result<(Record, Revision), Failure> {
        let after = change.applied_to(record);
        for _ in 0..ATTEMPTS {
            match self.store.run(process, change.at(revision)) {
                Outcome::Committed { revision } => return Ok((after, revision)),
                Outcome::Conflict | Outcome::NotDone | Outcome::Unknown if self.store.loses_outcomes() => {
                    let (found, now_at) = self.open(process)?;
                    if found.as_ref() == Some(&after) {
                        return Ok((after, now_at));
                    }
                    compare(HALF_DONE, Some(&found.unwrap_or_default()), Some(record))?;
                    revision = now_at;
                }
                other => return Err(ended("A commit at the record's own revision must be done.", &other)),
            }
        }
        Err(Failure {
            rule: "A commit that is tried again and again must be done at last.",
            found: format!("it was not done in {ATTEMPTS} attempts"),
        })
    }

    /// Loads the record of `node`, which holds `from`, and seals it. Returns what it holds then.
    pub(super) fn seal(
        &mut self,
        process: &mut S::Process,
        (node, from): (&NodeId, Option<&Record>),
        rows: &[RowDelta],
    ) -> Result<Record, Failure> {
        let mut after = from.cloned().unwrap_or_default();
        after.seal(rows);
        let found = self.load_fresh(process, node)?;
        compare("A load behind a fence must bring the record.", found.as_ref(), from)?;
        for _ in 0..ATTEMPTS {
            match self.store.run(process, seal(node, from, rows)) {
                Outcome::Sealed => return Ok(after),
                Outcome::Conflict | Outcome::NotDone | Outcome::Unknown if self.store.loses_outcomes() => {
                    let found = self.load_fresh(process, node)?;
                    if found.as_ref() == Some(&after) {
                        return Ok(after);
                    }
                    compare("A seal must be done as a whole, or not at all.", found.as_ref(), from)?;
                }
                other => return Err(ended("A seal must be done if the record is the expected one.", &other)),
            }
        }
        Err(Failure {
            rule: "A seal that is tried again and again must be done at last.",
            found: format!("it was not done in {ATTEMPTS} attempts"),
        })
    }

    /// Tries a seal that expects another record than `record`, which must stay as it is.
    pub(super) fn seal_in_vain(
        &mut self,
        process: &mut S::Process,
        (node, record): (&NodeId, Option<&Record>),
        wrong: Option<&Record>,
    ) -> Result<(), Failure> {
        match self.store.run(process, seal(node, wrong, &[])) {
            Outcome::Conflict => {}
            Outcome::NotDone | Outcome::Unknown if self.store.loses_outcomes() => {}
            other => {
                return Err(ended(
                    "A seal must be a conflict if the record is not the expected one.",
                    &other,
                ));
            }
        }
        let found = self.load_fresh(process, node)?;
        compare("A seal that ends in a conflict must change nothing.", found.as_ref(), record)
    }

    fn load_fresh(&mut self, process: &mut S::Process, node: &NodeId) -> Result<Option<Record>, Failure> {
        self.fence(process)?;
        match self.run(process, &StoreRequest::Load { node: node.clone() })? {
            Outcome::Loaded(record) => Ok(record),
            other => Err(ended("A load must bring the record, if there is one.", &other)),
        }
    }

    /// Tries a change at a revision that the record has left. The record must stay as it is, at `record`.
    pub(super) fn commit_in_vain(
        &mut self,
        process: &mut S::Process,
        (record, stale): (&Record, Revision),
        change: &Change,
    ) -> Result<(), Failure> {
        match self.store.run(process, change.at(stale)) {
            Outcome::Conflict => {}
            Outcome::NotDone | Outcome::Unknown if self.store.loses_outcomes() => {}
            other => return Err(ended(STALE, &other)),
        }
        // Another node may have sealed the record.
        self.fence(process)?;
        self.open_to_find(process, record, "A commit that ends in a conflict must change nothing.").map(drop)
    }
}

fn seal(node: &NodeId, from: Option<&Record>, rows: &[RowDelta]) -> StoreRequest {
    StoreRequest::Seal { node: node.clone(), from: from.cloned(), rows: rows.to_vec() }
}

pub(super) const STALE: &str =
    "A commit must be a conflict if the record is not at the revision that it expects.";
const HALF_DONE: &str = "A commit must be done as a whole, or not at all.";

/// What the record holds must be `wanted`.
fn compare(rule: &'static str, found: Option<&Record>, wanted: Option<&Record>) -> Result<(), Failure> {
    let found = match (found, wanted) {
        (None, None) => return Ok(()),
        (None, Some(_)) => "there was no record".into(),
        (Some(_), None) => "there was a record".into(),
        (Some(found), Some(wanted)) => match difference(found, wanted) {
            None => return Ok(()),
            Some(part) => format!("the record's {part}"),
        },
    };
    Err(Failure { rule, found })
}

fn difference(found: &Record, wanted: &Record) -> Option<&'static str> {
    let Record { rows, owner, hints, seal } = wanted;
    let parts = [
        ("rows were others", found.rows != *rows),
        ("owner was another", found.owner != *owner),
        ("hints were others", found.hints != *hints),
        ("seal was another", found.seal != *seal),
    ];
    parts.into_iter().find(|(_, differ)| *differ).map(|(part, _)| part)
}

fn ended(rule: &'static str, outcome: &Outcome) -> Failure {
    Failure { rule, found: format!("the outcome was \"{outcome}\"") }
}

/// A replica of this node, by number.
pub(super) fn replica(node: &NodeId, number: u64) -> ReplicaId {
    ReplicaId::new(node, incarnation(number))
}

/// An incarnation, by number.
pub(super) fn incarnation(number: u64) -> Incarnation {
    Incarnation::random(&mut SmallRng::seed_from_u64(number))
}

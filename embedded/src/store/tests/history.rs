//! A random history of commits, and what the store must hold after each.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use replica::store::{Changes, Note, Noted, Outcome, Ownership, Record, Revision, StoreRequest};
use replica::{NodeId, ReplicaId, RowDelta};

use super::super::{Fatal, Store};

type Counters = crdt::named::Counters<ReplicaId>;

/// What a process of the node does, and what its store must hold then.
pub(super) struct History {
    rng: SmallRng,
    /// What was counted, stored or not.
    counters: Counters,
    /// What other nodes have counted.
    others: Counters,
    /// The record at each revision, with the owner as a next process finds it, and how many notes there are.
    records: Vec<(Option<Record>, usize)>,
    notes: Vec<Noted>,
    replica: ReplicaId,
    is_inherited: bool,
    /// Whether all commits are short.
    is_brief: bool,
}

impl History {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: SmallRng::seed_from_u64(seed),
            counters: Counters::new(),
            others: Counters::new(),
            records: vec![(None, 0)],
            notes: Vec::new(),
            replica: "n0#00000001".parse().unwrap(),
            is_inherited: false,
            is_brief: false,
        }
    }

    /// A history of short commits: 20 of them fit into a log.
    pub(super) fn brief(seed: u64) -> Self {
        Self { is_brief: true, ..Self::new(seed) }
    }

    pub(super) fn revision(&self) -> u64 {
        self.records.len() as u64 - 1
    }

    /// Counts something, and commits it. Says the outcome and, if that may be, what the record is with it.
    pub(super) fn commit(&mut self, store: &mut Store) -> Result<(Outcome, Record), Fatal> {
        let record = self.records.last().unwrap().0.clone().unwrap_or_default();
        let stored = record.version(&self.replica);
        for _ in 0..self.rng.random_range(0..4) {
            let name = format!("counter {}", self.rng.random_range(0..100));
            self.counters.add(self.replica.clone(), name.as_str(), self.rng.random_range(-2..9)).unwrap();
        }
        if self.rng.random_bool(0.1) {
            self.reset("counter 7");
        }
        let row = self.counters.row_since(&self.replica, stored);
        let row = row.unwrap_or_else(|| RowDelta::new(self.replica.clone(), stored, stored));
        let notes = (0..self.rng.random_range(0..3)).map(|_| self.note()).collect();
        let mut changes = Changes { rows: vec![row], notes, ..Changes::default() };
        self.change_hints(&record, &mut changes);
        let incarnation = self.replica.incarnation();
        let is_free = self.rng.random_bool(0.1);
        let owner = Ownership { replica: self.replica.clone(), incarnation, is_free };
        let owner = (self.is_inherited || is_free).then_some(owner);
        let mut after = record;
        after.apply(&changes, owner.clone());
        self.notes.extend(changes.notes.iter().cloned());
        let expect = Revision(self.revision());
        let outcome = store.request(StoreRequest::Commit { expect, changes, owner })?;
        Ok((outcome, after))
    }

    fn reset(&mut self, name: &str) {
        let Some(slot) = self.counters.slot(&self.replica, name) else { return };
        let mut entry = self.counters.entry(&self.replica, slot).unwrap().to_entry();
        entry.reset(&self.counters.observed(name));
        let version = self.counters.version(&self.replica);
        let mut delta = RowDelta::new(self.replica.clone(), version, version + 1);
        delta.push(slot, version + 1, None, entry);
        self.counters.apply(&delta).unwrap();
    }

    fn note(&mut self) -> Noted {
        // Some fill a lane of the log after a few commits, and some have no room in it at all.
        let len = match self.rng.random_range(0..30) {
            0 if !self.is_brief => 5000,
            1..6 if !self.is_brief => self.rng.random_range(200..1500),
            _ => self.rng.random_range(0..9),
        };
        let text = (0..len).map(|_| self.rng.random()).collect();
        let note = Note { until: self.rng.random_range(90..120), text };
        Noted { note, value: self.rng.random_range(-9..9) }
    }

    fn change_hints(&mut self, record: &Record, changes: &mut Changes) {
        let other: ReplicaId = format!("n1#0000000{}", self.rng.random_range(0..3)).parse().unwrap();
        if self.rng.random_bool(0.2) {
            changes.dropped_hints = record.hints.keys().take(1).cloned().collect();
        }
        if self.rng.random_bool(0.3) {
            let name = format!("hint {}", self.rng.random_range(0..40));
            self.others.add(other.clone(), name.as_str(), 1).unwrap();
            let known = record.hints.get(&other).map_or(0, RowDelta::upto);
            let from = if self.rng.random_bool(0.2) { self.others.version(&other) - 1 } else { known };
            changes.hints.extend(self.others.row_since(&other, from));
        }
    }

    /// A commit was done, with which the record is this.
    pub(super) fn done(&mut self, mut record: Record) {
        let counted = Ownership {
            replica: self.replica.clone(),
            incarnation: self.replica.incarnation(),
            is_free: true,
        };
        record.owner = Some(record.owner.map_or(counted, |owner| Ownership { is_free: true, ..owner }));
        self.records.push((Some(record), self.notes.len()));
    }

    /// A commit was not done. What it counted is there, and goes with the next.
    pub(super) fn not_done(&mut self) {
        self.notes.truncate(self.records.last().unwrap().1);
    }

    /// The process has ended, and the next one goes on from the record at this revision.
    pub(super) fn restart(&mut self, revision: u64) {
        self.records.truncate(usize::try_from(revision).unwrap() + 1);
        let (record, notes) = self.records.last().unwrap();
        self.notes.truncate(*notes);
        self.counters = Counters::new();
        for row in record.iter().flat_map(|record| record.rows.values()) {
            self.counters.apply(row).unwrap();
        }
        self.is_inherited = record.is_some();
    }

    /// Checks what a new process finds. Returns the revision, or what is wrong.
    pub(super) fn check(&self, store: &mut Store, acknowledged: u64) -> Result<u64, String> {
        let opened = store.request(StoreRequest::Open).map_err(|error| error.to_string())?;
        let Outcome::Opened { record, revision: Revision(revision) } = opened else {
            return Err(format!("the store is not opened, but {opened}"));
        };
        if revision < acknowledged {
            return Err(format!("revision {acknowledged} was acknowledged, and {revision} is there"));
        }
        let expected = usize::try_from(revision).ok().and_then(|at| self.records.get(at));
        let (expected, notes) = expected.ok_or(format!("nobody has committed revision {revision}"))?;
        if record != *expected {
            return Err(format!("revision {revision} is {record:#?}, and not {expected:#?}"));
        }
        let sorted = |mut notes: Vec<Noted>| {
            notes.sort_by_key(|noted| (noted.note.until, noted.note.text.clone(), noted.value));
            notes
        };
        let now = 100;
        let found = sorted(store.notes(now).map_err(|error| error.to_string())?);
        let expected = self.notes[..*notes].iter().filter(|noted| noted.note.until >= now).cloned();
        if found != sorted(expected.collect()) {
            return Err(format!("revision {revision} has other notes"));
        }
        Ok(revision)
    }

    /// Whether something is done now that a process does now and then.
    pub(super) fn now_and_then(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }
}

pub(super) fn node() -> NodeId {
    NodeId::from("n0")
}

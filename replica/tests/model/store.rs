//! The store: records with numbered revisions, and every answer that the port allows.
//!
//! The store is linearizable: each request takes place at one moment between its start and its outcome, on the newest record.
//! Or else ([`StoreIs::Lagging`]) a load or a list of nodes may show any state that is no older than what the process's last fence or
//! commit had to see, and a commit that was done may be called a conflict. The port allows an open to show any state. So many opens
//! do, as [`Faults`](crate::setup::Faults) says: each leads to a conflict and another open, and as tokens count on, the search would not
//! end otherwise.

use std::collections::{BTreeMap, BTreeSet};

use crdt::Merge;
use crdt::named::Entry;
use replica::store::{Outcome, Ownership, Record, Revision, StoreRequest};
use replica::{ReplicaId, RowDelta, Tally};

use crate::message::{Ask, Id, Message, name, number};
use crate::printed::Printed;
use crate::rules::{Broken, Rule};
use crate::saboteur::Bug;
use crate::setup::{Setup, StoreIs};

/// The records of all nodes.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    records: Vec<Versions>,
    /// The revision of each record that a process must at least be shown. A process that is not here may be shown any.
    seen: BTreeMap<Id, Vec<u64>>,
    kept: Kept,
}

/// A record, with those of its other states that still matter.
#[derive(Debug, Clone)]
struct Versions {
    /// The revision of the record as it is.
    revision: u64,
    /// How many states there have been. So many states have had a lower revision than the next new state will have.
    number: u64,
    states: BTreeMap<u64, Option<Record>>,
}

/// Which states of a record are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Newest,
    /// Those that a load may show.
    Visible,
    /// All of this node's, until its record goes back no more. Of the others the newest.
    AllOf(u8),
    /// All, until no open is old any more.
    Openable,
    All,
}

/// What comes of a request.
pub(crate) struct Done {
    pub(crate) store: Printed<Store>,
    pub(crate) told: Option<Printed<Message>>,
    pub(crate) broken: Broken,
}

impl Store {
    pub(crate) fn new(setup: &Setup) -> Printed<Self> {
        let kept = match setup.store {
            _ if setup.rules.contains(&Rule::RecordIsNew) => Kept::All,
            _ if setup.faults.backs > 0 => Kept::AllOf(setup.restored),
            _ if setup.faults.old_opens > 0 => Kept::Openable,
            StoreIs::Lagging => Kept::Visible,
            StoreIs::Up | StoreIs::Silent | StoreIs::Unwilling => Kept::Newest,
        };
        let none = Versions { revision: 0, number: 1, states: BTreeMap::from([(0, None)]) };
        let records = vec![none; setup.nodes.0.into()];
        Printed::new(Self { records, seen: BTreeMap::new(), kept })
    }

    /// The revision of each record, if that matters for what a process may be shown.
    pub(crate) fn now(&self) -> Vec<u64> {
        let now = self.records.iter().map(|record| record.revision);
        if self.kept == Kept::Visible { now.collect() } else { Vec::new() }
    }

    /// All that can come of a request now.
    pub(crate) fn handle(&self, ask: &Ask, bug: Option<Bug>) -> Vec<Done> {
        let mut store = self.clone();
        let mut broken = Broken::new();
        let outcomes = match &ask.request {
            StoreRequest::Open => self.open(ask.by, bug),
            StoreRequest::Commit { .. } => store.commit(ask, bug, &mut broken),
            StoreRequest::Fence => {
                store.saw(ask, bug);
                vec![Outcome::Fenced]
            }
            StoreRequest::Nodes => self.nodes(ask.by),
            StoreRequest::Seal { .. } => store.seal(ask, &mut broken),
            StoreRequest::Load { node } => {
                self.visible(ask.by, number(node)).cloned().map(Outcome::Loaded).collect()
            }
        };
        let store = Printed::new(store);
        let done = |outcome: Outcome| Done {
            store: store.clone(),
            told: ask.token.map(|token| Printed::new(Message::Told { to: ask.by, token, outcome })),
            broken: broken.clone(),
        };
        outcomes.into_iter().map(done).collect()
    }

    /// Whether a commit or a seal is against the record as it is.
    pub(crate) fn would_do(&self, ask: &Ask) -> bool {
        match &ask.request {
            StoreRequest::Commit { expect, .. } => expect.0 == self.record(ask.by.node).revision,
            StoreRequest::Seal { node, from, .. } => self.record(number(node)).is() == from.as_ref(),
            StoreRequest::Open | StoreRequest::Fence | StoreRequest::Load { .. } | StoreRequest::Nodes => {
                false
            }
        }
    }

    /// The record of a node goes back to this revision: later ones have never been. Has it gone back for the last time, earlier
    /// ones don't matter.
    pub(crate) fn go_back(&self, (node, revision): (u8, u64), is_last: bool) -> Printed<Self> {
        let mut store = self.clone();
        let record = &mut store.records[usize::from(node)];
        record.revision = revision;
        record.states.retain(|other, _| *other <= revision);
        if is_last {
            store.kept = Kept::Newest;
            store.drop_old_states();
        }
        Printed::new(store)
    }

    /// An open shows the record of a node at this revision. Is it the last one that is old, earlier ones don't matter.
    pub(crate) fn open_old(&self, (node, revision): (u8, u64), is_last: bool) -> (Outcome, Printed<Self>) {
        let record = self.record(node).states[&revision].clone();
        let mut store = self.clone();
        if is_last && store.kept == Kept::Openable {
            store.kept = Kept::Newest;
            store.drop_old_states();
        }
        (Outcome::Opened { record, revision: Revision(revision) }, Printed::new(store))
    }

    /// The revisions that the record of a node has been at before.
    pub(crate) fn earlier(&self, node: u8) -> impl Iterator<Item = u64> {
        let record = self.record(node);
        record.states.keys().copied().filter(|revision| *revision < record.revision)
    }

    /// How often the node was forgotten.
    pub(crate) fn seals(&self, node: u8) -> u64 {
        self.records
            .get(usize::from(node))
            .and_then(Versions::is)
            .and_then(|record| record.seal)
            .map_or(0, |seal| seal.number)
    }

    fn record(&self, node: u8) -> &Versions {
        &self.records[usize::from(node)]
    }

    /// The process is gone.
    pub(crate) fn without(&self, id: Id) -> Self {
        let mut store = self.clone();
        store.seen.remove(&id);
        store
    }

    fn open(&self, by: Id, bug: Option<Bug>) -> Vec<Outcome> {
        let record = self.record(by.node);
        let mut opened = record.is().cloned();
        if let (Some(Bug::FreeTwice), Some(owner)) = (bug, opened.as_mut().and_then(|it| it.owner.as_mut())) {
            owner.is_free = true;
        }
        vec![Outcome::Opened { record: opened, revision: Revision(record.revision) }]
    }

    fn commit(&mut self, ask: &Ask, bug: Option<Bug>, broken: &mut Broken) -> Vec<Outcome> {
        let StoreRequest::Commit { changes, owner, .. } = &ask.request else { unreachable!("a commit") };
        let record = self.record(ask.by.node);
        if !self.would_do(ask) {
            match bug {
                Some(Bug::NoCondition) => {}
                Some(Bug::TakesOverNewer) if takes_over(owner.as_ref(), record.is()) => {}
                Some(Bug::ConflictIsDone) => {
                    return vec![Outcome::Committed { revision: Revision(record.revision) }];
                }
                _ => return vec![Outcome::Conflict],
            }
        }
        let before = record.is().cloned().unwrap_or_default();
        let mut after = before.clone();
        after.apply(changes, owner.clone());
        if before.is_sealed() && after.is_sealed() {
            broken.insert(Rule::Sealed);
        }
        if !may_follow(&before, &after) {
            broken.insert(Rule::RecordGrows);
        }
        let committed = Outcome::Committed { revision: self.write(ask.by.node, after, broken) };
        self.saw(ask, bug);
        self.perhaps(committed)
    }

    fn seal(&mut self, ask: &Ask, broken: &mut Broken) -> Vec<Outcome> {
        let StoreRequest::Seal { node, rows, .. } = &ask.request else { unreachable!("a seal") };
        let node = number(node);
        let is = self.record(node).is();
        if !self.would_do(ask) {
            return vec![Outcome::Conflict];
        }
        let before = is.cloned().unwrap_or_default();
        let mut after = before.clone();
        after.seal(rows);
        if !has_grown(&before, &after) {
            broken.insert(Rule::RecordGrows);
        }
        self.write(node, after, broken);
        self.drop_old_states();
        self.perhaps(Outcome::Sealed)
    }

    /// The record of a node changes.
    fn write(&mut self, node: u8, after: Record, broken: &mut Broken) -> Revision {
        let counts = self.counts();
        let record = &mut self.records[usize::from(node)];
        let after = Some(after);
        if record.states.values().any(|state| *state == after) {
            broken.insert(Rule::RecordIsNew);
        }
        record.revision = record.number;
        record.number += 1;
        let revision = Revision(record.revision);
        record.states.insert(revision.0, after);
        if !contains(&self.counts(), &counts) {
            broken.insert(Rule::HintsStay);
        }
        revision
    }

    /// What was done, and what it may be called: a store that repeats a request may conflict with itself.
    fn perhaps(&self, done: Outcome) -> Vec<Outcome> {
        if self.kept == Kept::Visible { vec![done, Outcome::Conflict] } else { vec![done] }
    }

    /// A process has got past a fence or a commit.
    fn saw(&mut self, ask: &Ask, bug: Option<Bug>) {
        if self.kept == Kept::Visible && bug != Some(Bug::FenceSkipped) && ask.token.is_some() {
            self.seen.insert(ask.by, ask.since.clone());
        }
        self.drop_old_states();
    }

    /// States that nobody will be shown again are forgotten.
    fn drop_old_states(&mut self) {
        for (node, record) in self.records.iter_mut().enumerate() {
            let oldest = match self.kept {
                Kept::AllOf(all) if usize::from(all) == node => 0,
                Kept::Newest | Kept::AllOf(_) => record.revision,
                Kept::Visible => self.seen.values().map(|seen| seen[node]).min().unwrap_or(0),
                Kept::All | Kept::Openable => 0,
            };
            record.states.retain(|revision, _| *revision >= oldest || *revision == record.revision);
        }
    }

    /// The states of a record that a load may show. Oldest first.
    fn visible(&self, by: Id, node: u8) -> impl Iterator<Item = &Option<Record>> {
        let record = self.record(node);
        let oldest = match self.kept {
            Kept::Newest | Kept::AllOf(_) | Kept::Openable | Kept::All => record.revision,
            Kept::Visible => self.seen.get(&by).map_or(0, |seen| seen[usize::from(node)]),
        };
        record.states.range(oldest..=record.revision).map(|(_, state)| state)
    }

    /// The nodes that have a record, and those of them that must be shown.
    fn nodes(&self, by: Id) -> Vec<Outcome> {
        let nodes = (0_u8..).zip(&self.records).map(|(node, _)| node);
        let all: Vec<u8> = nodes.filter(|node| self.record(*node).is().is_some()).collect();
        let must = all.iter().copied().filter(|node| self.visible(by, *node).all(Option::is_some));
        let must: Vec<u8> = must.collect();
        let mut outcomes = vec![all, must];
        outcomes.dedup();
        outcomes.into_iter().map(|nodes| Outcome::Nodes(nodes.into_iter().map(name).collect())).collect()
    }

    /// The rows and hints of all records.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&ReplicaId, Tally)> {
        self.deltas().map(|row| (row.actor(), Tally::stated(row)))
    }

    /// The rows and hints of all records, as they stand there.
    pub(crate) fn deltas(&self) -> impl Iterator<Item = &RowDelta> {
        let records = self.records.iter().filter_map(Versions::is);
        records.flat_map(|record| record.rows.values().chain(record.hints.values()))
    }

    /// The highest version of a replica's row that is stored.
    pub(crate) fn version(&self, replica: &ReplicaId) -> u64 {
        self.deltas().filter(|row| row.actor() == replica).map(RowDelta::upto).max().unwrap_or(0)
    }

    /// Whether a record has hints of this node.
    pub(crate) fn has_hints_of(&self, node: u8) -> bool {
        let mut records = self.records.iter().filter_map(Versions::is);
        records.any(|record| record.hints.keys().any(|replica| replica.node() == name(node).as_str()))
    }

    /// What is stored of each replica: in its node's record, or as a hint in another.
    fn counts(&self) -> Entries {
        entries(self.deltas())
    }

    /// The sizes of all that is stored, in sum.
    pub(crate) fn sizes(&self) -> u64 {
        self.counts().values().map(|entry| entry.up + entry.down).sum()
    }
}

impl Versions {
    /// The record as it is.
    fn is(&self) -> Option<&Record> {
        self.states.get(&self.revision).and_then(Option::as_ref)
    }
}

/// Whether a commit with this owner makes a process the owner of the replica that the record hands on.
fn takes_over(owner: Option<&Ownership>, record: Option<&Record>) -> bool {
    let before = record.and_then(|record| record.owner.as_ref());
    let is_other = |(owner, before): (&Ownership, &Ownership)| {
        owner.replica == before.replica && owner.incarnation != before.incarnation && !owner.is_free
    };
    owner.zip(before).is_some_and(is_other)
}

/// What the port promises of a commit: rows only grow, and hints are dropped only together with another change.
fn may_follow(before: &Record, after: &Record) -> bool {
    let keys = |record: &Record| record.hints.keys().cloned().collect::<BTreeSet<_>>();
    let drops = !keys(before).is_subset(&keys(after));
    let changes = before.rows != after.rows || before.owner != after.owner;
    has_grown(before, after) && before != after && (changes || !drops)
}

/// Whether no row has become smaller.
fn has_grown(before: &Record, after: &Record) -> bool {
    contains(&entries(after.rows.values()), &entries(before.rows.values()))
}

/// By replica and slot: what was counted.
type Entries = BTreeMap<(ReplicaId, u32), Entry<ReplicaId>>;

fn entries<'a>(rows: impl Iterator<Item = &'a RowDelta>) -> Entries {
    let mut entries = Entries::new();
    for row in rows {
        for item in row.items() {
            let most = entries.entry((row.actor().clone(), item.slot)).or_default();
            most.merge(&item.entry.to_entry());
        }
    }
    entries
}

/// Whether nothing in `fewer` is larger than in `more`. A count of naught may be left out.
fn contains(more: &Entries, fewer: &Entries) -> bool {
    fewer.iter().all(|(slot, entry)| !more.get(slot).cloned().unwrap_or_default().merge(entry))
}

//! The store: records with numbered revisions, and every answer that the port allows.
//!
//! The store is linearizable: each request takes place at one moment between its start and its outcome, on the newest record.
//! Or else ([`StoreIs::Lagging`]) a load may show any state that is no older than what the process's last fence or commit had
//! to see, and a commit that was done may be called a conflict. The port allows an open to be old as well. The model has no
//! such opens: each only leads to a conflict and another open, and as tokens count on, the search would not end.

use std::collections::{BTreeMap, BTreeSet};

use replica::store::{Outcome, Record, Revision, StoreRequest};
use replica::{NodeId, ReplicaId, Tally};

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

/// A record, with those of its earlier states that still matter.
#[derive(Debug, Clone)]
struct Versions {
    /// How many commits have been done.
    revision: u64,
    /// Oldest first, the newest last.
    states: Vec<Option<Record>>,
}

/// Which states of a record are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Newest,
    /// Those that a load may show.
    Visible,
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
            StoreIs::Lagging => Kept::Visible,
            StoreIs::Up | StoreIs::Silent | StoreIs::Unwilling => Kept::Newest,
        };
        let records = (0..setup.nodes.0).map(|_| Versions { revision: 0, states: vec![None] }).collect();
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
            StoreRequest::Nodes => vec![Outcome::Nodes(self.nodes())],
            StoreRequest::Seal { .. } => vec![Outcome::NotDone],
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

    /// Whether a commit is against the newest revision.
    pub(crate) fn would_do(&self, ask: &Ask) -> bool {
        let newest = Revision(self.records[usize::from(ask.by.node)].revision);
        matches!(&ask.request, StoreRequest::Commit { expect, .. } if *expect == newest)
    }

    /// The process is gone.
    pub(crate) fn without(&self, id: Id) -> Self {
        let mut store = self.clone();
        store.seen.remove(&id);
        store
    }

    fn open(&self, by: Id, bug: Option<Bug>) -> Vec<Outcome> {
        let record = &self.records[usize::from(by.node)];
        let mut opened = record.newest().cloned();
        if let (Some(Bug::FreeTwice), Some(owner)) = (bug, opened.as_mut().and_then(|it| it.owner.as_mut())) {
            owner.is_free = true;
        }
        vec![Outcome::Opened { record: opened, revision: Revision(record.revision) }]
    }

    fn commit(&mut self, ask: &Ask, bug: Option<Bug>, broken: &mut Broken) -> Vec<Outcome> {
        let StoreRequest::Commit { changes, owner, .. } = &ask.request else { unreachable!("a commit") };
        let record = &self.records[usize::from(ask.by.node)];
        if !self.would_do(ask) {
            match bug {
                Some(Bug::NoCondition) => {}
                Some(Bug::ConflictIsDone) => {
                    return vec![Outcome::Committed { revision: Revision(record.revision) }];
                }
                _ => return vec![Outcome::Conflict],
            }
        }
        let before = record.newest().cloned().unwrap_or_default();
        let mut after = before.clone();
        after.apply(changes, owner.clone());
        let counts = self.counts();
        if record.states.contains(&Some(after.clone())) {
            broken.insert(Rule::RecordIsNew);
        }
        let record = &mut self.records[usize::from(ask.by.node)];
        record.states.push(Some(after.clone()));
        record.revision += 1;
        let revision = Revision(record.revision);
        if !may_follow(&before, &after) || !contains(&self.counts(), &counts) {
            broken.insert(Rule::RecordGrows);
        }
        self.saw(ask, bug);
        let committed = Outcome::Committed { revision };
        // A store that repeats a request may conflict with itself.
        if self.kept == Kept::Visible { vec![committed, Outcome::Conflict] } else { vec![committed] }
    }

    /// A process has got past a fence or a commit. States that nobody will be shown again are forgotten.
    fn saw(&mut self, ask: &Ask, bug: Option<Bug>) {
        if self.kept == Kept::Visible && bug != Some(Bug::FenceSkipped) && ask.token.is_some() {
            self.seen.insert(ask.by, ask.since.clone());
        }
        for (node, record) in self.records.iter_mut().enumerate() {
            let oldest = match self.kept {
                Kept::Newest => record.revision,
                Kept::Visible => self.seen.values().map(|seen| seen[node]).min().unwrap_or(0),
                Kept::All => 0,
            };
            record.forget_before(oldest);
        }
    }

    /// The states of a record that a load may show. Oldest first.
    fn visible(&self, by: Id, node: u8) -> impl Iterator<Item = &Option<Record>> {
        let record = &self.records[usize::from(node)];
        let oldest = match self.kept {
            Kept::Newest | Kept::All => record.revision,
            Kept::Visible => self.seen.get(&by).map_or(0, |seen| seen[usize::from(node)]),
        };
        record.states.iter().skip(record.index(oldest))
    }

    /// The nodes that have a record.
    fn nodes(&self) -> Vec<NodeId> {
        let have = (0_u8..).zip(&self.records).filter(|(_, record)| record.newest().is_some());
        have.map(|(node, _)| name(node)).collect()
    }

    /// What is stored of each replica: in its node's record, or as a hint in another.
    pub(crate) fn counts(&self) -> BTreeMap<ReplicaId, Tally> {
        let mut counts: BTreeMap<ReplicaId, Tally> = BTreeMap::new();
        for record in self.records.iter().filter_map(Versions::newest) {
            for (replica, tally) in record.rows.iter().chain(&record.hints) {
                counts.entry(replica.clone()).or_default().raise(*tally);
            }
        }
        counts
    }

    /// The sizes of all that is stored, in sum.
    pub(crate) fn sizes(&self) -> u64 {
        self.counts().values().map(|tally| tally.up + tally.down).sum()
    }
}

impl Versions {
    fn newest(&self) -> Option<&Record> {
        self.states.last().and_then(Option::as_ref)
    }

    /// Where the state at this revision is kept, or the oldest that is.
    fn index(&self, revision: u64) -> usize {
        let oldest = self.revision + 1 - u64::try_from(self.states.len()).expect("few states");
        usize::try_from(revision.saturating_sub(oldest)).expect("few states")
    }

    fn forget_before(&mut self, revision: u64) {
        let keep_from = self.index(revision);
        self.states.drain(..keep_from);
    }
}

/// What the port promises of a commit: rows only grow, and hints are dropped only together with another change.
fn may_follow(before: &Record, after: &Record) -> bool {
    let keys = |record: &Record| record.hints.keys().cloned().collect::<BTreeSet<_>>();
    let drops = !keys(before).is_subset(&keys(after));
    let changes = before.rows != after.rows || before.owner != after.owner;
    contains(&after.rows, &before.rows) && before != after && (changes || !drops)
}

/// Whether no count of `fewer` is larger than in `more`. A count of naught may be left out.
fn contains(more: &BTreeMap<ReplicaId, Tally>, fewer: &BTreeMap<ReplicaId, Tally>) -> bool {
    fewer.iter().all(|(replica, tally)| tally.is_within(more.get(replica).copied().unwrap_or_default()))
}

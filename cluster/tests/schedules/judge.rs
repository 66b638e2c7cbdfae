//! The judge: what the records really are, and whether each answer of a store is true.
//!
//! A record is what anybody finds in all that the servers have. After each change it must be what it was, or have grown by exactly one
//! request that was asked for, made against what stood there. The judge knows nothing of how a store keeps a record: it reads with the
//! store's own [`Replay`], and compares with [`Record::apply`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::rc::Rc;

use cluster::Names;
use cluster::journal::Replay;
use cluster::store::Answer;
use replica::NodeId;
use replica::store::{Noted, Outcome, Record, StoreRequest};

use crate::copy::Copy;
use crate::stream::{Committed, hash};

/// A record with its notes, as it stood for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) record: Option<Record>,
    pub(crate) notes: Vec<Noted>,
}

/// A request to a store.
struct Task {
    process: usize,
    /// The node that the process runs on.
    node: NodeId,
    request: StoreRequest,
    /// A commit: the record that its process has found or left.
    base: Option<Record>,
    /// How many changes each record had seen when it was asked.
    asked_at: Seen,
    /// How many its process must find.
    fence: Seen,
    is_done: bool,
    /// Whether it was said that it is not done.
    is_refused: bool,
    is_answered: bool,
}

/// How many changes each record has seen.
type Seen = BTreeMap<NodeId, usize>;

/// All records from the beginning on, and all requests.
#[derive(Default)]
pub(crate) struct Judge {
    known: Known,
    histories: BTreeMap<NodeId, Vec<Moment>>,
    seen: usize,
    tasks: Vec<Task>,
    /// What each process must find in what it reads.
    fences: BTreeMap<usize, Seen>,
    /// Nothing has gone wrong so far, or will from now on.
    pub(crate) is_calm: bool,
    /// The first rule that was broken.
    problem: Option<String>,
    met: BTreeSet<&'static str>,
}

/// What whoever reads everything finds, by the fingerprint of all changes.
pub(crate) type Known = Rc<RefCell<BTreeMap<u64, Rc<Result<BTreeMap<NodeId, Moment>, String>>>>>;

impl Judge {
    pub(crate) fn new(known: Known) -> Self {
        Self { known, ..Self::default() }
    }

    pub(crate) fn problem(&self) -> Option<&String> {
        self.problem.as_ref()
    }

    pub(crate) fn met(&self) -> &BTreeSet<&'static str> {
        &self.met
    }

    fn accuse(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    /// What the judge knows that matters for what may yet be said.
    pub(crate) fn fingerprint(&self) -> u64 {
        let is_open = |task: &&Task| !task.is_answered && !matches!(task.request, StoreRequest::Open);
        let mut open: Vec<_> = self
            .tasks
            .iter()
            .filter(is_open)
            .map(|task| (task.process, prints(&task.asked_at), prints(&task.fence)))
            .collect();
        open.sort_unstable();
        let fences: Vec<_> = self.fences.iter().map(|(process, seen)| (process, prints(seen))).collect();
        hash((open, fences, self.is_calm))
    }

    fn seen_so_far(&self) -> Seen {
        self.histories.iter().map(|(node, moments)| (node.clone(), moments.len())).collect()
    }

    /// A process asks its store. `base` is the record that it has found or left last.
    pub(crate) fn asked(
        &mut self,
        (process, node): (usize, &NodeId),
        request: &StoreRequest,
        base: Option<&Record>,
    ) -> usize {
        self.tasks.push(Task {
            process,
            node: node.clone(),
            request: request.clone(),
            base: base.cloned(),
            asked_at: self.seen_so_far(),
            fence: self.fences.get(&process).cloned().unwrap_or_default(),
            is_done: false,
            is_refused: false,
            is_answered: false,
        });
        self.tasks.len() - 1
    }

    /// The servers have committed changes.
    pub(crate) fn see<'a>(&mut self, changes: impl Iterator<Item = (&'a Committed, &'a Copy)>) {
        for (committed, copy) in changes {
            self.seen += 1;
            if Names::logged(&committed.change.subject).is_none() {
                continue;
            }
            let known = self
                .known
                .borrow_mut()
                .entry(committed.print)
                .or_insert_with(|| Rc::new(records(copy)))
                .clone();
            match &*known {
                Ok(now) => self.compare(committed.request, now),
                Err(problem) => self.accuse(problem.clone()),
            }
        }
    }

    pub(crate) fn seen(&self) -> usize {
        self.seen
    }

    fn compare(&mut self, request: Option<usize>, now: &BTreeMap<NodeId, Moment>) {
        let mut now = now.clone();
        for node in self.histories.keys() {
            now.entry(node.clone()).or_default();
        }
        for (node, after) in now {
            let before =
                self.histories.get(&node).and_then(|moments| moments.last()).cloned().unwrap_or_default();
            if before == after {
                continue;
            }
            if let Err(problem) = self.explain(request, &node, (&before, &after)) {
                self.accuse(problem);
            }
            self.histories.entry(node).or_default().push(after);
        }
    }

    /// Why a record has changed.
    fn explain(
        &mut self,
        request: Option<usize>,
        node: &NodeId,
        (before, after): (&Moment, &Moment),
    ) -> Result<(), String> {
        let task = request.and_then(|request| self.tasks.get_mut(request));
        let Some(task) = task else { return Err(format!("the record of {node} has changed by a snapshot")) };
        let mut wanted = before.clone();
        match &task.request {
            StoreRequest::Commit { changes, owner, .. } if task.node == *node => {
                if task.base != before.record {
                    return Err("a commit was made against another record than its process knew".into());
                }
                wanted.record.get_or_insert_default().apply(changes, owner.clone());
                wanted.notes.extend(changes.notes.iter().cloned());
            }
            StoreRequest::Seal { node: sealed, from, rows } if sealed == node => {
                if *from != before.record {
                    return Err("another record was sealed than the one that was loaded".into());
                }
                wanted.record.get_or_insert_default().seal(rows);
            }
            _ => {
                return Err(format!("the record of {node} has changed by a request that asks for no change"));
            }
        }
        if wanted != *after {
            return Err(format!("the record of {node} has changed otherwise than its request asked"));
        }
        if task.is_refused {
            return Err("a request was done after it was said to be not done".into());
        }
        if std::mem::replace(&mut task.is_done, true) {
            return Err("a request was done twice".into());
        }
        Ok(())
    }

    /// A store has answered: is it true?
    pub(crate) fn answered(&mut self, at: usize, answer: &Answer) {
        self.tasks[at].is_answered = true;
        self.tasks[at].is_refused = matches!(answer.outcome, Outcome::NotDone | Outcome::Conflict);
        self.met.insert(told(&answer.outcome));
        if let Err(problem) = self.check(at, answer) {
            self.accuse(problem);
        }
    }

    fn check(&mut self, at: usize, answer: &Answer) -> Result<(), String> {
        let Task { node, request, fence, is_done, .. } = &self.tasks[at];
        match (request, &answer.outcome) {
            (_, Outcome::Foreign) => Err("a record is called foreign".into()),
            (_, Outcome::NotDone | Outcome::Unknown) if self.is_calm => {
                Err(format!("nothing goes wrong, and {} ended as \"{}\"", kind(request), answer.outcome))
            }
            (_, Outcome::NotDone) if *is_done => Err("a request was done, and is said to be not done".into()),
            (StoreRequest::Commit { .. }, Outcome::Committed { .. })
            | (StoreRequest::Seal { .. }, Outcome::Sealed)
                if !is_done =>
            {
                Err(format!("{} is said to be done, and is not", kind(request)))
            }
            (_, Outcome::NotDone | Outcome::Unknown | Outcome::Conflict)
            | (StoreRequest::Seal { .. }, Outcome::Sealed) => Ok(()),
            (StoreRequest::Open, Outcome::Opened { record, .. }) => {
                let notes = answer.notes.clone().unwrap_or_default();
                let opened = Moment { record: record.clone(), notes };
                let place = self.stood(node, 0, |moment| *moment == opened);
                place.ok_or("a record was opened that never stood there")?;
                if place < self.tasks[at].asked_at.get(node).copied() {
                    self.met.insert("an old record is opened");
                }
                Ok(())
            }
            (StoreRequest::Load { node }, Outcome::Loaded(record)) => {
                let fence = fence.get(node).copied().unwrap_or(0);
                let place = self.stood(node, fence, |moment| moment.record == *record);
                place
                    .map(drop)
                    .ok_or_else(|| format!("what was loaded of {node} did not stand there after the fence"))
            }
            (StoreRequest::Nodes, Outcome::Nodes(nodes)) => {
                let mut missing = fence.keys().filter(|node| !nodes.contains(node));
                let is_once = BTreeSet::from_iter(nodes).len() == nodes.len();
                match missing.next() {
                    Some(node) => Err(format!("{node} had a record before the fence, and is not listed")),
                    None if is_once => Ok(()),
                    None => Err("a node is listed twice".into()),
                }
            }
            (StoreRequest::Commit { .. }, Outcome::Committed { .. })
            | (StoreRequest::Fence, Outcome::Fenced) => {
                self.fence(at);
                Ok(())
            }
            (_, outcome) => Err(format!("\"{outcome}\" is no outcome of {}", kind(request))),
        }
    }

    /// From now on its process must find all that was there when this request was asked.
    fn fence(&mut self, at: usize) {
        let Task { process, asked_at, .. } = &self.tasks[at];
        let fence = self.fences.entry(*process).or_default();
        for (node, seen) in asked_at {
            let fence = fence.entry(node.clone()).or_default();
            *fence = (*fence).max(*seen);
        }
    }

    /// How many changes a record had seen when it was like this, if it ever was, and had seen so many.
    fn stood(&self, node: &NodeId, since: usize, is: impl Fn(&Moment) -> bool) -> Option<usize> {
        let first = Moment::default();
        let history = self.histories.get(node).into_iter().flatten();
        std::iter::once(&first)
            .chain(history)
            .enumerate()
            .skip(since)
            .filter(|(_, moment)| is(moment))
            .map(|(at, _)| at)
            .last()
    }
}

fn prints(seen: &Seen) -> impl Hash + Ord {
    seen.iter().map(|(node, seen)| (node.clone(), *seen)).collect::<Vec<_>>()
}

/// What whoever reads everything finds.
fn records(copy: &Copy) -> Result<BTreeMap<NodeId, Moment>, String> {
    let mut replays: BTreeMap<NodeId, Replay> = BTreeMap::new();
    let (all, mut last) = ([">".to_owned()], 0);
    while let Some((sequence, change)) = copy.next(last, &all) {
        last = sequence;
        if let Some((node, place)) = Names::logged(&change.subject) {
            replays.entry(node).or_default().take(place, sequence, change.payload.to_vec());
        }
    }
    let moment = |(node, replay): (NodeId, Replay)| match replay.finish() {
        Ok(found) => {
            let (record, notes) = found.fold.map(|fold| fold.finish(0)).unzip();
            Ok((node, Moment { record, notes: notes.unwrap_or_default() }))
        }
        Err(trouble) => Err(format!("the servers have lost something of the record of {node}: {trouble:?}")),
    };
    replays.into_iter().map(moment).collect()
}

const fn kind(request: &StoreRequest) -> &'static str {
    match request {
        StoreRequest::Open => "an open",
        StoreRequest::Commit { .. } => "a commit",
        StoreRequest::Fence => "a fence",
        StoreRequest::Load { .. } => "a load",
        StoreRequest::Nodes => "a list of nodes",
        StoreRequest::Seal { .. } => "a seal",
    }
}

const fn told(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Opened { .. } => "opened",
        Outcome::Foreign => "foreign",
        Outcome::Committed { .. } => "committed",
        Outcome::Sealed => "sealed",
        Outcome::Conflict => "told of a conflict",
        Outcome::Fenced => "fenced",
        Outcome::Loaded(_) => "loaded",
        Outcome::Nodes(_) => "listed",
        Outcome::NotDone => "told that it is not done",
        Outcome::Unknown => "told that it is not known",
    }
}

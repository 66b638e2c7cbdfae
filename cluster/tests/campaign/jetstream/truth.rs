//! What the records really are, by the changes that the servers have committed. Each answer of a store is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::Names;
use cluster::journal::{Fold, Message, Part, Snapshot, Whole};
use cluster::nats::Answer;
use embedded::{Entry, EntryKind};
use replica::NodeId;
use replica::store::{Noted, Outcome, Record, Revision, StoreRequest};

use super::copy::Change;
use super::tally::Met;
use super::{Committed, Tally};
use crate::world::ledger::name;
use crate::world::records::Records;

/// A record as it stood for a while.
struct Moment {
    /// The sequence number of the message that has made it so.
    since: u64,
    record: Option<Record>,
    /// How many notes were in it.
    notes: usize,
}

/// A node's record from its beginning on.
struct History {
    moments: Vec<Moment>,
    notes: Vec<Noted>,
    /// The sequence number of the last message of its log.
    head: u64,
    /// The parts of an entry and of a snapshot that are not whole yet.
    parts: [Vec<Part>; 2],
    /// The places that were taken.
    places: BTreeSet<u32>,
}

/// A request to a store, and how it ended.
struct Task {
    process: usize,
    node: usize,
    request: StoreRequest,
    /// How many changes each record had seen when it was asked.
    asked_at: Vec<usize>,
    /// How many it must have seen in what is read.
    fence: Vec<usize>,
    done: bool,
    /// Whether it was said that it is not done.
    is_refused: bool,
}

/// All records from the beginning on.
pub(super) struct Truth {
    histories: Vec<History>,
    tasks: BTreeMap<u64, Task>,
    /// What each process must find in what it reads: how many changes each record had seen before its last fence.
    fences: BTreeMap<usize, Vec<usize>>,
    now: Duration,
}

impl Truth {
    pub(super) fn new(nodes: usize) -> Self {
        let history = || History {
            moments: vec![Moment { since: 0, record: None, notes: 0 }],
            notes: Vec::new(),
            head: 0,
            parts: Default::default(),
            places: BTreeSet::new(),
        };
        let histories = (0..nodes).map(|_| history()).collect();
        Self { histories, tasks: BTreeMap::new(), fences: BTreeMap::new(), now: Duration::ZERO }
    }

    pub(super) fn at(&mut self, now: Duration) {
        self.now = now;
    }

    /// A process asks its store.
    pub(super) fn asked(&mut self, task: u64, (process, node): (usize, usize), request: &StoreRequest) {
        let asked_at: Vec<usize> = self.histories.iter().map(|history| history.moments.len() - 1).collect();
        let fence = self.fences.get(&process).cloned().unwrap_or_else(|| vec![0; asked_at.len()]);
        let request = request.clone();
        let (done, is_refused) = (false, false);
        self.tasks.insert(task, Task { process, node, request, asked_at, fence, done, is_refused });
    }

    /// The servers have committed a change. The node whose record changes by it, if one does.
    pub(super) fn committed(
        &mut self,
        committed: &Committed,
        records: &mut Records,
        tally: &mut Tally,
    ) -> Result<Option<usize>, String> {
        let Change { subject, payload } = &committed.change;
        let Some((of, place)) = Names::logged(subject) else { return Ok(None) };
        let node = index(&of, self.histories.len())?;
        let history = &mut self.histories[node];
        let Message { before, part, .. } =
            Message::from_bytes(payload).ok_or("a log has a message that can't be read")?;
        if std::mem::replace(&mut history.head, committed.sequence) != before {
            return Err("two messages of a log come after the same one".into());
        }
        if !history.places.insert(place) {
            tally.note(Met::PlaceTakenAgain);
        }
        let (whole, count) = (part.of, part.count);
        let Some(bytes) = history.take(part, tally)? else { return Ok(None) };
        match whole {
            Whole::Snapshot(upto) => {
                tally.note(Met::Snapshot);
                history.is_snapshot(upto, &bytes).map(|()| None)
            }
            Whole::Entry => {
                if count > 1 {
                    tally.note(Met::EntryInParts);
                }
                let entry = Entry::from_bytes(&bytes).map_err(|_| "a log has an entry that can't be read")?;
                self.apply(node, entry, records)?;
                let history = &mut self.histories[node];
                let (record, notes) = (records.record(&of).cloned(), history.notes.len());
                history.moments.push(Moment { since: committed.sequence, record, notes });
                self.is_done(committed.task)?;
                Ok(Some(node))
            }
        }
    }

    /// What this request has asked for is done now.
    fn is_done(&mut self, task: u64) -> Result<(), String> {
        let Some(task) = self.tasks.get_mut(&task) else { return Ok(()) };
        if task.is_refused || std::mem::replace(&mut task.done, true) {
            let how = if task.is_refused { "after it was said to be not done" } else { "twice" };
            return Err(format!("a request to the store was done {how}: {:?}", task.request));
        }
        Ok(())
    }

    fn apply(&mut self, node: usize, entry: Entry, records: &mut Records) -> Result<(), String> {
        let expect = match records.request(node, &StoreRequest::Open, self.now) {
            Outcome::Opened { revision, .. } => revision,
            _ => Revision::default(),
        };
        let request = match entry.kind {
            EntryKind::Commit { owner } => {
                self.histories[node].notes.extend(entry.changes.notes.iter().cloned());
                StoreRequest::Commit { expect, changes: entry.changes, owner }
            }
            EntryKind::Seal => {
                let from = records.record(&name(node)).cloned();
                StoreRequest::Seal { node: name(node), from, rows: entry.changes.rows }
            }
        };
        let now = self.now;
        records.checked(node, &request, |records| records.request(node, &request, now)).map(drop)
    }

    /// A store has answered: is it true?
    pub(super) fn answered(&mut self, id: u64, answer: &Answer) -> Result<(), String> {
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(()) };
        task.is_refused = matches!(answer.outcome, Outcome::NotDone | Outcome::Conflict);
        if task.done && matches!(answer.outcome, Outcome::NotDone) {
            return Err("a request to the store was done, and is said to be not done".into());
        }
        let task = &self.tasks[&id];
        match (&task.request, &answer.outcome) {
            (StoreRequest::Open, Outcome::Opened { record, revision }) => {
                let history = &self.histories[task.node];
                let Moment { record: stood, notes, .. } = history.at(revision.0);
                if stood != record {
                    return Err("a record was opened that did not stand there".into());
                }
                if history.notes[..*notes] != *answer.notes.as_deref().unwrap_or_default() {
                    return Err("the notes of an opened record are not those that stood there".into());
                }
                Ok(())
            }
            (StoreRequest::Load { node }, Outcome::Loaded(record)) => {
                let place = index(node, self.histories.len())?;
                let mut moments = self.histories[place].moments[task.fence[place]..].iter();
                if moments.any(|moment| moment.record == *record) {
                    Ok(())
                } else {
                    Err(format!("what was read of {node} did not stand there after the fence"))
                }
            }
            (StoreRequest::Nodes, Outcome::Nodes(nodes)) => {
                let mut seen = task.fence.iter().enumerate().filter(|(_, changes)| **changes > 0);
                if seen.all(|(node, _)| nodes.contains(&name(node))) {
                    Ok(())
                } else {
                    Err("a node has a record, and is not listed after a fence".into())
                }
            }
            (StoreRequest::Commit { .. }, Outcome::Committed { .. })
            | (StoreRequest::Seal { .. }, Outcome::Sealed)
                if !task.done =>
            {
                Err(format!("a request to the store is said to be done, and is not: {:?}", task.request))
            }
            (StoreRequest::Commit { .. }, Outcome::Committed { revision }) => {
                if self.histories[task.node].at(revision.0).since != revision.0 {
                    return Err("a commit has brought a revision that no record has".into());
                }
                self.fence(id);
                Ok(())
            }
            (StoreRequest::Fence, Outcome::Fenced) => {
                self.fence(id);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// From now on its process must find all that was there when this request was asked.
    fn fence(&mut self, id: u64) {
        let Task { process, asked_at, .. } = &self.tasks[&id];
        let fence = self.fences.entry(*process).or_insert_with(|| vec![0; asked_at.len()]);
        for (fence, asked_at) in fence.iter_mut().zip(asked_at) {
            *fence = (*fence).max(*asked_at);
        }
    }
}

impl History {
    /// The record as it stood when this message was the last one of its log.
    fn at(&self, head: u64) -> &Moment {
        let later = self.moments.partition_point(|moment| moment.since <= head);
        &self.moments[later - 1]
    }

    /// Takes a part. Returns the bytes of all, if all are there.
    fn take(&mut self, part: Part, tally: &mut Tally) -> Result<Option<Vec<u8>>, String> {
        let parts = &mut self.parts[usize::from(part.of != Whole::Entry)];
        if part.number == 0 && !parts.is_empty() {
            tally.note(Met::BrokenOff);
            parts.clear();
        }
        if part.number as usize != parts.len() {
            return Err("the parts of an entry or a snapshot are out of order".into());
        }
        let is_last = part.number + 1 == part.count;
        parts.push(part);
        Ok(is_last.then(|| parts.drain(..).flat_map(|part| part.bytes).collect()))
    }

    /// Whether a snapshot has what stood there.
    fn is_snapshot(&self, upto: u64, bytes: &[u8]) -> Result<(), String> {
        let snapshot = Snapshot::from_bytes(bytes).ok_or("a log has a snapshot that can't be read")?;
        let (record, notes) = Fold::of(snapshot).finish(0);
        let moment = self.at(upto);
        if moment.since == upto && moment.record == Some(record) && self.notes[..moment.notes] == *notes {
            Ok(())
        } else {
            Err("a snapshot has another record than the one that stood there".into())
        }
    }
}

fn index(node: &NodeId, nodes: usize) -> Result<usize, String> {
    let found = (0..nodes).find(|at| name(*at) == *node);
    found.ok_or_else(|| format!("{node} is no node of this cluster"))
}

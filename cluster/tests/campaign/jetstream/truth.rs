//! What the records really are, by the changes that the servers have committed. Each answer of a store is held against it.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::journal::{Body, Kept, Message};
use cluster::nats::{Answer, Names};
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
    /// The sequence number of the last message of its log.
    head: u64,
    record: Option<Record>,
    /// How many notes were in it.
    notes: usize,
}

/// A node's record from its beginning on.
struct History {
    moments: Vec<Moment>,
    notes: Vec<Noted>,
    pieces: BTreeMap<u64, BTreeMap<u32, Vec<u8>>>,
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
            moments: vec![Moment { head: 0, record: None, notes: 0 }],
            notes: Vec::new(),
            pieces: BTreeMap::new(),
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
        let Change::Append { subject, payload, .. } = &committed.change else { return Ok(None) };
        let Some((of, kept)) = Names::kept(subject) else { return Ok(None) };
        let node = index(&of, self.histories.len())?;
        let history = &mut self.histories[node];
        match kept {
            Kept::Log => {}
            Kept::Piece { id, place } => {
                history.pieces.entry(id).or_default().insert(place, payload.to_vec());
                return Ok(None);
            }
            Kept::Snapshot { .. } => return Ok(None),
        }
        let message = Message::from_bytes(payload).ok_or("a log has a message that can't be read")?;
        let bytes = match message.body {
            Body::Entry(bytes) => bytes,
            Body::Pieces { id, .. } => {
                tally.note(Met::Pieces);
                history.pieces.remove(&id).unwrap_or_default().into_values().flatten().collect()
            }
        };
        let entry = Entry::from_bytes(&bytes).map_err(|_| "a log has an entry that can't be read")?;
        self.apply(node, entry, records)?;
        let history = &mut self.histories[node];
        let record = records.record(&of).cloned();
        history.moments.push(Moment { head: committed.sequence, record, notes: history.notes.len() });
        let Some(task) = self.tasks.get_mut(&committed.task) else { return Ok(Some(node)) };
        if task.is_refused || std::mem::replace(&mut task.done, true) {
            let how = if task.is_refused { "after it was said to be not done" } else { "twice" };
            return Err(format!("a request to the store was done {how}: {:?}", task.request));
        }
        Ok(Some(node))
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
                self.stood(task.node, 0, |moment| moment.head == revision.0 && moment.record == *record)
                    .ok_or("a record was opened that never stood there")?;
                self.are_all_notes(task.node, revision.0, answer.notes.as_deref().unwrap_or_default())
            }
            (StoreRequest::Load { node }, Outcome::Loaded(record)) => {
                let node = index(node, self.histories.len())?;
                self.stood(node, task.fence[node], |moment| moment.record == *record).ok_or_else(|| {
                    format!("what was read of {} did not stand there after the fence", name(node))
                })
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
                self.stood(task.node, 0, |moment| moment.head == revision.0)
                    .ok_or("a commit has brought a revision that no record has")?;
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

    fn stood(&self, node: usize, since: usize, is: impl Fn(&Moment) -> bool) -> Option<()> {
        self.histories[node].moments[since..].iter().any(is).then_some(())
    }

    fn are_all_notes(&self, node: usize, head: u64, notes: &[Noted]) -> Result<(), String> {
        let History { moments, notes: all, .. } = &self.histories[node];
        let count = moments.iter().find(|moment| moment.head == head).map_or(0, |moment| moment.notes);
        if all[..count] == *notes {
            Ok(())
        } else {
            Err("the notes of an opened record are not those that stood there".into())
        }
    }
}

fn index(node: &NodeId, nodes: usize) -> Result<usize, String> {
    let found = (0..nodes).find(|at| name(*at) == *node);
    found.ok_or_else(|| format!("{node} is no node of this cluster"))
}

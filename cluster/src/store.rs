//! The store port over an engine: a log for each node, fences, and snapshots. See decision 29.

mod engine;
mod log;
mod reading;
mod snapshots;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use embedded::{Entry, EntryKind};
use replica::store::{Changes, Noted, Outcome, Record, StoreRequest};
use replica::{NodeId, RowDelta};
use tracing::error;

use crate::Names;
use crate::journal::{Message, Trouble};
use log::Log;

pub use engine::{Appended, Condition, Engine, Interrupted, Reader, Stored};

/// The least that a message may have.
const LEAST: usize = 64;
const _: () = assert!(LEAST > Message::HEAD);

/// A log that has grown by so many bytes since its snapshot is worth another one.
const WORTHWHILE: usize = 16 << 20;

/// The records of a cluster, as one process reads and writes them. Requests may be under way at once.
#[derive(Debug)]
pub struct Store<E> {
    engine: E,
    names: Names,
    /// How many bytes a message may have.
    most: usize,
    /// How many commits of this process are done.
    commits: AtomicU64,
    /// The last fence: its sequence number, and how many commits were done before it.
    fence: tokio::sync::Mutex<Option<(u64, u64)>>,
    /// The own log. Whoever appends to it has it alone, for one entry or one part of a snapshot.
    log: tokio::sync::Mutex<Log>,
    /// How many bytes the own log has after its snapshot.
    tail: AtomicUsize,
    worthwhile: usize,
    tidying: tokio::sync::Mutex<()>,
}

/// How a request ended, and the notes of the record that was opened.
#[derive(Debug)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// The notes, if the record was opened.
    pub notes: Option<Vec<Noted>>,
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, notes: None }
    }
}

impl<E: Engine> Store<E> {
    /// The store over this engine. A message may have `most` bytes; 64 are the least.
    pub fn over(engine: E, names: Names, most: usize) -> Self {
        Self {
            engine,
            names,
            most: most.max(LEAST),
            commits: AtomicU64::new(0),
            fence: tokio::sync::Mutex::default(),
            log: tokio::sync::Mutex::default(),
            tail: AtomicUsize::new(0),
            worthwhile: WORTHWHILE,
            tidying: tokio::sync::Mutex::default(),
        }
    }

    /// With snapshots each time that the log has grown by so many bytes.
    #[must_use]
    pub fn with_snapshots_every(mut self, bytes: usize) -> Self {
        self.worthwhile = bytes;
        self
    }

    /// Does what a process of this node asks, and says how it ended.
    pub async fn request(&self, request: StoreRequest) -> Answer {
        match request {
            StoreRequest::Open => self.open().await,
            StoreRequest::Commit { expect, changes, owner } => {
                let entry = Entry { changes, kind: EntryKind::Commit { owner }, first: None };
                self.commit(expect, &entry).await.into()
            }
            StoreRequest::Fence => match self.write_fence().await {
                Ok(_) => Outcome::Fenced.into(),
                Err(outcome) => outcome.into(),
            },
            StoreRequest::Load { node } => self.load(&node).await.into(),
            StoreRequest::Nodes => self.nodes().await.into(),
            StoreRequest::Seal { node, from, rows } => self.seal(&node, from.as_ref(), rows).await.into(),
        }
    }

    async fn open(&self) -> Answer {
        let mut log = self.log.lock().await;
        // An old state would lose nothing. But a fence of this moment saves a conflict.
        let found = match self.write_fence().await {
            Ok(fence) => self.find(self.names.me(), fence).await,
            Err(outcome) => return outcome.into(),
        };
        match found {
            Ok(found) => {
                self.tail.store(found.tail, Ordering::Relaxed);
                let revision = log.open(found.end);
                let (record, notes) = found.fold.map(|fold| fold.finish(self.engine.unix_ms())).unzip();
                Answer {
                    outcome: Outcome::Opened { record, revision },
                    notes: Some(notes.unwrap_or_default()),
                }
            }
            Err(Some(Trouble::Foreign)) => Outcome::Foreign.into(),
            Err(Some(Trouble::Gap) | None) => Outcome::NotDone.into(),
        }
    }

    async fn load(&self, node: &NodeId) -> Outcome {
        match self.read_fresh(node).await {
            Ok(found) => Outcome::Loaded(found.record()),
            Err(Some(Trouble::Foreign)) => {
                error!(%node, "the record can't be read: is another release in use?");
                Outcome::Loaded(None)
            }
            Err(Some(Trouble::Gap) | None) => Outcome::NotDone,
        }
    }

    async fn seal(&self, node: &NodeId, from: Option<&Record>, rows: Vec<RowDelta>) -> Outcome {
        let Ok(found) = self.read_fresh(node).await else { return Outcome::NotDone };
        let mut end = found.end.clone();
        if found.record().as_ref() != from {
            return Outcome::Conflict;
        }
        let changes = Changes { rows, ..Changes::default() };
        let entry = Entry { changes, kind: EntryKind::Seal, first: None };
        self.append_entry(node, &mut end, &entry).await.outcome(|_| Outcome::Sealed)
    }
}

//! The store port over an engine: a log for each node, fences, and snapshots. See decision 29.

mod engine;
mod reading;
mod snapshots;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use embedded::{Entry, EntryKind};
use replica::store::{Changes, Noted, Outcome, Record, Revision, StoreRequest};
use replica::{NodeId, RowDelta};
use tracing::error;

use crate::journal::{Body, Message, Trouble};
use crate::nats::Names;

pub use engine::{Appended, Condition, Engine, Interrupted, Reader, Stored};

/// How often, and after which time, an append is tried again that another one was in the way of.
const RETRIES: u32 = 6;
const RETRY_AFTER: Duration = Duration::from_millis(4);

/// The least that a message may have.
const LEAST: usize = 64;

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
                let appended = self.append_entry(self.names.me(), expect.0, &entry).await;
                if let Appended::At(_) = appended {
                    self.commits.fetch_add(1, Ordering::Relaxed);
                }
                appended.outcome(|revision| Outcome::Committed { revision }).into()
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
        // An old state would lose nothing. But a fence of this moment saves a conflict.
        let found = match self.write_fence().await {
            Ok(fence) => self.find(self.names.me(), fence).await,
            Err(outcome) => return outcome.into(),
        };
        match found {
            Ok(found) => {
                self.tail.store(found.tail, Ordering::Relaxed);
                let revision = Revision(found.head);
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
        let head = found.head;
        if found.record().as_ref() != from {
            return Outcome::Conflict;
        }
        let entry =
            Entry { changes: Changes { rows, ..Changes::default() }, kind: EntryKind::Seal, first: None };
        self.append_entry(node, head, &entry).await.outcome(|_| Outcome::Sealed)
    }

    /// Appends an entry to a log whose last message is `before`.
    async fn append_entry(&self, node: &NodeId, before: u64, entry: &Entry) -> Appended {
        if before == 0 && !self.is_named(node).await {
            return Appended::NotDone;
        }
        let Ok(bytes) = entry.to_bytes() else { return Appended::NotDone };
        let bytes_len = bytes.len();
        let body = if bytes_len + Message::HEAD <= self.most {
            Body::Entry(bytes)
        } else {
            match self.append_pieces(node, &bytes).await {
                Ok(body) => body,
                // Pieces that no message names say nothing.
                Err(()) => return Appended::NotDone,
            }
        };
        let payload = Message { before, body }.to_bytes();
        let appended = self.append_if(self.names.log(node), &payload, Condition::After(before)).await;
        if let Appended::At(_) = appended
            && node == self.names.me()
        {
            self.tail.fetch_add(bytes_len, Ordering::Relaxed);
        }
        appended
    }

    /// Appends on a condition. If another append is in the way, it tries again for a moment.
    async fn append_if(&self, subject: String, payload: &[u8], condition: Condition) -> Appended {
        let mut tries = 0;
        loop {
            match self.engine.append(subject.clone(), payload.to_vec(), condition.clone()).await {
                Appended::Busy if tries < RETRIES => {
                    tries += 1;
                    self.engine.pause(RETRY_AFTER * tries).await;
                }
                appended => return appended,
            }
        }
    }

    async fn append_pieces(&self, node: &NodeId, bytes: &[u8]) -> Result<Body, ()> {
        let id = self.engine.random();
        let chunks = bytes.chunks(self.most);
        let of = u32::try_from(chunks.len()).map_err(|_| ())?;
        for (place, chunk) in (0..of).zip(chunks) {
            let subject = self.names.piece(node, id, place);
            let appended = self.engine.append(subject, chunk.to_vec(), Condition::None).await;
            let Appended::At(_) = appended else { return Err(()) };
        }
        Ok(Body::Pieces { id, of })
    }
}

//! Appends to a log: the own one, and those of nodes that are forgotten.

use std::sync::atomic::Ordering;
use std::time::Duration;

use embedded::Entry;
use replica::NodeId;
use replica::store::{Outcome, Revision};

use super::{Appended, Condition, Engine, Store};
use crate::journal::{End, Message, Part, Whole, cost};

/// How often, and after which time, an append is tried again that another one was in the way of.
const RETRIES: u32 = 6;
const RETRY_AFTER: Duration = Duration::from_millis(4);

/// The own log, as this process knows it.
#[derive(Debug)]
pub(super) struct Log {
    /// `None`: somebody else may have written. The log must be opened again.
    end: Option<End>,
    /// The end when it was opened, or when this process has last committed. A snapshot moves the end, but changes nothing: the replica
    /// goes on with the revision that it knows.
    revision: Revision,
    /// How often it was opened.
    opened: u64,
}

/// A log that was not opened may be empty.
impl Default for Log {
    fn default() -> Self {
        Self { end: Some(End::default()), revision: Revision::default(), opened: 0 }
    }
}

impl Log {
    pub(super) fn lose(&mut self) {
        self.end = None;
    }

    /// It was opened, and has this end.
    pub(super) fn open(&mut self, end: End) -> Revision {
        self.revision = Revision(end.head());
        self.end = Some(end);
        self.opened += 1;
        self.revision
    }

    /// How often it was opened, if it has not been lost since.
    pub(super) fn opened(&self) -> Option<u64> {
        self.end.as_ref().map(|_| self.opened)
    }

    /// The end, if nobody else has written since it was opened for this time.
    pub(super) fn end_since(&mut self, opened: u64) -> Option<&mut End> {
        self.end.as_mut().filter(|_| self.opened == opened)
    }

    /// An append to it has ended so.
    pub(super) fn note(&mut self, appended: Appended) {
        match appended {
            Appended::Conflict | Appended::Unknown => self.lose(),
            Appended::At(_) | Appended::Busy | Appended::NotDone => {}
        }
    }
}

impl<E: Engine> Store<E> {
    /// Appends an entry to the own log, if that still is as the replica knows it.
    pub(super) async fn commit(&self, expect: Revision, entry: &Entry) -> Outcome {
        let mut log = self.log.lock().await;
        let is_expected = log.revision == expect;
        let Some(end) = log.end.as_mut().filter(|_| is_expected) else { return Outcome::Conflict };
        let appended = self.append_entry(self.names.me(), end, entry).await;
        log.note(appended);
        appended.outcome(|revision| {
            log.revision = revision;
            self.commits.fetch_add(1, Ordering::Relaxed);
            Outcome::Committed { revision }
        })
    }

    /// Appends an entry to a log that ends so, in parts if need be. It counts once its last part is there.
    pub(super) async fn append_entry(&self, node: &NodeId, end: &mut End, entry: &Entry) -> Appended {
        if end.head() == 0 && !self.is_named(node).await {
            return Appended::NotDone;
        }
        let parts =
            entry.to_bytes().ok().and_then(|bytes| Part::cut(Whole::Entry, &bytes, self.most_of_part()));
        let mut last = Appended::NotDone;
        for part in parts.unwrap_or_default() {
            let bytes = part.bytes.len();
            last = self.append_part(node, end, part).await;
            match last {
                Appended::At(_) if node == self.names.me() => {
                    self.tail.fetch_add(cost(bytes), Ordering::Relaxed);
                }
                Appended::At(_) => {}
                _ => return last,
            }
        }
        last
    }

    /// Appends one message to a log that ends so.
    pub(super) async fn append_part(&self, node: &NodeId, end: &mut End, part: Part) -> Appended {
        let (place, last) = end.place();
        let Some(message) = end.message(part) else { return Appended::NotDone };
        let subject = self.names.log(node, place);
        let appended = self.append_if(subject, &message.to_bytes(), Condition::After(last)).await;
        if let Appended::At(sequence) = appended {
            end.appended(sequence, &message);
        }
        appended
    }

    /// How many bytes a part may have.
    pub(super) fn most_of_part(&self) -> usize {
        self.most - Message::HEAD
    }

    /// Appends on a condition. If another append is in the way, it tries again for a moment.
    pub(super) async fn append_if(&self, subject: String, payload: &[u8], condition: Condition) -> Appended {
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
}

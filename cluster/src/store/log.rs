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

/// The own log, as this process knows it. Before it was opened it counts as empty. If another process has written since, whatever is
/// appended ends as a conflict: the replica opens the log again.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) end: End,
    /// The end when it was opened, or when this process has last committed. A snapshot moves the end, but changes nothing: the replica
    /// goes on with the revision that it knows.
    revision: Revision,
    /// How often it was opened. A snapshot is written while this stays as it is: there may be parts of another one since.
    pub(super) opened: u64,
}

impl Log {
    /// It was opened, and has this end.
    pub(super) fn open(&mut self, end: End) -> Revision {
        self.revision = Revision(end.head());
        self.end = end;
        self.opened += 1;
        self.revision
    }
}

impl<E: Engine> Store<E> {
    /// Appends an entry to the own log, if that still is as the replica knows it.
    pub(super) async fn commit(&self, expect: Revision, entry: &Entry) -> Outcome {
        let mut log = self.log.lock().await;
        if log.revision != expect {
            return Outcome::Conflict;
        }
        let appended = self.append_entry(self.names.me(), &mut log.end, entry).await;
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
        let Some(message) = end.message(part) else { return Appended::NotDone };
        let subject = self.names.log(node, end.next());
        let around = self.names.places(node, end.last(), end.next());
        let condition = Condition::AfterOn(around, end.head());
        let appended = self.append_if(subject, &message.to_bytes(), condition).await;
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

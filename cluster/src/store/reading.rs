//! Reading records, so that none lacks what was committed before.
//!
//! Any server may serve a read, also one that has fallen behind. So a reader first writes a *fence*, which needs a majority. Then it reads
//! until that fence comes. Whatever was committed before is in front of the fence, or was replaced since. Then a snapshot has it, which may
//! stand behind the fence, as may the message that came in its place. The reader has missed all of them.
//!
//! So there is a second step. If the log still ends with the last message that was read, nothing is missing: a second fence is appended on
//! that condition. If it does not, a later message comes, and names the one before it.

use std::sync::atomic::Ordering;

use replica::NodeId;
use replica::store::Outcome;
use tracing::warn;

use super::{Appended, Condition, Engine, Interrupted, Reader, Store};
use crate::Names;
use crate::journal::{Found, Replay, Trouble, VERSION};

/// How often a record is read again whose messages were replaced while it was read.
const READS: usize = 4;

/// A read of one record.
struct Reading<R> {
    reader: Places<R>,
    node: NodeId,
    replay: Replay,
}

/// A reader that notices when a message got lost. Nothing is acknowledged, so it is not sent again.
struct Places<R> {
    reader: R,
    read: u64,
}

impl<R: Reader> Places<R> {
    async fn next(&mut self) -> Result<super::Stored, Interrupted> {
        let stored = self.reader.next().await?;
        self.read += 1;
        if stored.place == self.read { Ok(stored) } else { Err(Interrupted) }
    }
}

impl<R: Reader> Reading<R> {
    /// Takes the next message. Returns its sequence number.
    async fn step(&mut self) -> Result<u64, Interrupted> {
        let stored = self.reader.next().await?;
        if let Some((_, place)) = Names::logged(&stored.subject).filter(|(of, _)| *of == self.node) {
            self.replay.take(place, stored.sequence, stored.payload);
        }
        Ok(stored.sequence)
    }
}

impl<E: Engine> Store<E> {
    pub(super) async fn nodes(&self) -> Outcome {
        if let Ok(nodes) = self.read_names().await {
            return Outcome::Nodes(nodes);
        }
        self.drop_fence().await;
        Outcome::NotDone
    }

    /// The nodes with a name. No name is ever replaced, so all that were there before the fence come before it.
    async fn read_names(&self) -> Result<Vec<NodeId>, Interrupted> {
        let fence = self.fence().await.map_err(|_| Interrupted)?;
        let reader = self.engine.read(vec![self.names.all_names(), self.names.fence()]).await?;
        let (mut reader, mut nodes) = (Places { reader, read: 0 }, Vec::new());
        loop {
            let stored = reader.next().await?;
            nodes.extend(Names::named(&stored.subject));
            if stored.sequence >= fence {
                return Ok(nodes);
            }
        }
    }

    /// Sees to it that a node is listed from now on. Its name is written once, before the first message of its log.
    pub(super) async fn is_named(&self, node: &NodeId) -> bool {
        match self.append_if(self.names.name(node), &[VERSION], Condition::After(0)).await {
            Appended::At(_) | Appended::Conflict => true,
            Appended::Busy | Appended::NotDone | Appended::Unknown => false,
        }
    }

    /// Reads a record that has all that was committed before the last fence, and before the last commit of this process.
    pub(super) async fn read_fresh(&self, node: &NodeId) -> Result<Found, Option<Trouble>> {
        let fence = self.fence().await.map_err(|_| None)?;
        let read = self.read_again_at_a_gap(node, fence, true).await;
        if read.is_err() {
            self.drop_fence().await;
        }
        read
    }

    /// Reads the record of a node, as it once was: up to the fence, unless messages were replaced meanwhile.
    pub(super) async fn find(&self, node: &NodeId, fence: u64) -> Result<Found, Option<Trouble>> {
        self.read_again_at_a_gap(node, fence, false).await
    }

    async fn read_again_at_a_gap(
        &self,
        node: &NodeId,
        mut fence: u64,
        is_fresh: bool,
    ) -> Result<Found, Option<Trouble>> {
        for _ in 0..READS {
            let read = self.read_record(node, fence, is_fresh).await;
            match read.map_err(|Interrupted| None)?.finish() {
                Ok(found) => return Ok(found),
                Err(Trouble::Foreign) => return Err(Some(Trouble::Foreign)),
                Err(Trouble::Gap) => {}
            }
            // A snapshot that has the missing messages stands behind this fence, most likely.
            fence = self.write_fence().await.map_err(|_| None)?;
        }
        warn!(%node, "the log has a gap");
        Err(Some(Trouble::Gap))
    }

    async fn read_record(&self, node: &NodeId, fence: u64, is_fresh: bool) -> Result<Replay, Interrupted> {
        let subjects = vec![self.names.whole_log(node), self.names.fence()];
        let reader = Places { reader: self.engine.read(subjects).await?, read: 0 };
        let mut reading = Reading { reader, node: node.clone(), replay: Replay::default() };
        while reading.step().await? < fence {}
        let last = reading.replay.last();
        if is_fresh && last < fence && !self.is_last(&reading).await? {
            while reading.replay.last() == last {
                reading.step().await?;
            }
        }
        Ok(reading.replay)
    }

    /// Whether the log still ends with the last message that was read. If not, or if that can't be told, another one comes.
    async fn is_last(&self, reading: &Reading<E::Reader>) -> Result<bool, Interrupted> {
        // A log that can't be read needs nothing more to say so.
        let Some((last, next)) = reading.replay.ends() else { return Ok(true) };
        let around = self.names.places(&reading.node, last, next);
        let condition = Condition::AfterOn(around, reading.replay.last());
        match self.append_if(self.names.fence(), &[VERSION], condition).await {
            Appended::At(_) => Ok(true),
            Appended::Conflict | Appended::Busy => Ok(false),
            Appended::NotDone | Appended::Unknown => Err(Interrupted),
        }
    }

    /// A fence that is later than all commits of this process: the last one, or a new one.
    async fn fence(&self) -> Result<u64, Outcome> {
        let last = *self.fence.lock().await;
        match last {
            Some((fence, commits)) if commits == self.commits.load(Ordering::Relaxed) => Ok(fence),
            Some(_) | None => self.write_fence().await,
        }
    }

    /// The last fence may not have come. If the stream was lost, or went back, it never will.
    async fn drop_fence(&self) {
        *self.fence.lock().await = None;
    }

    /// Writes a fence. It needs a majority of the servers.
    pub(super) async fn write_fence(&self) -> Result<u64, Outcome> {
        let commits = self.commits.load(Ordering::Relaxed);
        match self.engine.append(self.names.fence(), vec![VERSION], Condition::None).await {
            Appended::At(sequence) => {
                let mut last = self.fence.lock().await;
                // A later one may have come in between.
                if last.is_none_or(|(before, _)| before < sequence) {
                    *last = Some((sequence, commits));
                }
                Ok(sequence)
            }
            other => Err(other.outcome(|_| Outcome::Fenced)),
        }
    }
}

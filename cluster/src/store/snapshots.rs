//! Snapshots: they replace the log before them.

use std::sync::atomic::Ordering;

use tracing::{info, warn};

use super::{Appended, Condition, Engine, Store};

impl<E: Engine> Store<E> {
    /// Whether the own log has grown so much that it is worth a snapshot.
    pub fn is_worth_tidying(&self) -> bool {
        self.tail.load(Ordering::Relaxed) >= self.worthwhile
    }

    /// Makes a snapshot of the own log if that has grown, and removes what the snapshot has.
    pub async fn tidy(&self) {
        let Ok(_alone) = self.tidying.try_lock() else { return };
        let tail = self.tail.load(Ordering::Relaxed);
        if !self.is_worth_tidying() {
            return;
        }
        let made = self.make_snapshot().await;
        // After a failure too: it is tried again once the log has grown as much again.
        self.tail.fetch_sub(tail.min(self.tail.load(Ordering::Relaxed)), Ordering::Relaxed);
        if let Some(upto) = made {
            info!(upto, bytes = tail, "the log was replaced by a snapshot");
        } else {
            warn!("the log can't be replaced by a snapshot for now");
        }
    }

    async fn make_snapshot(&self) -> Option<u64> {
        let fence = self.write_fence().await.ok()?;
        let found = self.find(self.names.me(), fence).await.ok()?;
        let upto = found.head;
        let bytes = found.fold?.snapshot(self.engine.unix_ms()).to_bytes()?;
        let chunks = bytes.chunks(self.most);
        let (id, of) = (self.engine.random(), u32::try_from(chunks.len()).ok()?);
        for (place, chunk) in (0..of).zip(chunks) {
            let subject = self.names.snapshot(upto, id, place, of);
            let appended = self.engine.append(subject, chunk.to_vec(), Condition::None).await;
            let Appended::At(_) = appended else { return None };
        }
        // The message `upto` itself stays: the next append expects it. The pieces of later entries come after it.
        for subject in [self.names.log(self.names.me()), self.names.pieces()] {
            self.engine.purge(subject, Some(upto)).await.ok()?;
        }
        // Only older ones: an earlier process that still runs must not remove what a later one has written.
        for older in found.snapshots.range(..upto) {
            self.engine.purge(self.names.snapshots(*older), None).await.ok()?;
        }
        Some(upto)
    }
}

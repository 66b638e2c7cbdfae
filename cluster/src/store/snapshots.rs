//! Snapshots: they stand in the log, and free the places of the messages before.

use std::sync::atomic::Ordering;

use tracing::{info, warn};

use super::{Appended, Engine, Store};
use crate::journal::{Found, Part, Whole};

/// How many bytes a part of a snapshot has at most. A commit waits for one part at most, so it is short.
const PART: usize = 128 << 10;

impl<E: Engine> Store<E> {
    /// Whether the own log has grown so much that it is worth a snapshot.
    pub fn is_worth_tidying(&self) -> bool {
        self.tail.load(Ordering::Relaxed) >= self.worthwhile
    }

    /// Makes a snapshot of the own log if that has grown. Commits go on meanwhile.
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
            info!(upto, bytes = tail, "the log has a snapshot");
        } else {
            warn!("the log gets no snapshot for now");
        }
    }

    /// Writes a snapshot between the commits of this process. If another process writes too, there is none.
    async fn make_snapshot(&self) -> Option<u64> {
        let opened = self.log.lock().await.opened;
        let fence = self.write_fence().await.ok()?;
        let Found { fold, upto, .. } = self.find(self.names.me(), fence).await.ok()?;
        let bytes = fold?.snapshot(self.engine.unix_ms()).to_bytes()?;
        for part in Part::cut(Whole::Snapshot(upto), &bytes, self.most_of_part().min(PART))? {
            let is_whole = part.is_last();
            let mut log = self.log.lock().await;
            if log.opened != opened {
                return None;
            }
            let Appended::At(_) = self.append_part(self.names.me(), &mut log.end, part).await else {
                return None;
            };
            if is_whole {
                log.end.free(upto);
            }
        }
        Some(upto)
    }
}

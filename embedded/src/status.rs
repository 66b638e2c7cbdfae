//! How the counters are doing, in numbers.

use std::time::Duration;

use replica::store::Outcome;

use crate::group::Answer;
use crate::store::Figures;
use crate::{AckPolicy, Counted, Times};

/// How the counters are doing: see [`Counters::status`](crate::Counters::status).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Status {
    /// The name of this node.
    pub node: String,
    /// When a change is acknowledged.
    pub ack: Option<AckPolicy>,
    /// Whether changes and reads are answered.
    pub is_ready: bool,
    /// Whether all records were read that there were at the start. Until then what is shown may be less than what was shown before.
    pub has_recovered: bool,
    /// Whether the store is silent or refuses.
    pub is_store_down: bool,
    /// Whether the database has failed, so that the process must be started again.
    pub has_failed: bool,
    /// How many counters there are, those that were reset among them.
    pub counters: usize,
    /// How many replicas have counted.
    pub replicas: usize,
    /// How many changes are counted and not known to be stored.
    pub unstored: u64,
    /// How many idempotency keys are remembered.
    pub keys: usize,
    /// How many requests were done since the start.
    pub done: u64,
    /// How many of them were done before, by a request with the same key.
    pub replayed: u64,
    /// How many requests were refused, and not counted.
    pub refused: u64,
    /// How many requests were refused, and may count.
    pub uncertain: u64,
    /// How many frames to peers were dropped, because too many waited to be sent.
    pub lost_frames: u64,
    /// What the store has done.
    pub store: StoreStatus,
}

/// What the store has done since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStatus {
    /// How many commits were done.
    pub commits: u64,
    /// How many times the disk was synced.
    pub syncs: u64,
    /// How many requests the store did not do.
    pub errors: u64,
    /// How long each of them took.
    pub commit_times: Times,
    /// How many changes are stored that this replica has counted, those before the start among them.
    pub committed: u64,
    /// How many bytes the database has.
    pub bytes: u64,
    /// How many bytes of it are not folded into rows yet.
    pub unfolded: u64,
}

impl Status {
    pub(crate) fn note(&mut self, answer: &Answer) {
        match answer {
            Ok(done) => {
                self.done += 1;
                self.replayed += u64::from(done.is_replayed);
            }
            Err(refused) => match refused.counted() {
                Counted::Maybe => self.uncertain += 1,
                Counted::No => self.refused += 1,
            },
        }
    }
}

impl StoreStatus {
    /// A request took so long, and ended so.
    pub(crate) fn took(&mut self, time: Duration, outcome: &Outcome) {
        self.errors += u64::from(matches!(outcome, Outcome::NotDone | Outcome::Unknown));
        if matches!(outcome, Outcome::Committed { .. }) {
            self.commits += 1;
            self.commit_times.note(time);
        }
    }

    /// The database tells this of itself.
    pub(crate) fn note(&mut self, figures: Figures) {
        let Figures { file_bytes, log_bytes, syncs, commits } = figures;
        *self = Self { commits, syncs, bytes: file_bytes, unfolded: log_bytes, ..*self };
    }
}

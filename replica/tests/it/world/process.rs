//! One process of a node.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use replica::store::Outcome;
use replica::{Effect, Input, NodeId, Replica, Ticket};

use super::counting::Counting;
use super::past::Versions;

/// After so long a time in which it runs and the store is in order, a process has stored what it held before.
pub(crate) const CALM: Duration = Duration::from_secs(2);

/// After so long a time the store does not count as down any more. A request that the store has forgotten ends a good second
/// later, and then the process may pause for another second.
pub(crate) const NOT_DOWN_AFTER: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Runs,
    /// It does not run, since then.
    Paused(Duration),
    /// It has crashed, or ended.
    Gone,
}

pub(crate) struct Process {
    pub(crate) node: usize,
    pub(crate) replica: Replica,
    pub(crate) phase: Phase,
    /// What it has not read yet, each with the time when it came in.
    pub(crate) inbox: VecDeque<(Duration, Input)>,
    /// Which of its wake-ups counts.
    pub(crate) wake: u64,
    /// How many times in a row it wanted to be ticked at once.
    pub(crate) at_once: u32,
    /// The requests that it has read and not answered, by the time until when they must be.
    pub(crate) open: BTreeSet<(Duration, Ticket)>,
    /// It has run without a pause since then.
    pub(crate) runs_since: Duration,
    /// A calm time has ended then, or still went on.
    pub(crate) calm_at: Option<Duration>,
    /// It was told to end, or its node was forgotten.
    pub(crate) is_ending: bool,
    /// No other process of the node has run beside it.
    pub(crate) is_alone: bool,
    pub(crate) was_paused: bool,
    /// How many of its commits in a row were not done, or may not have been.
    pub(crate) failures: u32,
    /// The list of nodes that it was given last.
    pub(crate) roster: BTreeSet<NodeId>,
    pub(crate) last_read: Versions,
    pub(crate) counting: Counting,
}

impl Process {
    pub(crate) fn new(node: usize, replica: Replica, now: Duration) -> Self {
        Self {
            node,
            phase: Phase::Runs,
            inbox: VecDeque::new(),
            wake: 0,
            at_once: 0,
            open: BTreeSet::new(),
            runs_since: now,
            calm_at: None,
            is_ending: false,
            is_alone: true,
            was_paused: false,
            failures: 0,
            roster: BTreeSet::new(),
            last_read: Versions::new(),
            counting: Counting::new(&replica),
            replica,
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.phase != Phase::Gone
    }

    /// Gives it one input; returns what it wants done.
    pub(crate) fn give(&mut self, now: Duration, input: Input) -> Vec<Effect> {
        if let Input::Roster(nodes) = &input {
            self.roster.clone_from(nodes);
        }
        if let Input::Store { outcome, .. } = &input {
            self.failures = match outcome {
                Outcome::Conflict | Outcome::Unknown | Outcome::NotDone => self.failures + 1,
                Outcome::Committed { .. } => 0,
                _ => self.failures,
            };
        }
        self.replica.handle(now, input);
        std::iter::from_fn(|| self.replica.poll_effect()).collect()
    }

    /// It has run for a while, and the store was in order. That was last out of order at `trouble`.
    pub(crate) fn is_calm(&self, now: Duration, trouble: Duration) -> bool {
        self.phase == Phase::Runs && now >= self.runs_since.max(trouble) + CALM
    }

    /// Notes whether it has just had a calm time.
    pub(crate) fn note_calm(&mut self, now: Duration, trouble: Duration) {
        if self.is_calm(now, trouble) {
            self.calm_at = Some(now);
        }
    }

    /// It has had a calm time that began after `since`.
    pub(crate) fn was_calm_after(&self, since: Duration) -> bool {
        self.calm_at.is_some_and(|at| at >= since + CALM)
    }
}

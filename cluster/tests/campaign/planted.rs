//! Mistakes to plant between the store that ships and its engine.

use std::cell::Cell;
use std::time::Duration;

use cluster::journal::{Body, Message};
use cluster::store::{Appended, Condition, Engine, Interrupted, Reader, Stored};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mistake {
    #[default]
    None,
    /// An append that timed out is taken for one that was refused.
    TimeoutIsRefusal,
    /// A conflict is taken for done.
    ConflictIsDone,
    /// A refusal is taken for done.
    RefusalIsDone,
    /// Nothing is written as a fence, and the reader takes what its server has.
    NoFence,
    /// A server that has fallen behind is believed.
    BehindIsBelieved,
    /// The first fence is used again, whatever was committed since.
    FenceReused,
    /// A reader stops at its fence, and does not look for what was moved behind it.
    StopsAtFence,
    /// A message to a reader that got lost is not missed.
    LossIsUnseen,
    /// The log is removed beyond what the snapshot has.
    PurgeOfTail,
    /// The log is removed before the last piece of its snapshot is there.
    PurgeBeforeWhole,
    /// All snapshots of the node are removed, not only the older ones.
    PurgeOfAllSnapshots,
    /// A commit counts as done once its pieces are there.
    PiecesAreBelieved,
    /// A commit is appended whatever the log ends with.
    NothingExpected,
}

impl Mistake {
    pub(crate) const ALL: [Self; 13] = [
        Self::TimeoutIsRefusal,
        Self::ConflictIsDone,
        Self::RefusalIsDone,
        Self::NoFence,
        Self::BehindIsBelieved,
        Self::FenceReused,
        Self::StopsAtFence,
        Self::LossIsUnseen,
        Self::PurgeOfTail,
        Self::PurgeBeforeWhole,
        Self::PurgeOfAllSnapshots,
        Self::PiecesAreBelieved,
        Self::NothingExpected,
    ];
}

/// An engine, and what the store above it gets wrong.
pub(crate) struct Planted<E> {
    engine: E,
    mistake: Mistake,
    fence: Cell<Option<u64>>,
}

impl<E> Planted<E> {
    pub(crate) fn new(engine: E, mistake: Mistake) -> Self {
        Self { engine, mistake, fence: Cell::new(None) }
    }

    /// An append that is not made, and how it is said to have ended.
    fn skips(&self, subject: &str, payload: &[u8], condition: &Condition) -> Option<Appended> {
        let is_fence = *condition == Condition::Alone;
        match self.mistake {
            Mistake::NoFence if is_fence => Some(Appended::At(u64::MAX)),
            Mistake::FenceReused if is_fence => self.fence.get().map(Appended::At),
            Mistake::StopsAtFence if matches!(condition, Condition::AfterOn(..)) => Some(Appended::At(0)),
            Mistake::PurgeBeforeWhole => is_last_of_snapshot(subject).then_some(Appended::At(0)),
            Mistake::PiecesAreBelieved => {
                let body = Message::from_bytes(payload).map(|message| message.body);
                let is_of_pieces = is_in_log(subject) && matches!(body, Some(Body::Pieces { .. }));
                is_of_pieces.then_some(Appended::At(0))
            }
            _ => None,
        }
    }
}

fn is_in_log(subject: &str) -> bool {
    subject.rsplit_once('.').is_some_and(|(_, last)| last == "log")
}

fn is_last_of_snapshot(subject: &str) -> bool {
    let tokens: Vec<&str> = subject.split('.').collect();
    let [.., "snapshot", _, _, place, of] = tokens[..] else { return false };
    place.parse::<u32>().ok().map(|place| place + 1) == of.parse().ok()
}

/// A reader, and what the store above it gets wrong.
pub(crate) struct PlantedReader<R> {
    reader: R,
    mistake: Mistake,
    place: u64,
    is_over: bool,
}

impl<R: Reader> Reader for PlantedReader<R> {
    async fn next(&mut self) -> Result<Stored, Interrupted> {
        self.place += 1;
        match (self.mistake, self.reader.next().await) {
            (Mistake::LossIsUnseen, Ok(stored)) => Ok(Stored { place: self.place, ..stored }),
            (Mistake::BehindIsBelieved | Mistake::NoFence, Err(Interrupted)) if !self.is_over => {
                self.is_over = true;
                let (subject, sequence, payload) = (String::new(), u64::MAX, Vec::new());
                Ok(Stored { subject, sequence, place: self.place, payload })
            }
            (_, read) => read,
        }
    }
}

impl<E: Engine> Engine for Planted<E> {
    type Reader = PlantedReader<E::Reader>;

    async fn append(&self, subject: String, payload: Vec<u8>, condition: Condition) -> Appended {
        if let Some(appended) = self.skips(&subject, &payload, &condition) {
            return appended;
        }
        let last = match condition {
            Condition::After(last) => last,
            Condition::AfterOn(..) | Condition::None | Condition::Alone => 0,
        };
        let is_fence = condition == Condition::Alone;
        let is_log = is_in_log(&subject);
        let given =
            if self.mistake == Mistake::NothingExpected && is_log { Condition::None } else { condition };
        let appended = self.engine.append(subject, payload, given).await;
        if let (true, Appended::At(sequence)) = (is_fence, appended) {
            self.fence.set(Some(sequence));
        }
        match (self.mistake, appended) {
            (Mistake::TimeoutIsRefusal, Appended::Unknown) => Appended::NotDone,
            (Mistake::ConflictIsDone, Appended::Conflict) | (Mistake::RefusalIsDone, Appended::NotDone)
                if is_log =>
            {
                Appended::At(last)
            }
            (_, appended) => appended,
        }
    }

    async fn read(&self, subjects: Vec<String>) -> Result<PlantedReader<E::Reader>, Interrupted> {
        let reader = self.engine.read(subjects).await?;
        Ok(PlantedReader { reader, mistake: self.mistake, place: 0, is_over: false })
    }

    async fn purge(&self, filter: String, before: Option<u64>) -> Result<(), Interrupted> {
        match self.mistake {
            Mistake::PurgeOfTail => self.engine.purge(filter, before.map(|before| before + 1000)).await,
            Mistake::PurgeOfAllSnapshots if filter.contains(".snapshot.") => {
                let tokens: Vec<&str> = filter.split('.').collect();
                let place = tokens.iter().position(|token| *token == "snapshot").unwrap_or_default();
                self.engine.purge(format!("{}.>", tokens[..=place].join(".")), before).await
            }
            _ => self.engine.purge(filter, before).await,
        }
    }

    async fn pause(&self, time: Duration) {
        self.engine.pause(time).await;
    }

    fn unix_ms(&self) -> u64 {
        self.engine.unix_ms()
    }

    fn random(&self) -> u64 {
        self.engine.random()
    }
}

//! Mistakes to plant between the store that ships and its engine.

use std::cell::Cell;
use std::time::Duration;

use cluster::Names;
use cluster::journal::{Message, Part, Whole};
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
    /// A snapshot says that it has what was committed while it was written.
    SnapshotLosesTail,
    /// The first part of a snapshot counts as all of it.
    SnapshotIsBelieved,
    /// A commit counts as done before its last part is there.
    PartsAreBelieved,
    /// The first part of a commit counts as all of it.
    FirstPartIsAll,
    /// A place counts as free whatever stands there.
    PlaceIsFree,
    /// A commit is appended whatever the log ends with.
    NothingExpected,
}

impl Mistake {
    pub(crate) const ALL: [Self; 14] = [
        Self::TimeoutIsRefusal,
        Self::ConflictIsDone,
        Self::RefusalIsDone,
        Self::NoFence,
        Self::BehindIsBelieved,
        Self::FenceReused,
        Self::StopsAtFence,
        Self::LossIsUnseen,
        Self::SnapshotLosesTail,
        Self::SnapshotIsBelieved,
        Self::PartsAreBelieved,
        Self::FirstPartIsAll,
        Self::PlaceIsFree,
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
        match self.mistake {
            Mistake::NoFence if is_fence(subject) => Some(Appended::At(u64::MAX)),
            Mistake::FenceReused if is_fence(subject) => self.fence.get().map(Appended::At),
            Mistake::StopsAtFence if is_fence(subject) && *condition != Condition::None => {
                Some(Appended::At(0))
            }
            Mistake::PartsAreBelieved => {
                let part = logged(subject, payload)?.part;
                let is_last_of_many = part.of == Whole::Entry && part.count > 1 && part.is_last();
                is_last_of_many.then_some(Appended::At(0))
            }
            _ => None,
        }
    }

    /// The message that is appended in place of this one.
    fn alters(&self, subject: &str, payload: &[u8]) -> Option<Message> {
        let Message { before, next, part } = logged(subject, payload)?;
        match (self.mistake, part.of) {
            (Mistake::SnapshotLosesTail, Whole::Snapshot(_)) => {
                let part = Part { of: Whole::Snapshot(before), ..part };
                Some(Message { before, next, part })
            }
            (Mistake::FirstPartIsAll, Whole::Entry) | (Mistake::SnapshotIsBelieved, Whole::Snapshot(_)) => {
                Some(Message { before, next, part: Part { number: 0, count: 1, ..part } })
            }
            (Mistake::PlaceIsFree, _) => Some(Message { before, next: next % FEW, part }),
            _ => None,
        }
    }
}

/// The places of a log that has too few.
const FEW: u32 = 3;

/// Where a message goes instead, if its place is not one of the few. Something stands there.
fn other_place(subject: &str) -> Option<String> {
    let (_, place) = Names::logged(subject).filter(|(_, place)| *place >= FEW)?;
    let (log, _) = subject.rsplit_once('.')?;
    Some(format!("{log}.{}", place % FEW))
}

fn logged(subject: &str, payload: &[u8]) -> Option<Message> {
    Names::logged(subject).and_then(|_| Message::from_bytes(payload))
}

fn is_fence(subject: &str) -> bool {
    subject.rsplit_once('.').is_some_and(|(_, last)| last == "fence")
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
        let is_log = Names::logged(&subject).is_some();
        let is_fence = is_fence(&subject);
        let payload = self.alters(&subject, &payload).map_or(payload, |message| message.to_bytes());
        let last = match condition {
            Condition::After(last) | Condition::AfterOn(_, last) => last,
            Condition::None => 0,
        };
        let (subject, condition) = match (self.mistake, other_place(&subject)) {
            (Mistake::PlaceIsFree, Some(other)) => (other, condition),
            (Mistake::NothingExpected, _) if is_log => (subject, Condition::None),
            _ => (subject, condition),
        };
        let appended = self.engine.append(subject, payload, condition).await;
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

    async fn pause(&self, time: Duration) {
        self.engine.pause(time).await;
    }

    fn unix_ms(&self) -> u64 {
        self.engine.unix_ms()
    }
}

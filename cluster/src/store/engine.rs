//! The engine of a store: what the store asks of JetStream, and nothing else.

use std::future::Future;
use std::time::Duration;

use replica::store::{Outcome, Revision};

/// A log of messages on subjects, on several servers, and a clock. Of each subject it keeps the last message.
///
/// The store above does no I/O of its own. So a test that gives it a model of JetStream tests the store that ships.
pub trait Engine {
    /// Reads messages.
    type Reader: Reader;

    /// Appends a message, and waits to be told how that ended.
    fn append(
        &self,
        subject: String,
        payload: Vec<u8>,
        condition: Condition,
    ) -> impl Future<Output = Appended>;

    /// Begins to read the messages on these subjects, in the order of the stream.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if no server answers.
    fn read(&self, subjects: Vec<String>) -> impl Future<Output = Result<Self::Reader, Interrupted>>;

    /// Waits for so long.
    fn pause(&self, time: Duration) -> impl Future<Output = ()>;

    /// The time in milliseconds since 1970, as the notes beside a record have it.
    fn unix_ms(&self) -> u64;
}

/// Reads the messages on some subjects.
///
/// One server serves a reader. It may have fallen behind. It sends each message that it has when its turn comes, and new ones as they
/// come. Messages may get lost on the way: their places tell.
pub trait Reader {
    /// The next message.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if there is none for some time.
    fn next(&mut self) -> impl Future<Output = Result<Stored, Interrupted>>;
}

/// When a message is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    None,
    /// If the last message on its subject has this sequence number; 0: if there is none.
    After(u64),
    /// The same, of the last message on another subject, or on all that a filter such as `a.*` means. All who append to these subjects
    /// use the same filter while the last message is this one.
    AfterOn(String, u64),
}

/// How an append ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It has this sequence number.
    At(u64),
    /// Another message came before it. An earlier copy of it may be that one.
    Conflict,
    /// Another append was under way. This one was not made.
    Busy,
    /// It was not made, and will not be.
    NotDone,
    /// It may have been made, or may be made later.
    Unknown,
}

impl Appended {
    /// The outcome of the request that needed the append.
    pub(super) fn outcome(self, done: impl FnOnce(Revision) -> Outcome) -> Outcome {
        match self {
            Self::At(sequence) => done(Revision(sequence)),
            Self::Conflict => Outcome::Conflict,
            Self::Busy | Self::NotDone => Outcome::NotDone,
            Self::Unknown => Outcome::Unknown,
        }
    }
}

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The subject of the message.
    pub subject: String,
    /// Its sequence number in the stream.
    pub sequence: u64,
    /// Its place among the messages that were sent to this reader; the first has 1.
    pub place: u64,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// A request was not carried to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

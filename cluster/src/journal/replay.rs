//! Makes a record of the messages that a stream has of a node.

use std::collections::BTreeMap;

use embedded::Entry;
use replica::store::Record;

use super::{End, Fold, Message, Part, Snapshot, Whole};

/// What a message takes of a server beside its bytes, roughly.
const ENVELOPE: usize = 256;

/// Takes the messages of a node, in the order of the stream.
#[derive(Debug, Default)]
pub struct Replay {
    log: Vec<(u64, Vec<u8>)>,
    places: BTreeMap<u32, u64>,
    /// The place of the last message.
    last: u32,
}

/// What a stream has of a node.
#[derive(Debug, Default)]
pub struct Found {
    /// The record and its notes, not joined yet. `None`: there is none.
    pub fold: Option<Fold>,
    /// The end of the log.
    pub end: End,
    /// The sequence number of the message with which the last entry was whole; 0 without one. The record has the log up to it.
    pub upto: u64,
    /// How many bytes of the log came after the newest snapshot, with 256 more for each message.
    pub tail: usize,
}

impl Found {
    /// The record, if there is one.
    pub fn record(self) -> Option<Record> {
        self.fold.map(|fold| fold.finish(u64::MAX).0)
    }
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A message is missing. It may have been replaced while the log was read: read again.
    Gap,
    /// No release that this one knows has written it.
    Foreign,
}

impl Replay {
    /// Takes the message in this place.
    pub fn take(&mut self, place: u32, sequence: u64, bytes: Vec<u8>) {
        self.places.insert(place, sequence);
        self.last = place;
        self.log.push((sequence, bytes));
    }

    /// The sequence number of the last message; 0 without one.
    pub fn last(&self) -> u64 {
        self.log.last().map_or(0, |(sequence, _)| *sequence)
    }

    /// The place of the last message, if there is one, and that of the message after it. `None`: the last message can't be read.
    pub fn ends(&self) -> Option<(Option<u32>, u32)> {
        match self.log.last() {
            Some((_, bytes)) => Some((Some(self.last), Message::from_bytes(bytes)?.next)),
            None => Some((None, 0)),
        }
    }

    /// What the messages say.
    ///
    /// # Errors
    ///
    /// [`Trouble`].
    pub fn finish(self) -> Result<Found, Trouble> {
        let Chain { since, head, next, entries, snapshot, .. } = Chain::of(self.log)?;
        let (mut upto, mut fold) = (0, None);
        if let Some((from, bytes)) = snapshot {
            fold = Some(Fold::of(Snapshot::from_bytes(&bytes).ok_or(Trouble::Foreign)?));
            upto = from;
        }
        if since > upto {
            return Err(Trouble::Gap);
        }
        let end = End::new(head, [self.last, next], self.places, upto);
        let mut tail = 0_usize;
        for (sequence, bytes) in entries {
            if sequence <= upto {
                continue;
            }
            upto = sequence;
            tail = tail.saturating_add(cost(bytes.len()));
            let entry = Entry::from_bytes(&bytes).map_err(|_| Trouble::Foreign)?;
            fold.get_or_insert_default().apply(entry);
        }
        Ok(Found { fold, end, upto, tail })
    }
}

/// What an entry of so many bytes takes of a server.
pub fn cost(bytes: usize) -> usize {
    bytes.saturating_add(ENVELOPE)
}

/// The messages at the end of a log of which each names the one before. Earlier ones are not needed, or some are missing.
#[derive(Default)]
struct Chain {
    /// The sequence number of the message before the first one.
    since: u64,
    head: u64,
    next: u32,
    /// The entries that are whole, each with the sequence number of its last part.
    entries: Vec<(u64, Vec<u8>)>,
    /// The snapshot that has most, with the message up to which it has the log.
    snapshot: Option<(u64, Vec<u8>)>,
    /// The parts of an entry and of a snapshot that are not whole yet.
    runs: [Run; 2],
}

impl Chain {
    fn of(log: Vec<(u64, Vec<u8>)>) -> Result<Self, Trouble> {
        let mut chain = Self::default();
        for (sequence, bytes) in log {
            let message = Message::from_bytes(&bytes).ok_or(Trouble::Foreign)?;
            if message.before != chain.head {
                chain = Self { since: message.before, ..Self::default() };
            }
            chain.take(sequence, message);
        }
        Ok(chain)
    }

    fn take(&mut self, sequence: u64, Message { next, part, .. }: Message) {
        (self.head, self.next) = (sequence, next);
        let [entry, snapshot] = &mut self.runs;
        match part.of {
            Whole::Entry => self.entries.extend(entry.take(part).map(|bytes| (sequence, bytes))),
            Whole::Snapshot(upto) => {
                let whole = snapshot.take(part).map(|bytes| (upto, bytes));
                if self.snapshot.as_ref().is_none_or(|(before, _)| *before <= upto) {
                    self.snapshot = whole.or(self.snapshot.take());
                }
            }
        }
    }
}

/// The parts that have come of an entry or a snapshot. Whoever writes begins with the first part, and goes on with the next one while
/// nobody else has written.
#[derive(Default)]
struct Run {
    parts: Vec<Part>,
}

impl Run {
    /// Takes a part. Returns the bytes of all, if it is the last one and all are there.
    fn take(&mut self, part: Part) -> Option<Vec<u8>> {
        let goes_on = |before: &Part| {
            (before.of, before.count) == (part.of, part.count) && before.number + 1 == part.number
        };
        if !self.parts.last().is_some_and(goes_on) {
            self.parts.clear();
        }
        if self.parts.is_empty() && part.number > 0 {
            return None;
        }
        let is_last = part.is_last();
        self.parts.push(part);
        is_last.then(|| self.parts.drain(..).flat_map(|part| part.bytes).collect())
    }
}

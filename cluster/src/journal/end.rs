//! The end of a log: where its next message goes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Message, Part};

/// The end of a log, as whoever appends to it must know it.
///
/// The last message says in which place the next one stands. Whatever stands in that place now is not needed.
///
/// ```
/// use cluster::journal::{End, Part, Whole};
///
/// let mut end = End::default();
/// assert_eq!(end.next(), 0);
/// let part = |of| Part { of, number: 0, count: 1, bytes: Vec::new() };
/// let message = end.message(part(Whole::Entry)).unwrap();
/// end.appended(17, &message);
/// assert_eq!((end.head(), end.next()), (17, 1));
/// // The snapshot has that entry, so its place is free.
/// let message = end.message(part(Whole::Snapshot(17))).unwrap();
/// end.appended(18, &message);
/// end.free(17);
/// assert_eq!(end.message(part(Whole::Entry)).unwrap().next, 0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct End {
    /// The sequence number of the last message; 0 without one.
    head: u64,
    /// The place of the last message.
    last: u32,
    /// The place of the next message.
    next: u32,
    /// The sequence number of the last message in each place.
    places: BTreeMap<u32, u64>,
    /// Places whose messages are not needed, without the next one.
    free: BTreeSet<u32>,
}

impl End {
    /// The end of a log with a last message in the place `last`. Its places have these messages. Those up to `upto` are not needed.
    pub(super) fn new(head: u64, [last, next]: [u32; 2], places: BTreeMap<u32, u64>, upto: u64) -> Self {
        let mut end = Self { head, last, next, places, free: BTreeSet::new() };
        end.free(upto);
        end
    }

    /// The sequence number of the last message; 0 without one.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The place of the last message, if there is one.
    pub fn last(&self) -> Option<u32> {
        (self.head > 0).then_some(self.last)
    }

    /// The place of the next message.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// The next message. `None`: there are no places left.
    pub fn message(&self, part: Part) -> Option<Message> {
        let used = self.places.last_key_value().map_or(self.next, |(last, _)| self.next.max(*last));
        let next = self.free.first().copied().or_else(|| used.checked_add(1))?;
        Some(Message { before: self.head, next, part })
    }

    /// The next message was appended, and has this sequence number.
    pub fn appended(&mut self, sequence: u64, message: &Message) {
        self.places.insert(self.next, sequence);
        (self.head, self.last, self.next) = (sequence, self.next, message.next);
        self.free.remove(&self.next);
    }

    /// There is a snapshot of the log up to this message: the places of these messages are free.
    pub fn free(&mut self, upto: u64) {
        let free = self.places.iter().filter(|(_, sequence)| **sequence <= upto).map(|(place, _)| *place);
        self.free = free.filter(|place| *place != self.next).collect();
    }
}

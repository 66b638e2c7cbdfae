//! Logs, snapshots, and the records that they make.

use std::collections::{BTreeMap, VecDeque};

use cluster::journal::{End, Fold, Found, Part, Replay, Snapshot, Trouble, Whole};
use embedded::{Entry, EntryKind};
use proptest::collection::vec;
use proptest::prelude::*;
use replica::store::Record;

use crate::samples;

/// A log as a stream has it: of each place the last message, in the order of the stream.
#[derive(Clone, Default)]
struct Stream {
    messages: BTreeMap<u64, (u32, Vec<u8>)>,
    /// The sequence number of the last message. Other nodes write too.
    last: u64,
}

impl Stream {
    fn append(&mut self, end: &mut End, part: Part) {
        self.last += 2;
        let place = end.next();
        assert_eq!(self.messages.last_key_value().map_or(0, |(sequence, _)| *sequence), end.head());
        self.messages.retain(|_, (other, _)| *other != place);
        let message = end.message(part).unwrap();
        self.messages.insert(self.last, (place, message.to_bytes()));
        end.appended(self.last, &message);
    }

    /// Appends an entry in parts of so many bytes, but only the first `count` of them.
    fn append_entry(&mut self, end: &mut End, entry: &Entry, most: usize, count: usize) {
        let parts = Part::cut(Whole::Entry, &entry.to_bytes().unwrap(), most).unwrap();
        parts.into_iter().take(count).for_each(|part| self.append(end, part));
    }

    fn replay(&self) -> Result<Found, Trouble> {
        let mut replay = Replay::default();
        for (sequence, (place, bytes)) in &self.messages {
            replay.take(*place, *sequence, bytes.clone());
        }
        replay.finish()
    }

    fn record(&self) -> Record {
        self.replay().unwrap().record().unwrap_or_default()
    }
}

/// A log of these entries. Each third one is in parts.
fn log_of(entries: &[Entry]) -> (Stream, End) {
    let (mut stream, mut end) = (Stream::default(), End::default());
    for (number, entry) in entries.iter().enumerate() {
        stream.append_entry(&mut end, entry, if number % 3 == 2 { 5 } else { usize::MAX }, usize::MAX);
    }
    (stream, end)
}

/// As the reference store does it.
fn record_of(entries: &[Entry]) -> Record {
    let mut record = Record::default();
    for entry in entries {
        match &entry.kind {
            EntryKind::Commit { owner } => record.apply(&entry.changes, owner.clone()),
            EntryKind::Seal => record.seal(&entry.changes.rows),
        }
    }
    record
}

/// The log of these entries with snapshots: after each `every` entries one is begun, and a part of it stands after each later entry.
/// Returns the log after each step, with how many entries it has.
fn tidied(entries: &[Entry], every: usize, most: usize) -> Vec<(usize, Stream)> {
    let (mut stream, mut end) = (Stream::default(), End::default());
    let (mut steps, mut parts): (_, VecDeque<Part>) = (vec![(0, stream.clone())], VecDeque::new());
    for (number, entry) in entries.iter().enumerate() {
        stream.append_entry(&mut end, entry, most, usize::MAX);
        steps.push((number + 1, stream.clone()));
        if parts.is_empty() && number % every == 0 {
            let Found { fold, upto, .. } = stream.replay().unwrap();
            let bytes = fold.unwrap().snapshot(0).to_bytes().unwrap();
            parts = Part::cut(Whole::Snapshot(upto), &bytes, bytes.len().div_ceil(3)).unwrap().into();
        }
        if let Some(part) = parts.pop_front() {
            let (of, is_last) = (part.of, part.is_last());
            stream.append(&mut end, part);
            if let (Whole::Snapshot(upto), true) = (of, is_last) {
                end.free(upto);
            }
            steps.push((number + 1, stream.clone()));
        }
    }
    steps
}

proptest! {
    #[test]
    fn a_log_makes_the_record_that_the_reference_store_has(entries in samples::log()) {
        let (stream, end) = log_of(&entries);
        let found = stream.replay().unwrap();
        prop_assert_eq!(found.fold.is_some(), !entries.is_empty());
        let ends = |end: &End| (end.head(), end.last(), end.next());
        prop_assert_eq!(ends(&found.end), ends(&end));
        prop_assert_eq!(found.record().unwrap_or_default(), record_of(&entries));
    }

    #[test]
    fn a_snapshot_changes_nothing(entries in samples::log(), every in 1..4_usize, most in 5..200_usize) {
        let steps = tidied(&entries, every, most);
        for (count, stream) in &steps {
            prop_assert_eq!(stream.record(), record_of(&entries[..*count]));
        }
        let (plain, _) = log_of(&entries);
        let (plain, tidied) = (plain.replay().unwrap(), steps.last().unwrap().1.replay().unwrap());
        let notes = |found: Found| found.fold.map(|fold| fold.finish(0).1);
        prop_assert_eq!(notes(plain), notes(tidied));
    }

    /// Messages are replaced while a reader reads. It must not take what is left for the record.
    #[test]
    fn a_gap_is_seen(entries in samples::log(), every in 1..4_usize, missing: prop::sample::Index) {
        prop_assume!(!entries.is_empty());
        let steps = tidied(&entries, every, 50);
        let (_, stream) = steps.last().unwrap();
        let whole = stream.replay().unwrap();
        let mut less = stream.clone();
        let at = *less.messages.keys().nth(missing.index(less.messages.len())).unwrap();
        less.messages.remove(&at);
        match less.replay() {
            Err(Trouble::Gap) => {}
            // What a snapshot has need not be there, and neither need the last message.
            Ok(found) => {
                prop_assert!(found.end.head() < whole.end.head() || found.record() == whole.record());
            }
            Err(Trouble::Foreign) => prop_assert!(false, "a missing message looks like a foreign one"),
        }
    }

    /// A process ends between two parts of an entry. The next one reads what is there, and goes on.
    #[test]
    fn parts_that_are_broken_off_say_nothing(entries in samples::log(), broken in samples::entry(), cut: prop::sample::Index) {
        let at = cut.index(entries.len() + 1);
        let (mut stream, mut end) = log_of(&entries[..at]);
        let count = Part::cut(Whole::Entry, &broken.to_bytes().unwrap(), 5).unwrap().len();
        for _ in 0..2 {
            stream.append_entry(&mut end, &broken, 5, cut.index(count));
            prop_assert_eq!(stream.record(), record_of(&entries[..at]));
            end = stream.replay().unwrap().end;
        }
        for entry in &entries[at..] {
            stream.append_entry(&mut end, entry, 9, usize::MAX);
        }
        prop_assert_eq!(stream.record(), record_of(&entries));
    }

    #[test]
    fn an_entry_is_read_as_it_was_written(entry in samples::entry()) {
        prop_assert_eq!(Entry::from_bytes(&entry.to_bytes().unwrap()), Ok(entry));
    }

    #[test]
    fn garbage_is_no_record(messages in vec(vec(any::<u8>(), 0..60), 1..4)) {
        let mut stream = Stream::default();
        for (sequence, bytes) in (1..).zip(&messages) {
            stream.messages.insert(sequence, (0, bytes.clone()));
        }
        let _is_refused_or_read = stream.replay().map(Found::record);
        for bytes in messages {
            let _is_refused_or_read = Snapshot::from_bytes(&bytes);
        }
    }
}

#[test]
fn a_foreign_message_is_told() {
    let stream = Stream { messages: [(1, (0, b"not a record".to_vec()))].into(), last: 1 };
    assert_eq!(stream.replay().map(|found| found.end.head()), Err(Trouble::Foreign));
}

#[test]
fn notes_that_nobody_asks_for_any_more_go() {
    let note = replica::store::Note { until: 5, text: [1].into() };
    let notes = vec![replica::store::Noted { note, value: 3 }];
    let changes = replica::store::Changes { notes, ..Default::default() };
    let fold = || {
        let mut fold = Fold::default();
        fold.apply(Entry { changes: changes.clone(), kind: EntryKind::Commit { owner: None }, first: None });
        fold
    };
    assert_eq!((fold().finish(5).1.len(), fold().finish(6).1.len()), (1, 0));
}

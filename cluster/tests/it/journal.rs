//! Logs, snapshots, and the records that they make.

use cluster::journal::{Body, Fold, Found, Kept, Message, Replay, Snapshot, Trouble};
use embedded::{Entry, EntryKind};
use proptest::collection::vec;
use proptest::prelude::*;
use replica::store::Record;

use crate::samples;

/// What a stream has of a node, in its order.
type Stream = Vec<(Kept, u64, Vec<u8>)>;

/// A log of these entries. Each third one is in pieces.
fn log_of(entries: &[Entry]) -> Stream {
    let (mut stream, mut before, mut sequence) = (Vec::new(), 0, 0);
    for (number, entry) in entries.iter().enumerate() {
        let bytes = entry.to_bytes().unwrap();
        let body = if number % 3 == 2 {
            let chunks: Vec<_> = bytes.chunks(5).collect();
            for (place, chunk) in (0..).zip(&chunks) {
                sequence += 1;
                stream.push((Kept::Piece { id: number as u64, place }, sequence, chunk.to_vec()));
            }
            Body::Pieces { id: number as u64, of: u32::try_from(chunks.len()).unwrap() }
        } else {
            Body::Entry(bytes)
        };
        // Other nodes write too.
        sequence += 2;
        stream.push((Kept::Log, sequence, Message { before, body }.to_bytes()));
        before = sequence;
    }
    stream
}

fn replay(stream: &Stream) -> Result<Found, Trouble> {
    let mut replay = Replay::default();
    for (kept, sequence, bytes) in stream {
        replay.take(*kept, *sequence, bytes.clone());
    }
    replay.finish()
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

/// The log, with a snapshot of the first `upto` entries behind it, and without what that snapshot has.
fn tidied(entries: &[Entry], upto: usize) -> Stream {
    let stream = log_of(entries);
    let logged: Vec<u64> =
        stream.iter().filter(|(kept, ..)| *kept == Kept::Log).map(|(_, sequence, _)| *sequence).collect();
    let head = logged[upto - 1];
    let part: Stream = stream.iter().filter(|(_, sequence, _)| *sequence <= head).cloned().collect();
    let bytes = replay(&part).unwrap().fold.unwrap().snapshot(0).to_bytes().unwrap();
    let mut tidied: Stream = stream.into_iter().filter(|(_, sequence, _)| *sequence >= head).collect();
    let chunks: Vec<_> = bytes.chunks(7).collect();
    let of = u32::try_from(chunks.len()).unwrap();
    for (place, chunk) in (0..of).zip(chunks) {
        let sequence = tidied.last().unwrap().1 + 1;
        tidied.push((Kept::Snapshot { upto: head, id: 9, place, of }, sequence, chunk.to_vec()));
    }
    tidied
}

proptest! {
    #[test]
    fn a_log_makes_the_record_that_the_reference_store_has(entries in samples::log()) {
        let found = replay(&log_of(&entries)).unwrap();
        prop_assert_eq!(found.fold.is_some(), !entries.is_empty());
        prop_assert_eq!(found.record().unwrap_or_default(), record_of(&entries));
    }

    #[test]
    fn a_snapshot_changes_nothing(entries in samples::log(), upto: prop::sample::Index) {
        prop_assume!(!entries.is_empty());
        let upto = upto.index(entries.len()) + 1;
        let (whole, tidied) = (replay(&log_of(&entries)).unwrap(), replay(&tidied(&entries, upto)).unwrap());
        prop_assert_eq!(whole.head, tidied.head);
        let ((record, notes), (tidied, tidied_notes)) = (whole.fold.unwrap().finish(0), tidied.fold.unwrap().finish(0));
        prop_assert_eq!(record, tidied);
        prop_assert_eq!(notes, tidied_notes);
    }

    /// Messages are removed while a reader reads. It must not take what is left for the record.
    #[test]
    fn a_gap_is_seen(entries in samples::log(), upto: prop::sample::Index, missing: prop::sample::Index) {
        prop_assume!(!entries.is_empty());
        let stream = tidied(&entries, upto.index(entries.len()) + 1);
        let whole = replay(&stream).unwrap();
        let mut less = stream.clone();
        less.remove(missing.index(less.len()));
        match replay(&less) {
            Err(Trouble::Gap) => {}
            // The message that a snapshot has need not be there, and neither need the last one.
            Ok(found) => prop_assert!(found.head < whole.head || found.record() == whole.record()),
            Err(Trouble::Foreign) => prop_assert!(false, "a missing message looks like a foreign one"),
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_written(entry in samples::entry()) {
        prop_assert_eq!(Entry::from_bytes(&entry.to_bytes().unwrap()), Ok(entry));
    }

    #[test]
    fn garbage_is_no_record(messages in vec(vec(any::<u8>(), 0..60), 1..4)) {
        let stream = (1..).zip(messages).map(|(sequence, bytes)| (Kept::Log, sequence, bytes)).collect();
        let _is_refused_or_read = replay(&stream).map(Found::record);
        for (.., bytes) in stream {
            let _is_refused_or_read = Snapshot::from_bytes(&bytes);
        }
    }
}

#[test]
fn a_foreign_message_is_told() {
    let stream = vec![(Kept::Log, 1, b"not a record".to_vec())];
    assert_eq!(replay(&stream).map(|found| found.head), Err(Trouble::Foreign));
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

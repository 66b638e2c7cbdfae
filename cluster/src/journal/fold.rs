//! Applies entries to a record, many at a time.

use std::collections::BTreeMap;

use embedded::{Entry, EntryKind};
use replica::store::{Changes, Noted, Record};
use replica::{ReplicaId, RowDelta};

use super::Snapshot;

/// So many deltas of a row are joined at once: each time the row is sorted.
const MANY: usize = 1_024;

/// A record that entries are applied to, one after the other. It comes to the same as [`Record::apply`] and [`Record::seal`], but a long
/// row is not sorted for each of them.
#[derive(Debug, Default)]
pub struct Fold {
    rows: BTreeMap<ReplicaId, Row>,
    hints: BTreeMap<ReplicaId, Row>,
    /// All but rows and hints.
    record: Record,
    notes: Vec<Noted>,
}

/// A row, and deltas that are not joined with it yet.
#[derive(Debug)]
struct Row {
    from: u64,
    upto: u64,
    deltas: Vec<RowDelta>,
}

impl Row {
    const fn new(from: u64, upto: u64) -> Self {
        Self { from, upto, deltas: Vec::new() }
    }

    fn extend(&mut self, delta: RowDelta) {
        self.from = self.from.min(delta.from());
        self.upto = self.upto.max(delta.upto());
        let actor = delta.actor().clone();
        self.deltas.push(delta);
        if self.deltas.len() >= MANY {
            let joined = self.join(actor);
            self.deltas = vec![joined];
        }
    }

    fn join(&mut self, actor: ReplicaId) -> RowDelta {
        let mut whole = RowDelta::new(actor, self.from, self.upto);
        // All are of one actor, and connect: `Fold` leaves out others.
        let _they_connect = whole.join_all(std::mem::take(&mut self.deltas));
        whole
    }
}

impl Fold {
    /// Begins with a snapshot.
    ///
    /// ```
    /// use cluster::journal::Fold;
    ///
    /// let snapshot = Fold::default().snapshot(0);
    /// assert_eq!(Fold::of(snapshot).finish(0).0, Default::default());
    /// ```
    pub fn of(snapshot: Snapshot) -> Self {
        let mut fold = Self::default();
        fold.apply(snapshot.entry);
        fold.record.seal = snapshot.seal;
        fold
    }

    /// Makes the changes of an entry.
    pub fn apply(&mut self, entry: Entry) {
        let Changes { rows, hints, dropped_hints, lifts_seal, notes } = entry.changes;
        for row in rows {
            let before = self.rows.entry(row.actor().clone()).or_insert_with(|| Row::new(0, 0));
            // A replica makes none that does not connect.
            if row.from() <= before.upto {
                before.extend(row);
            }
        }
        for replica in dropped_hints {
            self.hints.remove(&replica);
        }
        for hint in hints {
            let before = self.hints.entry(hint.actor().clone());
            let before = before.or_insert_with(|| Row::new(hint.from(), hint.from()));
            if hint.from() > before.upto || before.from > hint.upto() {
                *before = Row::new(hint.from(), hint.upto());
            }
            before.extend(hint);
        }
        self.notes.extend(notes);
        match entry.kind {
            EntryKind::Commit { owner } => {
                self.record.owner = owner;
                if let (true, Some(seal)) = (lifts_seal, &mut self.record.seal) {
                    seal.is_lifted = true;
                }
            }
            EntryKind::Seal => self.record.seal(&[]),
        }
    }

    /// The record, and the notes beside it that are asked for at `now` or later.
    pub fn finish(mut self, now: u64) -> (Record, Vec<Noted>) {
        let join = |rows: BTreeMap<ReplicaId, Row>| {
            rows.into_iter().map(|(replica, mut row)| (replica.clone(), row.join(replica))).collect()
        };
        (self.record.rows, self.record.hints) = (join(self.rows), join(self.hints));
        self.notes.retain(|noted| noted.note.until >= now);
        (self.record, self.notes)
    }

    /// The record and the notes as a snapshot, as [`finish`](Self::finish) gives them.
    pub fn snapshot(self, now: u64) -> Snapshot {
        let (Record { rows, owner, hints, seal }, notes) = self.finish(now);
        let changes = Changes {
            rows: rows.into_values().collect(),
            hints: hints.into_values().collect(),
            notes,
            ..Changes::default()
        };
        Snapshot { entry: Entry { changes, kind: EntryKind::Commit { owner }, first: None }, seal }
    }
}

//! Frames and entries as replicas make them, drawn at random.

use embedded::{Change, Entry, EntryKind, Name};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use replica::store::{Changes, Note, Noted, Ownership};
use replica::{Claim, Frame, FrameId, Incarnation, Inquiry, ReplicaId, RowDelta, Rows};

pub(crate) fn incarnation() -> impl Strategy<Value = Incarnation> {
    any::<u32>().prop_map(|number| format!("{number:08x}").parse().unwrap())
}

pub(crate) fn replica() -> impl Strategy<Value = ReplicaId> {
    ("[a-z]{1,3}", incarnation())
        .prop_map(|(node, incarnation)| ReplicaId::new(&node.as_str().into(), incarnation))
}

#[derive(Debug, Clone, Copy)]
enum By {
    Add,
    Report,
    Reset,
}

/// Changes of counters: each with a name, and how much to add or report.
fn changes() -> impl Strategy<Value = Vec<(String, i64, By)>> {
    let by = prop_oneof![3 => Just(By::Add), 1 => Just(By::Report), 1 => Just(By::Reset)];
    vec(("[a-e]{0,2}", any::<i32>().prop_map(i64::from), by), 0..12)
}

fn make(rows: &mut Rows, replica: &ReplicaId, (name, delta, by): (&str, i64, By)) {
    let mut change = rows.change(replica);
    match by {
        By::Add => {
            let _may_overflow = change.add(name, delta).map(|_| ());
        }
        By::Report => {
            let _may_be_too_many = change.report(name, "till", delta.unsigned_abs()).map(|_| ());
        }
        By::Reset => {
            change.reset(name);
        }
    }
    change.commit().unwrap();
}

/// What a replica has changed from one version on.
pub(crate) fn row() -> impl Strategy<Value = RowDelta> {
    (replica(), changes(), 0_u64..6).prop_map(|(replica, changes, from)| {
        let mut rows = Rows::default();
        for (name, delta, change_by) in changes {
            make(&mut rows, &replica, (name.as_str(), delta, change_by));
        }
        let from = from.min(rows.version(&replica));
        rows.row_since(&replica, from).unwrap_or_else(|| RowDelta::new(replica, from, from))
    })
}

/// A change as a client may ask for it.
pub(crate) fn change() -> impl Strategy<Value = Change> {
    let name = || "\\PC{1,8}".prop_map(Name::from);
    let step = prop_oneof![any::<i64>().prop_map(embedded::Step::Add), Just(embedded::Step::Reset)];
    prop_oneof![
        (name(), any::<i64>()).prop_map(|(counter, delta)| Change::Add(counter, delta)),
        vec((name(), step), 0..5).prop_map(Change::Batch),
        name().prop_map(Change::Reset),
        (name(), name(), any::<u64>()).prop_map(|(counter, source, total)| Change::Report {
            counter,
            source,
            total
        }),
    ]
}

fn id() -> impl Strategy<Value = Option<FrameId>> {
    proptest::option::of(any::<i64>().prop_map(FrameId))
}

pub(crate) fn frame() -> impl Strategy<Value = Frame> {
    let inquiry = prop_oneof![
        Just(None),
        (replica(), any::<u64>()).prop_map(|(replica, version)| Some(Inquiry::Asks(replica, version))),
        row().prop_map(|row| Some(Inquiry::Holds(row))),
        replica().prop_map(|replica| Some(Inquiry::Surveys(replica))),
        btree_map(replica(), any::<u64>(), 0..9).prop_map(|versions| Some(Inquiry::Shows(versions))),
    ];
    let claim = (vec(row(), 0..4), proptest::option::of(row()), btree_set(replica(), 0..3));
    let rest = (inquiry, btree_set(replica(), 0..3), any::<bool>());
    (incarnation(), [id(), id(), id()], claim, rest).prop_map(|(incarnation, ids, claim, rest)| {
        let ([id, answers, confirms], (rows, part, unstored), (inquiry, refused, doubts)) =
            (ids, claim, rest);
        let part = part.and_then(|row| row.split(8).pop()).map(Box::new);
        let claim = Claim { rows, part, unstored };
        Frame { incarnation, id, answers, confirms, claim, inquiry, refused, doubts }
    })
}

fn noted() -> impl Strategy<Value = Noted> {
    (any::<u64>(), vec(any::<u8>(), 0..40), any::<i128>())
        .prop_map(|(until, text, value)| Noted { note: Note { until, text: text.into() }, value })
}

pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    let owner = (replica(), incarnation(), any::<bool>())
        .prop_map(|(replica, incarnation, is_free)| Ownership { replica, incarnation, is_free });
    let changes =
        (vec(row(), 0..4), vec(row(), 0..3), vec(replica(), 0..3), any::<bool>(), vec(noted(), 0..3));
    (changes, prop_oneof![Just(None), proptest::option::of(owner).prop_map(Some)]).prop_map(
        |(changes, commit)| {
            let (rows, hints, dropped_hints, lifts_seal, notes) = changes;
            match commit {
                Some(owner) => {
                    let changes = Changes { rows, hints, dropped_hints, lifts_seal, notes };
                    Entry { changes, kind: EntryKind::Commit { owner }, first: None }
                }
                None => Entry {
                    changes: Changes { rows, ..Changes::default() },
                    kind: EntryKind::Seal,
                    first: None,
                },
            }
        },
    )
}

/// A place, what changes there, how far a hint goes back, and whether a commit drops hints. No commit: it is a seal.
type Step = (usize, Vec<(String, i64, By)>, u64, Option<bool>);

/// The entries of one node's log, as its processes and whoever forgets it make them: rows grow, hints come and go.
pub(crate) fn log() -> impl Strategy<Value = Vec<Entry>> {
    let step = (
        0..3_usize,
        changes(),
        0..4_u64,
        prop_oneof![3 => Just(Some(false)), 1 => Just(Some(true)), 1 => Just(None)],
    );
    (vec(step, 0..16), noted()).prop_map(|(steps, noted)| {
        let (mut rows, mut stored) = (Rows::default(), [0; 3]);
        let own = |place| ReplicaId::new(&"n1".into(), format!("{place:08x}").parse().unwrap());
        let other = |place| ReplicaId::new(&"n2".into(), format!("{place:08x}").parse().unwrap());
        let entry = |(place, made, back, commit): Step| {
            let (row, hint) = (own(place), other(place));
            for replica in [&row, &hint] {
                for (name, delta, by) in &made {
                    make(&mut rows, replica, (name.as_str(), *delta, *by));
                }
            }
            // A row goes on from what is stored. A hint may overlap with the one before, or leave a gap.
            let grown =
                rows.row_since(&row, stored[place]).unwrap_or_else(|| RowDelta::new(row.clone(), 0, 0));
            stored[place] = rows.version(&row);
            let from = rows.version(&hint).saturating_sub(back);
            let hints: Vec<_> = rows.row_since(&hint, from).into_iter().collect();
            let Some(drops) = commit else {
                let changes = Changes { rows: vec![grown], ..Changes::default() };
                return Entry { changes, kind: EntryKind::Seal, first: None };
            };
            let dropped_hints = if drops { vec![other((place + 1) % 3)] } else { Vec::new() };
            let changes = Changes {
                rows: vec![grown],
                hints,
                dropped_hints,
                lifts_seal: drops,
                notes: vec![noted.clone()],
            };
            let owner = Ownership { replica: row.clone(), incarnation: row.incarnation(), is_free: drops };
            Entry { changes, kind: EntryKind::Commit { owner: Some(owner) }, first: None }
        };
        steps.into_iter().map(entry).collect()
    })
}

//! The rules about seals.

use super::Subject;
use super::checks::{Checked, nodes, up};
use super::runner::{Change, Runner, incarnation, replica};
use crate::identity::NodeId;
use crate::store::{Changes, Ownership, Record, Revision};
use crate::tally::Tally;

/// A record with rows, hints and an owner.
fn full(node: &NodeId, other: &NodeId) -> Change {
    Change {
        changes: Changes {
            rows: vec![(Tally { up: 5, down: 2 }).row(replica(node, 1)), up(7).row(replica(node, 2))],
            hints: vec![up(4).row(replica(other, 1))],
            ..Changes::default()
        },
        owner: Some(Ownership { replica: replica(node, 1), incarnation: incarnation(3), is_free: true }),
    }
}

/// A commit that only lifts the seal.
fn lift() -> Change {
    Change { changes: Changes { lifts_seal: true, ..Changes::default() }, owner: None }
}

/// Opens the record, which may be after meanwhile, and commits. Returns the record then, and its revision.
fn commit<S: Subject>(
    runner: &mut Runner<S>,
    process: &mut S::Process,
    change: &Change,
) -> Result<(Record, Revision), super::Failure> {
    runner.fence(process)?;
    let (record, revision) = runner.open(process)?;
    runner.commit(process, (&record.unwrap_or_default(), revision), change)
}

/// Both the next process of the node and another node must find this record.
fn find<S: Subject>(
    runner: &mut Runner<S>,
    (node, reader): (&NodeId, &mut S::Process),
    record: &Record,
) -> Checked {
    const OPENED: &str = "After a seal an open must bring all that `Record::seal` makes of the record.";
    const LOADED: &str = "After a seal a load must bring all that `Record::seal` makes of the record.";
    let mut next = runner.store.start(node);
    // Without a fence an open need only bring what processes of the node itself have left.
    runner.fence(&mut next)?;
    runner.open_to_find(&mut next, record, OPENED)?;
    runner.fence(reader)?;
    runner.load_to_find(reader, (node, Some(record)), LOADED)
}

pub(super) fn a_sealed_record_has_a_seal_and_no_owner<S: Subject>(runner: &mut Runner<S>) -> Checked {
    let [node, other, third] = nodes();
    let mut process = runner.store.start(&node);
    let mut sealer = runner.store.start(&other);
    let mut reader = runner.store.start(&third);
    let (record, _) = commit(runner, &mut process, &full(&node, &other))?;
    // One row grows in one direction, one is behind, and one is new.
    let rows = [
        (Tally { up: 9, down: 2 }).row(replica(&node, 1)),
        up(6).row(replica(&node, 2)),
        up(0).row(replica(&node, 3)),
    ];
    let after = runner.seal(&mut sealer, (&node, Some(&record)), &rows)?;
    find(runner, (&node, &mut reader), &after)
}

pub(super) fn a_node_without_a_record_is_sealed_too<S: Subject>(runner: &mut Runner<S>) -> Checked {
    let [node, other, third] = nodes();
    let mut sealer = runner.store.start(&other);
    let mut reader = runner.store.start(&third);
    let after = runner.seal(&mut sealer, (&node, None), &[up(3).row(replica(&node, 1))])?;
    find(runner, (&node, &mut reader), &after)
}

pub(super) fn seals_are_counted_and_lifted<S: Subject>(runner: &mut Runner<S>) -> Checked {
    const LEFT: &str = "A commit that does not lift the seal must leave it.";
    const LIFTED: &str = "A commit that lifts the seal must leave its number, and say that it is lifted.";
    let [node, other, third] = nodes();
    let mut process = runner.store.start(&node);
    let mut sealer = runner.store.start(&other);
    let mut reader = runner.store.start(&third);
    // There is no seal to lift yet.
    let (mut record, _) = commit(runner, &mut process, &lift())?;
    for number in 1..4 {
        let row = up(number).row(replica(&node, number));
        record = runner.seal(&mut sealer, (&node, Some(&record)), &[row])?;
        find(runner, (&node, &mut reader), &record)?;
        // To seal it again only adds the rows.
        let row = Tally { up: 10 * number, down: 10 * number }.row(replica(&node, number));
        record = runner.seal(&mut reader, (&node, Some(&record)), &[row])?;
        find(runner, (&node, &mut sealer), &record)?;
        record = commit(runner, &mut process, &full(&node, &other))?.0;
        let mut next = runner.store.start(&node);
        runner.open_to_find(&mut next, &record, LEFT)?;
        record = commit(runner, &mut process, &lift())?.0;
        runner.open_to_find(&mut next, &record, LIFTED)?;
        record = commit(runner, &mut process, &full(&node, &other))?.0;
        runner.open_to_find(&mut next, &record, LIFTED)?;
        runner.fence(&mut reader)?;
        runner.load_to_find(&mut reader, (&node, Some(&record)), LIFTED)?;
    }
    Ok(())
}

pub(super) fn only_the_very_record_is_sealed<S: Subject>(runner: &mut Runner<S>) -> Checked {
    let [node, other, _] = nodes();
    let mut process = runner.store.start(&node);
    let mut sealer = runner.store.start(&other);
    runner.seal_in_vain(&mut sealer, (&node, None), Some(&Record::default()))?;
    let (record, _) = commit(runner, &mut process, &full(&node, &other))?;
    let mut row = record.clone();
    row.rows.insert(replica(&node, 1), (Tally { up: 5, down: 1 }).row(replica(&node, 1)));
    let mut hint = record.clone();
    hint.hints.clear();
    let owner = Record { owner: None, ..record.clone() };
    let mut seal = record.clone();
    seal.seal(&[]);
    let seal = Record { seal: seal.seal, ..record.clone() };
    for wrong in [None, Some(&row), Some(&hint), Some(&owner), Some(&seal)] {
        runner.seal_in_vain(&mut sealer, (&node, Some(&record)), wrong)?;
    }
    let after = runner.seal(&mut sealer, (&node, Some(&record)), &[])?;
    runner.seal_in_vain(&mut sealer, (&node, Some(&after)), Some(&record))
}

pub(super) fn a_commit_from_before_the_seal_is_a_conflict<S: Subject>(runner: &mut Runner<S>) -> Checked {
    let [node, other, _] = nodes();
    let mut process = runner.store.start(&node);
    let mut sealer = runner.store.start(&other);
    let (mut record, mut revision) = commit(runner, &mut process, &full(&node, &other))?;
    for number in 4..8 {
        let after = runner.seal(&mut sealer, (&node, Some(&record)), &[])?;
        let late = Change::rows([up(1).row(replica(&node, number))]);
        runner.commit_in_vain(&mut process, (&after, revision), &late)?;
        (record, revision) = commit(runner, &mut process, &lift())?;
    }
    Ok(())
}

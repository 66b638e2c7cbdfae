//! The rules, one by one.

use super::runner::{Change, Runner, incarnation, replica};
use super::{Failure, NODES, Subject};
use crate::identity::NodeId;
use crate::store::{Changes, Outcome, Ownership, Record, Revision, StoreRequest};
use crate::tally::Tally;

pub(super) type Checked = Result<(), Failure>;

pub(super) fn nodes() -> [NodeId; 3] {
    NODES.map(NodeId::from)
}

pub(super) fn up(up: u64) -> Tally {
    Tally { up, down: 0 }
}

pub(super) fn nothing_is_there_at_first<S: Subject>(runner: &mut Runner<S>) -> Checked {
    const RULE: &str = "A node that has committed nothing must have no record.";
    let [node, other, _] = nodes();
    let mut process = runner.store.start(&node);
    if runner.open(&mut process)?.0.is_some() {
        return Err(Failure { rule: RULE, found: "an open brought one".into() });
    }
    runner.fence(&mut process)?;
    runner.load_to_find(&mut process, (&other, None), RULE)
}

pub(super) fn what_was_committed_is_there<S: Subject>(runner: &mut Runner<S>) -> Checked {
    const OPENED: &str = "An open must bring what was committed before.";
    let [node, other, _] = nodes();
    let mut process = runner.store.start(&node);
    let (_, revision) = runner.open(&mut process)?;
    // A row at zero is a row.
    let change = Change::rows([
        up(0).row(replica(&node, 1)),
        (Tally { up: u64::MAX, down: 7 }).row(replica(&node, 2)),
    ]);
    let (record, _) = runner.commit(&mut process, (&Record::default(), revision), &change)?;
    runner.open_to_find(&mut process, &record, OPENED)?;
    let mut next = runner.store.start(&node);
    runner.open_to_find(&mut next, &record, OPENED)?;
    let mut peer = runner.store.start(&other);
    if runner.open(&mut peer)?.0.is_some() {
        return Err(Failure {
            rule: "A commit must change the record of its own node alone.",
            found: "another node's record was there too".into(),
        });
    }
    Ok(())
}

/// The changes that a record goes through. Each does something new to rows, hints or the owner.
fn changes(node: &NodeId, other: &NodeId) -> Vec<Change> {
    let own = |number| replica(node, number);
    let theirs = |number| replica(other, number);
    let owner = |number, is_free| {
        Some(Ownership { replica: replica(node, 1), incarnation: incarnation(number), is_free })
    };
    let rows = |up, down| vec![(Tally { up, down }).row(own(1))];
    let hints = Changes {
        rows: rows(1, 1),
        hints: vec![up(5).row(theirs(1)), up(6).row(theirs(2))],
        ..Changes::default()
    };
    let grown = Changes {
        rows: vec![(Tally { up: 9, down: 1 }).row(own(1)), up(3).row(own(2))],
        hints: vec![(Tally { up: 5, down: 8 }).row(theirs(1))],
        ..Changes::default()
    };
    let dropped =
        Changes { rows: rows(9, 2), dropped_hints: vec![theirs(1), theirs(9)], ..Changes::default() };
    let renewed = Changes {
        rows: rows(9, 3),
        hints: vec![up(1).row(theirs(2))],
        dropped_hints: vec![theirs(2)],
        lifts_seal: false,
        notes: Vec::new(),
    };
    vec![
        Change { changes: hints, owner: None },
        Change { changes: grown, owner: owner(1, true) },
        Change { changes: dropped, owner: owner(2, false) },
        Change { changes: renewed, owner: owner(2, true) },
        Change { changes: Changes { rows: rows(10, 3), ..Changes::default() }, owner: None },
    ]
}

pub(super) fn changes_are_applied<S: Subject>(runner: &mut Runner<S>) -> Checked {
    const OPENED: &str = "After a commit an open must bring all that `Record::apply` makes of the changes.";
    const LOADED: &str = "After a commit a load must bring all that `Record::apply` makes of the changes.";
    let [node, other, _] = nodes();
    let mut process = runner.store.start(&node);
    let mut peer = runner.store.start(&other);
    let mut at = (Record::default(), runner.open(&mut process)?.1);
    for change in changes(&node, &other) {
        at = runner.commit(&mut process, (&at.0, at.1), &change)?;
        let mut next = runner.store.start(&node);
        runner.open_to_find(&mut next, &at.0, OPENED)?;
        runner.fence(&mut peer)?;
        runner.load_to_find(&mut peer, (&node, Some(&at.0)), LOADED)?;
    }
    Ok(())
}

pub(super) fn a_commit_that_was_done_is_not_done_again<S: Subject>(runner: &mut Runner<S>) -> Checked {
    let [node, ..] = nodes();
    let mut process = runner.store.start(&node);
    let mut at = (Record::default(), runner.open(&mut process)?.1);
    for count in 1..8 {
        let change = Change::rows([up(count).row(replica(&node, 1))]);
        let before = at.1;
        at = runner.commit(&mut process, (&at.0, before), &change)?;
        runner.commit_in_vain(&mut process, (&at.0, before), &change)?;
        // The next commit is made against the record as it was opened just now.
        at.1 = runner.open(&mut process)?.1;
    }
    Ok(())
}

pub(super) fn a_stale_commit_is_a_conflict<S: Subject>(runner: &mut Runner<S>) -> Checked {
    let [node, other, _] = nodes();
    let mut record = Record::default();
    for number in 1..8 {
        let mut older = runner.store.start(&node);
        let mut newer = runner.store.start(&node);
        let stale: Revision = runner.open(&mut older)?.1;
        let revision = runner.open(&mut newer)?.1;
        let change = Change::rows([up(number).row(replica(&node, number))]);
        record = runner.commit(&mut newer, (&record, revision), &change)?.0;
        let late = Change {
            changes: Changes {
                rows: vec![up(1).row(replica(&node, 100 + number))],
                hints: vec![up(1).row(replica(&other, 1))],
                ..Changes::default()
            },
            owner: Some(Ownership {
                replica: replica(&node, 100 + number),
                incarnation: incarnation(number),
                is_free: true,
            }),
        };
        runner.commit_in_vain(&mut older, (&record, stale), &late)?;
    }
    Ok(())
}

pub(super) fn a_load_behind_a_fence_is_fresh<S: Subject>(runner: &mut Runner<S>) -> Checked {
    const FENCED: &str = "A load behind a fence must bring what was committed before the fence.";
    const COMMITTED: &str = "A load behind a commit must bring what was committed before that commit.";
    let [node, other, third] = nodes();
    let mut writer = runner.store.start(&node);
    let mut reader = runner.store.start(&other);
    let mut at = (Record::default(), runner.open(&mut writer)?.1);
    let mut own = (Record::default(), runner.open(&mut reader)?.1);
    for count in 1..60 {
        let change = Change::rows([up(count).row(replica(&node, 1))]);
        at = runner.commit(&mut writer, (&at.0, at.1), &change)?;
        if count % 2 == 0 {
            runner.fence(&mut reader)?;
            runner.load_to_find(&mut reader, (&node, Some(&at.0)), FENCED)?;
        } else {
            let change = Change::rows([up(count).row(replica(&other, 1))]);
            own = runner.commit(&mut reader, (&own.0, own.1), &change)?;
            runner.load_to_find(&mut reader, (&node, Some(&at.0)), COMMITTED)?;
        }
        // Loads without a fence may bring old records. They must not make later ones old.
        let _anything = runner.store.run(&mut reader, StoreRequest::Load { node: third.clone() });
    }
    Ok(())
}

pub(super) fn a_foreign_record_is_told<S: Subject>(runner: &mut Runner<S>) -> Checked {
    const RULE: &str = "An open of what no replica has written must say so.";
    let [node, other, _] = nodes();
    if !runner.store.plant_foreign(&node) {
        return Ok(());
    }
    let mut process = runner.store.start(&node);
    for _ in 0..8 {
        match runner.store.run(&mut process, StoreRequest::Open) {
            Outcome::Foreign => {}
            Outcome::NotDone | Outcome::Unknown if runner.store.loses_outcomes() => {}
            outcome => return Err(Failure { rule: RULE, found: format!("the outcome was \"{outcome}\"") }),
        }
    }
    let mut peer = runner.store.start(&other);
    runner.fence(&mut peer)?;
    runner.load_to_find(&mut peer, (&node, None), "A load of what no replica has written must bring nothing.")
}

pub(super) fn nodes_with_a_record_are_listed<S: Subject>(runner: &mut Runner<S>) -> Checked {
    let [node, other, third] = nodes();
    for writer in [&node, &other] {
        let mut process = runner.store.start(writer);
        let revision = runner.open(&mut process)?.1;
        let change = Change::rows([up(1).row(replica(writer, 1))]);
        runner.commit(&mut process, (&Record::default(), revision), &change)?;
    }
    let mut reader = runner.store.start(&third);
    runner.fence(&mut reader)?;
    let mut names = runner.nodes(&mut reader)?;
    names.sort();
    if let Some(missing) = [&node, &other].into_iter().find(|writer| !names.contains(writer)) {
        return Err(Failure {
            rule: "The nodes that are listed must be all that have a record.",
            found: format!("{missing} was missing"),
        });
    }
    if names.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(Failure { rule: "A node must be listed once.", found: "one was listed twice".into() })
}

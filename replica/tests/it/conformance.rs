//! The suite for stores, on the reference store and on wrong ones.

use std::collections::BTreeMap;

use replica::store::conformance::{Failure, Subject, check};
use replica::store::memory::Memory;
use replica::store::{Changes, Outcome, Ownership, Record, Revision, StoreRequest};
use replica::{NodeId, RowDelta, Tally};

/// How a store is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// A commit is done whatever it expects.
    IgnoresExpect,
    /// Loads bring what stood there when this process last committed; a fence does nothing.
    FencesNothing,
    /// A load brings no hints.
    ForgetsHintsOnLoad,
    /// A commit that conflicts leaves its hints behind.
    DoesHalf,
    /// Rows are replaced by what the commit says, not raised to it.
    LowersRows,
    /// A node is listed only once it has asked.
    ListsOneself,
    /// The owner is kept if a commit names none.
    KeepsOwner,
    /// A seal is done whatever it expects.
    SealsAnything,
    /// A seal drops the hints.
    SealDropsHints,
    /// A seal leaves the owner.
    SealLeavesOwner,
    /// A seal does not bring its rows.
    SealForgetsRows,
    /// A record keeps its revision when it is sealed.
    SealKeepsRevision,
    /// To seal a sealed record counts as one more seal.
    CountsEachSeal,
    /// No seal has a number above 1.
    CountsNoSeals,
    /// A load does not bring the seal.
    LoadsNoSeal,
    /// No commit lifts a seal.
    NeverLifts,
    /// Each commit lifts the seal.
    AlwaysLifts,
}

struct Store {
    wrong: Wrong,
    memory: Memory,
    /// What each node sees of the others.
    seen: BTreeMap<NodeId, Memory>,
    /// The revision of each node's record just before it was sealed, if nothing has changed it since.
    before_seal: BTreeMap<NodeId, Revision>,
}

impl Store {
    fn new(wrong: Wrong) -> Self {
        Self { wrong, memory: Memory::default(), seen: BTreeMap::new(), before_seal: BTreeMap::new() }
    }

    fn revision(&mut self, node: &NodeId) -> Revision {
        match self.memory.request(node, &StoreRequest::Open) {
            Outcome::Opened { revision, .. } => revision,
            other => panic!("{other}"),
        }
    }
}

impl Store {
    fn seal(&mut self, node: &NodeId, mut from: Option<Record>, rows: &mut Vec<RowDelta>) -> Outcome {
        let (record, before) = (self.memory.record(node).cloned(), self.revision(node));
        match self.wrong {
            Wrong::SealsAnything => from.clone_from(&record),
            Wrong::SealForgetsRows => rows.clear(),
            Wrong::CountsEachSeal if from == record && record.is_some() => {
                self.change(node, Changes { lifts_seal: true, ..Changes::default() }, None);
                from = self.memory.record(node).cloned();
            }
            _ => {}
        }
        let request = StoreRequest::Seal { node: node.clone(), from, rows: rows.clone() };
        let outcome = self.memory.request(node, &request);
        let was = record.unwrap_or_default();
        match (self.wrong, &outcome) {
            (Wrong::SealDropsHints, Outcome::Sealed) => {
                let dropped_hints = was.hints.into_keys().collect();
                self.change(node, Changes { dropped_hints, ..Changes::default() }, None);
            }
            (Wrong::SealLeavesOwner, Outcome::Sealed) => self.change(node, Changes::default(), was.owner),
            (_, Outcome::Sealed) => {
                self.before_seal.insert(node.clone(), before);
            }
            _ => {}
        }
        outcome
    }

    fn change(&mut self, node: &NodeId, changes: Changes, owner: Option<Ownership>) {
        let expect = self.revision(node);
        self.memory.request(node, &StoreRequest::Commit { expect, changes, owner });
    }
}

impl Subject for Store {
    type Process = NodeId;

    fn start(&mut self, node: &NodeId) -> NodeId {
        node.clone()
    }

    fn run(&mut self, node: &mut NodeId, mut request: StoreRequest) -> Outcome {
        let now_at = self.revision(node);
        let record = self.memory.record(node).cloned().unwrap_or_default();
        match (self.wrong, &mut request) {
            (Wrong::IgnoresExpect, StoreRequest::Commit { expect, .. }) => *expect = now_at,
            (Wrong::FencesNothing, StoreRequest::Load { .. }) => {
                return self.seen.entry(node.clone()).or_default().request(node, &request);
            }
            (Wrong::DoesHalf, StoreRequest::Commit { expect, changes, owner }) if *expect != now_at => {
                let (rows, dropped_hints) = (Vec::new(), Vec::new());
                *changes = Changes { rows, dropped_hints, ..changes.clone() };
                (*expect, *owner) = (now_at, record.owner);
                self.memory.request(node, &request);
                return Outcome::Conflict;
            }
            (Wrong::KeepsOwner, StoreRequest::Commit { owner, .. }) if owner.is_none() => {
                *owner = record.owner;
            }
            (Wrong::ListsOneself, StoreRequest::Nodes) => return Outcome::Nodes(vec![node.clone()]),
            (wrong, StoreRequest::Commit { expect, changes, .. }) => {
                let sealed_at = self.before_seal.remove(node);
                match wrong {
                    Wrong::SealKeepsRevision if sealed_at == Some(*expect) => *expect = now_at,
                    Wrong::NeverLifts => changes.lifts_seal = false,
                    Wrong::AlwaysLifts => changes.lifts_seal = true,
                    _ => {}
                }
            }
            (_, StoreRequest::Seal { node, from, rows }) => return self.seal(node, from.take(), rows),
            _ => {}
        }
        let outcome = self.memory.request(node, &request);
        match (self.wrong, outcome) {
            (Wrong::FencesNothing, Outcome::Committed { revision }) => {
                self.seen.insert(node.clone(), self.memory.clone());
                Outcome::Committed { revision }
            }
            (Wrong::ForgetsHintsOnLoad, Outcome::Loaded(Some(mut record))) => {
                record.hints.clear();
                Outcome::Loaded(Some(record))
            }
            (Wrong::LoadsNoSeal, Outcome::Loaded(Some(mut record))) => {
                record.seal = None;
                Outcome::Loaded(Some(record))
            }
            (Wrong::CountsNoSeals, Outcome::Opened { record: Some(mut record), revision }) => {
                record.seal.iter_mut().for_each(|seal| seal.number = 1);
                Outcome::Opened { record: Some(record), revision }
            }
            (Wrong::LowersRows, Outcome::Opened { record: Some(mut record), revision }) => {
                for row in record.rows.values_mut() {
                    let Tally { up, down } = Tally::stated(row);
                    *row = Tally { up, down: down.min(up / 4) }.row(row.actor().clone());
                }
                Outcome::Opened { record: Some(record), revision }
            }
            (_, outcome) => outcome,
        }
    }
}

fn failure(wrong: Wrong) -> Option<String> {
    check(|| Store::new(wrong)).err().as_ref().map(Failure::to_string)
}

#[test]
fn the_reference_store_conforms() {
    assert_eq!(failure(Wrong::Nothing), None);
}

#[test]
fn a_wrong_store_is_told_what_is_wrong_in_a_plain_sentence() {
    for (wrong, sentence) in [
        (
            Wrong::IgnoresExpect,
            "A commit must be a conflict if the record is not at the revision that it expects. Here the outcome was \
             \"committed\".",
        ),
        (
            Wrong::FencesNothing,
            "A load behind a fence must bring what was committed before the fence. Here the record's rows were others.",
        ),
        (
            Wrong::ForgetsHintsOnLoad,
            "After a commit a load must bring all that `Record::apply` makes of the changes. Here the \
             record's hints were others.",
        ),
        (
            Wrong::DoesHalf,
            "A commit that ends in a conflict must change nothing. Here the record's hints were others.",
        ),
        (
            Wrong::LowersRows,
            "After a commit an open must bring all that `Record::apply` makes of the changes. Here the record's rows \
             were others.",
        ),
        (
            Wrong::ListsOneself,
            "The nodes that are listed must be all that have a record. Here n0 was missing.",
        ),
        (
            Wrong::KeepsOwner,
            "After a commit an open must bring all that `Record::apply` makes of the changes. Here the \
             record's owner was another.",
        ),
    ] {
        assert_eq!(failure(wrong).as_deref(), Some(sentence), "{wrong:?}");
    }
}

#[test]
fn a_store_that_seals_wrongly_is_told_so_in_a_plain_sentence() {
    for (wrong, sentence) in [
        (
            Wrong::SealsAnything,
            "A seal must be a conflict if the record is not the expected one. Here the outcome was \"sealed\".",
        ),
        (
            Wrong::SealDropsHints,
            "After a seal an open must bring all that `Record::seal` makes of the record. Here the record's hints were \
             others.",
        ),
        (
            Wrong::SealLeavesOwner,
            "After a seal an open must bring all that `Record::seal` makes of the record. Here the record's owner was \
             another.",
        ),
        (
            Wrong::SealForgetsRows,
            "After a seal an open must bring all that `Record::seal` makes of the record. Here the record's rows were \
             others.",
        ),
        (
            Wrong::SealKeepsRevision,
            "A commit must be a conflict if the record is not at the revision that it expects. Here the outcome was \
             \"committed\".",
        ),
        (
            Wrong::CountsEachSeal,
            "After a seal an open must bring all that `Record::seal` makes of the record. Here the record's seal was \
             another.",
        ),
        (
            Wrong::CountsNoSeals,
            "After a seal an open must bring all that `Record::seal` makes of the record. Here the record's seal was \
             another.",
        ),
        (
            Wrong::LoadsNoSeal,
            "After a seal a load must bring all that `Record::seal` makes of the record. Here the record's seal was \
             another.",
        ),
        (
            Wrong::NeverLifts,
            "A commit that lifts the seal must leave its number, and say that it is lifted. Here the record's seal was \
             another.",
        ),
        (
            Wrong::AlwaysLifts,
            "A commit that does not lift the seal must leave it. Here the record's seal was another.",
        ),
    ] {
        assert_eq!(failure(wrong).as_deref(), Some(sentence), "{wrong:?}");
    }
}

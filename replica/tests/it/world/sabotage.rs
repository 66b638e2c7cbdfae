//! Bugs to plant: a wrong store, or a replica whose inputs or effects are tampered with.

mod rows;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;
use replica::store::{Outcome, StoreRequest};
use replica::{Claim, Effect, Frame, Input, Inquiry, Refusal, Reply, Request, RowDelta, Until};

use super::ledger::{Ledger, name};
use super::past::Past;
use super::process::Process;
use super::records::Records;
use super::storage::Asked;
use rows::{RowBug, smaller};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sabotage {
    #[default]
    Nothing,
    /// An add is acknowledged when it is asked.
    AcknowledgesAtOnce,
    /// A commit is done at whichever revision the record is.
    CommitsAnyway,
    /// A commit that takes over a free replica is done for everybody who asks, whichever record it was asked about.
    FreesReplicaForAll,
    /// A process starts with the seed of the one before.
    ReusesReplica,
    /// Now and then a frame is confirmed, and not merged.
    ConfirmsUnmerged,
    /// Hints don't get into the record.
    LosesHints,
    /// Peers are told of every count that it is stored.
    ClaimsStored,
    /// Now and then an answer is given twice.
    AnswersTwice,
    /// Now and then an answer is not given.
    AnswersNever,
    /// Now and then an add is counted, and the client is told that it is not.
    RefusesCounted,
    /// Now and then a commit is said to be done, and is not.
    CommitsNothing,
    /// No record of another node can be read: so a restarted process does not know what it had shown.
    LoadsNothing,
    /// Now and then an add reaches the replica twice.
    CountsTwice,
    /// Confirmations are lost, so nobody ever knows what its peers hold.
    NeverConfirms,
    /// Hints are dropped as soon as the process commits again.
    DropsHints,
    /// A process that would inherit is told at once that nobody holds any of it, and asks nobody.
    InheritsUnasked,
    /// A process is told of no record of a node that is not on its list.
    SkipsUnlisted,
    /// A seal leaves out the rows that it is to add: so whoever holds them as hints drops them too early.
    SealsWithoutRows,
    /// A process whose node is forgotten never finds the seal.
    HidesSeal,
    /// Counts of nodes that are not on its list don't reach a process in frames.
    DropsUnlistedRows,
    /// A part of a row is merged alone.
    MergesPart,
    /// After a commit that was not done, or may not have been, the next one has no notes.
    DropsNotes,
    /// The notes of a commit are stored with the next one.
    StoresNotesLater,
    /// A change tells the value without what is not shown yet.
    TellsShown,
    /// An import is acknowledged when it is asked.
    AcknowledgesImportAtOnce,
    /// An import replaces what is held, also by less.
    ImportsOver,
    /// Whoever waits for versions is told at once that they are there.
    IgnoresVersions,
    /// A question what a peer shows is answered at once, as if it showed nothing new.
    SurveysNobody,
    /// A peer that has the changes but the last is said to have all.
    HeldButOne,
    /// Now and then a process tells its peers wrong rows.
    TellsPeers(RowBug),
    /// Now and then a process tells the store wrong rows.
    TellsStore(RowBug),
}

impl Sabotage {
    const OTHERS: [Self; 29] = [
        Self::AcknowledgesAtOnce,
        Self::CommitsAnyway,
        Self::FreesReplicaForAll,
        Self::ReusesReplica,
        Self::ConfirmsUnmerged,
        Self::LosesHints,
        Self::ClaimsStored,
        Self::AnswersTwice,
        Self::AnswersNever,
        Self::RefusesCounted,
        Self::CommitsNothing,
        Self::LoadsNothing,
        Self::CountsTwice,
        Self::NeverConfirms,
        Self::DropsHints,
        Self::InheritsUnasked,
        Self::SkipsUnlisted,
        Self::SealsWithoutRows,
        Self::HidesSeal,
        Self::DropsUnlistedRows,
        Self::MergesPart,
        Self::DropsNotes,
        Self::StoresNotesLater,
        Self::TellsShown,
        Self::AcknowledgesImportAtOnce,
        Self::ImportsOver,
        Self::IgnoresVersions,
        Self::SurveysNobody,
        Self::HeldButOne,
    ];

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let stored = RowBug::ALL.into_iter().filter(|bug| bug.harms_store()).map(Self::TellsStore);
        Self::OTHERS.into_iter().chain(RowBug::ALL.map(Self::TellsPeers)).chain(stored)
    }

    /// The store does what it is asked to, or something else.
    pub(crate) fn perform(self, records: &mut Records, asked: &Asked, now: Duration) -> Outcome {
        if self == Self::Nothing {
            return records.request(asked.node, &asked.what, now);
        }
        let (node, mut request) = (asked.node, asked.what.clone());
        let Outcome::Opened { revision, record } = records.request(node, &StoreRequest::Open, now) else {
            panic!("the reference store opens every record");
        };
        match (self, &mut request) {
            (Self::CommitsAnyway, StoreRequest::Commit { expect, .. }) => *expect = revision,
            (Self::FreesReplicaForAll, StoreRequest::Commit { expect, changes, owner: Some(owner) })
                if !owner.is_free && changes.rows.is_empty() =>
            {
                *expect = revision;
            }
            (Self::LosesHints, StoreRequest::Commit { changes, .. }) => changes.hints.clear(),
            (Self::SealsWithoutRows, StoreRequest::Seal { rows, .. }) => rows.clear(),
            (Self::DropsHints, StoreRequest::Commit { changes, .. }) => {
                changes.dropped_hints =
                    record.into_iter().flat_map(|record| record.hints.into_keys()).collect();
            }
            (Self::CommitsNothing, StoreRequest::Commit { expect, .. })
                if *expect == revision && revision.0 % 5 == 4 =>
            {
                return Outcome::Committed { revision };
            }
            (Self::StoresNotesLater, StoreRequest::Commit { changes, .. }) => {
                changes.notes = records.put_off(node, std::mem::take(&mut changes.notes));
            }
            (Self::LoadsNothing, StoreRequest::Load { .. }) => return Outcome::Loaded(None),
            (Self::HidesSeal, StoreRequest::Load { node }) if *node == name(asked.node) => {
                return Outcome::Loaded(None);
            }
            _ => {}
        }
        records.request(node, &request, now)
    }

    /// What a process is given in the place of this.
    pub(crate) fn inputs(self, input: Input, process: &Process, rng: &mut SmallRng) -> Vec<Input> {
        match (self, input) {
            (Self::ConfirmsUnmerged, Input::Peer { from, frame }) if rng.random_bool(0.2) => {
                vec![Input::Peer { from, frame: Frame { claim: Claim::default(), ..frame } }]
            }
            (Self::NeverConfirms, Input::Peer { from, frame }) => {
                vec![Input::Peer { from, frame: Frame { answers: None, confirms: None, ..frame } }]
            }
            (Self::CountsTwice, Input::Client { ticket, answer_by, request }) if rng.random_bool(0.05) => {
                let again = Input::Client { ticket, answer_by, request: request.clone() };
                vec![Input::Client { ticket, answer_by, request }, again]
            }
            (Self::SkipsUnlisted, Input::Store { token, outcome: Outcome::Nodes(mut names) }) => {
                names.retain(|name| process.roster.contains(name));
                vec![Input::Store { token, outcome: Outcome::Nodes(names) }]
            }
            (
                Self::HidesSeal,
                Input::Store { token, outcome: Outcome::Opened { record: Some(mut record), revision } },
            ) if process.is_ending => {
                record.seal = None;
                vec![Input::Store { token, outcome: Outcome::Opened { record: Some(record), revision } }]
            }
            (Self::DropsUnlistedRows, Input::Peer { from, mut frame }) => {
                frame.claim.rows.retain(|row| process.roster.contains(row.actor().node()));
                vec![Input::Peer { from, frame }]
            }
            (Self::MergesPart, Input::Peer { from, mut frame }) => {
                let part = frame.claim.part.take();
                frame.claim.rows.extend(part.map(|part| part.delta().clone()));
                vec![Input::Peer { from, frame }]
            }
            (Self::IgnoresVersions, Input::Client { ticket, answer_by, request: Request::Await(until) }) => {
                let until = match until {
                    Until::Covers(_) => Until::Covers(BTreeMap::new()),
                    Until::AtLeast(..) | Until::AllTold | Until::Held { .. } => until,
                };
                vec![Input::Client { ticket, answer_by, request: Request::Await(until) }]
            }
            (
                Self::HeldButOne,
                Input::Client { ticket, answer_by, request: Request::Await(Until::Held { peers, number }) },
            ) => {
                let until = Until::Held { peers, number: number.saturating_sub(1) };
                vec![Input::Client { ticket, answer_by, request: Request::Await(until) }]
            }
            (Self::ImportsOver, Input::Import { ticket, answer_by, rows }) => {
                let rows = rows.iter().map(|row| smaller(row, process)).collect();
                vec![Input::Import { ticket, answer_by, rows }]
            }
            (_, input) => vec![input],
        }
    }

    /// What is done in the place of this.
    pub(crate) fn effects(
        self,
        effect: Effect,
        (process, past, ledger): (&Process, &Past, &Ledger),
        rng: &mut SmallRng,
    ) -> Vec<Effect> {
        match (self, effect) {
            (Self::AnswersTwice, Effect::Reply { ticket, result }) if rng.random_bool(0.05) => {
                vec![Effect::Reply { ticket, result: result.clone() }, Effect::Reply { ticket, result }]
            }
            (Self::AnswersNever, Effect::Reply { .. }) if rng.random_bool(0.05) => Vec::new(),
            (Self::RefusesCounted, Effect::Reply { ticket, result: Ok(Reply::Counted) })
                if rng.random_bool(0.05) =>
            {
                vec![Effect::Reply { ticket, result: Err(Refusal::StoreSilent) }]
            }
            (Self::TellsShown, Effect::Reply { ticket, result: Ok(Reply::Value(value)) }) => {
                let shown = ledger.tells_of(ticket).map(|counter| process.replica.state().value(counter));
                vec![Effect::Reply { ticket, result: Ok(Reply::Value(shown.unwrap_or(value))) }]
            }
            (
                Self::DropsNotes,
                Effect::Store { token, request: StoreRequest::Commit { expect, mut changes, owner } },
            ) if process.failures > 0 => {
                changes.notes.clear();
                let request = StoreRequest::Commit { expect, changes, owner };
                vec![Effect::Store { token, request }]
            }
            (Self::ClaimsStored, Effect::Send { peer, mut frame }) => {
                frame.claim.unstored.clear();
                vec![Effect::Send { peer, frame }]
            }
            (Self::TellsPeers(bug), Effect::Send { peer, mut frame }) if rng.random_bool(0.3) => {
                frame.claim.rows.iter_mut().for_each(|row| *row = bug.apply(row, process, past));
                vec![Effect::Send { peer, frame }]
            }
            (
                Self::TellsStore(bug),
                Effect::Store { token, request: StoreRequest::Commit { expect, mut changes, owner } },
            ) if rng.random_bool(0.3) => {
                changes.rows.iter_mut().for_each(|row| *row = bug.apply(row, process, past));
                let request = StoreRequest::Commit { expect, changes, owner };
                vec![Effect::Store { token, request }]
            }
            (_, effect) => vec![effect],
        }
    }

    /// A question that was asked of a process of this incarnation, and an answer that nobody has given.
    pub(crate) fn forges_answer(self, frame: &Frame, of: replica::Incarnation) -> Option<Frame> {
        let says = match (self, &frame.inquiry) {
            (Self::InheritsUnasked, Some(Inquiry::Asks(replica, _))) => {
                Inquiry::Holds(RowDelta::new(replica.clone(), 0, 0))
            }
            (Self::SurveysNobody, Some(Inquiry::Surveys(_))) => Inquiry::Shows(BTreeMap::new()),
            _ => return None,
        };
        Some(Frame { answers: frame.id, inquiry: Some(says), ..Frame::new(of, Claim::default()) })
    }
}

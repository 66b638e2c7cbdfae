//! Bugs, planted in a replica's inputs and effects, or in the world around it.

use std::collections::{BTreeMap, BTreeSet};

use replica::store::{Outcome, Ownership, StoreRequest, Token};
use replica::{
    Change, Claim, Effect, Frame, FrameId, Incarnation, Input, Inquiry, NodeId, Refusal, ReplicaId, Reply,
    Request, Rows, Tally, Ticket,
};

use crate::distortion::{Unshown, distort_heard, distort_told, unshown};
use crate::message::{Id, name, number};
use crate::setup::Setup;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A process draws the same incarnation as the one before.
    IncarnationReused,
    /// A process's frames and requests have the ids and tokens of the process before.
    IdsReused,
    /// The store commits whatever the revision is.
    NoCondition,
    /// The store says of a conflict that the commit was done.
    ConflictIsDone,
    /// After a fence, or a commit, a load may still show any state.
    FenceSkipped,
    /// A load that was not done is taken for one that has found no record.
    FailedLoadIsEmpty,
    /// A process that opens no record at first takes it that there is nothing to recover.
    FirstOpenBelieved,
    /// An open says that a replica is free although another process has it.
    FreeTwice,
    /// Every commit says that the replica is free, though this process goes on counting.
    FreeTooSoon,
    /// A peer counts as knowing what it was merely sent.
    KnownWhenSent,
    /// A process that was stopped says that it has heard everything.
    HeardAtOnce,
    /// An add is counted twice.
    CountedTwice,
    /// What may have been done is said not to have been.
    IndefiniteRefused,
    /// A client is told twice.
    AnsweredTwice,
    /// A client is never told.
    NeverAnswered,
    /// A conflict brings the process down.
    Panics,
    /// Nobody is asked about a replica that is free: the question is answered by the process itself.
    InheritsUnasked,
    /// The store does not list the nodes that are not on a process's list.
    StrangersUnlisted,
    /// A process that has not recovered says what it holds of a replica.
    AnswersTooSoon,
    /// A replica is taken over from whatever the record is by then.
    TakesOverNewer,
    /// A process takes what an earlier process says for what the one says that has asked it about a replica.
    NotWary,
    /// A seal leaves out the rows that it is to add. So hints of them are dropped too early.
    SealsWithoutRows,
    /// A delta is merged although there is a gap before it.
    GapIgnored,
    /// A row is told with a higher version than it has.
    VersionAhead,
    /// One row for shown and unshown: a counter that is counted again is left out of what is told.
    OneRow,
    /// The same: a counter that is counted again is told as it is now, under the version that is shown.
    ShownTooSoon,
    /// A reset is an add of what is to be subtracted.
    ResetIsAnAdd,
    /// Each reset tells its client what the first one has subtracted.
    ResetToldTwice,
    /// The baseline of a reset is not told.
    BaselineDropped,
    /// Of several counters with the same number one is told.
    BatchInPart,
}

/// Stands between a replica and the world, and spoils what passes.
#[derive(Debug, Clone)]
pub(crate) struct Saboteur {
    bug: Option<Bug>,
    own: ReplicaId,
    incarnation: Incarnation,
    /// The list of nodes that the process has begun with.
    list: Vec<u8>,
    /// The incarnation last heard of each peer.
    heard: BTreeMap<NodeId, Incarnation>,
    /// The last question of each peer.
    asked: BTreeMap<NodeId, (Incarnation, Option<FrameId>, ReplicaId)>,
    /// The loads that are under way.
    loads: BTreeSet<Token>,
    /// Whether the first open has found no record.
    found_nothing: Option<bool>,
    /// What the last commit has of the own row.
    unshown: Unshown,
    /// What the first reset has subtracted.
    subtracted: Option<i128>,
}

impl Saboteur {
    pub(crate) fn new(id: Id, setup: &Setup) -> Self {
        let incarnation = format!("{:08x}", setup.generator(id).incarnation).parse().expect("eight digits");
        let own = ReplicaId::new(&name(id.node), incarnation);
        let (heard, asked) = (BTreeMap::new(), BTreeMap::new());
        let (loads, found_nothing) = (BTreeSet::new(), None);
        let (unshown, subtracted, bug, list) = (Unshown::new(), None, setup.bug, setup.list(id));
        Self { bug, own, incarnation, list, heard, asked, loads, found_nothing, unshown, subtracted }
    }

    /// Whether a process that was stopped says that it has heard everything.
    pub(crate) fn hears_at_once(&self) -> bool {
        self.bug == Some(Bug::HeardAtOnce)
    }

    /// The inputs that reach the replica in place of this one.
    pub(crate) fn hear(&mut self, mut input: Input, state: &Rows) -> Vec<Input> {
        match (self.bug, &mut input) {
            (Some(Bug::KnownWhenSent | Bug::InheritsUnasked), Input::Peer { from, frame }) => {
                self.heard.insert(from.clone(), frame.incarnation);
            }
            (Some(Bug::AnswersTooSoon | Bug::NotWary), Input::Peer { from, frame }) => {
                if let Some(Inquiry::Asks(replica, _)) = &frame.inquiry {
                    self.asked.insert(from.clone(), (frame.incarnation, frame.id, replica.clone()));
                }
                let asker = self.asked.get(from).filter(|_| self.bug == Some(Bug::NotWary));
                frame.incarnation = asker.map_or(frame.incarnation, |(incarnation, ..)| *incarnation);
            }
            (Some(Bug::StrangersUnlisted), Input::Store { outcome: Outcome::Nodes(nodes), .. }) => {
                nodes.retain(|node| self.list.contains(&number(node)));
            }
            (Some(Bug::CountedTwice), Input::Client { answer_by, request: Request::Change(change), .. }) => {
                let request = Request::Change(change.clone());
                let unasked = Input::Client { ticket: Ticket(u64::MAX), answer_by: *answer_by, request };
                return vec![input, unasked];
            }
            (Some(bug @ Bug::GapIgnored), Input::Peer { frame, .. }) => {
                distort_heard(bug, &mut frame.claim.rows);
            }
            (Some(Bug::ResetIsAnAdd), Input::Client { request: Request::Change(change), .. }) => {
                if let Change::Reset(counter) = &*change {
                    let value = i64::try_from(state.value(counter)).expect("few adds");
                    *change = Change::Add(counter.clone(), -value);
                }
            }
            (Some(Bug::FailedLoadIsEmpty), Input::Store { token, outcome })
                if self.loads.remove(token) && *outcome == Outcome::NotDone =>
            {
                *outcome = Outcome::Loaded(None);
            }
            (Some(Bug::FirstOpenBelieved), Input::Store { outcome: Outcome::Opened { record, .. }, .. }) => {
                self.found_nothing.get_or_insert(record.is_none());
            }
            (Some(Bug::Panics), Input::Store { outcome: Outcome::Conflict, .. }) => panic!("as planted"),
            _ => {}
        }
        vec![input]
    }

    /// The effects that reach the world in place of this one, and an input that the replica hears at once.
    pub(crate) fn say(&mut self, mut effect: Effect, state: &Rows) -> (Vec<Effect>, Option<Input>) {
        let mut heard = None;
        match (self.bug, &mut effect) {
            (Some(Bug::FreeTooSoon), Effect::Store { request: StoreRequest::Commit { owner, .. }, .. }) => {
                let (replica, incarnation) = (self.own.clone(), self.incarnation);
                *owner = Some(Ownership { replica, incarnation, is_free: true });
            }
            (Some(Bug::FailedLoadIsEmpty), Effect::Store { token, request: StoreRequest::Load { .. } }) => {
                self.loads.insert(*token);
            }
            (Some(Bug::FirstOpenBelieved), Effect::Store { token, request })
                if self.found_nothing == Some(true) =>
            {
                if let Some(outcome) = nothing(request) {
                    return (Vec::new(), Some(Input::Store { token: *token, outcome }));
                }
            }
            (Some(Bug::KnownWhenSent), Effect::Send { peer, frame }) => {
                heard = self.confirmation(peer, frame);
            }
            (
                Some(Bug::InheritsUnasked),
                Effect::Send { peer, frame: Frame { id, inquiry: Some(Inquiry::Asks(replica, _)), .. } },
            ) => {
                let inquiry = Some(Inquiry::Holds(Tally::default().row(replica.clone())));
                let incarnation = self.heard.get(peer).copied().unwrap_or(self.incarnation);
                let frame = Frame { answers: *id, inquiry, ..Frame::new(incarnation, Claim::default()) };
                return (Vec::new(), Some(Input::Peer { from: peer.clone(), frame }));
            }
            (Some(Bug::AnswersTooSoon), Effect::Send { peer, frame }) => {
                if let Some((_, asked, replica)) = self.asked.get(peer)
                    && frame.answers.is_some()
                    && frame.answers == *asked
                {
                    frame.inquiry = Some(Inquiry::Holds(Tally::of(state, replica).row(replica.clone())));
                }
            }
            (
                Some(Bug::OneRow | Bug::ShownTooSoon),
                Effect::Store { request: StoreRequest::Commit { changes, .. }, .. },
            ) => self.unshown = unshown(&changes.rows, &self.own),
            (
                Some(
                    bug @ (Bug::VersionAhead
                    | Bug::OneRow
                    | Bug::ShownTooSoon
                    | Bug::BaselineDropped
                    | Bug::BatchInPart),
                ),
                Effect::Send { frame, .. },
            ) => {
                let own = frame.claim.rows.iter_mut().find(|row| *row.actor() == self.own);
                distort_told(bug, own.map(std::slice::from_mut).unwrap_or_default(), &self.unshown);
            }
            (Some(Bug::ResetToldTwice), Effect::Reply { result: Ok(Reply::Reset(value)), .. }) => {
                *value = *self.subtracted.get_or_insert(*value);
            }
            (Some(Bug::SealsWithoutRows), Effect::Store { request: StoreRequest::Seal { rows, .. }, .. }) => {
                rows.clear();
            }
            (Some(Bug::IndefiniteRefused), Effect::Reply { result: Err(refusal), .. }) => {
                *refusal = Refusal::ShuttingDown;
            }
            (Some(Bug::AnsweredTwice), Effect::Reply { .. }) => return (vec![effect.clone(), effect], None),
            (Some(Bug::NeverAnswered), Effect::Reply { .. }) => return (Vec::new(), None),
            _ => {}
        }
        (vec![effect], heard)
    }

    fn confirmation(&self, peer: &NodeId, frame: &Frame) -> Option<Input> {
        let incarnation = *self.heard.get(peer)?;
        let frame = Frame { answers: frame.id, ..Frame::new(incarnation, Claim::default()) };
        frame.answers.map(|_| Input::Peer { from: peer.clone(), frame })
    }
}

/// What a store without records says to a process that recovers.
fn nothing(request: &StoreRequest) -> Option<Outcome> {
    match request {
        StoreRequest::Fence => Some(Outcome::Fenced),
        StoreRequest::Load { .. } => Some(Outcome::Loaded(None)),
        StoreRequest::Nodes => Some(Outcome::Nodes(Vec::new())),
        StoreRequest::Open | StoreRequest::Commit { .. } | StoreRequest::Seal { .. } => None,
    }
}

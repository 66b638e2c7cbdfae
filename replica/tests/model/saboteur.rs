//! Bugs, planted in a replica's inputs and effects, or in the world around it.

use std::collections::BTreeMap;

use replica::store::{Outcome, Ownership, StoreRequest};
use replica::{Claim, Effect, Frame, Incarnation, Input, NodeId, Refusal, ReplicaId, Request, Ticket};

use crate::message::{Id, name};
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
    /// A node is sealed although the forgetter has not stored the hints in its record.
    HintsNotStored,
}

/// Stands between a replica and the world, and spoils what passes.
#[derive(Debug, Clone)]
pub(crate) struct Saboteur {
    bug: Option<Bug>,
    own: ReplicaId,
    incarnation: Incarnation,
    /// The incarnation last heard of each peer.
    heard: BTreeMap<NodeId, Incarnation>,
}

impl Saboteur {
    pub(crate) fn new(id: Id, setup: &Setup) -> Self {
        let incarnation = format!("{:08x}", setup.generator(id).incarnation).parse().expect("eight digits");
        let own = ReplicaId::new(&name(id.node), incarnation);
        Self { bug: setup.bug, own, incarnation, heard: BTreeMap::new() }
    }

    /// Whether a process that was stopped says that it has heard everything.
    pub(crate) fn hears_at_once(&self) -> bool {
        self.bug == Some(Bug::HeardAtOnce)
    }

    /// The inputs that reach the replica in place of this one.
    pub(crate) fn hear(&mut self, input: Input) -> Vec<Input> {
        match (self.bug, &input) {
            (Some(Bug::KnownWhenSent), Input::Peer { from, frame }) => {
                self.heard.insert(from.clone(), frame.incarnation);
            }
            (Some(Bug::CountedTwice), Input::Client { answer_by, request: Request::Add(delta), .. }) => {
                let request = Request::Add(*delta);
                let unasked = Input::Client { ticket: Ticket(u64::MAX), answer_by: *answer_by, request };
                return vec![input, unasked];
            }
            (Some(Bug::Panics), Input::Store { outcome: Outcome::Conflict, .. }) => panic!("as planted"),
            _ => {}
        }
        vec![input]
    }

    /// The effects that reach the world in place of this one, and an input that the replica hears at once.
    pub(crate) fn say(&self, mut effect: Effect) -> (Vec<Effect>, Option<Input>) {
        let mut heard = None;
        match (self.bug, &mut effect) {
            (Some(Bug::FreeTooSoon), Effect::Store { request: StoreRequest::Commit { owner, .. }, .. }) => {
                let (replica, incarnation) = (self.own.clone(), self.incarnation);
                *owner = Some(Ownership { replica, incarnation, is_free: true });
            }
            (Some(Bug::KnownWhenSent), Effect::Send { peer, frame }) => {
                heard = self.confirmation(peer, frame);
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

//! Frames: the messages between replicas.

use std::collections::BTreeSet;

use crate::identity::{Incarnation, ReplicaId};
use crate::tally::Vector;

/// Names one frame among those of its sender. Each incarnation starts at a random number, so that it does not mistake a
/// late confirmation of an earlier incarnation's frame for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub i64);

/// A message from one replica to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The sender's incarnation.
    pub incarnation: Incarnation,
    /// Set if the sender wants this frame confirmed.
    pub id: Option<FrameId>,
    /// The receiver's frame that this frame answers and confirms.
    pub answers: Option<FrameId>,
    /// Another frame of the receiver that this frame confirms: one that was itself an answer.
    pub confirms: Option<FrameId>,
    /// The counts that the sender holds and, as far as it knows, the receiver lacks.
    pub claim: Claim,
}

/// The counts that a frame or a record states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// The count of each replica.
    pub counts: Vector,
    /// The replicas among them whose count is not known to be stored.
    pub unstored: BTreeSet<ReplicaId>,
}

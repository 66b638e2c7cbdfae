//! What replicas tell each other.

use std::collections::BTreeSet;

use crate::identity::{Incarnation, ReplicaId};
use crate::tally::Vector;

/// Names one frame among those of its sender. It starts at random in each incarnation: a late confirmation of an earlier
/// process's frame must not be read as one of this process's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub i64);

/// A message from one replica to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The sender's process.
    pub incarnation: Incarnation,
    /// Set if the sender wants this frame confirmed.
    pub id: Option<FrameId>,
    /// This frame answers that one of the receiver's, and confirms it.
    pub answers: Option<FrameId>,
    /// The sender has merged that frame of the receiver's too, which was itself an answer.
    pub confirms: Option<FrameId>,
    /// What the sender holds and, as far as it knows, the receiver does not.
    pub claim: Claim,
}

/// Counts, as somebody tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// How much each replica has counted.
    pub counts: Vector,
    /// The replicas among them whose count is not known to be in the record of its node.
    pub unstored: BTreeSet<ReplicaId>,
}

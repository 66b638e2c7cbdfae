//! Frames: the messages between replicas.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::{Incarnation, ReplicaId};
use crate::tally::{Part, RowDelta};

/// Names one frame among those of its sender. Each incarnation starts at a random number, so that it does not mistake a
/// late confirmation of an earlier incarnation's frame for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub i64);

/// A message from one replica to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The sender's incarnation.
    pub incarnation: Incarnation,
    /// Set if the sender wants this frame confirmed.
    pub id: Option<FrameId>,
    /// The receiver's frame that this frame answers and confirms.
    pub answers: Option<FrameId>,
    /// Another frame of the receiver that this frame confirms: one that was itself an answer.
    pub confirms: Option<FrameId>,
    /// What the sender holds and, as far as it knows, the receiver lacks.
    pub claim: Claim,
    /// A question, or its answer.
    pub inquiry: Option<Inquiry>,
    /// The replicas in the confirmed frames whose counts the sender refused, because it has no room for more replicas.
    pub refused: BTreeSet<ReplicaId>,
    /// The sender left out what the frame that it answers says of the receiver's own replicas. It does not know yet whether the
    /// process that sent that frame still runs. Confirm this frame, and tell those counts again.
    pub doubts: bool,
}

impl Frame {
    /// A frame that only states counts.
    ///
    /// ```
    /// use replica::{Claim, Frame};
    ///
    /// let frame = Frame::new("9f3a17c2".parse()?, Claim::default());
    /// assert!(frame.id.is_none() && frame.claim.rows.is_empty());
    /// # Ok::<(), replica::NoIdentity>(())
    /// ```
    pub const fn new(incarnation: Incarnation, claim: Claim) -> Self {
        let (id, answers, confirms, inquiry) = (None, None, None, None);
        Self { incarnation, id, answers, confirms, claim, inquiry, refused: BTreeSet::new(), doubts: false }
    }
}

/// A question to a peer, or its answer. The frame of an answer [answers](Frame::answers) the one that asked.
///
/// A process that wants to go on under a replica of its predecessor asks every node first what it holds of it. Later it asks what
/// others show, so that a read can wait for that. Only a process that has recovered answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// How much of this replica does the receiver hold? The sender has its row up to this version.
    Asks(ReplicaId, u64),
    /// Its row up to the version of this delta, which has what the asker lacks. But if that is more than
    /// [`MOST_TOLD`](crate::MOST_TOLD) items, it has none, and the asker hears of them by and by.
    Holds(RowDelta),
    /// Which versions does the receiver show? The sender counts under this replica.
    Surveys(ReplicaId),
    /// The versions of the rows that the asker may not have, and of the replica that it counts under.
    Shows(BTreeMap<ReplicaId, u64>),
}

/// The rows that a frame or a record states.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claim {
    /// What each replica has counted. A delta that begins where it ends says only that its sender has that version.
    pub rows: Vec<RowDelta>,
    /// A part of a row that is too long for one frame. Not in records.
    pub part: Option<Box<Part>>,
    /// The replicas among them whose row is not known to be stored.
    pub unstored: BTreeSet<ReplicaId>,
}

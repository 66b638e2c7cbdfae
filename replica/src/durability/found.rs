//! What is found in the store, to be merged and shown.

use std::collections::BTreeSet;

use crate::frame::Claim;
use crate::identity::{NodeId, ReplicaId};
use crate::store::Seal;
use crate::tally::RowDelta;

/// What was found in the store.
pub(crate) enum Found {
    Record(ReadRecord),
    /// The store has this of the own row, so it may be shown.
    Stored(RowDelta),
    /// The names of all nodes that the store lists.
    Names(BTreeSet<NodeId>),
    /// This node was forgotten: it must end.
    Forgotten,
}

/// A record that was read, to be merged.
pub(crate) struct ReadRecord {
    pub node: NodeId,
    pub claim: Box<Claim>,
    pub seal: Option<Seal>,
    /// A free replica in it that this process may go on under: every node is to be asked about it.
    pub free: Option<ReplicaId>,
    /// If the node is known to be forgotten, the record was asked for after that.
    pub is_fresh: bool,
}

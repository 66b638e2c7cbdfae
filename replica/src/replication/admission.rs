//! Admission: the check that each claim passes before it is merged.
//!
//! Peers may crash, but they are trusted in what they say of others. Of this process's replica nobody is trusted beyond what
//! it has counted. And of a peer's own replicas a frame is trusted only if its sender may still run. A late frame of a
//! process that is dead can hold counts that the store, which went back, does not know any more. A successor that goes on
//! under the same replica has asked every node and counts on from less. So such a frame must not be merged after that.

use std::collections::BTreeSet;
use std::fmt;

use tracing::error;

use crate::config::{MAX_COUNTERS, MAX_REPLICAS};
use crate::frame::Claim;
use crate::identity::{NodeId, ReplicaId};
use crate::own::Own;
use crate::tally::{RowDelta, Rows, has_room_for};

/// The source of a claim.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    Store,
    /// A frame of a process of this node.
    Peer(&'a NodeId),
    /// The same, and the process may have died long ago.
    PerhapsDead(&'a NodeId),
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store => f.write_str("the store"),
            Self::Peer(node) | Self::PerhapsDead(node) => write!(f, "{node}"),
        }
    }
}

/// The admitted part of a claim.
pub(super) struct Admitted {
    pub claim: Claim,
    /// Whether rows were left out that the sender must tell again, once it is known to run.
    pub doubts: bool,
    /// The rows that were left out because there is no room for more replicas or counters.
    pub refused: BTreeSet<ReplicaId>,
}

/// Admits the plausible rows of a claim. If there is no room for all of its new replicas, admits the first ones.
pub(super) fn admit(mut claim: Claim, from: Source<'_>, own: &Own, held: &Rows) -> Admitted {
    let mut refused = BTreeSet::new();
    let (mut doubts, mut new) = (false, 0);
    claim.rows.retain(|row| {
        if !is_plausible(row, from, own, held) {
            return false;
        }
        if is_late(row, from, held) {
            doubts = true;
            return false;
        }
        if !has_room_for(held, row, new) {
            refused.insert(row.actor().clone());
            return false;
        }
        new += usize::from(held.version(row.actor()) == 0);
        true
    });
    if !refused.is_empty() {
        error!(
            %from, most_replicas = MAX_REPLICAS, most_counters = MAX_COUNTERS,
            "rows that are not known here are refused: there are too many"
        );
    }
    Admitted { claim, doubts, refused }
}

/// Whether a row can be true. This process's own can't, if it has more than was counted.
fn is_plausible(row: &RowDelta, from: Source<'_>, own: &Own, held: &Rows) -> bool {
    let (replica, claimed, counted) = (own.replica(), row.upto(), own.number());
    let is_plausible = row.actor() != replica || own.admits(row, held);
    if !is_plausible {
        error!(%from, %replica, %claimed, %counted, "ignored: it claims more of this process than that has counted");
    }
    is_plausible
}

/// Whether a process that may be dead says more of its own node than what is `held`.
fn is_late(row: &RowDelta, from: Source<'_>, held: &Rows) -> bool {
    let Source::PerhapsDead(node) = from else { return false };
    row.actor().node() == node.as_str() && row.upto() > held.version(row.actor())
}

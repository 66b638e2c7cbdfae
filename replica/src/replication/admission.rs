//! Admission: the check that each claim passes before it is merged.
//!
//! Peers may crash, but they are trusted in what they say of others. Of this process's replica nobody is trusted beyond what
//! it has counted. And of a peer's own replicas a frame is trusted only if its sender may still run. A late frame of a
//! process that is dead can hold counts that the store, which went back, does not know any more. A successor that goes on
//! under the same replica has asked every node and counts on from less. So such a frame must not be merged after that.

use std::collections::BTreeSet;
use std::fmt;

use tracing::error;

use crate::config::MAX_REPLICAS;
use crate::frame::Claim;
use crate::identity::{NodeId, ReplicaId};
use crate::own::Own;
use crate::tally::{Tally, Vector, filtered, has_room_for};

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
    /// The rows that were left out because there is no room for more replicas.
    pub refused: BTreeSet<ReplicaId>,
}

/// Admits the plausible part of a claim. If there is no room for all of its new replicas, admits the first ones.
pub(super) fn admit(claim: Claim, from: Source<'_>, own: &Own, held: &Vector) -> Admitted {
    let claim = plausible(claim, from, own);
    let (claim, doubts) = without_late_counts(claim, from, held);
    if has_room_for(held, &claim.counts) {
        return Admitted { claim, doubts, refused: BTreeSet::new() };
    }
    error!(%from, most = MAX_REPLICAS, "replicas that are not known here are refused: there are too many");
    let room = MAX_REPLICAS.saturating_sub(held.len());
    let new = claim.counts.keys().filter(|replica| !held.contains(*replica));
    let refused: BTreeSet<ReplicaId> = new.skip(room).cloned().collect();
    let counts = filtered(&claim.counts, |replica| !refused.contains(replica));
    Admitted { claim: Claim { counts, ..claim }, doubts, refused }
}

/// The plausible part of a claim. It leaves out this process's replica, if the claim has more than was counted.
fn plausible(claim: Claim, from: Source<'_>, own: &Own) -> Claim {
    let claimed = Tally::of(&claim.counts, own.replica());
    if own.admits(claimed) {
        return claim;
    }
    let (replica, counted) = (own.replica(), own.counted());
    error!(%from, %replica, %claimed, %counted, "ignored: it claims more of this process than that has counted");
    Claim { counts: filtered(&claim.counts, |replica| replica != own.replica()), ..claim }
}

/// The claim without what a process that may be dead says of its own node beyond what is `held`. True if there was such.
fn without_late_counts(claim: Claim, from: Source<'_>, held: &Vector) -> (Claim, bool) {
    let Source::PerhapsDead(node) = from else { return (claim, false) };
    let is_held = |replica: &ReplicaId| Tally::of(&claim.counts, replica).is_within(Tally::of(held, replica));
    let is_in_time = |replica: &ReplicaId| replica.node() != node.as_str() || is_held(replica);
    if claim.counts.keys().all(is_in_time) {
        return (claim, false);
    }
    let counts = filtered(&claim.counts, is_in_time);
    (Claim { counts, ..claim }, true)
}

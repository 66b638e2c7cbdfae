//! Admission: the check that each claim passes before it is merged.

use std::fmt::Display;

use tracing::{error, warn};

use crate::config::MAX_REPLICAS;
use crate::frame::Claim;
use crate::identity::ReplicaId;
use crate::own::Own;
use crate::tally::{Tally, Vector, filtered, has_room_for};

/// The admitted part of a claim.
pub(super) struct Admitted {
    pub claim: Claim,
    /// Whether rows were left out because there is no room. Then the sender must not count them as known.
    pub is_cut: bool,
}

/// Admits the plausible part of a claim. If there is no room for all of it, admits only known replicas.
pub(super) fn admit(
    claim: Claim,
    from: impl Display + Copy,
    own: &Own,
    (held, is_member): (&Vector, impl Fn(&str) -> bool),
) -> Admitted {
    let claim = plausible(claim, from, own, is_member);
    if has_room_for(held, &claim.counts) {
        return Admitted { claim, is_cut: false };
    }
    error!(%from, most = MAX_REPLICAS, "replicas that are not known here are refused: there are too many");
    let counts = filtered(&claim.counts, |replica| held.contains(replica));
    Admitted { claim: Claim { counts, ..claim }, is_cut: true }
}

/// The plausible part of a claim. It leaves out this process's replica, if the claim has more than was counted, and nodes
/// that are not in the cluster.
fn plausible(claim: Claim, from: impl Display, own: &Own, is_member: impl Fn(&str) -> bool) -> Claim {
    let claimed = Tally::of(&claim.counts, own.replica());
    let own_is_true = own.admits(claimed);
    if !own_is_true {
        let (replica, counted) = (own.replica(), own.counted());
        error!(%from, %replica, %claimed, %counted, "ignored: it claims more of this process than that has counted");
    }
    let stranger = claim.counts.keys().find(|replica| !is_member(replica.node()));
    if let Some(replica) = stranger {
        let node = replica.node();
        warn!(%from, node, %replica, "ignored: counts of a node that is not on this node's list");
    }
    if own_is_true && stranger.is_none() {
        return claim;
    }
    let is_plausible =
        |replica: &ReplicaId| is_member(replica.node()) && (own_is_true || replica != own.replica());
    Claim { counts: filtered(&claim.counts, is_plausible), ..claim }
}

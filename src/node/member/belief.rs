//! What a member believes of what others say.

use tracing::{error, warn};

use super::Member;
use crate::config::MAX_REPLICAS;
use crate::message::Claim;
use crate::replica::Replica;
use crate::vector::{Tally, filtered, has_room_for, knows, replicas};

/// What is taken in of what others claim.
pub(super) struct Taken {
    pub claim: Claim,
    /// Something was left out for want of room: whoever sent it must not believe that it is held here.
    pub refused: bool,
}

impl Member {
    /// What of the others' claims is taken in: what is plausible and, if there is no room for all of it, known here.
    pub(super) fn take(&self, claim: Claim, from: &str) -> Taken {
        let claim = self.plausible(claim, from);
        let held = self.state.counts();
        if has_room_for(held, &claim.counts) {
            return Taken { claim, refused: false };
        }
        error!(from, most = MAX_REPLICAS, "replicas that are not known here are refused: there are too many");
        let counts = filtered(&claim.counts, |replica| knows(held, replica));
        Taken { claim: Claim { counts, ..claim }, refused: true }
    }

    /// What of the others' claims can be believed: of this process's replica no more than it has counted, and nothing
    /// of nodes that are not in the cluster.
    pub(super) fn plausible(&self, claim: Claim, from: &str) -> Claim {
        let is_member = |node: &str| node == &*self.name || self.peers.name(node).is_some();
        let claimed = Tally::of(&claim.counts, self.own.replica());
        let own_is_true = self.own.admits(claimed);
        if !own_is_true {
            let (replica, counted) = (self.own.replica(), self.own.counted());
            error!(from, %replica, %claimed, %counted, "ignored: it claims more of this process than that has counted");
        }
        let stranger = replicas(&claim.counts).find(|replica| !is_member(replica.node()));
        if let Some(replica) = stranger {
            let node = replica.node();
            warn!(from, node, %replica, "ignored: counts of a node that is not on this node's list");
        }
        if own_is_true && stranger.is_none() {
            return claim;
        }
        let is_plausible =
            |replica: &Replica| is_member(replica.node()) && (own_is_true || replica != self.own.replica());
        Claim { counts: filtered(&claim.counts, is_plausible), ..claim }
    }
}

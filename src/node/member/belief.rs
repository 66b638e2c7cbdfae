//! What a member believes of what others say.

use tracing::error;

use super::Member;
use crate::config::MAX_REPLICAS;
use crate::replica::Replica;
use crate::vector::{Tally, Vector, filtered, has_room_for, knows, replicas};

/// What is taken in of what others claim.
pub(super) struct Taken {
    pub counts: Vector,
    /// Something was left out for want of room: whoever sent it must not believe that it is held here.
    pub refused: bool,
}

impl Member {
    /// What of the others' claims is taken in: what is plausible and, if there is no room for all of it, known here.
    pub(super) fn take(&self, counts: Vector, from: &str) -> Taken {
        let counts = self.plausible(counts, from);
        if has_room_for(&self.state, &counts) {
            return Taken { counts, refused: false };
        }
        error!(from, most = MAX_REPLICAS, "replicas that are not known here are refused: there are too many");
        Taken { counts: filtered(&counts, |replica| knows(&self.state, replica)), refused: true }
    }

    /// What of the others' claims can be believed: of this process's replica no more than it has counted, and nothing
    /// of nodes that are not in the cluster.
    pub(super) fn plausible(&self, counts: Vector, from: &str) -> Vector {
        let is_member = |node: &str| node == &*self.name || self.peers.name(node).is_some();
        let claimed = Tally::of(&counts, self.own.replica());
        let own_is_true = self.own.admits(claimed);
        let is_plausible =
            |replica: &Replica| is_member(replica.node()) && (own_is_true || replica != self.own.replica());
        if let Some(replica) = replicas(&counts).find(|replica| !is_plausible(replica)) {
            let counted = self.own.counted();
            error!(from, %replica, ?claimed, ?counted, "a claim that can't be true is ignored");
            return filtered(&counts, is_plausible);
        }
        counts
    }
}

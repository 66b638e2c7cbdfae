//! The other nodes of the cluster, as this one knows them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::Version;
use replica::{NodeId, PeerStatus, Replica};

/// What this node knows of another node of its cluster: see [`Counters::peers`](crate::Counters::peers).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The name of the other node.
    pub node: String,
    /// How long ago it was last heard. `None`: not since the start.
    pub heard: Option<Duration>,
    /// How many changes of this node's replica it is not known to have. It may have them.
    pub lacks: u64,
    /// How old the last answer of it is that is complete: all that it showed so long ago is shown here. `None`: there was none since the
    /// start. While it is reachable it is asked each second; with more than 16 peers less often.
    pub told: Option<Duration>,
    /// How many changes it is known to have that this node has not stored yet. They survive if this node dies now.
    pub keeps: u64,
}

/// What a node shows: see [`Counters::seen`](crate::Counters::seen).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The versions of it.
    pub version: Version,
    /// How old it may be: all that any node had acknowledged so long ago is in it. `None`: that is not known, for not every peer has
    /// told what it shows since this process began.
    pub complete: Option<Duration>,
}

/// When each node of the roster was heard last.
#[derive(Debug, Default)]
pub(crate) struct Heard(BTreeMap<NodeId, Option<Duration>>);

impl Heard {
    /// These nodes are the cluster.
    pub(crate) fn list(&mut self, roster: &BTreeSet<NodeId>) {
        let before = std::mem::take(&mut self.0);
        let heard = |node: &NodeId| before.get(node).copied().flatten();
        self.0 = roster.iter().map(|node| (node.clone(), heard(node))).collect();
    }

    /// A node was heard.
    pub(crate) fn hear(&mut self, from: &NodeId, now: Duration) {
        if let Some(heard) = self.0.get_mut(from) {
            *heard = Some(now);
        }
    }

    /// What is known of each peer.
    pub(crate) fn peers(&self, replica: &Replica, now: Duration) -> Vec<Peer> {
        let (counted, stored) = (replica.number(), replica.stored());
        let peers = replica.peers().into_iter().map(|PeerStatus { node, covers, told }| {
            let (heard, covers) = (self.0.get(&node).copied().flatten(), covers.unwrap_or_default());
            Peer {
                node: node.to_string(),
                heard: heard.map(|at| now.saturating_sub(at)),
                told: told.map(|at| now.saturating_sub(at)),
                lacks: counted.saturating_sub(covers),
                keeps: covers.saturating_sub(stored),
            }
        });
        peers.collect()
    }
}

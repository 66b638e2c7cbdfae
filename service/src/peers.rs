//! The other nodes of the cluster. A node alone has none.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use embedded::{Counters, Peer};

/// The way to the other nodes.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    #[cfg(feature = "nats")]
    joined: Option<cluster::Cluster>,
}

/// The cluster, as this node sees it at one moment.
#[derive(Debug, Default)]
pub struct Seen {
    /// The other nodes, by name.
    pub members: Vec<Member>,
    /// How long ago another process was heard that runs under the name of this node.
    pub namesake: Option<Duration>,
    /// How many changes would be lost if this node died now: neither the store nor any other node is known to have them.
    pub at_risk: u64,
}

/// Another node of the cluster.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub node: String,
    /// `alive`, `silent`, `left` or `forgotten`.
    pub state: &'static str,
    /// How long ago it was heard. `None`: not since the start.
    pub heard: Option<Duration>,
    /// How long it has been silent at least.
    pub silent: Duration,
    /// The versions of the format that it reads, if they are known.
    pub versions: Option<RangeInclusive<u8>>,
    /// Its site, if it is known and the cluster has sites.
    pub site: Option<String>,
    /// How many changes of this node it is not known to have. `None`: it is forgotten, and is told nothing.
    pub lag: Option<u64>,
}

impl Peers {
    /// The nodes of a cluster that was joined.
    #[cfg(feature = "nats")]
    pub fn of(joined: cluster::Cluster) -> Self {
        Self { joined: Some(joined) }
    }

    /// The cluster that was joined, if any was.
    #[cfg(feature = "nats")]
    pub fn joined(&self) -> Option<&cluster::Cluster> {
        self.joined.as_ref()
    }

    /// What this node sees of the cluster now.
    pub fn look(&self, counters: &Counters) -> Seen {
        let peers: BTreeMap<_, _> =
            counters.peers().into_iter().map(|peer| (peer.node.clone(), peer)).collect();
        let kept = peers.values().map(|peer| peer.keeps).max().unwrap_or_default();
        let at_risk = counters.status().unstored.saturating_sub(kept);
        Seen { at_risk, ..self.view(&peers) }
    }

    #[cfg(feature = "nats")]
    fn view(&self, peers: &BTreeMap<String, Peer>) -> Seen {
        let Some(joined) = &self.joined else { return Seen::default() };
        let age = joined.age();
        let cluster::View { members, namesake } = joined.view();
        let members = members.into_iter().map(|member| {
            let node = member.node.to_string();
            let lag = peers.get(&node).map(|peer| peer.lacks);
            let (state, heard) = (member.standing.as_str(), member.heard);
            let (versions, site) = (member.versions, member.site);
            Member { node, state, heard, silent: heard.unwrap_or(age), versions, site, lag }
        });
        Seen { members: members.collect(), namesake, at_risk: 0 }
    }

    #[cfg(not(feature = "nats"))]
    #[expect(clippy::unused_self, reason = "as the one that looks")]
    fn view(&self, _peers: &BTreeMap<String, Peer>) -> Seen {
        Seen::default()
    }

    /// Waits until the other nodes were told that this one ends, once the counters are closed.
    #[cfg(feature = "nats")]
    pub async fn ended(&self) {
        if let Some(joined) = &self.joined {
            joined.ended().await;
        }
    }

    /// There is nobody to tell.
    #[cfg(not(feature = "nats"))]
    #[expect(clippy::unused_async, reason = "as the one that waits")]
    pub async fn ended(&self) {}
}

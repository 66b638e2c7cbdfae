//! Links: the few peers that a node gossips with.
//!
//! A node that gossips with every peer pays for each of them. So it has *links* to three. What one node learns reaches all
//! others along the links, in a number of steps that grows with the logarithm of the number of nodes.
//!
//! # Three sides
//!
//! The nodes stand in a ring, in the order of a hash of their names. Two links of a node go to its neighbours there. The third
//! goes to its partner: in the order of another hash the first node and the second are a pair, then the third and the fourth,
//! and so on. A ring alone has long ways. With random pairs across it the ways are short.
//!
//! All nodes work out the same order. So two ends of a link agree on it without any message.
//!
//! # Silent peers
//!
//! A peer that leaves a frame unconfirmed for longer than the timeout is *skipped*: the link goes to the next one on that side.
//! So the nodes of each part of a partition form a ring of their own, and stay connected. After `k` skipped peers the next `k`
//! are tried at once. So a node finds the few that run among many that don't, in a number of timeouts that grows with the
//! logarithm. A skipped peer is tried again and again. Once it confirms, it is the link again.
//!
//! The node that has news is the one that looks for a way round. So a link needs no agreement: a peer that was not looking for
//! one answers, and that is enough.
//!
//! A small cluster has no sides: all nodes are linked.

use std::collections::BTreeSet;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::identity::NodeId;

/// With so many peers or fewer, all of them are links.
const MESH: usize = 4;

/// What is known of a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It has confirmed a frame, and no later one is overdue.
    Reachable,
    /// It was not tried yet, or has yet to confirm its first frame.
    Untried,
    /// It has left a frame unconfirmed for longer than the timeout.
    Silent,
}

/// The order in which a node prefers its peers on each of its sides.
#[derive(Debug, Clone, Default)]
pub(super) struct Sides(Vec<Vec<NodeId>>);

impl Sides {
    /// Sorts the peers of `me`. O(n log n).
    pub(super) fn new(me: &NodeId, peers: &BTreeSet<NodeId>) -> Self {
        if peers.len() <= MESH {
            return Self(peers.iter().map(|peer| vec![peer.clone()]).collect());
        }
        let after = around(me, peers);
        let before = after.iter().rev().cloned().collect();
        Self(vec![after, before, paired(me, peers)])
    }

    /// The peers to gossip with: the first reachable one on each side, the ones that are skipped before it, and the ones that
    /// are tried. Looks at no more peers than it returns.
    pub(super) fn links(&self, reach: impl Fn(&NodeId) -> Reach) -> BTreeSet<NodeId> {
        let mut links = BTreeSet::new();
        for side in &self.0 {
            let (mut skipped, mut tried) = (0_usize, 0_usize);
            for name in side {
                links.insert(name.clone());
                match reach(name) {
                    Reach::Reachable => break,
                    Reach::Silent => skipped += 1,
                    Reach::Untried => tried += 1,
                }
                if tried >= skipped.max(1) {
                    break;
                }
            }
        }
        links
    }
}

/// The peers in the order of the ring, beginning after `me`.
fn around(me: &NodeId, peers: &BTreeSet<NodeId>) -> Vec<NodeId> {
    let (mut nodes, mine) = ordered(me, peers, 0);
    nodes.rotate_left(mine);
    nodes.into_iter().skip(1).collect()
}

/// The peers in the order of the pairs: the one at place `p ^ 1` for a node at place `p`, then `p ^ 2`, `p ^ 3` and so on.
fn paired(me: &NodeId, peers: &BTreeSet<NodeId>) -> Vec<NodeId> {
    let (nodes, mine) = ordered(me, peers, 1);
    let mut nodes: Vec<_> = nodes.into_iter().enumerate().map(|(place, name)| (place ^ mine, name)).collect();
    nodes.sort_unstable();
    nodes.into_iter().skip(1).map(|(_, name)| name).collect()
}

/// All nodes in the order of a hash, and the place of `me` among them.
fn ordered(me: &NodeId, peers: &BTreeSet<NodeId>, key: u64) -> (Vec<NodeId>, usize) {
    let mut nodes: Vec<_> = peers.iter().chain([me]).cloned().collect();
    nodes.sort_by_cached_key(|name| (hash(name, key), name.clone()));
    let mine = nodes.iter().position(|name| name == me).unwrap_or(0);
    (nodes, mine)
}

/// A hash that is the same in every build: else the neighbours would not agree.
fn hash(name: &NodeId, key: u64) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(key, 0);
    hasher.write(name.as_str().as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn names(count: usize) -> BTreeSet<NodeId> {
        (0..count).map(|node| NodeId::from(format!("n{node}").as_str())).collect()
    }

    fn sides(nodes: &BTreeSet<NodeId>) -> BTreeMap<NodeId, Sides> {
        let others = |me: &NodeId| nodes.iter().filter(|name| *name != me).cloned().collect();
        nodes.iter().map(|me| (me.clone(), Sides::new(me, &others(me)))).collect()
    }

    /// The links of all nodes once they know who is silent, if the nodes of `cut` hear only each other, and so do the rest.
    fn settled(nodes: &BTreeSet<NodeId>, cut: &BTreeSet<NodeId>) -> BTreeMap<NodeId, BTreeSet<NodeId>> {
        let links_of = |(me, sides): (NodeId, Sides)| {
            let is_heard = |name: &NodeId| cut.contains(name) == cut.contains(&me);
            let reach = |name: &NodeId| if is_heard(name) { Reach::Reachable } else { Reach::Silent };
            let links = sides.links(reach).into_iter().filter(is_heard).collect();
            (me.clone(), links)
        };
        sides(nodes).into_iter().map(links_of).collect()
    }

    /// In how many steps news of a node reaches all that it can reach, and how many these are.
    fn spread(links: &BTreeMap<NodeId, BTreeSet<NodeId>>, from: &NodeId) -> (usize, usize) {
        let mut reached = BTreeSet::from([from.clone()]);
        let mut edge = vec![from.clone()];
        let mut steps = 0;
        while !edge.is_empty() {
            let next: BTreeSet<NodeId> = edge.iter().flat_map(|name| links[name].clone()).collect();
            edge = next.difference(&reached).cloned().collect();
            reached.extend(edge.iter().cloned());
            steps += usize::from(!edge.is_empty());
        }
        (steps, reached.len())
    }

    #[test]
    fn links_are_the_same_from_both_ends_and_few() {
        for count in [6, 7, 30, 1000] {
            let links = settled(&names(count), &BTreeSet::new());
            let one_sided = |(me, peers): (&NodeId, &BTreeSet<NodeId>)| {
                peers.iter().filter(|peer| !links[*peer].contains(me)).count()
            };
            // With an odd number of nodes one has no partner.
            assert!(links.iter().map(one_sided).sum::<usize>() <= count % 2, "{count} nodes");
            assert!(links.values().all(|peers| (2..=3).contains(&peers.len())), "{count} nodes");
        }
    }

    #[test]
    fn all_nodes_of_a_small_cluster_are_linked() {
        for count in 1..=MESH + 1 {
            assert!(settled(&names(count), &BTreeSet::new()).values().all(|links| links.len() == count - 1));
        }
    }

    /// GUARANTEES.md, promise 11, names these numbers.
    #[test]
    fn no_node_is_many_steps_away() {
        for (count, most) in [(9, 3), (25, 6), (100, 9), (1000, 13)] {
            let links = settled(&names(count), &BTreeSet::new());
            let farthest = links.keys().take(50).map(|from| {
                let (steps, reached) = spread(&links, from);
                assert_eq!(reached, count);
                steps
            });
            assert_eq!(farthest.max(), Some(most), "{count} nodes");
        }
    }

    #[test]
    fn each_part_of_a_partition_stays_connected() {
        let nodes = names(100);
        for size in 1..nodes.len() {
            let cut: BTreeSet<NodeId> =
                nodes.iter().skip(size * 37 % 100).chain(&nodes).take(size).cloned().collect();
            let links = settled(&nodes, &cut);
            for name in &nodes {
                let side = if cut.contains(name) { cut.len() } else { 100 - cut.len() };
                assert_eq!(spread(&links, name).1, side, "{name} in a partition of {size}");
            }
        }
    }

    #[test]
    fn among_many_silent_neighbours_the_search_widens_fast() {
        let nodes = names(1000);
        let me = nodes.first().unwrap();
        let sides = Sides::new(me, &nodes.iter().skip(1).cloned().collect());
        let mut silent = BTreeSet::new();
        for _ in 0..10 {
            let reach = |name: &NodeId| if silent.contains(name) { Reach::Silent } else { Reach::Untried };
            silent = sides.links(reach);
        }
        assert_eq!(silent.len(), 999);
    }
}

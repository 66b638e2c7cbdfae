//! The shapes of partitions: Jepsen's, and some more.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::network::Grudge;
use crate::seeds::Random;

/// A shape of network partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartitionKind {
    /// A single node alone.
    One,
    /// Fewer than a third of the nodes on one side.
    MinorityThird,
    /// Two halves.
    Majority,
    /// Every node hears a majority, and no two hear the same.
    MajoritiesRing,
    /// Two halves, of which one does not hear the other.
    OneWay,
    /// Two halves, and one node that both hear and that hears both.
    Bridge,
    /// Every node alone.
    Alone,
}

impl PartitionKind {
    const ALL: [Self; 7] = [
        Self::One,
        Self::MinorityThird,
        Self::Majority,
        Self::MajoritiesRing,
        Self::OneWay,
        Self::Bridge,
        Self::Alone,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::MinorityThird => "minority-third",
            Self::Majority => "majority",
            Self::MajoritiesRing => "majorities-ring",
            Self::OneWay => "one-way",
            Self::Bridge => "bridge",
            Self::Alone => "alone",
        }
    }

    /// The kinds that cut at least one link among so many nodes. (Jepsen draws the others too, and nothing happens.)
    pub(crate) fn effective(count: usize) -> Vec<Self> {
        let cuts = |kind: &Self| match kind {
            Self::One | Self::Majority | Self::OneWay | Self::Alone => count > 1,
            Self::MinorityThird => minority_third(count) > 0,
            Self::MajoritiesRing | Self::Bridge => count > 2,
        };
        Self::ALL.into_iter().filter(cuts).collect()
    }

    /// Draws the links that are cut.
    pub(crate) fn grudge(self, count: usize, random: &mut Random) -> Grudge {
        let mut nodes: Vec<usize> = (0..count).collect();
        match self {
            Self::One => {
                let loner = random.random_range(0..count);
                split(count, &[loner])
            }
            Self::MinorityThird => {
                nodes.shuffle(random);
                split(count, nodes.get(..minority_third(count)).unwrap_or_default())
            }
            Self::Majority => {
                nodes.shuffle(random);
                split(count, nodes.get(..count / 2).unwrap_or_default())
            }
            Self::MajoritiesRing if count <= 5 => {
                nodes.shuffle(random);
                perfect_ring(&nodes)
            }
            Self::MajoritiesRing => stochastic_ring(count, random),
            Self::OneWay => {
                nodes.shuffle(random);
                let (small, large) = nodes.split_at(count / 2);
                let (deaf, heard) = if random.random() { (small, large) } else { (large, small) };
                sorted(deaf).into_iter().map(|node| (node, sorted(heard))).collect()
            }
            Self::Bridge => {
                nodes.shuffle(random);
                bridge(&nodes)
            }
            Self::Alone => split_all(count),
        }
    }
}

/// The smallest number above half.
pub(crate) fn majority(count: usize) -> usize {
    count / 2 + 1
}

/// The largest number below a third.
pub(crate) fn minority_third(count: usize) -> usize {
    count.saturating_sub(1) / 3
}

/// Two sides that hear nothing of each other.
fn split(count: usize, side: &[usize]) -> Grudge {
    let (inside, outside): (Vec<_>, Vec<_>) = (0..count).partition(|node| side.contains(node));
    let deaf = |node: usize| if inside.contains(&node) { outside.clone() } else { inside.clone() };
    (0..count).map(|node| (node, deaf(node))).collect()
}

fn sorted(nodes: &[usize]) -> Vec<usize> {
    let mut nodes = nodes.to_vec();
    nodes.sort_unstable();
    nodes
}

/// Two halves. The first node of the larger one hears all nodes, and all hear it.
fn bridge(nodes: &[usize]) -> Grudge {
    let (small, large) = nodes.split_at(nodes.len() / 2);
    let Some((_, rest)) = large.split_first() else { return Grudge::new() };
    let one = small.iter().map(|node| (*node, sorted(rest)));
    let mut grudge: Grudge = one.chain(rest.iter().map(|node| (*node, sorted(small)))).collect();
    grudge.sort_unstable();
    grudge
}

fn split_all(count: usize) -> Grudge {
    (0..count).map(|node| (node, (0..count).filter(|other| *other != node).collect())).collect()
}

/// Windows of a majority's size along the ring. The node in the middle of each hears only that window.
fn perfect_ring(ring: &[usize]) -> Grudge {
    let size = majority(ring.len());
    let windows =
        (0..ring.len()).map(|start| ring.iter().copied().cycle().skip(start).take(size).collect::<Vec<_>>());
    let deaf = |window: Vec<usize>| {
        let others = ring.iter().copied().filter(|node| !window.contains(node)).collect();
        window.get(size / 2).map(|middle| (*middle, others))
    };
    let mut grudge: Grudge = windows.filter_map(deaf).collect();
    grudge.sort_unstable();
    grudge
}

/// Links the two least linked nodes, over and over, until every node hears a majority.
fn stochastic_ring(count: usize, random: &mut Random) -> Grudge {
    let mut hears: BTreeMap<usize, BTreeSet<usize>> = (0..count).map(|node| (node, [node].into())).collect();
    while let Some((a, b)) = least_linked(&hears, random) {
        hears.entry(a).or_default().insert(b);
        hears.entry(b).or_default().insert(a);
    }
    let deaf = |heard: &BTreeSet<usize>| (0..count).filter(|node| !heard.contains(node)).collect();
    hears.iter().map(|(node, heard)| (*node, deaf(heard))).collect()
}

/// The least linked node, and the least linked one that it does not hear yet. `None` once all hear a majority.
fn least_linked(hears: &BTreeMap<usize, BTreeSet<usize>>, random: &mut Random) -> Option<(usize, usize)> {
    let mut nodes: Vec<(usize, usize)> = hears.iter().map(|(node, heard)| (heard.len(), *node)).collect();
    nodes.shuffle(random);
    nodes.sort_by_key(|(degree, _)| *degree);
    let (degree, a) = *nodes.first()?;
    if degree >= majority(hears.len()) {
        return None;
    }
    let heard = hears.get(&a)?;
    nodes.iter().map(|(_, node)| *node).find(|node| !heard.contains(node)).map(|b| (a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;

    fn grudges(kind: PartitionKind, count: usize) -> Vec<BTreeMap<usize, Vec<usize>>> {
        let mut random = Seeds::new(4).generator();
        (0..50).map(|_| kind.grudge(count, &mut random).into_iter().collect()).collect()
    }

    #[test]
    fn one_node_alone() {
        for grudge in grudges(PartitionKind::One, 5) {
            let mut deaf: Vec<usize> = grudge.values().map(Vec::len).collect();
            deaf.sort_unstable();
            assert_eq!(deaf, [1, 1, 1, 1, 4]);
        }
    }

    #[test]
    fn halves_and_thirds() {
        for grudge in grudges(PartitionKind::Majority, 5) {
            let mut deaf: Vec<usize> = grudge.values().map(Vec::len).collect();
            deaf.sort_unstable();
            assert_eq!(deaf, [2, 2, 2, 3, 3]);
        }
        for grudge in grudges(PartitionKind::MinorityThird, 7) {
            let mut deaf: Vec<usize> = grudge.values().map(Vec::len).collect();
            deaf.sort_unstable();
            assert_eq!(deaf, [2, 2, 2, 2, 2, 5, 5]);
        }
        assert_eq!([1, 3, 4, 7].map(minority_third), [0, 0, 1, 2]);
        assert_eq!([1, 2, 3, 4, 5].map(majority), [1, 2, 2, 3, 3]);
    }

    #[test]
    fn in_a_ring_each_hears_its_own_majority() {
        for count in [3, 4, 5, 6, 7, 8, 25] {
            for grudge in grudges(PartitionKind::MajoritiesRing, count) {
                assert_eq!(grudge.len(), count);
                for (node, deaf) in grudge {
                    assert!(!deaf.contains(&node), "a node hears itself");
                    assert!(count - deaf.len() >= majority(count), "{count} nodes: deaf to {deaf:?}");
                }
            }
        }
    }

    #[test]
    fn one_way_cuts_are_one_way() {
        for grudge in grudges(PartitionKind::OneWay, 5) {
            for (node, deaf) in &grudge {
                assert!(deaf.iter().all(|other| !grudge.contains_key(other)), "{node} is deaf to {deaf:?}");
            }
        }
    }

    #[test]
    fn a_bridge_hears_and_is_heard_by_all() {
        for grudge in grudges(PartitionKind::Bridge, 5) {
            let is_bridge =
                |node: &usize| !grudge.contains_key(node) && grudge.values().all(|deaf| !deaf.contains(node));
            assert_eq!((0..5).filter(is_bridge).count(), 1, "{grudge:?}");
            assert_eq!(grudge.values().map(Vec::len).sum::<usize>(), 8);
        }
    }

    #[test]
    fn alone_is_deaf_to_all_others() {
        for grudge in grudges(PartitionKind::Alone, 4) {
            assert!(grudge.values().all(|deaf| deaf.len() == 3));
        }
    }

    #[test]
    fn kinds_that_would_cut_nothing_are_left_out() {
        assert!(PartitionKind::effective(1).is_empty());
        assert!(!PartitionKind::effective(3).contains(&PartitionKind::MinorityThird));
        assert_eq!(PartitionKind::effective(4), PartitionKind::ALL);
        for count in 2..9 {
            for kind in PartitionKind::effective(count) {
                for grudge in grudges(kind, count) {
                    assert!(grudge.values().any(|deaf| !deaf.is_empty()), "{kind:?} of {count}");
                }
            }
        }
    }
}

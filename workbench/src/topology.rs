//! The neighbours of nodes, for the broadcast workload.

use std::ops::Range;

use serde::Serialize;

use crate::json::Json;

/// The arrangement of the neighbours that the broadcast workload gives to the nodes. The names are Maelstrom's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// A grid as square as can be: at most four neighbours.
    #[default]
    Grid,
    /// All in a line: at most two neighbours.
    Line,
    /// All nodes are neighbours of each other.
    Total,
    /// A tree in which a node has two children.
    Tree,
    /// The same as `Tree`.
    Tree2,
    /// A tree in which a node has three children.
    Tree3,
    /// A tree in which a node has four children.
    Tree4,
}

impl Topology {
    /// The `topology` field for these nodes: the neighbours of each. A node without neighbours has no entry if Maelstrom
    /// gives it none.
    pub(crate) fn of(self, nodes: &Range<usize>) -> Json {
        let (first, count) = (nodes.start, nodes.len());
        let told = if self == Self::Line && count < 2 { 0 } else { count };
        let name = |node: usize| format!("n{}", first + node);
        Json::object((0..told).map(|node| {
            let names = self.neighbours(node, count).into_iter().map(|other| Json::string(&name(other)));
            (name(node), Json::list(&names.collect::<Vec<_>>()))
        }))
    }

    fn neighbours(self, node: usize, count: usize) -> Vec<usize> {
        match self {
            Self::Grid => grid(node, count),
            Self::Line => {
                let both = [node.checked_sub(1), Some(node + 1)];
                both.into_iter().flatten().filter(|other| *other < count).collect()
            }
            Self::Total => (0..count).filter(|other| *other != node).collect(),
            Self::Tree | Self::Tree2 => tree(2, node, count),
            Self::Tree3 => tree(3, node, count),
            Self::Tree4 => tree(4, node, count),
        }
    }
}

/// Below, above, right and left, in a grid as square as can be.
fn grid(node: usize, count: usize) -> Vec<usize> {
    let side = (1..=count).find(|side| side * side >= count).unwrap_or(1);
    let (row, column) = (node / side, node % side);
    let below = Some(node + side);
    let above = row.checked_sub(1).map(|row| row * side + column);
    let right = Some(node + 1).filter(|_| column + 1 < side);
    let left = column.checked_sub(1).map(|column| row * side + column);
    [below, above, right, left].into_iter().flatten().filter(|other| *other < count).collect()
}

/// The parent, then the children, in a tree that is filled from the top.
fn tree(branches: usize, node: usize, count: usize) -> Vec<usize> {
    let parent = node.checked_sub(1).map(|before| before / branches);
    let children = (1..=branches).map(|child| branches * node + child);
    parent.into_iter().chain(children).filter(|other| *other < count).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(topology: Topology, count: usize) -> serde_json::Value {
        serde_json::from_str(topology.of(&(0..count)).as_str()).unwrap()
    }

    #[test]
    fn a_grid_of_five_is_three_wide() {
        let expected = json!({
            "n0": ["n3", "n1"], "n1": ["n4", "n2", "n0"], "n2": ["n1"], "n3": ["n0", "n4"], "n4": ["n1", "n3"]
        });
        assert_eq!(told(Topology::Grid, 5), expected);
        assert_eq!(told(Topology::Grid, 1), json!({"n0": []}));
    }

    #[test]
    fn lines_totals_and_trees() {
        assert_eq!(told(Topology::Line, 3), json!({"n0": ["n1"], "n1": ["n0", "n2"], "n2": ["n1"]}));
        assert_eq!(told(Topology::Line, 1), json!({}));
        assert_eq!(
            told(Topology::Total, 3),
            json!({"n0": ["n1", "n2"], "n1": ["n0", "n2"], "n2": ["n0", "n1"]})
        );
        let tree = json!({"n0": ["n1", "n2"], "n1": ["n0", "n3"], "n2": ["n0"], "n3": ["n1"]});
        assert_eq!(told(Topology::Tree, 4), tree);
        assert_eq!(told(Topology::Tree2, 4), tree);
        assert_eq!(told(Topology::Tree3, 6)["n1"], json!(["n0", "n4", "n5"]));
        assert_eq!(told(Topology::Tree4, 6)["n0"], json!(["n1", "n2", "n3", "n4"]));
    }

    #[test]
    fn names_begin_with_the_first_node() {
        let told: serde_json::Value = serde_json::from_str(Topology::Line.of(&(7..9)).as_str()).unwrap();
        assert_eq!(told, json!({"n7": ["n8"], "n8": ["n7"]}));
    }

    #[test]
    fn neighbours_are_mutual_and_all_are_connected() {
        let all = [
            Topology::Grid,
            Topology::Line,
            Topology::Total,
            Topology::Tree,
            Topology::Tree2,
            Topology::Tree3,
            Topology::Tree4,
        ];
        for topology in all {
            for count in 2..30 {
                let mut reached = vec![0];
                for place in 0..count {
                    let Some(node) = reached.get(place).copied() else {
                        panic!("{topology:?} of {count} is torn")
                    };
                    for other in topology.neighbours(node, count) {
                        assert!(topology.neighbours(other, count).contains(&node), "{topology:?} of {count}");
                        if !reached.contains(&other) {
                            reached.push(other);
                        }
                    }
                }
            }
        }
    }
}

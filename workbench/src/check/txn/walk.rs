//! Shortest walks in the graph.
#![expect(clippy::indexing_slicing, reason = "spots are counted by the graph, and the marks have its length")]

use std::collections::VecDeque;

use super::components::Components;
use super::graph::{Graph, Kind, Rule};

/// Looks for shortest walks of one rule. A step through a junction costs one, as a step without it.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    graph: &'a Graph,
    rule: Rule,
    within: Option<&'a Components>,
    marks: Vec<Mark>,
    round: u32,
    /// How many edges were looked at in all walks.
    pub(super) spent: u64,
}

/// How the walk of some round came to a spot.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    round: u32,
    length: usize,
    from: usize,
    edge: usize,
}

/// A walk: the places of its edges, and how many transactions it leads to.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) edges: Vec<usize>,
    pub(super) length: usize,
}

impl<'a> Walker<'a> {
    /// With `within`, no walk leaves the component of its start.
    pub(super) fn new(graph: &'a Graph, rule: Rule, within: Option<&'a Components>) -> Self {
        let marks = vec![Mark::default(); rule.spots(graph)];
        Self { graph, rule, within, marks, round: 0, spent: 0 }
    }

    /// A shortest walk from a spot to a goal, of at most that length.
    pub(super) fn shortest(
        &mut self,
        start: usize,
        most: usize,
        is_goal: impl Fn(usize) -> bool,
    ) -> Option<Walk> {
        self.round += 1;
        self.marks[start] = Mark { round: self.round, length: 0, from: start, edge: 0 };
        let mut queue = VecDeque::from([(0, start)]);
        while let Some((length, spot)) = queue.pop_front() {
            if is_goal(spot) {
                return Some(Walk { edges: self.back(start, spot), length });
            }
            if self.marks[spot].length == length {
                self.spread(spot, most, &mut queue);
            }
        }
        None
    }

    fn spread(&mut self, spot: usize, most: usize, queue: &mut VecDeque<(usize, usize)>) {
        for (edge, to) in self.rule.next(self.graph, spot) {
            self.spent += 1;
            let is_onward = self.graph.edge(edge).is_some_and(|edge| edge.kind == Kind::Onward);
            let length = self.marks[spot].length + usize::from(!is_onward);
            let mark = self.marks[to];
            let is_shorter = mark.round != self.round || length < mark.length;
            let is_inside = self.within.is_none_or(|within| within.of(to) == within.of(spot));
            if length <= most && is_shorter && is_inside {
                self.marks[to] = Mark { round: self.round, length, from: spot, edge };
                if is_onward {
                    queue.push_front((length, to));
                } else {
                    queue.push_back((length, to));
                }
            }
        }
    }

    fn back(&self, start: usize, end: usize) -> Vec<usize> {
        let mut edges = Vec::new();
        let mut spot = end;
        while spot != start {
            let mark = self.marks[spot];
            edges.push(mark.edge);
            spot = mark.from;
        }
        edges.reverse();
        edges
    }
}

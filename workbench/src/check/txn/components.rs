//! Strongly connected components, after Tarjan, "Depth-first search and linear graph algorithms" (1972).
#![expect(
    clippy::indexing_slicing,
    reason = "spots are counted by the graph, and all tables have its length"
)]

use super::graph::{Graph, Rule};

/// The components of the spots that walks of one rule can reach from each other. Costs time and memory linear in the graph.
#[derive(Debug)]
pub(super) struct Components {
    of: Vec<usize>,
    /// All spots, component after component.
    members: Vec<usize>,
    starts: Vec<usize>,
}

impl Components {
    pub(super) fn new(graph: &Graph, rule: Rule) -> Self {
        let spots = rule.spots(graph);
        let mut search = Search {
            graph,
            rule,
            order: vec![0; spots],
            low: vec![0; spots],
            seen: 0,
            stack: Vec::new(),
            frames: Vec::new(),
            found: Self { of: vec![NONE; spots], members: Vec::with_capacity(spots), starts: vec![0] },
        };
        for spot in 0..spots {
            if search.order[spot] == 0 {
                search.visit(spot);
            }
        }
        search.found
    }

    /// The component of a spot. Edges lead to components with lower numbers, or stay inside.
    pub(super) fn of(&self, spot: usize) -> usize {
        self.of[spot]
    }

    /// Whether a walk can come back to the spot.
    pub(super) fn is_on_cycle(&self, spot: usize) -> bool {
        self.size(self.of(spot)) > 1
    }

    /// How many spots the component has.
    pub(super) fn size(&self, component: usize) -> usize {
        self.starts[component + 1] - self.starts[component]
    }

    /// All components, from the last reached to the first, each with its spots.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[usize]> {
        self.starts.windows(2).map(|pair| &self.members[pair[0]..pair[1]])
    }
}

const NONE: usize = usize::MAX;

/// Without recursion: `frames` is the path from the root to where the search stands.
struct Search<'a> {
    graph: &'a Graph,
    rule: Rule,
    /// When each spot was first seen, from 1. 0 if not yet.
    order: Vec<usize>,
    low: Vec<usize>,
    seen: usize,
    stack: Vec<usize>,
    /// Spots on the path. Each has the number of the next edge to look at.
    frames: Vec<(usize, usize)>,
    found: Components,
}

impl Search<'_> {
    fn visit(&mut self, root: usize) {
        self.enter(root);
        while let Some((spot, next)) = self.frames.last().copied() {
            let end = self.graph.out(spot / self.rule.states()).end;
            if next == end {
                self.leave(spot);
            } else if let Some(frame) = self.frames.last_mut() {
                frame.1 += 1;
                self.look(spot, next);
            }
        }
    }

    fn enter(&mut self, spot: usize) {
        self.seen += 1;
        self.order[spot] = self.seen;
        self.low[spot] = self.seen;
        self.stack.push(spot);
        self.frames.push((spot, self.graph.out(spot / self.rule.states()).start));
    }

    fn look(&mut self, spot: usize, place: usize) {
        let states = self.rule.states();
        let Some(edge) = self.graph.edge(place) else { return };
        let Some(state) = self.rule.step(edge.kind, spot % states) else { return };
        let to = edge.to * states + state;
        if self.order[to] == 0 {
            self.enter(to);
        } else if self.found.of[to] == NONE {
            self.low[spot] = self.low[spot].min(self.order[to]);
        }
    }

    fn leave(&mut self, spot: usize) {
        self.frames.pop();
        if let Some((parent, _)) = self.frames.last() {
            self.low[*parent] = self.low[*parent].min(self.low[spot]);
        }
        if self.low[spot] == self.order[spot] {
            self.close(spot);
        }
    }

    /// All that was entered since the spot, and has no component yet, makes one with it.
    fn close(&mut self, spot: usize) {
        let number = self.found.starts.len() - 1;
        while let Some(member) = self.stack.pop() {
            self.found.of[member] = number;
            self.found.members.push(member);
            if member == spot {
                break;
            }
        }
        self.found.starts.push(self.found.members.len());
    }
}

//! The graph of which transaction depends on which.
//!
//! Its nodes are the transactions and *junctions*. A junction stands for all pairs of two groups, so that the number of edges
//! stays linear. An edge into a junction says what kind of dependency it is. The edges out of it carry that on.

use super::history::Version;
use super::models::Cycle;

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The second one overwrote the first one's version.
    Ww,
    /// The second one read the first one's version.
    Wr,
    /// The second one overwrote a version that the first one read.
    Rw,
    /// The second one came later in the same process.
    Process,
    /// Goes on from a junction.
    Onward,
}

/// A dependency: `from` comes before `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: Kind,
    /// The version that `from` wrote or read. `None` is the initial one.
    pub(super) before: Option<Version>,
    /// The version that `to` wrote. `None` for reads.
    pub(super) after: Option<Version>,
    /// Whether it rests on an acknowledged write that no read shows.
    pub(super) is_unread: bool,
}

/// Edges in the order in which they are found.
#[derive(Debug)]
pub(super) struct Edges {
    nodes: usize,
    list: Vec<Edge>,
}

impl Edges {
    pub(super) fn new(transactions: usize) -> Self {
        Self { nodes: transactions, list: Vec::new() }
    }

    /// Adds an edge. No transaction depends on itself.
    pub(super) fn add(&mut self, edge: Edge) {
        if edge.from != edge.to {
            self.list.push(edge);
        }
    }

    /// Adds an edge from each of `first` to each of `then` but itself. `then` are transactions with the versions that they
    /// wrote. The number of new edges is linear.
    pub(super) fn fan(&mut self, first: &[Edge], then: &[(usize, Version)]) {
        if first.len().min(then.len()) <= 2 {
            for edge in first {
                let all = then.iter().map(|(to, after)| Edge { to: *to, after: Some(*after), ..*edge });
                all.for_each(|edge| self.add(edge));
            }
            return;
        }
        let mut then = then.to_vec();
        then.sort_unstable();
        then.dedup_by_key(|(to, _)| *to);
        let [up, down] = [self.nodes, self.nodes + then.len()];
        self.nodes += 2 * then.len();
        for (place, (to, after)) in then.iter().enumerate() {
            // From `up + n` on one reaches all from the nth on, from `down + n` on all up to the nth.
            let onward = Edge {
                from: up + place,
                to: *to,
                kind: Kind::Onward,
                before: None,
                after: Some(*after),
                is_unread: false,
            };
            self.list.extend([onward, Edge { from: down + place, ..onward }]);
            if place > 0 {
                self.list.push(Edge { from: up + place - 1, to: up + place, after: None, ..onward });
                self.list.push(Edge { from: down + place, to: down + place - 1, after: None, ..onward });
            }
        }
        for edge in first {
            match then.binary_search_by_key(&edge.from, |(to, _)| *to) {
                Err(_) => self.list.push(Edge { to: up, ..*edge }),
                Ok(place) => {
                    if place > 0 {
                        self.list.push(Edge { to: down + place - 1, ..*edge });
                    }
                    if place + 1 < then.len() {
                        self.list.push(Edge { to: up + place + 1, ..*edge });
                    }
                }
            }
        }
    }

    pub(super) fn has_unread(&self) -> bool {
        self.list.iter().any(|edge| edge.is_unread)
    }

    /// The graph of all edges, or of those alone that rest on what was read.
    pub(super) fn graph(&self, with_unread: bool) -> Graph {
        let mut edges: Vec<Edge> =
            self.list.iter().filter(|edge| with_unread || !edge.is_unread).copied().collect();
        edges.sort_by_key(|edge| edge.from);
        let mut starts = Vec::with_capacity(self.nodes + 1);
        for (place, edge) in edges.iter().enumerate() {
            while starts.len() <= edge.from {
                starts.push(place);
            }
        }
        starts.resize(self.nodes + 1, edges.len());
        Graph { edges, starts }
    }
}

/// Edges by the node where they begin.
#[derive(Debug)]
pub(super) struct Graph {
    edges: Vec<Edge>,
    starts: Vec<usize>,
}

impl Graph {
    pub(super) fn nodes(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(super) fn edge(&self, place: usize) -> Option<&Edge> {
        self.edges.get(place)
    }

    /// The places of the edges that begin at a node.
    pub(super) fn out(&self, node: usize) -> std::ops::Range<usize> {
        let start = |node: usize| self.starts.get(node).copied().unwrap_or(self.edges.len());
        start(node)..start(node + 1)
    }
}

/// Which edges a walk may use, one after the other. A walk is in state 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The mildest kind of cycle that the walk may end in.
    pub(super) cycle: Cycle,
    /// Whether it may use the order of processes.
    pub(super) process: bool,
    /// Whether it may use `rw` at all.
    pub(super) rw: bool,
}

impl Rule {
    pub(super) fn of(cycle: Cycle, process: bool) -> Self {
        Self { cycle, process, rw: true }
    }

    /// How many states there are.
    pub(super) fn states(self) -> usize {
        match self.cycle {
            Cycle::G0 | Cycle::G1c | Cycle::G2Item => 1,
            Cycle::GSingle | Cycle::GNonadjacent => 2,
        }
    }

    /// The state after an edge. `None` if the walk may not use it.
    pub(super) fn step(self, kind: Kind, state: usize) -> Option<usize> {
        match kind {
            Kind::Onward => Some(state),
            Kind::Ww => Some(self.after_other(state)),
            Kind::Process => self.process.then(|| self.after_other(state)),
            Kind::Wr => (self.cycle >= Cycle::G1c).then(|| self.after_other(state)),
            Kind::Rw if !self.rw => None,
            Kind::Rw => match self.cycle {
                Cycle::G0 | Cycle::G1c => None,
                Cycle::GSingle | Cycle::GNonadjacent => (state == 0).then_some(1),
                Cycle::G2Item => Some(0),
            },
        }
    }

    /// State 1 says that `rw` may not come: because there was one, or because the last edge was one.
    fn after_other(self, state: usize) -> usize {
        match self.cycle {
            Cycle::GSingle => state,
            Cycle::G0 | Cycle::G1c | Cycle::GNonadjacent | Cycle::G2Item => 0,
        }
    }

    /// The spots at which a walk can be: each is a node and a state.
    pub(super) fn spots(self, graph: &Graph) -> usize {
        graph.nodes() * self.states()
    }

    /// The edges that a walk may use from a spot, each with the spot behind it.
    pub(super) fn next(self, graph: &Graph, spot: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> {
        let (node, state) = (spot / self.states(), spot % self.states());
        graph.out(node).filter_map(move |place| {
            let edge = graph.edge(place)?;
            Some((place, edge.to * self.states() + self.step(edge.kind, state)?))
        })
    }
}

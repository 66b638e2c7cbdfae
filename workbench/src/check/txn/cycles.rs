//! Finds the shortest cycle of each kind.
//!
//! A history has a cycle of a kind if its graph has a component of more than one spot, under the rule of that kind. So the
//! verdict is exact, and linear. Only the search for the *shortest* cycle has a budget.
//!
//! The order in time needs no edges. A cycle that has several steps in time has a shorter one with a single step: if `a` ended
//! before `b` began and `c` before `d`, then `a` ended before `d` began, or `c` before `b`. So what remains is a transaction
//! that comes before another one by its data, and began after that one had ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::components::Components;
use super::graph::{Edges, Graph, Kind, Rule};
use super::links::{Dependency, Link, kind, links, tidy};
use super::models::{Cycle, Order};
use super::walk::{Walk, Walker};

/// Of each kind so many cycles are kept.
const KEPT: usize = 5;

/// In so many components the search looks for the shortest cycle.
const SEARCHED: usize = 64;

/// So many edges the search for the shortest cycles of a kind looks at. It finds one in any case.
const BUDGET: u64 = 4_000_000;

/// When transactions began, and when the committed ones ended.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) invoked: Vec<Duration>,
    /// `Duration::MAX` if it is not known to have ended.
    pub(super) ended: Vec<Duration>,
}

impl Times {
    /// Whether the first one ended before the second one began. Junctions have no times.
    fn is_before(&self, first: usize, second: usize) -> bool {
        self.invoked.get(second).is_some_and(|invoked| self.ended(first) < *invoked)
    }

    fn ended(&self, node: usize) -> Duration {
        self.ended.get(node).copied().unwrap_or(Duration::MAX)
    }
}

/// Cycles, and how many there are of each kind: components, or transactions at which one begins.
#[derive(Debug, Default)]
pub(super) struct Cycles {
    pub(super) examples: Vec<Vec<Link>>,
    pub(super) counts: BTreeMap<(Cycle, Order), u64>,
}

/// All kinds of cycles in the graph. Cycles that need acknowledged writes which no read shows come only where there is no
/// other of their kind.
pub(super) fn find_cycles(edges: &Edges, times: &Times) -> Cycles {
    let mut graph = edges.graph(true);
    if is_clean(&graph, times) {
        return Cycles::default();
    }
    if !edges.has_unread() {
        return Search::new(&graph, times).run();
    }
    let all = Search::new(&graph, times).run();
    graph = edges.graph(false);
    let mut cycles = Search::new(&graph, times).run();
    let more = all.examples.into_iter().filter(|links| !cycles.counts.contains_key(&kind(links)));
    cycles.examples.extend(more);
    for (kind, count) in all.counts {
        cycles.counts.entry(kind).or_insert(count);
    }
    cycles
}

/// Whether there is no cycle at all.
fn is_clean(graph: &Graph, times: &Times) -> bool {
    let is_tangled = |process| {
        let components = Components::new(graph, Rule::of(Cycle::G2Item, process));
        components.iter().any(|spots| spots.len() > 1)
    };
    !is_tangled(true) && late_starts(graph, Rule::of(Cycle::G2Item, false), times).is_empty()
}

/// The transactions from which a walk leads to one that ended before they began.
fn late_starts(graph: &Graph, rule: Rule, times: &Times) -> Vec<usize> {
    let components = Components::new(graph, rule);
    let mut earliest: Vec<Duration> = Vec::new();
    for spots in components.iter() {
        let own = spots.iter().map(|spot| times.ended(spot / rule.states()));
        let behind = spots.iter().flat_map(|spot| rule.next(graph, *spot));
        let behind = behind.filter_map(|(_, to)| earliest.get(components.of(to)).copied());
        earliest.push(own.chain(behind).min().unwrap_or(Duration::MAX));
    }
    let reached = |node: usize| earliest.get(components.of(node * rule.states())).copied();
    let begins = times.invoked.iter().enumerate();
    begins
        .filter(|(node, invoked)| reached(*node).is_some_and(|reached| reached < **invoked))
        .map(|(node, _)| node)
        .collect()
}

/// What to look for, the worst first.
const LEVELS: [Level; 5] = [
    Level { cycle: Cycle::G0, tangle: Cycle::G0, needs: Kind::Ww },
    Level { cycle: Cycle::G1c, tangle: Cycle::G1c, needs: Kind::Wr },
    Level { cycle: Cycle::GSingle, tangle: Cycle::GNonadjacent, needs: Kind::Rw },
    Level { cycle: Cycle::GNonadjacent, tangle: Cycle::GNonadjacent, needs: Kind::Rw },
    Level { cycle: Cycle::G2Item, tangle: Cycle::G2Item, needs: Kind::Rw },
];

#[derive(Clone, Copy, Debug)]
struct Level {
    cycle: Cycle,
    /// The rule whose components hold such cycles.
    tangle: Cycle,
    /// The edge that makes a cycle one of this kind.
    needs: Kind,
}

/// An edge that may be part of a cycle: its place, and the spots that it joins.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    component: usize,
    size: usize,
    edge: usize,
    from: usize,
    to: usize,
}

struct Search<'a> {
    graph: &'a Graph,
    times: &'a Times,
    found: Cycles,
    known: BTreeSet<Vec<(usize, Dependency)>>,
}

impl<'a> Search<'a> {
    fn new(graph: &'a Graph, times: &'a Times) -> Self {
        Self { graph, times, found: Cycles::default(), known: BTreeSet::new() }
    }

    fn run(mut self) -> Cycles {
        for process in [false, true] {
            for level in LEVELS {
                self.tangles(level, process);
            }
        }
        let mut explained = BTreeSet::new();
        for level in LEVELS {
            self.late(level, &mut explained);
        }
        self.found
    }

    /// Cycles by the data, and by the order of processes.
    fn tangles(&mut self, level: Level, process: bool) {
        let rule = Rule::of(level.tangle, process);
        let components = Components::new(self.graph, rule);
        let candidates = self.candidates(level, rule, &components);
        let groups: Vec<_> = candidates.chunk_by(|one, next| one.component == next.component).collect();
        let walks = Rule { rw: level.cycle != Cycle::GSingle, ..rule };
        let mut walker = Walker::new(self.graph, walks, Some(&components));
        let mut cycles: Vec<_> =
            groups.iter().take(SEARCHED).filter_map(|group| shortest(&mut walker, group)).collect();
        cycles.sort_by_key(|(_, walk)| walk.length);
        let order = if process { Order::Process } else { Order::Data };
        let cycles = cycles.into_iter().map(|(edge, walk)| {
            let places = std::iter::once(edge).chain(walk.edges);
            tidy(links(self.graph, places))
        });
        let cycles = cycles.filter(|links| kind(links).1 == order).take(KEPT).collect();
        self.keep(cycles, groups.len(), (level.cycle, order));
    }

    /// The edges that make a cycle one of this kind, those in small components first.
    fn candidates(&self, level: Level, rule: Rule, components: &Components) -> Vec<Candidate> {
        let mut found = Vec::new();
        for from in (0..rule.spots(self.graph)).filter(|spot| components.is_on_cycle(*spot)) {
            let component = components.of(from);
            let inside = rule.next(self.graph, from).filter(|(_, to)| components.of(*to) == component);
            let needed = inside
                .filter(|(place, _)| self.graph.edge(*place).is_some_and(|edge| edge.kind == level.needs));
            let size = components.size(component);
            found.extend(needed.map(|(edge, to)| Candidate { component, size, edge, from, to }));
        }
        found.sort_by_key(|candidate| (candidate.size, candidate.component));
        found
    }

    /// Cycles by the order in time. It leaves out transactions that are on a cycle without it, and those of worse kinds.
    fn late(&mut self, level: Level, explained: &mut BTreeSet<usize>) {
        let (rule, tangle) = (Rule::of(level.cycle, false), Rule::of(level.tangle, false));
        let components = Components::new(self.graph, tangle);
        let starts = late_starts(self.graph, rule, self.times).into_iter();
        let starts: Vec<usize> = starts
            .filter(|start| !components.is_on_cycle(start * tangle.states()) && explained.insert(*start))
            .collect();
        let mut walker = Walker::new(self.graph, rule, None);
        let mut best: Vec<(usize, Walk)> = Vec::new();
        for start in &starts {
            if walker.spent > BUDGET {
                break;
            }
            let most = best.first().map_or(usize::MAX, |(_, walk)| walk.length);
            let is_goal = |spot: usize| self.times.is_before(spot / rule.states(), *start);
            let Some(walk) = walker.shortest(start * rule.states(), most, is_goal) else { continue };
            if walk.length < most {
                best.clear();
            }
            if best.len() < KEPT {
                best.push((*start, walk));
            }
        }
        let cycles = best.into_iter().map(|(start, walk)| {
            let mut links = links(self.graph, walk.edges);
            let end = links.last().map_or(start, |link| link.to);
            links.push(Link::realtime(end, start));
            tidy(links)
        });
        let cycles = cycles.collect();
        self.keep(cycles, starts.len(), (level.cycle, Order::Realtime));
    }

    /// Keeps the cycles that are new. `count` is how many there are of the kind that was looked for.
    fn keep(&mut self, cycles: Vec<Vec<Link>>, count: usize, wanted: (Cycle, Order)) {
        for links in cycles {
            let mut name: Vec<_> = links.iter().map(|link| (link.from, link.dependency)).collect();
            name.sort_unstable();
            if self.known.insert(name) {
                let kind = kind(&links);
                let count = if kind == wanted { u64::try_from(count).unwrap_or(u64::MAX) } else { 1 };
                let counted = self.found.counts.entry(kind).or_default();
                *counted = count.max(*counted);
                self.found.examples.push(links);
            }
        }
    }
}

/// The shortest cycle through one of the candidates of a component: the candidate's edge, and the walk back.
fn shortest(walker: &mut Walker<'_>, group: &[Candidate]) -> Option<(usize, Walk)> {
    let mut best: Option<(usize, Walk)> = None;
    for (place, candidate) in group.iter().enumerate() {
        let most = match &best {
            Some((_, walk)) if walk.length <= 1 => break,
            Some((_, walk)) => walk.length - 1,
            None => usize::MAX,
        };
        if place > 0 && walker.spent > BUDGET {
            break;
        }
        if let Some(walk) = walker.shortest(candidate.to, most, |spot| spot == candidate.from) {
            best = Some((candidate.edge, walk));
        }
    }
    best
}

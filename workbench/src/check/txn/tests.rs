use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt;

use super::cycles::{Times, find_cycles};
use super::graph::{Edge, Edges, Kind, Rule};
use super::links::{Dependency, Link, kind, tidy};
use super::models::{Anomaly, Cycle, Model, Order};
use super::walk::Walker;
use crate::seeds::{Random, Seeds};

fn edge(from: usize, to: usize, kind: Kind) -> Edge {
    Edge { from, to, kind, before: None, after: None, is_unread: false }
}

#[test]
fn a_fan_joins_all_pairs_but_nobody_with_itself() {
    let mut random = Seeds::new(1).generator();
    let mut junctions = 0;
    for case in 0..500 {
        let draw = |random: &mut Random| {
            let most = random.random_range(0..9);
            let drawn: BTreeSet<usize> = (0..most).map(|_| random.random_range(0..12)).collect();
            drawn
        };
        let (first, then) = (draw(&mut random), draw(&mut random));
        let mut edges = Edges::new(12);
        let from: Vec<_> = first.iter().map(|from| edge(*from, *from, Kind::Rw)).collect();
        let to: Vec<_> = then.iter().map(|to| (*to, 100 + *to)).collect();
        edges.fan(&from, &to);
        let graph = edges.graph(true);
        junctions += graph.nodes() - 12;
        let mut joined = BTreeSet::new();
        for node in 0..12 {
            let mut open: Vec<Edge> =
                graph.out(node).filter_map(|place| graph.edge(place)).copied().collect();
            while let Some(step) = open.pop() {
                if step.to < 12 {
                    assert_eq!(step.after, Some(100 + step.to), "case {case}");
                    joined.insert((node, step.to));
                } else {
                    open.extend(graph.out(step.to).filter_map(|place| graph.edge(place)));
                }
            }
        }
        let pairs = first.iter().flat_map(|from| then.iter().map(move |to| (*from, *to)));
        let expected: BTreeSet<_> = pairs.filter(|(from, to)| from != to).collect();
        assert_eq!(joined, expected, "case {case}");
    }
    assert!(junctions > 1000, "junctions are hardly tested: {junctions}");
}

/// The kinds of all cycles that visit no transaction twice, with every order in time as a link.
fn naive(links: &[Link], nodes: usize) -> BTreeSet<(Cycle, Order)> {
    let mut kinds = BTreeSet::new();
    for start in 0..nodes {
        let mut open: Vec<Vec<Link>> =
            links.iter().filter(|link| link.from == start).map(|link| vec![*link]).collect();
        while let Some(path) = open.pop() {
            let end = path[path.len() - 1].to;
            if end == start {
                kinds.insert(kind(&path));
                continue;
            }
            // The least transaction is the start, so that each cycle comes once.
            let is_new = |link: &&Link| {
                link.from == end && link.to >= start && path.iter().all(|past| past.to != link.to)
            };
            open.extend(links.iter().filter(is_new).map(|link| [&path[..], &[*link]].concat()));
        }
    }
    kinds
}

/// Whether no cycle of these kinds breaks the model.
fn holds(kinds: &BTreeSet<(Cycle, Order)>, model: Model) -> bool {
    !kinds.iter().any(|(cycle, order)| model.forbids(Anomaly::Cycle(*cycle, *order)))
}

/// A few edges, and times for each transaction. There is no real-time order where there are processes: it contains theirs.
fn draw(random: &mut Random, nodes: usize) -> (Vec<Edge>, Times) {
    let with_time = random.random_bool(0.5);
    let kinds = [Kind::Ww, Kind::Wr, Kind::Rw, if with_time { Kind::Rw } else { Kind::Process }];
    let count = random.random_range(1..=nodes + 2);
    let edges = (0..count).map(|_| {
        let (from, to) = (random.random_range(0..nodes), random.random_range(0..nodes));
        edge(from, to, kinds[random.random_range(0..kinds.len())])
    });
    // Processes alone make no cycle.
    let is_possible = |edge: &Edge| edge.from < edge.to || edge.from > edge.to && edge.kind != Kind::Process;
    let edges = edges.filter(is_possible).collect();
    let at = |random: &mut Random| Duration::from_millis(random.random_range(0..20));
    let invoked: Vec<Duration> =
        (0..nodes).map(|_| if with_time { at(random) } else { Duration::ZERO }).collect();
    let ended = invoked.iter().map(|start| *start + at(random)).collect();
    (edges, Times { invoked, ended })
}

#[test]
fn cycles_are_found_as_the_naive_version_does() {
    let mut random = Seeds::new(2).generator();
    let mut seen = BTreeSet::new();
    for case in 0..20_000 {
        let nodes = random.random_range(2..=6);
        let (drawn, times) = draw(&mut random, nodes);
        let mut edges = Edges::new(nodes);
        for edge in &drawn {
            edges.add(*edge);
        }
        let found = find_cycles(&edges, &times);
        let found: BTreeSet<_> = found.examples.iter().map(|links| kind(links)).collect();

        let graph = edges.graph(true);
        let mut links = super::links::links(&graph, 0..drawn.len());
        for (first, ended) in times.ended.iter().enumerate() {
            let later = times.invoked.iter().enumerate().filter(|(_, invoked)| ended < *invoked);
            links.extend(later.map(|(then, _)| Link::realtime(first, then)));
        }
        let expected = naive(&links, nodes);
        for model in Model::ALL {
            let (is, should) = (holds(&found, model), holds(&expected, model));
            assert_eq!(is, should, "case {case}, {model}: {links:#?} {found:?} {expected:?}");
        }
        assert!(found.is_subset(&expected), "case {case}: {found:?} {expected:?}");
        seen.extend(found);
    }
    assert_eq!(seen.len(), 15, "not every kind was tested: {seen:?}");
}

#[test]
fn the_shortest_cycle_is_found() {
    let mut edges = Edges::new(1000);
    for node in 0..1000 {
        edges.add(edge(node, (node + 1) % 1000, Kind::Ww));
    }
    let times = Times { invoked: vec![Duration::ZERO; 1000], ended: vec![Duration::MAX; 1000] };
    let shortest = |edges: &Edges| find_cycles(edges, &times).examples.iter().map(Vec::len).min();
    assert_eq!(shortest(&edges), Some(1000), "deep graphs need no recursion");
    edges.add(edge(3, 0, Kind::Ww));
    assert_eq!(shortest(&edges), Some(4));
    edges.add(edge(90, 0, Kind::Ww));
    edges.fan(&[0, 91, 92].map(|from| edge(from, from, Kind::Ww)), &[50, 60, 70, 80, 90].map(|to| (to, to)));
    assert_eq!(shortest(&edges), Some(2), "a step through junctions is one");
    let has_wr = |link: &Link| link.dependency == Dependency::Wr;
    assert!(!find_cycles(&edges, &times).examples.iter().flatten().any(has_wr));
}

#[test]
fn a_walk_that_comes_later_can_be_shorter() {
    let mut edges = Edges::new(10);
    edges.add(edge(0, 1, Kind::Ww));
    edges.add(edge(1, 5, Kind::Ww));
    edges.fan(&[0, 2, 3].map(|from| edge(from, from, Kind::Ww)), &[5, 6, 7].map(|to| (to, to)));
    let graph = edges.graph(true);
    let walk = Walker::new(&graph, Rule::of(Cycle::G0, false), None).shortest(0, 9, |spot| spot == 5);
    assert_eq!(walk.map(|walk| walk.length), Some(1));
}

/// Each half of the walk is a cycle, but one of them is milder than the whole.
#[test]
fn a_cycle_without_its_detour_is_no_milder() {
    let link = |from, to, dependency| Link { dependency, ..Link::realtime(from, to) };
    let (ww, rw) = (Dependency::Ww, Dependency::Rw);
    let detour = [link(0, 1, rw), link(1, 2, ww), link(2, 0, rw)];
    let rest = [link(0, 3, ww), link(3, 4, rw), link(4, 0, ww)];
    for walk in [[detour, rest], [rest, detour]] {
        let walk = walk.concat();
        assert_eq!(kind(&walk).0, Cycle::GNonadjacent);
        assert_eq!(kind(&tidy(walk)).0, Cycle::GSingle);
    }
}

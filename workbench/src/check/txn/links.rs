//! A cycle of transactions, and what kind it is.

use serde::Serialize;

use super::graph::{Edge, Graph, Kind};
use super::history::Version;
use super::models::{Cycle, Order};

/// Why one transaction of a cycle comes before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dependency {
    /// The next one overwrote this one's version, or appended behind it.
    Ww,
    /// The next one read this one's version.
    Wr,
    /// The next one overwrote the version that this one read, or appended behind it.
    Rw,
    /// The same process ran this one first.
    Process,
    /// This one ended before the next one began.
    Realtime,
}

impl Dependency {
    /// The name in drawings, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ww => "ww",
            Self::Wr => "wr",
            Self::Rw => "rw",
            Self::Process => "process",
            Self::Realtime => "realtime",
        }
    }
}

/// One step of a cycle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) dependency: Dependency,
    pub(super) before: Option<Version>,
    pub(super) after: Option<Version>,
    pub(super) is_unread: bool,
}

impl Link {
    pub(super) fn realtime(from: usize, to: usize) -> Self {
        let dependency = Dependency::Realtime;
        Self { from, to, dependency, before: None, after: None, is_unread: false }
    }
}

/// The steps of a walk, without its junctions.
pub(super) fn links(graph: &Graph, places: impl IntoIterator<Item = usize>) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for edge in places.into_iter().filter_map(|place| graph.edge(place)) {
        let Edge { from, to, kind, before, after, is_unread } = *edge;
        let dependency = match kind {
            Kind::Ww => Dependency::Ww,
            Kind::Wr => Dependency::Wr,
            Kind::Rw => Dependency::Rw,
            Kind::Process => Dependency::Process,
            Kind::Onward => {
                if let Some(link) = links.last_mut() {
                    link.to = to;
                    link.after = after.or(link.after);
                }
                continue;
            }
        };
        links.push(Link { from, to, dependency, before, after, is_unread });
    }
    links
}

/// What kind of cycle the links make.
pub(super) fn kind(links: &[Link]) -> (Cycle, Order) {
    let has = |dependency| links.iter().any(|link| link.dependency == dependency);
    let is_rw = |link: &Link| link.dependency == Dependency::Rw;
    let next = links.iter().cycle().skip(1);
    let cycle = match links.iter().filter(|link| is_rw(link)).count() {
        0 if has(Dependency::Wr) => Cycle::G1c,
        0 => Cycle::G0,
        1 => Cycle::GSingle,
        _ if links.iter().zip(next).any(|(one, next)| is_rw(one) && is_rw(next)) => Cycle::G2Item,
        _ => Cycle::GNonadjacent,
    };
    let order = match (has(Dependency::Realtime), has(Dependency::Process)) {
        (true, _) => Order::Realtime,
        (false, true) => Order::Process,
        (false, false) => Order::Data,
    };
    (cycle, order)
}

/// A part of a cycle that is a cycle itself, is no milder, and visits no transaction twice. It begins behind the link that
/// a reader should see last: the order in time, else a read of an old version.
pub(super) fn tidy(mut links: Vec<Link>) -> Vec<Link> {
    while let Some((start, end)) = detour(&links) {
        let mut inner: Vec<Link> = links.drain(start..end).collect();
        if kind(&inner).0 < kind(&links).0 {
            std::mem::swap(&mut links, &mut inner);
        }
    }
    let last = links.iter().enumerate().max_by_key(|(_, link)| match link.dependency {
        Dependency::Realtime => 3,
        Dependency::Process => 2,
        Dependency::Rw => 1,
        Dependency::Ww | Dependency::Wr => 0,
    });
    let first = last.map_or(0, |(place, _)| place + 1);
    links.rotate_left(first);
    links.dedup_by(|next, link| {
        let is_one = next.dependency == Dependency::Process && link.dependency == Dependency::Process;
        if is_one {
            link.to = next.to;
        }
        is_one
    });
    links
}

/// Two places at which the cycle is at the same transaction.
fn detour(links: &[Link]) -> Option<(usize, usize)> {
    let mut visits: Vec<(usize, usize)> =
        links.iter().enumerate().map(|(place, link)| (link.from, place)).collect();
    visits.sort_unstable();
    let mut pairs = visits.iter().zip(visits.iter().skip(1));
    pairs.find(|((one, _), (next, _))| one == next).map(|((_, start), (_, end))| (*start, *end))
}

//! What a search covers.

use std::time::Duration;

use replica::store::{Outcome, StoreRequest};
use replica::{AckPolicy, Config, Numbering};

use crate::generator::Generator;
use crate::message::{Id, name};
use crate::past::Past;
use crate::rules::{PROMISED, Rule};
use crate::saboteur::Bug;
use crate::wishes::Wish;

/// A cluster, what clients ask of it and what may happen to it. By default it is one node of a cluster of two, alone with the
/// store, and nothing happens to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) ack: AckPolicy,
    pub(crate) numbering: Numbering,
    /// How many nodes the cluster has, and how many of them run.
    pub(crate) nodes: (u8, u8),
    /// The node that each add goes to.
    pub(crate) adds: &'static [u8],
    /// What each of them asks for. If there is nothing here, each adds to the one counter.
    pub(crate) wishes: &'static [Wish],
    /// The pause between two gossip rounds. Without a pause one is due whenever a process ticks.
    pub(crate) gossip_interval: Duration,
    /// How many ticks a client waits for its answer.
    pub(crate) patience: u32,
    pub(crate) store: StoreIs,
    /// Whether the outcome of one process's request may reach another process of its node.
    pub(crate) stray_outcomes: bool,
    /// What has happened before the search begins.
    pub(crate) past: &'static [Past],
    /// By node and incarnation: the list of nodes that a process begins with. The last list of a node stands for all later
    /// processes. A node that is not here has everybody on its list.
    pub(crate) lists: &'static [&'static [&'static [u8]]],
    /// Nodes that run and neither hear others nor are heard: no frame from or to them arrives.
    pub(crate) silent: &'static [u8],
    /// The node whose record goes back.
    pub(crate) restored: u8,
    /// The node that operators forget.
    pub(crate) forgotten: u8,
    /// A process may get several inputs before its tick.
    pub(crate) batches: bool,
    /// How many ticks pass in each incarnation.
    pub(crate) ticks: u8,
    /// Nodes for which no time passes, and whose processes neither crash nor end nor have doubles.
    pub(crate) calm: &'static [u8],
    pub(crate) faults: Faults,
    pub(crate) rules: &'static [Rule],
    pub(crate) bug: Option<Bug>,
}

/// What the store is like, all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreIs {
    /// It does what it is asked to, sooner or later or never.
    Up,
    /// As `Up`, but a load or a list of nodes may show an old state that the last fence allows, and a commit that was done may be
    /// called a conflict.
    Lagging,
    /// No request reaches it.
    Silent,
    /// It does nothing that it is asked to, and says so.
    Unwilling,
}

/// How much may go wrong, in the whole cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Faults {
    /// Frames that arrive and are still on their way.
    pub(crate) duplicates: u8,
    /// Processes that are killed. The node's next process begins at once.
    pub(crate) crashes: u8,
    /// Processes that are told to end, or whose input ends. The node's next process may begin before that one is done.
    pub(crate) ends: u8,
    /// Processes that begin under the name of one that runs on.
    pub(crate) doubles: u8,
    /// Times that a process is stopped. It has not heard what came meanwhile.
    pub(crate) stops: u8,
    /// Requests whose outcome is unknown. A commit among them may be done at any later time, or never.
    pub(crate) unknowns: u8,
    /// Requests that the store does not do.
    pub(crate) refusals: u8,
    /// Opens that show an earlier state of the record. The next commit conflicts.
    pub(crate) old_opens: u8,
    /// Times that a record goes back to any earlier state. Then no process begins before its predecessor is gone: that a
    /// store goes back under a process that still counts is a hole that is known. It comes with neither doubles nor seals.
    pub(crate) backs: u8,
    /// Times that a process is asked to forget a node.
    pub(crate) forgets: u8,
    /// Processes that begin on a node that nothing runs on, and that was not told to end: it was forgotten, or died.
    pub(crate) returns: u8,
}

/// No faults.
pub(crate) const NONE: Faults = Faults {
    duplicates: 0,
    crashes: 0,
    ends: 0,
    doubles: 0,
    stops: 0,
    unknowns: 0,
    refusals: 0,
    old_opens: 0,
    backs: 0,
    forgets: 0,
    returns: 0,
};

impl Default for Setup {
    fn default() -> Self {
        Self {
            ack: AckPolicy::Store,
            numbering: Numbering::ByChange,
            nodes: (2, 1),
            adds: &[0],
            wishes: &[],
            gossip_interval: Duration::ZERO,
            patience: 16,
            store: StoreIs::Up,
            stray_outcomes: false,
            past: &[],
            lists: &[],
            silent: &[],
            restored: 0,
            forgotten: 1,
            batches: false,
            ticks: 0,
            calm: &[],
            faults: NONE,
            rules: PROMISED,
            bug: None,
        }
    }
}

impl Setup {
    /// How much time passes at once.
    pub(crate) const TICK: Duration = Duration::from_millis(250);

    /// How long a process is stopped: longer than any timeout of its own.
    pub(crate) const STOP: Duration = Duration::from_secs(2);

    /// After one tick a frame is sent again, after two the store counts as down.
    pub(crate) fn config(&self) -> Config {
        Config {
            ack: self.ack,
            store_timeout: 2 * Self::TICK,
            peer_timeout: Self::TICK,
            gossip_interval: self.gossip_interval,
            fanout: 2,
            numbering: self.numbering,
            ..Config::default()
        }
    }

    /// The list of nodes that a process begins with.
    pub(crate) fn list(&self, id: Id) -> Vec<u8> {
        let lists = self.lists.get(usize::from(id.node)).copied().unwrap_or_default();
        let list = lists.get(usize::from(id.incarnation)).or(lists.last());
        list.map_or_else(|| (0..self.nodes.0).collect(), |list| list.to_vec())
    }

    /// The outcome of a request that is answered at once, in the same step. What comes of a load is open still then, so nothing
    /// is left out by it but for fences that take long. A name without a record may be listed.
    pub(crate) fn at_once(&self, request: &StoreRequest) -> Option<Outcome> {
        let Faults { unknowns, refusals, .. } = self.faults;
        if self.store != StoreIs::Up || unknowns + refusals > 0 {
            return None;
        }
        match request {
            StoreRequest::Fence => Some(Outcome::Fenced),
            StoreRequest::Nodes if self.lists.is_empty() => {
                Some(Outcome::Nodes((0..self.nodes.0).map(name).collect()))
            }
            StoreRequest::Nodes
            | StoreRequest::Open
            | StoreRequest::Commit { .. }
            | StoreRequest::Load { .. }
            | StoreRequest::Seal { .. } => None,
        }
    }

    /// How often operators ask to forget a node, in all.
    pub(crate) fn forgets(&self) -> u64 {
        let past = self.past.iter().filter(|past| matches!(past, Past::Forgets(_))).count();
        u64::from(self.faults.forgets) + u64::try_from(past).expect("few")
    }

    /// The generator of a process.
    pub(crate) fn generator(&self, Id { node, incarnation }: Id) -> Generator {
        let own = Generator {
            incarnation: u32::from(incarnation) << 8 | u32::from(node),
            ids: u16::from(incarnation),
        };
        match self.bug {
            Some(Bug::IncarnationReused) => Generator { incarnation: node.into(), ..own },
            Some(Bug::IdsReused) => Generator { ids: 0, ..own },
            _ => own,
        }
    }

    /// Whether reads are judged. That makes more states, for a state then tells what was shown before.
    pub(crate) fn judges_reads(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::ShownIsStored | Rule::NeverBack))
    }

    /// The delta of an add: 1, 8, -64, 512 and so on.
    pub(crate) fn delta(add: usize) -> i64 {
        let size = 8_i64.pow(u32::try_from(add).expect("few adds"));
        if add % 3 == 2 { -size } else { size }
    }
}

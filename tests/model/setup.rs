//! What a search covers.

use std::time::Duration;

use maelstrom_counter::config::Config;

pub(crate) use maelstrom_counter::config::AckPolicy;

use crate::life::Life;
use crate::rules::{PROMISED, Rule};
use crate::sabotage::Bug;

/// A cluster, what is asked of it and what may happen to it. As it stands it is one node of a cluster of two, alone with
/// the store, and nothing happens to it.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) ack: AckPolicy,
    /// How many nodes the cluster has, and how many of them run.
    pub(crate) nodes: (u8, u8),
    /// The node that each add goes to. The deltas are 1, 8, 64: a digit each in octal
    pub(crate) adds: &'static [u8],
    /// Whether messages to the store may arrive.
    pub(crate) store: bool,
    /// The search begins once all that can arrive at the start has arrived.
    pub(crate) warm: bool,
    /// A process may read several lines before it does what is due.
    pub(crate) batches: bool,
    /// How many ticks pass in each life.
    pub(crate) ticks: u8,
    pub(crate) faults: Faults,
    pub(crate) rules: &'static [Rule],
    pub(crate) bug: Option<Bug>,
}

/// How much may go wrong, in the whole cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Faults {
    /// Messages that arrive and are still on their way.
    pub(crate) duplicates: u8,
    /// Processes that are killed; the node's next life begins at once.
    pub(crate) crashes: u8,
    /// Processes that are told to end, or whose input ends. The node's next life may begin before the last is over.
    pub(crate) ends: u8,
    /// Processes that begin under the name of one that runs on.
    pub(crate) doubles: u8,
    /// Processes that hear nothing, and are not heard, until an add has been answered.
    pub(crate) deaf: u8,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            ack: AckPolicy::Store,
            nodes: (2, 1),
            adds: &[0],
            store: true,
            warm: false,
            batches: false,
            ticks: 0,
            faults: Faults::default(),
            rules: PROMISED,
            bug: None,
        }
    }
}

impl Setup {
    /// How long a tick is: so that a node looks at its input as often as it means to.
    pub(crate) const TICK: Duration = Duration::from_millis(250);

    /// A request is sent again after one tick; after two the store counts as down, and every tick is a gossip round.
    pub(crate) fn config(&self) -> Config {
        Config {
            ack: self.ack,
            store_timeout: 2 * Self::TICK,
            peer_timeout: Self::TICK,
            gossip_interval: Self::TICK / 2,
            fanout: 2,
            ..Config::default()
        }
    }

    /// The generator of a node's life.
    pub(crate) fn life(&self, node: u8, life: u8) -> Life {
        let life = Life { epoch: u32::from(life) << 8 | u32::from(node), ids: u16::from(life) };
        match self.bug {
            Some(Bug::EpochReused) => Life { epoch: node.into(), ..life },
            Some(Bug::SameIds) => Life { ids: 0, ..life },
            _ => life,
        }
    }

    /// Whether what reads show is looked at: it makes more states, for what has been shown is part of them.
    pub(crate) fn judges_reads(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::ShownIsStored | Rule::NeverBack))
    }

    /// By how much the counter is to grow.
    pub(crate) fn delta(add: usize) -> u64 {
        8_u64.pow(u32::try_from(add).expect("few adds"))
    }
}

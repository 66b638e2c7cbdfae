//! The setup of a search: a cluster, its requests and its faults.

use std::time::Duration;

use maelstrom_counter::config::Config;

pub(crate) use maelstrom_counter::config::AckPolicy;

use crate::generator::Generator;
use crate::rules::{PROMISED, Rule};
use crate::sabotage::Bug;

/// A cluster, its requests and its faults. The default is one node of a cluster of two, alone with the store and without
/// faults.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) ack: AckPolicy,
    /// How many nodes the cluster has, and how many of them run.
    pub(crate) nodes: (u8, u8),
    /// The node that each add goes to. The deltas are 1, 8, 64: a digit each in octal.
    pub(crate) adds: &'static [u8],
    /// Whether messages to the store may arrive.
    pub(crate) store: bool,
    /// Whether the search begins only once all first messages have arrived.
    pub(crate) warm: bool,
    /// Whether a process may read several lines before it does what is due.
    pub(crate) batches: bool,
    /// How many ticks pass in each incarnation.
    pub(crate) ticks: u8,
    pub(crate) faults: Faults,
    pub(crate) rules: &'static [Rule],
    pub(crate) bug: Option<Bug>,
}

/// How many faults there may be, in the whole cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Faults {
    /// Messages that arrive twice.
    pub(crate) duplicates: u8,
    /// Processes that are killed. The node's next incarnation begins at once.
    pub(crate) crashes: u8,
    /// Processes that are told to end, or whose input ends. The node's next incarnation may begin before the end.
    pub(crate) ends: u8,
    /// Processes that begin under the name of one that runs on.
    pub(crate) doubles: u8,
    /// Processes whose messages do not arrive, either way, until an add has been answered.
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
    /// The length of a tick: a node looks at its input at least that often.
    pub(crate) const TICK: Duration = Duration::from_millis(250);

    /// A request is sent again after one tick. After two the store counts as down. Every tick is a gossip round.
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

    /// The generator of a node's incarnation, with the planted bug.
    pub(crate) fn generator(&self, node: u8, incarnation: u8) -> Generator {
        let ids = u16::from(incarnation);
        let generator = Generator { incarnation: u32::from(incarnation) << 8 | u32::from(node), ids };
        match self.bug {
            Some(Bug::IncarnationReused) => Generator { incarnation: node.into(), ..generator },
            Some(Bug::SameIds) => Generator { ids: 0, ..generator },
            _ => generator,
        }
    }

    /// Whether reads are judged. That makes more states, for the shown adds are part of a state.
    pub(crate) fn judges_reads(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::ShownIsStored | Rule::NeverBack))
    }

    /// The delta of an add.
    pub(crate) fn delta(add: usize) -> u64 {
        8_u64.pow(u32::try_from(add).expect("few adds"))
    }
}

//! The nemesis: draws faults and their times from the seed, with Jepsen's pace.

mod grudge;
mod target;

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;
use serde::Serialize;

use self::grudge::PartitionKind;
use self::target::Target;

use crate::network::Grudge;
use crate::plan::Plan;
use crate::seeds::Random;
use crate::stagger::Stagger;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Links between nodes are cut. Jepsen's shapes are one node, fewer than a third, a half, and a ring of overlapping
    /// majorities. More shapes are one way only, two halves with a bridge, and every node alone.
    Partition,
    /// Processes die at once (SIGKILL), from one to all, and are started anew.
    Kill,
    /// Processes are paused (SIGSTOP), from one to all, and resumed later.
    Pause,
    /// Processes are asked to end (SIGTERM), from one to all, and are started anew. They have 5 s, and end with status 0.
    Restart,
    /// Half of the messages between servers are lost.
    Loss,
    /// Half of the messages between servers arrive twice.
    Duplicate,
    /// Messages between servers take ten times as long, or 50 ms on average if they took no time.
    Slow,
    /// The services can't be reached, or answer slowly, or half of their answers are lost.
    Store,
}

impl Fault {
    /// Every fault there is.
    pub const ALL: [Self; 8] = [
        Self::Partition,
        Self::Kill,
        Self::Pause,
        Self::Restart,
        Self::Loss,
        Self::Duplicate,
        Self::Slow,
        Self::Store,
    ];

    /// The name on the command line, as in JSON.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// One act of the nemesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    StartPartition {
        kind: &'static str,
        grudge: Grudge,
    },
    StopPartition,
    Kill(Vec<usize>),
    /// Ask these nodes to end.
    Terminate(Vec<usize>),
    /// Start every node that is down.
    Start,
    Pause(Vec<usize>),
    /// Resume every paused node.
    Resume,
    /// Begin to lose, double or slow messages.
    Disturb(Fault),
    /// Stop to lose, double or slow messages.
    Calm(Fault),
    BreakStore(StoreFault),
    MendStore,
}

/// A fault of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreFault {
    /// No node can reach them.
    CutOff,
    /// Answers take half a second on average.
    Slow,
    /// They do what a request asks, and half of the answers are lost.
    Forgetful,
}

impl StoreFault {
    const ALL: [Self; 3] = [Self::CutOff, Self::Slow, Self::Forgetful];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CutOff => "cut off",
            Self::Slow => "slow",
            Self::Forgetful => "forgetful",
        }
    }
}

/// Draws acts. As in Jepsen, partitions have their own rhythm, and all faults of processes share one. Faults of messages
/// share a third, and faults of services have a fourth.
#[derive(Debug)]
pub(crate) struct Nemesis {
    streams: Vec<Stream>,
    first: usize,
    count: usize,
    random: Random,
    /// How many faults were drawn.
    drawn: u32,
    only: Option<BTreeSet<u32>>,
}

/// A rhythm, and pairs of acts that begin and end a fault. Each time one pair is drawn.
#[derive(Debug)]
struct Stream {
    stagger: Stagger,
    pairs: Vec<Pair>,
}

#[derive(Debug)]
struct Pair {
    fault: Fault,
    is_on: bool,
}

impl Nemesis {
    /// A nemesis whose first acts are due at `start`.
    pub(crate) fn new(plan: &Plan, random: Random, start: Duration) -> Self {
        let stream = |faults: &[Fault]| {
            let wanted = faults.iter().filter(|fault| plan.nemesis.contains(fault));
            let pairs: Vec<Pair> = wanted.map(|fault| Pair { fault: *fault, is_on: false }).collect();
            let stagger = Stagger::new(plan.nemesis_interval, start);
            (!pairs.is_empty()).then_some(Stream { stagger, pairs })
        };
        let partitions = stream(&[Fault::Partition]).filter(|_| plan.node_count > 1);
        let processes = stream(&[Fault::Pause, Fault::Kill, Fault::Restart]);
        let messages = stream(&[Fault::Loss, Fault::Duplicate, Fault::Slow]);
        let services = stream(&[Fault::Store]);
        let streams = [partitions, processes, messages, services].into_iter().flatten().collect();
        let only = plan.only_faults.clone();
        Self { streams, first: plan.first_node, count: plan.node_count, random, drawn: 0, only }
    }

    /// When the next act is due.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.streams.iter().map(|stream| stream.stagger.due()).min()
    }

    /// The act that is due at `now`, if any.
    pub(crate) fn act(&mut self, now: Duration) -> Option<Act> {
        loop {
            let (fault, is_on) = self.turn(now)?;
            if !is_on {
                return Some(end(fault));
            }
            // A fault that is left out is drawn all the same, so that the others stay what they are.
            let act = self.begin(fault);
            self.drawn += 1;
            if self.only.as_ref().is_none_or(|only| only.contains(&self.drawn)) {
                return Some(act);
            }
        }
    }

    /// Draws the pair whose turn it is, if one is due. Returns its fault, and whether that begins.
    fn turn(&mut self, now: Duration) -> Option<(Fault, bool)> {
        let due = self.due().filter(|due| *due <= now)?;
        let stream = self.streams.iter_mut().find(|stream| stream.stagger.due() == due)?;
        stream.stagger.done(now, &mut self.random);
        let drawn = self.random.random_range(0..stream.pairs.len());
        let pair = stream.pairs.get_mut(drawn)?;
        pair.is_on = !pair.is_on;
        Some((pair.fault, pair.is_on))
    }

    /// The acts that undo every fault, in Jepsen's order.
    pub(crate) fn last_acts(&self) -> Vec<Act> {
        self.streams.iter().flat_map(|stream| &stream.pairs).map(|pair| end(pair.fault)).collect()
    }

    fn begin(&mut self, fault: Fault) -> Act {
        match fault {
            Fault::Partition => self.partition(),
            Fault::Kill => Act::Kill(self.targets()),
            Fault::Pause => Act::Pause(self.targets()),
            Fault::Restart => Act::Terminate(self.targets()),
            Fault::Loss | Fault::Duplicate | Fault::Slow => Act::Disturb(fault),
            Fault::Store => {
                let drawn = StoreFault::ALL.choose(&mut self.random).copied();
                Act::BreakStore(drawn.unwrap_or(StoreFault::CutOff))
            }
        }
    }

    fn partition(&mut self) -> Act {
        let kinds = PartitionKind::effective(self.count);
        let kind = kinds.choose(&mut self.random).copied().unwrap_or(PartitionKind::One);
        let grudge = kind.grudge(self.count, &mut self.random).into_iter();
        let named = grudge.map(|(receiver, senders)| (self.named(receiver), self.all_named(senders)));
        Act::StartPartition { kind: kind.name(), grudge: named.collect() }
    }

    fn targets(&mut self) -> Vec<usize> {
        let targets = Target::effective(self.count);
        let target = targets.choose(&mut self.random).copied().unwrap_or(Target::All);
        let drawn = target.draw(self.count, &mut self.random);
        self.all_named(drawn)
    }

    /// The number in the name of the node at that place.
    fn named(&self, place: usize) -> usize {
        self.first + place
    }

    fn all_named(&self, places: Vec<usize>) -> Vec<usize> {
        places.into_iter().map(|place| self.named(place)).collect()
    }
}

fn end(fault: Fault) -> Act {
    match fault {
        Fault::Partition => Act::StopPartition,
        Fault::Kill | Fault::Restart => Act::Start,
        Fault::Loss | Fault::Duplicate | Fault::Slow => Act::Calm(fault),
        Fault::Store => Act::MendStore,
        Fault::Pause => Act::Resume,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;
    use crate::workload::Counter;

    fn schedule(faults: &[Fault], seed: u64) -> Vec<(Duration, Act)> {
        drawn(&Plan { nemesis: faults.iter().copied().collect(), ..Plan::new(&Counter::G, seed) })
    }

    fn drawn(plan: &Plan) -> Vec<(Duration, Act)> {
        let mut nemesis = Nemesis::new(plan, Seeds::new(plan.seed).generator(), Duration::ZERO);
        let mut acts = Vec::new();
        while let Some(due) = nemesis.due().filter(|due| *due < plan.time_limit) {
            acts.extend(nemesis.act(due).map(|act| (due, act)));
        }
        acts
    }

    #[test]
    fn a_default_run_has_two_partitions_whatever_the_seed() {
        for seed in 0..200 {
            let acts = schedule(&[Fault::Partition], seed);
            let starts = acts.iter().filter(|(_, act)| matches!(act, Act::StartPartition { .. })).count();
            assert!(starts >= 2, "seed {seed}: {acts:?}");
        }
    }

    #[test]
    fn faults_begin_and_end_in_turn_and_at_once() {
        let acts = schedule(&[Fault::Kill], 1);
        assert_eq!(acts[0].0, Duration::ZERO);
        for (number, (_, act)) in acts.iter().enumerate() {
            assert_eq!(matches!(act, Act::Kill(_)), number % 2 == 0, "{act:?}");
        }
    }

    #[test]
    fn faults_that_are_left_out_change_no_others() {
        let faults = [Fault::Partition, Fault::Kill, Fault::Loss];
        let begins = |act: &Act| matches!(act, Act::StartPartition { .. } | Act::Kill(_) | Act::Disturb(_));
        let all: Vec<_> = schedule(&faults, 7).into_iter().filter(|(_, act)| begins(act)).collect();
        let plan =
            Plan { nemesis: faults.into(), only_faults: Some([2, 5].into()), ..Plan::new(&Counter::G, 7) };
        let some: Vec<_> = drawn(&plan).into_iter().filter(|(_, act)| begins(act)).collect();
        assert_eq!(some, [all[1].clone(), all[4].clone()]);
    }

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let faults = [Fault::Partition, Fault::Kill, Fault::Pause];
        assert_eq!(schedule(&faults, 7), schedule(&faults, 7));
        assert_ne!(schedule(&faults, 7), schedule(&faults, 8));
    }
}

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
    /// The faults so far. The number of a fault is its place here, from 1.
    drawn: Vec<Fault>,
    /// The numbers of the faults that happen, if not all do.
    kept: Option<BTreeSet<u32>>,
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
    /// Whether the last fault happens, or is only drawn.
    is_kept: bool,
}

impl Nemesis {
    /// A nemesis whose first acts are due at `start`.
    pub(crate) fn new(plan: &Plan, random: Random, start: Duration) -> Self {
        let stream = |faults: &[Fault]| {
            let wanted = faults.iter().filter(|fault| plan.nemesis.contains(fault));
            let pairs: Vec<Pair> =
                wanted.map(|fault| Pair { fault: *fault, is_on: false, is_kept: true }).collect();
            let stagger = Stagger::new(plan.nemesis_interval, start);
            (!pairs.is_empty()).then_some(Stream { stagger, pairs })
        };
        let partitions = stream(&[Fault::Partition]).filter(|_| plan.node_count > 1);
        let processes = stream(&[Fault::Pause, Fault::Kill, Fault::Restart]);
        let messages = stream(&[Fault::Loss, Fault::Duplicate, Fault::Slow]);
        let services = stream(&[Fault::Store]);
        let streams = [partitions, processes, messages, services].into_iter().flatten().collect();
        let (first, count, kept) = (plan.first_node, plan.node_count, plan.kept_faults.clone());
        Self { streams, first, count, random, drawn: Vec::new(), kept }
    }

    /// When the next act is due.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.streams.iter().map(|stream| stream.stagger.due()).min()
    }

    /// The act that is due at `now`, if any. Faults that don't happen are drawn too, so that the others stay as they are.
    pub(crate) fn act(&mut self, now: Duration) -> Option<Act> {
        loop {
            let (act, is_kept) = self.draw(now)?;
            if is_kept {
                return Some(act);
            }
        }
    }

    /// Every fault that was drawn, in order.
    pub(crate) fn into_drawn(self) -> Vec<Fault> {
        self.drawn
    }

    fn draw(&mut self, now: Duration) -> Option<(Act, bool)> {
        let due = self.due().filter(|due| *due <= now)?;
        let stream = self.streams.iter_mut().find(|stream| stream.stagger.due() == due)?;
        stream.stagger.done(now, &mut self.random);
        let drawn = self.random.random_range(0..stream.pairs.len());
        let pair = stream.pairs.get_mut(drawn)?;
        pair.is_on = !pair.is_on;
        if pair.is_on {
            self.drawn.push(pair.fault);
            let number = u32::try_from(self.drawn.len()).unwrap_or(u32::MAX);
            pair.is_kept = self.kept.as_ref().is_none_or(|kept| kept.contains(&number));
        }
        let (fault, is_on, is_kept) = (pair.fault, pair.is_on, pair.is_kept);
        Some((if is_on { self.begin(fault) } else { end(fault) }, is_kept))
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
        acts(&Plan { nemesis: faults.iter().copied().collect(), ..Plan::new(&Counter::G, seed) })
    }

    fn acts(plan: &Plan) -> Vec<(Duration, Act)> {
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

    /// Whatever is left out, the times, nodes and links of the others stay.
    #[test]
    fn faults_that_do_not_happen_leave_the_others_as_they_are() {
        let all = schedule(&Fault::ALL, 7);
        let only = |numbers: &[u32]| {
            let kept_faults = Some(numbers.iter().copied().collect());
            acts(&Plan { kept_faults, nemesis: Fault::ALL.into(), ..Plan::new(&Counter::G, 7) })
        };
        assert!(only(&[]).is_empty() && only(&[1000]).is_empty());
        let everything: Vec<u32> = (1..=100).collect();
        assert_eq!(only(&everything), all);
        let mut parts: Vec<_> = everything.iter().flat_map(|number| only(&[*number])).collect();
        parts.sort_by_key(|(at, _)| *at);
        assert_eq!(parts, all);
    }

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let faults = [Fault::Partition, Fault::Kill, Fault::Pause];
        assert_eq!(schedule(&faults, 7), schedule(&faults, 7));
        assert_ne!(schedule(&faults, 7), schedule(&faults, 8));
    }
}

//! The nemesis at work.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::World;
use super::event::Action;
use super::timers::Timer;

use crate::history::NemesisAct;
use crate::nemesis::{Act, Fault, StoreFault};
use crate::network::Grudge;
use crate::report::FaultWindow;
use crate::words::node_names;

/// How long a process may take to end after SIGTERM.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// The faults so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    windows: Vec<FaultWindow>,
    healed_at: Option<Duration>,
}

impl Faults {
    /// The time of the last heal, if there was one.
    pub(crate) fn healed_at(&self) -> Option<Duration> {
        self.healed_at
    }

    pub(crate) fn windows(&self) -> &[FaultWindow] {
        &self.windows
    }

    pub(crate) fn into_windows(self) -> Vec<FaultWindow> {
        self.windows
    }

    /// The present faults, in a few words.
    #[cfg(feature = "processes")]
    pub(crate) fn active(&self) -> String {
        let active = self.windows.iter().filter(|window| window.until.is_none());
        active.map(|window| window.detail.clone()).collect::<Vec<_>>().join("; ")
    }

    fn begin(&mut self, now: Duration, fault: Fault, detail: String) {
        self.windows.push(FaultWindow { fault, detail, from: now, until: None, caught_up: None });
    }

    /// Ends all faults of that kind; `None` if there are none.
    fn end(&mut self, now: Duration, fault: Fault) -> Option<()> {
        let open = self.windows.iter_mut().filter(|window| window.fault == fault && window.until.is_none());
        let ended = open.map(|window| window.until = Some(now)).count();
        (ended > 0).then_some(())
    }
}

impl World {
    /// Acts, if an act is due and the last act is finished.
    pub(super) fn run_nemesis(&mut self, now: Duration, until: Duration) {
        while now < until && self.nemesis_is_free() {
            let Some(act) = self.nemesis.act(now) else { return };
            self.perform(now, act);
        }
    }

    /// Whether the nemesis may act. While nodes start, until they have answered `init`, it may not.
    pub(super) fn nemesis_is_free(&self) -> bool {
        !self.nodes.iter().any(|node| node.is_starting() || node.is_ending)
    }

    pub(super) fn perform(&mut self, now: Duration, act: Act) {
        let Some((f, detail)) = self.act(now, act) else { return };
        self.history.nemesis(NemesisAct { at: now, f, detail });
    }

    /// Does an act. Returns its name and the nodes that it hit. `None` if it hit none, for example because all are down.
    fn act(&mut self, now: Duration, act: Act) -> Option<(&'static str, String)> {
        Some(match act {
            Act::StartPartition { kind, grudge } => {
                ("start-partition", self.start_partition(now, kind, &grudge))
            }
            Act::StopPartition => {
                self.network.heal();
                self.faults.end(now, Fault::Partition)?;
                ("stop-partition", String::new())
            }
            Act::Kill(nodes) => ("kill", self.kill(now, &nodes)?),
            Act::Terminate(nodes) => ("terminate", self.terminate(now, &nodes)?),
            Act::Start => ("start", self.restart(now)?),
            Act::Disturb(fault) => ("start-disturbance", self.disturb(now, fault)),
            Act::Calm(fault) => ("stop-disturbance", self.calm(now, fault)?),
            Act::BreakStore(fault) => ("break-store", self.break_store(now, fault)),
            Act::MendStore => {
                self.network.set_store_fault(None);
                self.faults.end(now, Fault::Store)?;
                ("mend-store", String::new())
            }
            Act::Pause(nodes) => ("pause", self.pause(now, &nodes)?),
            Act::Resume => ("resume", self.resume(now)?),
        })
    }

    /// Notes that there is no fault from now on.
    pub(super) fn healed(&mut self, now: Duration) {
        self.faults.healed_at = Some(now);
        for fault in &Fault::ALL {
            self.faults.end(now, *fault);
        }
    }

    fn start_partition(&mut self, now: Duration, kind: &str, grudge: &Grudge) -> String {
        self.network.partition(grudge);
        let detail = format!("partition {kind}: {}", describe(grudge, self.plan.nodes()));
        self.faults.begin(now, Fault::Partition, detail.clone());
        detail
    }

    fn kill(&mut self, now: Duration, nodes: &[usize]) -> Option<String> {
        let killed = self.those(nodes, |node| node.is_up)?;
        for &index in &killed {
            self.actions.push_back(Action::Kill { node: index });
            self.take_down(now, index);
        }
        let detail = format!("kill {}", names(&killed));
        self.faults.begin(now, Fault::Kill, detail.clone());
        Some(detail)
    }

    fn terminate(&mut self, now: Duration, nodes: &[usize]) -> Option<String> {
        let ending = self.those(nodes, |node| node.is_up)?;
        for &index in &ending {
            let Some(node) = self.nodes.get_mut(index) else { continue };
            node.is_ending = true;
            self.timers
                .set(now + END_TIMEOUT, Timer::EndTimeout { node: index, incarnation: node.incarnation });
            self.actions.push_back(Action::Terminate { node: index });
            self.forget_malformed(index);
        }
        let detail = format!("restart {}", names(&ending));
        self.faults.begin(now, Fault::Restart, detail.clone());
        Some(detail)
    }

    fn disturb(&mut self, now: Duration, fault: Fault) -> String {
        self.network.disturb(fault);
        self.faults.begin(now, fault, fault.name());
        fault.name()
    }

    fn calm(&mut self, now: Duration, fault: Fault) -> Option<String> {
        self.network.calm(fault);
        self.faults.end(now, fault).map(|()| fault.name())
    }

    fn break_store(&mut self, now: Duration, fault: StoreFault) -> String {
        self.network.set_store_fault(Some(fault));
        let detail = format!("store {}", fault.name());
        self.faults.begin(now, Fault::Store, detail.clone());
        detail
    }

    fn restart(&mut self, now: Duration) -> Option<String> {
        let down = self.indices(|node| !node.is_up);
        for node in &down {
            self.start_node(now, *node);
        }
        self.faults.end(now, Fault::Kill);
        self.faults.end(now, Fault::Restart);
        (!down.is_empty()).then(|| names(&down))
    }

    fn pause(&mut self, now: Duration, nodes: &[usize]) -> Option<String> {
        let paused =
            self.those(nodes, |node| node.is_up && (!node.is_paused() || node.stutters.is_some()))?;
        for &index in &paused {
            if let Some(node) = self.nodes.get_mut(index) {
                node.stutters = None;
                node.pause(now);
            }
            self.actions.push_back(Action::Pause { node: index });
            self.forget_malformed(index);
        }
        let detail = format!("pause {}", names(&paused));
        self.faults.begin(now, Fault::Pause, detail.clone());
        Some(detail)
    }

    fn resume(&mut self, now: Duration) -> Option<String> {
        let paused = self.indices(|node| node.is_up && node.is_paused() && node.stutters.is_none());
        for &index in &paused {
            self.begin_to_run(now, index);
        }
        self.faults.end(now, Fault::Pause);
        (!paused.is_empty()).then(|| names(&paused))
    }

    /// Those of these nodes to which `applies` applies. `None` if there are none.
    fn those(&self, nodes: &[usize], applies: impl Fn(&super::Node) -> bool) -> Option<Vec<usize>> {
        let those = nodes.iter().copied().filter(|index| self.nodes.get(*index).is_some_and(&applies));
        Some(those.collect::<Vec<_>>()).filter(|those| !those.is_empty())
    }

    fn indices(&self, matches: impl Fn(&super::Node) -> bool) -> Vec<usize> {
        let nodes = self.nodes.iter().enumerate().skip(self.plan.first_node);
        nodes.filter(|(_, node)| matches(node)).map(|(index, _)| index).collect()
    }
}

fn names(nodes: &[usize]) -> String {
    if nodes.is_empty() { "nobody".into() } else { node_names(nodes.iter().copied()) }
}

/// The cut links among so many nodes, in short.
fn describe(grudge: &Grudge, nodes: Range<usize>) -> String {
    let count = nodes.len();
    let links: usize = grudge.iter().map(|(_, senders)| senders.len()).sum();
    if links == count * (count - 1) && count > 2 {
        return "everybody alone".into();
    }
    sides(grudge, nodes).unwrap_or_else(|| deaf(grudge))
}

/// The two sides of a clean split, and the nodes on both sides. In a clean split only the sides decide which links are cut.
/// `None` if it is not a clean split.
fn sides(grudge: &Grudge, nodes: Range<usize>) -> Option<String> {
    let (first, deaf_of_first) = grudge.first()?;
    let (there, here): (Vec<usize>, Vec<usize>) =
        grudge.iter().map(|(receiver, _)| *receiver).partition(|receiver| deaf_of_first.contains(receiver));
    let expected = |receiver: &usize| if here.contains(receiver) { &there } else { &here };
    let is_clean =
        here.contains(first) && grudge.iter().all(|(receiver, senders)| senders == expected(receiver));
    let bridge: Vec<usize> = nodes.filter(|node| !here.contains(node) && !there.contains(node)).collect();
    let bridge = if bridge.is_empty() { String::new() } else { format!(" (with both {})", names(&bridge)) };
    is_clean.then(|| format!("{} | {}{bridge}", names(&here), names(&there)))
}

/// Which nodes don't hear which others. Nodes that don't hear the same ones are listed together. A long list is only
/// counted.
fn deaf(grudge: &Grudge) -> String {
    const SHOWN: usize = 7;
    let mut groups: BTreeMap<&Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (receiver, senders) in grudge.iter().filter(|(_, senders)| !senders.is_empty()) {
        groups.entry(senders).or_default().push(*receiver);
    }
    if groups.len() > SHOWN {
        let links: usize = grudge.iter().map(|(_, senders)| senders.len()).sum();
        return format!("{links} one-way links among {} nodes", grudge.len());
    }
    let group = |(senders, receivers): (&Vec<usize>, Vec<usize>)| {
        format!("{} deaf to {}", names(&receivers), names(senders))
    };
    groups.into_iter().map(group).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_split_is_told_by_its_sides() {
        let grudge = vec![(0, vec![1]), (1, vec![0, 2]), (2, vec![1])];
        assert_eq!(describe(&grudge, 0..3), "n0 n2 | n1");
        assert_eq!(describe(&grudge, 0..4), "n0 n2 | n1 (with both n3)");
    }

    #[test]
    fn others_are_told_one_by_one() {
        let grudge = vec![(0, vec![1]), (1, vec![2]), (2, vec![0])];
        assert_eq!(describe(&grudge, 0..3), "n2 deaf to n0, n0 deaf to n1, n1 deaf to n2");
        assert_eq!(describe(&vec![(0, vec![2]), (1, vec![2])], 0..3), "n0 n1 deaf to n2");
        let alone = vec![(0, vec![1, 2]), (1, vec![0, 2]), (2, vec![0, 1])];
        assert_eq!(describe(&alone, 0..3), "everybody alone");
        let large: Grudge = (0..9).map(|node| (node, vec![(node + 1) % 9])).collect();
        assert_eq!(describe(&large, 0..9), "9 one-way links among 9 nodes");
    }
}

//! What must hold in every state.

use std::collections::BTreeSet;
use std::sync::Arc;

use stateright::Property;

use crate::cluster::Cluster;
use crate::message::Answer;
use crate::process::{Input, PROBE, Process};
use crate::setup::Setup;
use crate::state::State;

/// The guarantees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// What was acknowledged is in the store: it survives every node dying at once.
    Stored,
    /// What was acknowledged is in the store, or with more processes than may yet die.
    Survives,
    /// Nobody, and no slot, holds an add twice or one that was not asked for.
    CountedOnce,
    /// What was refused is nowhere.
    Definite,
    /// No add is answered twice.
    AnsweredOnce,
    /// No count in the store goes down: what a slot loses another has.
    SlotGrows,
    /// What a read shows is in the store.
    ShownIsStored,
    /// What a read has shown on a node, reads on that node show ever after.
    NeverBack,
    /// The node does not panic.
    NoPanic,
}

/// What holds while the store answers before it counts as down.
pub(crate) const PROMISED: &[Rule] =
    &[Rule::Stored, Rule::CountedOnce, Rule::Definite, Rule::AnsweredOnce, Rule::SlotGrows, Rule::NoPanic];

/// What holds with `--ack durable` even if the store counts as down, or is.
pub(crate) const WITH_STORE_DOWN: &[Rule] =
    &[Rule::Survives, Rule::CountedOnce, Rule::Definite, Rule::AnsweredOnce, Rule::SlotGrows, Rule::NoPanic];

/// What holds of reads as well, while the store answers.
pub(crate) const FOR_READS: &[Rule] = &[Rule::ShownIsStored, Rule::NeverBack];

/// What is to be seen in some state: a search in which nothing happens proves nothing.
pub(crate) const ALL_ACKNOWLEDGED: &str = "every add is acknowledged";
/// The same.
pub(crate) const ONE_REFUSED: &str = "an add is refused";

/// The rules that have been broken.
pub(crate) type Broken = BTreeSet<Rule>;

/// What clients know of an add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// It has not been asked for.
    Ahead,
    Open,
    Acknowledged,
    Refused,
    /// Done or not.
    Unknown,
}

impl Rule {
    pub(crate) fn properties() -> Vec<Property<Cluster>> {
        macro_rules! always {
            ($($rule:ident),*) => {
                vec![$(Property::always(stringify!($rule), |_, state: &State| {
                    !state.broken.contains(&Rule::$rule)
                })),*]
            };
        }
        let mut properties = always![
            Stored,
            Survives,
            CountedOnce,
            Definite,
            AnsweredOnce,
            SlotGrows,
            ShownIsStored,
            NeverBack,
            NoPanic
        ];
        let all = |_: &Cluster, state: &State| state.adds.iter().all(|fate| *fate == Fate::Acknowledged);
        let one = |_: &Cluster, state: &State| state.adds.contains(&Fate::Refused);
        properties
            .extend([Property::sometimes(ALL_ACKNOWLEDGED, all), Property::sometimes(ONE_REFUSED, one)]);
        properties
    }
}

impl State {
    /// Takes note of the rules that this state breaks, of those that the setup promises.
    pub(crate) fn judge(&mut self, cluster: &Cluster) {
        let (asked, stored) = (!self.that_are(Fate::Ahead), self.store.total);
        let sums: Vec<_> = self.processes.iter().map(|process| process.value).chain([stored]).collect();
        let anywhere = sums.iter().fold(0, |all, sum| all | adds_in(*sum));
        let acknowledged = self.that_are(Fate::Acknowledged);
        self.hold(Rule::CountedOnce, sums.iter().all(|sum| is_plausible(*sum, asked)));
        self.hold(Rule::Definite, self.that_are(Fate::Refused) & anywhere == 0);
        self.hold(Rule::Stored, acknowledged & !adds_in(stored) == 0);
        self.hold(Rule::Survives, self.survives(acknowledged & !adds_in(stored)));
        self.judge_reads(cluster);
        self.broken.retain(|rule| cluster.setup.rules.contains(rule));
    }

    /// Asks every process for a read.
    fn judge_reads(&mut self, cluster: &Cluster) {
        if !cluster.setup.judges_reads() {
            return;
        }
        let probe = |process: &Arc<Process>| (process.node, cluster.step(process, &Input::Probe));
        let probes: Vec<_> = self.processes.iter().map(probe).collect();
        for (node, outcome) in probes {
            self.hold(Rule::NoPanic, !outcome.panicked);
            for (_, answer) in outcome.answers.iter().filter(|(request, _)| *request == PROBE) {
                self.show(node, *answer, &cluster.setup);
            }
        }
    }

    /// A read on a node has been answered.
    pub(crate) fn show(&mut self, node: u8, answer: Answer, setup: &Setup) {
        let Answer::Value(value) = answer else { return };
        if !setup.judges_reads() {
            return;
        }
        let stored = adds_in(self.store.total);
        let value = adds_in(u64::try_from(value).expect("a count"));
        let before = std::mem::replace(&mut self.shown[usize::from(node)], value);
        self.hold(Rule::ShownIsStored, value & !stored == 0);
        self.hold(Rule::NeverBack, before & !value == 0);
    }

    fn hold(&mut self, rule: Rule, holds: bool) {
        if !holds {
            self.broken.insert(rule);
        }
    }

    /// Whether each of these adds is with more processes than may yet die.
    fn survives(&self, adds: u64) -> bool {
        let holders =
            |add: u64| self.processes.iter().filter(|process| adds_in(process.value) & add != 0).count();
        let each = (0..self.adds.len()).map(Setup::delta).filter(|add| adds & add != 0);
        each.map(holders).all(|holders| holders > self.left.crashes.into())
    }

    /// The adds whose clients know that much.
    fn that_are(&self, fate: Fate) -> u64 {
        let such = self.adds.iter().enumerate().filter(|(_, known)| **known == fate);
        such.map(|(add, _)| Setup::delta(add)).sum()
    }
}

/// The adds in a sum, each as its delta.
fn adds_in(sum: u64) -> u64 {
    (0..21).map(Setup::delta).filter(|add| sum & (add * 7) != 0).sum()
}

/// Whether every add is in the sum at most once, and none that was not asked for.
fn is_plausible(sum: u64, asked: u64) -> bool {
    sum == adds_in(sum) && sum & !asked == 0
}

//! The rules that must hold in every state.

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
    /// Every acknowledged add is in the store: it survives if all nodes die at once.
    Stored,
    /// Every acknowledged add is in the store, or with more processes than may still die.
    Survives,
    /// No process and no record holds an add twice, or an add that no client asked for.
    CountedOnce,
    /// No process and no record holds a refused add.
    Definite,
    /// No add is answered twice.
    AnsweredOnce,
    /// No count in the store goes down: if a record loses a count, another has it.
    RecordGrows,
    /// Reads show only stored adds.
    ShownIsStored,
    /// Reads on a node never go back.
    NeverBack,
    /// The node does not panic.
    NoPanic,
}

/// The rules that hold while the store answers before it counts as down.
pub(crate) const PROMISED: &[Rule] =
    &[Rule::Stored, Rule::CountedOnce, Rule::Definite, Rule::AnsweredOnce, Rule::RecordGrows, Rule::NoPanic];

/// The rules that hold with `--ack durable` even if the store counts as down, or is.
pub(crate) const WITH_STORE_DOWN: &[Rule] = &[
    Rule::Survives,
    Rule::CountedOnce,
    Rule::Definite,
    Rule::AnsweredOnce,
    Rule::RecordGrows,
    Rule::NoPanic,
];

/// The rules for reads, which hold as well while the store answers.
pub(crate) const FOR_READS: &[Rule] = &[Rule::ShownIsStored, Rule::NeverBack];

/// A search must see this in some state: a search in which nothing happens proves nothing.
pub(crate) const ALL_ACKNOWLEDGED: &str = "every add is acknowledged";
/// A search for refusals must see this in some state.
pub(crate) const ONE_REFUSED: &str = "an add is refused";

/// The rules that have been broken.
pub(crate) type Broken = BTreeSet<Rule>;

/// What the client knows of an add.
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
            RecordGrows,
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
    /// Notes which of the setup's rules this state breaks.
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

    /// Judges the answer to a read on a node.
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

    /// Whether more processes hold each of these adds than may still die.
    fn survives(&self, adds: u64) -> bool {
        let holders =
            |add: u64| self.processes.iter().filter(|process| adds_in(process.value) & add != 0).count();
        let each = (0..self.adds.len()).map(Setup::delta).filter(|add| adds & add != 0);
        each.map(holders).all(|holders| holders > self.left.crashes.into())
    }

    /// The sum of the adds with this fate.
    fn that_are(&self, fate: Fate) -> u64 {
        let such = self.adds.iter().enumerate().filter(|(_, known)| **known == fate);
        such.map(|(add, _)| Setup::delta(add)).sum()
    }
}

/// The sum of the adds that are in `sum` at least once.
fn adds_in(sum: u64) -> u64 {
    (0..21).map(Setup::delta).filter(|add| sum & (add * 7) != 0).sum()
}

/// Whether `sum` holds every add at most once, and only adds that were asked for.
fn is_plausible(sum: u64, asked: u64) -> bool {
    sum == adds_in(sum) && sum & !asked == 0
}

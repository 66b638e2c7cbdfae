//! What must hold in every state.
//!
//! The size of each add is a power of eight of its own. So a sum of sizes tells, in octal digits, which adds are in it, and how
//! often.

use std::collections::BTreeSet;

use replica::{Refusal, Reply};
use stateright::Property;

use crate::cluster::Cluster;
use crate::process::{Event, PROBE};
use crate::setup::Setup;
use crate::state::State;

/// The guarantees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// What was acknowledged is in the store: it survives every node dying at once.
    Stored,
    /// What was acknowledged is in the store, or with more processes than may yet die.
    Survives,
    /// No process and no record holds an add twice, or one that was not asked for.
    CountedOnce,
    /// What was refused is nowhere.
    Definite,
    /// No two processes that run count under one replica, but for one that ends and counts no more.
    OneOwner,
    /// Every client is answered once.
    AnsweredOnce,
    /// No client is answered later than the first tick after its time.
    AnsweredInTime,
    /// No commit makes a row smaller, loses a count, or drops a hint without any other change.
    RecordGrows,
    /// No commit makes a record that stood there before.
    RecordIsNew,
    /// What a read shows is in the store.
    ShownIsStored,
    /// What a read has shown on a node, reads on that node show ever after.
    NeverBack,
    /// The replica does not panic.
    NoPanic,
}

/// What holds while the store is not counted as down.
pub(crate) const PROMISED: &[Rule] = &[
    Rule::Stored,
    Rule::CountedOnce,
    Rule::Definite,
    Rule::OneOwner,
    Rule::AnsweredOnce,
    Rule::AnsweredInTime,
    Rule::RecordGrows,
    Rule::NoPanic,
];

/// What holds with [`AckPolicy::Durable`](replica::AckPolicy::Durable) even if the store counts as down, or is.
pub(crate) const WITH_STORE_DOWN: &[Rule] = &[
    Rule::Survives,
    Rule::CountedOnce,
    Rule::Definite,
    Rule::OneOwner,
    Rule::AnsweredOnce,
    Rule::AnsweredInTime,
    Rule::RecordGrows,
    Rule::NoPanic,
];

/// What holds of reads as well, while the store is not counted as down.
pub(crate) const FOR_READS: &[Rule] = &[Rule::ShownIsStored, Rule::NeverBack, Rule::AnsweredInTime];

/// What no state breaks.
pub(crate) const EVERY_RULE: &str = "every rule holds";
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

impl Fate {
    /// What a client makes of its answer.
    pub(crate) fn of(result: Result<Reply, Refusal>) -> Self {
        match result {
            Ok(Reply::Added | Reply::Value(_) | Reply::Forgotten) => Self::Acknowledged,
            Err(refusal) if refusal.may_have_counted() => Self::Unknown,
            Err(_) => Self::Refused,
        }
    }
}

pub(crate) fn properties() -> Vec<Property<Cluster>> {
    vec![
        Property::always(EVERY_RULE, |_, state: &State| state.broken.is_empty()),
        Property::sometimes(ALL_ACKNOWLEDGED, |_, state: &State| {
            state.adds.iter().all(|fate| *fate == Fate::Acknowledged)
        }),
        Property::sometimes(ONE_REFUSED, |_, state: &State| state.adds.contains(&Fate::Refused)),
    ]
}

impl State {
    /// Takes note of the rules that this state breaks, of those that the setup promises.
    pub(crate) fn judge(&mut self, cluster: &Cluster) {
        let (asked, stored) = (!self.that_are(Fate::Ahead), self.store.sizes());
        let processes = self.processes.iter().flat_map(|process| [process.sizes(), process.counted()]);
        let sums: Vec<_> = processes.chain([stored]).collect();
        let anywhere = sums.iter().fold(0, |all, sum| all | adds_in(*sum));
        let acknowledged = self.that_are(Fate::Acknowledged);
        self.hold(Rule::CountedOnce, sums.iter().all(|sum| is_plausible(*sum, asked)));
        self.hold(Rule::Definite, self.that_are(Fate::Refused) & anywhere == 0);
        self.hold(Rule::Stored, acknowledged & !adds_in(stored) == 0);
        self.hold(Rule::Survives, self.survives(acknowledged & !adds_in(stored)));
        self.hold(Rule::OneOwner, self.have_own_replicas());
        self.judge_reads(cluster);
        self.broken.retain(|rule| cluster.setup.rules.contains(rule));
    }

    /// Asks every process for a read.
    fn judge_reads(&mut self, cluster: &Cluster) {
        if !cluster.setup.judges_reads() {
            return;
        }
        for process in self.processes.clone() {
            let step = cluster.step(&process, &Event::Probe);
            self.broken.extend(&step.broken);
            let answer = step.answers.iter().find(|(ticket, _)| *ticket == PROBE);
            if let Some((_, Ok(Reply::Value(value)))) = answer {
                self.show(process.id.node, *value, &cluster.setup);
            }
        }
    }

    /// A read on a node was answered.
    pub(crate) fn show(&mut self, node: u8, value: i128, setup: &Setup) {
        if !setup.judges_reads() {
            return;
        }
        let (stored, shown) = (adds_in(self.store.sizes()), adds_of(value));
        let before = std::mem::replace(&mut self.shown[usize::from(node)], shown);
        self.hold(Rule::ShownIsStored, shown & !stored == 0);
        self.hold(Rule::NeverBack, before & !shown == 0);
    }

    fn hold(&mut self, rule: Rule, holds: bool) {
        if !holds {
            self.broken.insert(rule);
        }
    }

    /// Whether each of these adds is with more processes than may yet die.
    fn survives(&self, adds: u64) -> bool {
        let holders =
            |add: u64| self.processes.iter().filter(|process| adds_in(process.sizes()) & add != 0).count();
        let each = (0..self.adds.len()).map(size).filter(|add| adds & add != 0);
        each.map(holders).all(|holders| holders > self.left.crashes.into())
    }

    fn have_own_replicas(&self) -> bool {
        let counting = self.processes.iter().filter(|process| !process.is_ending);
        let mut seen = BTreeSet::new();
        counting.map(|process| process.replica()).all(|replica| seen.insert(replica))
    }

    /// The adds whose clients know that much.
    fn that_are(&self, fate: Fate) -> u64 {
        let such = self.adds.iter().enumerate().filter(|(_, known)| **known == fate);
        such.map(|(add, _)| size(add)).sum()
    }
}

/// More adds than any setup has.
const MOST_ADDS: usize = 8;

/// The size of an add. It stands for the add in a set of adds.
fn size(add: usize) -> u64 {
    Setup::delta(add).unsigned_abs()
}

/// The adds in a sum of sizes.
fn adds_in(sum: u64) -> u64 {
    (0..MOST_ADDS).map(size).filter(|add| sum & (add * 7) != 0).sum()
}

/// The adds in a value: of those with a negative delta, the ones that are not missing.
fn adds_of(value: i128) -> u64 {
    let negative: u64 = (0..MOST_ADDS).filter(|add| Setup::delta(*add) < 0).map(size).sum();
    let sum = u64::try_from(value + i128::from(negative)).expect("no value is so low");
    adds_in(sum) ^ negative
}

/// Whether every add is in the sum at most once, and none that was not asked for.
fn is_plausible(sum: u64, asked: u64) -> bool {
    sum == adds_in(sum) && sum & !asked == 0
}

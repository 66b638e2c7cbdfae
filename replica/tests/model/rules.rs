//! What must hold in every state.

use std::collections::{BTreeMap, BTreeSet};

use replica::{Refusal, ReplicaId, Reply, Tally};
use stateright::Property;

use crate::adds::{adds_in, adds_of, is_plausible, size};
use crate::cluster::Cluster;
use crate::process::{Event, PROBE, Process};
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
    /// No commit and no seal makes a row smaller. No commit drops a hint without any other change.
    RecordGrows,
    /// No commit and no seal drops a hint of a count that stands in no other record.
    HintsStay,
    /// No commit makes a record that stood there before.
    RecordIsNew,
    /// What a read shows is in the store.
    ShownIsStored,
    /// What a read has shown on a node, reads on that node show ever after.
    NeverBack,
    /// All counts of one replica that a process or a record holds are a chain: of any two the larger has every add of the
    /// smaller. Else a merge loses adds.
    OneChain,
    /// Nobody holds more of a replica than the process that counts under it.
    OwnerHasMost,
    /// What was acknowledged is held by a process or a record, but for what was nowhere any more once a record had gone back
    /// or a process had died.
    Kept,
    /// A process that finds that its node was forgotten since it first committed acknowledges and commits nothing more, and is
    /// done. No commit is done under a seal, but for one that lifts it. Nobody forgets a node without being asked to.
    Sealed,
    /// Every row, in any process and any record, is exactly what its replica had counted at that version: it lacks nothing, and
    /// has nothing more. So a version that is covered is a proof.
    Exact,
    /// No process and no record has a part of a batch.
    Whole,
    /// Each counter shows the adds that a process includes, but for those that a reset has seen which it includes too. So adds
    /// at the time of a reset survive, and nothing is subtracted twice.
    Value,
    /// The resets on one node tell their clients of each add at most once that they have subtracted it.
    SubtractedOnce,
    /// No process addresses a node that is not on its list.
    NoStranger,
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
    Rule::HintsStay,
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
    Rule::HintsStay,
    Rule::NoPanic,
];

/// What holds even if records go back.
pub(crate) const WITH_BACKUPS: &[Rule] = &[
    Rule::OneChain,
    Rule::OwnerHasMost,
    Rule::Kept,
    Rule::CountedOnce,
    Rule::Definite,
    Rule::OneOwner,
    Rule::AnsweredOnce,
    Rule::AnsweredInTime,
    Rule::RecordGrows,
    Rule::NoStranger,
    Rule::NoPanic,
];

/// What holds of a node that is forgotten, while the store is not counted as down.
pub(crate) const OF_FORGOTTEN: &[Rule] = &[
    Rule::OneChain,
    Rule::OwnerHasMost,
    Rule::Sealed,
    Rule::Stored,
    Rule::CountedOnce,
    Rule::Definite,
    Rule::OneOwner,
    Rule::AnsweredOnce,
    Rule::AnsweredInTime,
    Rule::RecordGrows,
    Rule::HintsStay,
    Rule::NoStranger,
    Rule::NoPanic,
];

/// The same even if the store counts as down.
pub(crate) const OF_FORGOTTEN_WITH_STORE_DOWN: &[Rule] = &[
    Rule::OneChain,
    Rule::OwnerHasMost,
    Rule::Sealed,
    Rule::Survives,
    Rule::CountedOnce,
    Rule::Definite,
    Rule::OneOwner,
    Rule::AnsweredOnce,
    Rule::AnsweredInTime,
    Rule::RecordGrows,
    Rule::HintsStay,
    Rule::NoStranger,
    Rule::NoPanic,
];

/// What holds of reads as well, while the store is not counted as down.
pub(crate) const FOR_READS: &[Rule] =
    &[Rule::ShownIsStored, Rule::NeverBack, Rule::AnsweredInTime, Rule::NoStranger];

/// What holds of many counters, while the store is not counted as down.
pub(crate) const OF_MANY: &[Rule] = &[
    Rule::Exact,
    Rule::Whole,
    Rule::Value,
    Rule::SubtractedOnce,
    Rule::Stored,
    Rule::Definite,
    Rule::OneOwner,
    Rule::AnsweredOnce,
    Rule::AnsweredInTime,
    Rule::RecordGrows,
    Rule::HintsStay,
    Rule::NoPanic,
];

/// The same, and what holds of reads.
pub(crate) const OF_MANY_READ: &[Rule] =
    &[Rule::Exact, Rule::Whole, Rule::Value, Rule::SubtractedOnce, Rule::ShownIsStored, Rule::NeverBack];

/// What holds of many counters even if the store counts as down, or is.
pub(crate) const OF_MANY_WITH_STORE_DOWN: &[Rule] = &[
    Rule::Exact,
    Rule::Whole,
    Rule::Value,
    Rule::Survives,
    Rule::Definite,
    Rule::OneOwner,
    Rule::AnsweredOnce,
    Rule::AnsweredInTime,
    Rule::RecordGrows,
    Rule::HintsStay,
    Rule::NoPanic,
];

/// What holds of many counters even if records go back.
pub(crate) const OF_MANY_WITH_BACKUPS: &[Rule] = &[
    Rule::Exact,
    Rule::Whole,
    Rule::Value,
    Rule::Kept,
    Rule::Definite,
    Rule::OneOwner,
    Rule::AnsweredOnce,
    Rule::AnsweredInTime,
    Rule::RecordGrows,
    Rule::NoPanic,
];

/// What no state breaks.
pub(crate) const EVERY_RULE: &str = "every rule holds";
/// What is to be seen in some state: a search in which nothing happens proves nothing.
pub(crate) const ALL_ACKNOWLEDGED: &str = "every add is acknowledged";
/// The same.
pub(crate) const ONE_REFUSED: &str = "an add is refused";

/// The same.
pub(crate) const FORGOTTEN: &str =
    "a node is forgotten, and every add acknowledged, and no hints of it are left";

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
    pub(crate) fn of(result: &Result<Reply, Refusal>) -> Self {
        match result {
            Ok(Reply::Counted | Reply::Reset(_) | Reply::Value(_) | Reply::Values(_) | Reply::Forgotten) => {
                Self::Acknowledged
            }
            Ok(Reply::Reached | Reply::NotReached(_) | Reply::Held(_)) => panic!("nobody waits here"),
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
        Property::sometimes(FORGOTTEN, |cluster: &Cluster, state: &State| {
            let acknowledged = state.adds.iter().all(|fate| *fate == Fate::Acknowledged);
            state.was_forgotten && acknowledged && !state.store.has_hints_of(cluster.setup.forgotten)
        }),
    ]
}

impl State {
    /// Takes note of the rules that this state breaks, of those that the setup promises.
    pub(crate) fn judge(&mut self, cluster: &Cluster) {
        let (asked, stored) = (!self.that_are(Fate::Ahead), self.stored(&cluster.setup));
        let (sums, anywhere) = (self.sums(), self.anywhere(&cluster.setup));
        let acknowledged = self.that_are(Fate::Acknowledged);
        // A reset that has nothing to subtract is acknowledged and counted nowhere.
        let to_keep = if cluster.setup.is_named() { acknowledged & self.ledger.all() } else { acknowledged };
        self.hold(Rule::CountedOnce, sums.iter().all(|sum| is_plausible(*sum, asked)));
        self.hold(Rule::Definite, self.that_are(Fate::Refused) & anywhere == 0);
        self.hold(Rule::Stored, to_keep & !stored == 0);
        self.hold(Rule::Survives, self.survives(to_keep & !stored, &cluster.setup));
        self.hold(Rule::Kept, to_keep & !anywhere & !self.excused == 0);
        self.hold(Rule::OneOwner, self.have_own_replicas());
        self.hold(
            Rule::Sealed,
            self.store.seals(cluster.setup.forgotten)
                <= cluster.setup.forgets() - u64::from(self.left.forgets),
        );
        if [Rule::OneChain, Rule::OwnerHasMost].iter().any(|rule| cluster.setup.rules.contains(rule)) {
            self.judge_counts();
        }
        self.judge_rows(cluster);
        self.judge_reads(cluster);
        self.broken.retain(|rule| cluster.setup.rules.contains(rule));
    }

    /// What each process, and the store, holds in sum.
    pub(crate) fn sums(&self) -> Vec<u64> {
        let counted = |process: &Process| process.counted().up + process.counted().down;
        let processes = self.processes.iter().flat_map(|process| [process.sizes(), counted(process)]);
        processes.chain([self.store.sizes()]).collect()
    }

    /// What is nowhere now can't be kept.
    pub(crate) fn excuse(&mut self, setup: &Setup) {
        self.excused |= self.that_are(Fate::Acknowledged) & !self.anywhere(setup);
    }

    /// Compares all counts of each replica, as sets of adds.
    fn judge_counts(&mut self) {
        let as_set = |tally: Tally| adds_in(tally.up) | adds_in(tally.down);
        let mut held: BTreeMap<ReplicaId, BTreeSet<u64>> = BTreeMap::new();
        let processes = self.processes.iter().flat_map(|process| process.rows());
        for (replica, tally) in
            processes.chain(self.store.rows().map(|(replica, tally)| (replica.clone(), tally)))
        {
            held.entry(replica).or_default().insert(as_set(tally));
        }
        let is_chain = |counts: &BTreeSet<u64>| {
            let is_comparable = |one: u64, other: u64| [one, other].contains(&(one & other));
            counts.iter().all(|one| counts.iter().all(|other| is_comparable(*one, *other)))
        };
        let has_most = |process: &Process| {
            let counted = as_set(process.counted());
            held[process.replica()].iter().all(|count| count & !counted == 0)
        };
        let are_chains = held.values().all(is_chain);
        let have_most =
            self.processes.iter().filter(|process| !process.is_ending).all(|process| has_most(process));
        self.hold(Rule::OneChain, are_chains);
        self.hold(Rule::OwnerHasMost, have_most);
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
                if cluster.setup.is_named() {
                    let shown = self.shown_by(&process, &cluster.setup);
                    self.show_changes(process.id.node, shown, &cluster.setup);
                } else {
                    self.show(process.id.node, *value, &cluster.setup);
                }
            }
        }
    }

    /// A read on a node was answered.
    pub(crate) fn show(&mut self, node: u8, value: i128, setup: &Setup) {
        if setup.judges_reads() && !setup.is_named() {
            self.show_changes(node, adds_of(value), setup);
        }
    }

    /// A read on a node shows these changes.
    fn show_changes(&mut self, node: u8, shown: u64, setup: &Setup) {
        let stored = self.stored(setup);
        let before = std::mem::replace(&mut self.shown[usize::from(node)], shown);
        self.hold(Rule::ShownIsStored, shown & !stored == 0);
        self.hold(Rule::NeverBack, before & !shown == 0);
    }

    pub(crate) fn hold(&mut self, rule: Rule, holds: bool) {
        if !holds {
            self.broken.insert(rule);
        }
    }

    /// Whether each of these adds is with more processes than may yet die.
    fn survives(&self, adds: u64, setup: &Setup) -> bool {
        let shown: Vec<u64> = self.processes.iter().map(|process| self.shown_by(process, setup)).collect();
        let holders = |add: u64| shown.iter().filter(|shown| *shown & add != 0).count();
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

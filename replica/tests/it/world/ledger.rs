//! What clients asked and were told, and the promises that follow.

use std::time::Duration;

use replica::store::Record;
use replica::{AckPolicy, NodeId, Refusal, ReplicaId, Reply, Tally, Ticket, Vector};

use super::plan::{Ask, Kind, Plan};
use super::process::Process;
use super::records::Records;

/// An add. Each of a node's adds has a digit of base 4 to itself. So the sum of the node's rows says how often each was
/// counted.
#[derive(Clone, Debug)]
pub(crate) struct Add {
    node: usize,
    digit: u32,
    is_up: bool,
}

/// What was asked, of a process.
#[derive(Clone, Debug)]
enum What {
    Read,
    Add(Add),
    /// An operator wants this node forgotten.
    Forget(usize),
}

#[derive(Clone, Debug)]
struct Asked {
    process: usize,
    what: What,
    answer: Option<Result<Reply, Refusal>>,
    acknowledged: Option<Acknowledged>,
    went_back: WentBack,
}

impl Asked {
    fn add(&self) -> Option<&Add> {
        match &self.what {
            What::Add(add) => Some(add),
            What::Read | What::Forget(_) => None,
        }
    }
}

/// What became of an add as records went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WentBack {
    /// No record that held it has gone back.
    No,
    /// A record held it and went back. Other records, or processes, may still have it.
    AtRisk,
    /// It was at risk, and then nothing had it any more.
    Lost,
}

/// How safe an add was when it was acknowledged.
#[derive(Clone, Debug)]
struct Acknowledged {
    at: Duration,
    is_stored: bool,
    /// Processes of other nodes that held it.
    holders: Vec<usize>,
}

#[derive(Default)]
pub(crate) struct Ledger {
    asked: Vec<Asked>,
    /// The last reads of each node, by whichever process.
    read: Vec<Vector>,
    pub(crate) excused: usize,
    /// How many of those are lost because a record went back.
    pub(crate) went_back: usize,
    pub(crate) acknowledged: usize,
}

pub(crate) type Checked = Result<(), String>;

/// What there is when a client is answered, or the run is over.
pub(crate) struct View<'a> {
    pub(crate) now: Duration,
    pub(crate) plan: &'a Plan,
    pub(crate) store: &'a Records,
    pub(crate) processes: &'a [Process],
}

/// All that the replicas of one node have counted.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    up: u128,
    down: u128,
}

impl Sums {
    fn of<'a>(node: usize, rows: impl IntoIterator<Item = (&'a ReplicaId, Tally)>) -> Self {
        let mut sums = Self::default();
        for (replica, tally) in rows {
            if replica.node() == name(node).as_str() {
                sums.up += u128::from(tally.up);
                sums.down += u128::from(tally.down);
            }
        }
        sums
    }

    fn shown(node: usize, vector: &Vector) -> Self {
        Self::of(node, vector.iter().map(|(replica, counts)| (replica, Tally::from(counts))))
    }

    /// What a record holds, as rows or hints.
    fn recorded(node: usize, record: &Record) -> Self {
        let rows = record.rows.iter().chain(&record.hints);
        Self::of(node, rows.map(|(replica, tally)| (replica, *tally)))
    }

    /// What a process holds.
    fn held(node: usize, process: &Process) -> Self {
        let (own, counted) = counted(process);
        let shown = process.replica.state().iter().filter(|(replica, _)| *replica != own);
        let rows = shown.map(|(replica, counts)| (replica, Tally::from(counts)));
        Self::of(node, rows.chain([(own, counted)]))
    }

    /// Whether some add was counted twice, or more often.
    fn has_doubled(&self) -> bool {
        (self.up | self.down) & (u128::MAX / 3 * 2) != 0
    }

    /// How often an add was counted.
    fn times(&self, add: &Add) -> u128 {
        let side = if add.is_up { self.up } else { self.down };
        (side >> (2 * add.digit)) & 3
    }
}

pub(crate) fn name(node: usize) -> NodeId {
    ["n0", "n1", "n2", "n3", "n4"][node].into()
}

impl Ledger {
    pub(crate) fn new(nodes: usize) -> Self {
        Self { read: vec![Vector::new(); nodes], ..Self::default() }
    }

    /// A client asks a process of this node.
    pub(crate) fn ask(&mut self, process: usize, node: usize, ask: Ask) -> Ticket {
        self.note(
            process,
            match ask {
                Ask::Read => What::Read,
                Ask::Add { digit, is_up } => What::Add(Add { node, digit, is_up }),
            },
        )
    }

    /// An operator asks a process to forget this node.
    pub(crate) fn ask_to_forget(&mut self, process: usize, node: usize) -> Ticket {
        self.note(process, What::Forget(node))
    }

    fn note(&mut self, process: usize, what: What) -> Ticket {
        let (answer, acknowledged) = (None, None);
        self.asked.push(Asked { process, what, answer, acknowledged, went_back: WentBack::No });
        Ticket(self.asked.len() as u64 - 1)
    }

    /// A process answers.
    pub(crate) fn answer(
        &mut self,
        process: usize,
        ticket: Ticket,
        result: Result<Reply, Refusal>,
        view: &View<'_>,
    ) -> Checked {
        let index = usize::try_from(ticket.0).unwrap();
        let Some(asked) = self.asked.get_mut(index).filter(|asked| asked.process == process) else {
            return Err(format!("{ticket:?} is answered by a process that was not asked"));
        };
        if let Some(before) = asked.answer.replace(result) {
            return Err(format!("{ticket:?} is answered twice: {before:?}, then {result:?}"));
        }
        match (&asked.what, result) {
            (What::Add(add), Ok(Reply::Added)) => {
                let acknowledged = acknowledged(process, add, view)?;
                asked.acknowledged = Some(acknowledged);
                self.acknowledged += 1;
                Ok(())
            }
            (What::Add(_), Err(_)) => Ok(()),
            (What::Read, Ok(Reply::Value(value))) => self.read(process, value, view),
            (What::Read, Err(refusal)) => match refusal {
                Refusal::NotRecovered
                | Refusal::EndedBeforeRecovered
                | Refusal::TooManyReads
                | Refusal::Forgotten => Ok(()),
                other => Err(format!("a read was refused as an add is: {other}")),
            },
            (What::Forget(node), Ok(Reply::Forgotten)) => {
                let seal = view.store.record(&name(*node)).and_then(|record| record.seal);
                if seal.is_none() && !view.plan.has(Kind::Backs) {
                    return Err(format!("{} is said to be forgotten, and has no seal", name(*node)));
                }
                Ok(())
            }
            (What::Forget(_), Err(refusal)) => match refusal {
                Refusal::NotForgotten
                | Refusal::NoSuchNode
                | Refusal::TooManyForgets
                | Refusal::Forgotten
                | Refusal::ShuttingDown => Ok(()),
                other => Err(format!("a forget was refused so: {other}")),
            },
            (What::Add(_), Ok(Reply::Value(_) | Reply::Forgotten))
            | (What::Read, Ok(Reply::Added | Reply::Forgotten))
            | (What::Forget(_), Ok(Reply::Added | Reply::Value(_))) => {
                Err(format!("{ticket:?} is answered with {result:?}"))
            }
        }
    }

    /// The node that this ticket wants forgotten.
    pub(crate) fn forgets(&self, ticket: Ticket) -> Option<usize> {
        match self.asked.get(usize::try_from(ticket.0).ok()?)?.what {
            What::Forget(node) => Some(node),
            What::Read | What::Add(_) => None,
        }
    }

    /// For each add, the nodes whose records hold it.
    pub(crate) fn recorded(&self, store: &Records) -> Vec<Vec<usize>> {
        let holders = |add: &Add| {
            let holds = |(_, record): &(usize, &Record)| Sums::recorded(add.node, record).times(add) > 0;
            store.all().filter(holds).map(|(node, _)| node).collect()
        };
        self.asked.iter().map(|asked| asked.add().map(holders).unwrap_or_default()).collect()
    }

    /// Records went back. Before that they held these adds.
    pub(crate) fn records_went_back(&mut self, before: &[Vec<usize>], view: &View<'_>) {
        let after = self.recorded(view.store);
        for ((asked, before), after) in self.asked.iter_mut().zip(before).zip(after) {
            if asked.went_back == WentBack::No && before.iter().any(|node| !after.contains(node)) {
                asked.went_back = WentBack::AtRisk;
            }
        }
        self.note_losses(view);
    }

    /// Takes note of adds that were at risk, and that no record and no process holds any more.
    pub(crate) fn note_losses(&mut self, view: &View<'_>) {
        for asked in self.asked.iter_mut().filter(|asked| asked.went_back == WentBack::AtRisk) {
            let Some(add) = asked.add() else { continue };
            let mut records = view.store.all();
            let mut processes = view.processes.iter().filter(|process| process.is_there());
            if !records.any(|(_, record)| Sums::recorded(add.node, record).times(add) > 0)
                && !processes.any(|process| Sums::held(add.node, process).times(add) > 0)
            {
                asked.went_back = WentBack::Lost;
            }
        }
    }

    fn read(&mut self, process: usize, value: i128, view: &View<'_>) -> Checked {
        let reader = &view.processes[process];
        let shown = reader.replica.state();
        if shown.value() != value {
            return Err(format!("a read brought {value}, and the state is {}", shown.value()));
        }
        if !includes(shown, &reader.last_read) {
            return Err("a read of one process went back".into());
        }
        if (0..view.plan.nodes).any(|node| Sums::shown(node, shown).has_doubled()) {
            return Err("a read counts an add twice".into());
        }
        let own = Sums::shown(reader.node, shown);
        let is_own = |asked: &&Asked| asked.process == process && asked.acknowledged.is_some();
        if self.asked.iter().filter(is_own).filter_map(Asked::add).any(|add| own.times(add) == 0) {
            return Err("a read lacks an add that the same process has acknowledged".into());
        }
        let is_promised = view.plan.config.ack != AckPolicy::Memory && view.plan.has_calm_store();
        let before = &mut self.read[reader.node];
        if is_promised && reader.is_alone && !reader.was_paused && !includes(shown, before) {
            return Err("a read went back over a restart, and the store was in order".into());
        }
        before.merge(shown);
        Ok(())
    }

    /// Judges the adds by what the cluster holds at the end.
    pub(crate) fn judge(&mut self, held: &Vector, view: &View<'_>) -> Checked {
        let sums: Vec<Sums> = (0..view.plan.nodes).map(|node| Sums::shown(node, held)).collect();
        let mut explained = vec![Sums::default(); view.plan.nodes];
        for asked in &self.asked {
            let Some(add) = asked.add() else { continue };
            let times = sums[add.node].times(add);
            let side = &mut explained[add.node];
            *(if add.is_up { &mut side.up } else { &mut side.down }) += times << (2 * add.digit);
            match (asked.answer, times) {
                (_, 2..) => return Err(format!("an add was counted {times} times: {add:?}")),
                (Some(Err(refusal)), 1) if !refusal.may_have_counted() => {
                    return Err(format!("an add was counted that was refused: {refusal}"));
                }
                (Some(Ok(_)), 0) if is_excused(asked, view) => {
                    self.excused += 1;
                    self.went_back += usize::from(asked.went_back == WentBack::Lost);
                }
                (Some(Ok(_)), 0) => return Err(format!("an acknowledged add is lost: {asked:?}")),
                _ => {}
            }
        }
        let is_explained = |(a, b): (&Sums, &Sums)| (a.up, a.down) == (b.up, b.down);
        if !sums.iter().zip(&explained).all(is_explained) {
            return Err("something was counted that nobody has added".into());
        }
        Ok(())
    }
}

/// Whether one vector holds all that another does.
fn includes(larger: &Vector, smaller: &Vector) -> bool {
    smaller.iter().all(|(replica, counts)| Tally::from(counts).is_within(Tally::of(larger, replica)))
}

/// An add is acknowledged: as safe as the policy says?
fn acknowledged(process: usize, add: &Add, view: &View<'_>) -> Result<Acknowledged, String> {
    let mut history = view.store.history(add.node);
    let is_stored = history.any(|record| Sums::recorded(add.node, record).times(add) > 0);
    let holds = |(_, holder): &(usize, &Process)| {
        holder.node != add.node && Sums::shown(add.node, holder.replica.state()).times(add) > 0
    };
    let holders: Vec<usize> =
        view.processes.iter().enumerate().filter(holds).map(|(holder, _)| holder).collect();
    let is_safe = match view.plan.config.ack {
        AckPolicy::Store => is_stored,
        AckPolicy::Durable => is_stored || !view.plan.has_calm_store() && !holders.is_empty(),
        AckPolicy::Memory => Sums::of(add.node, [counted(&view.processes[process])]).times(add) > 0,
    };
    if !is_safe {
        return Err("an add was acknowledged before it was as safe as the policy promises".into());
    }
    Ok(Acknowledged { at: view.now, is_stored, holders })
}

fn counted(process: &Process) -> (&ReplicaId, Tally) {
    (process.replica.id(), process.replica.counted())
}

/// Whether the policy lets an acknowledged add be lost, or a record that went back: see GUARANTEES.md, promise 1.
fn is_excused(asked: &Asked, view: &View<'_>) -> bool {
    let Some(acknowledged) = &asked.acknowledged else { return false };
    if asked.went_back == WentBack::Lost {
        return true;
    }
    // It died before it had run for a while with the store in order.
    let died_early = |process: &usize| {
        let process = &view.processes[*process];
        !process.is_there() && !process.was_calm_after(acknowledged.at)
    };
    let its_process_died = died_early(&asked.process);
    match view.plan.config.ack {
        AckPolicy::Store => false,
        AckPolicy::Durable => {
            !acknowledged.is_stored && its_process_died && acknowledged.holders.iter().any(died_early)
        }
        AckPolicy::Memory => !acknowledged.is_stored && its_process_died,
    }
}

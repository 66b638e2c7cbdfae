//! What clients asked and were told, and the promises that follow.

use std::collections::BTreeMap;
use std::time::Duration;

use crdt::Merge;
use replica::store::Record;
use replica::{AckPolicy, Change, Name, NodeId, Refusal, ReplicaId, Reply, Request, Ticket};

use super::past::{Past, Versions};
use super::plan::{Kind, Plan};
use super::process::Process;
use super::records::Records;

/// What was asked, of a process.
#[derive(Clone, Debug)]
enum What {
    Asked(Request),
    /// An operator wants this node forgotten.
    Forget(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Asked {
    process: usize,
    node: usize,
    what: What,
    pub(super) answer: Option<Result<Reply, Refusal>>,
    pub(super) counted: Option<Counted>,
    acknowledged: Option<Acknowledged>,
    pub(super) went_back: WentBack,
}

/// How a change was counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) replica: ReplicaId,
    /// The number of the change. If it changes nothing, that of the change before.
    pub(crate) number: u64,
    pub(crate) is_change: bool,
    /// A reset: the value that it subtracts, and what it observes.
    pub(crate) value: i128,
    pub(crate) observed: Observed,
}

/// What a reset has observed of its counter. That stays subtracted, even if nobody has it any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// All changes in these rows.
    pub(crate) rows: Versions,
    /// The largest total of each source.
    pub(crate) totals: BTreeMap<Name, u64>,
}

impl Observed {
    pub(super) fn merge(&mut self, other: &Self) {
        self.rows.merge(&other.rows);
        other.totals.iter().for_each(|(source, total)| self.report(source, *total));
    }

    fn report(&mut self, source: &Name, total: u64) {
        let known = self.totals.entry(source.clone()).or_default();
        *known = total.max(*known);
    }
}

impl Asked {
    pub(super) fn change(&self) -> Option<&Change> {
        match &self.what {
            What::Asked(Request::Change(change)) => Some(change),
            What::Asked(Request::Read(_)) | What::Forget(_) => None,
        }
    }
}

impl Counted {
    pub(super) fn is_in(&self, rows: &Versions) -> bool {
        rows.counter().get(&self.replica) >= self.number
    }

    fn is_recorded(&self, record: &Record) -> bool {
        let row = record.rows.get(&self.replica).or_else(|| record.hints.get(&self.replica));
        row.map_or(0, replica::RowDelta::upto) >= self.number
    }

    fn is_held(&self, process: &Process) -> bool {
        process.counting.has(&self.replica, self.number)
    }
}

/// What became of an add as records went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WentBack {
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
    pub(super) asked: Vec<Asked>,
    /// The rows that each node has shown in reads, by whichever process.
    read: Vec<Versions>,
    pub(crate) excused: usize,
    /// How many of those are lost because a record went back.
    pub(crate) went_back: usize,
}

pub(crate) type Checked = Result<(), String>;

/// What there is when a client is answered, or the run is over.
pub(crate) struct View<'a> {
    pub(crate) now: Duration,
    pub(crate) plan: &'a Plan,
    pub(crate) store: &'a Records,
    pub(crate) processes: &'a [Process],
    pub(crate) past: &'a Past,
}

pub(crate) fn name(node: usize) -> NodeId {
    ["n0", "n1", "n2", "n3", "n4"][node].into()
}

impl Ledger {
    pub(crate) fn new(nodes: usize) -> Self {
        Self { read: vec![Versions::new(); nodes], ..Self::default() }
    }

    /// A client asks a process of this node.
    pub(crate) fn ask(&mut self, process: usize, node: usize, request: Request) -> Ticket {
        self.note(process, node, What::Asked(request))
    }

    /// An operator asks a process to forget this node.
    pub(crate) fn ask_to_forget(&mut self, process: usize, node: usize) -> Ticket {
        self.note(process, node, What::Forget(node))
    }

    fn note(&mut self, process: usize, node: usize, what: What) -> Ticket {
        let (answer, counted, acknowledged) = (None, None, None);
        self.asked.push(Asked {
            process,
            node,
            what,
            answer,
            counted,
            acknowledged,
            went_back: WentBack::No,
        });
        Ticket(self.asked.len() as u64 - 1)
    }

    /// A change is counted. One that changes nothing is as safe as the change before.
    pub(crate) fn count(&mut self, ticket: Ticket, counted: Counted) -> Checked {
        let is_same = |other: &Counted| (&other.replica, other.number) == (&counted.replica, counted.number);
        let before = self.asked.iter().rfind(|asked| asked.counted.as_ref().is_some_and(is_same));
        let went_back = before.map_or(WentBack::No, |before| before.went_back);
        let asked = &mut self.asked[usize::try_from(ticket.0).unwrap()];
        asked.went_back = went_back;
        match asked.counted.replace(counted) {
            Some(_) => Err(format!("a change is counted twice: {asked:?}")),
            None => Ok(()),
        }
    }

    /// What a reset of a counter observes in these rows: also what resets in them have observed.
    pub(crate) fn observed(&self, counter: &Name, rows: &Versions) -> Observed {
        let mut observed = Observed { rows: rows.clone(), totals: BTreeMap::new() };
        for asked in &self.asked {
            let Some(done) = asked.counted.as_ref().filter(|done| done.is_in(rows)) else { continue };
            match asked.change() {
                Some(Change::Reset(other)) if other == counter => observed.merge(&done.observed),
                Some(Change::Report { counter: other, source, total }) if other == counter => {
                    observed.report(source, *total);
                }
                Some(_) | None => {}
            }
        }
        observed
    }

    /// Nobody has what a replica counted above this number, for the store went back. What it counts now was not observed.
    pub(crate) fn cut(&mut self, replica: &ReplicaId, upto: u64) {
        for asked in &mut self.asked {
            asked.counted.take_if(|counted| counted.replica == *replica && counted.number > upto);
            let Some(Counted { observed, .. }) = &mut asked.counted else { continue };
            let left = |(other, version): (&ReplicaId, u64)| {
                (other.clone(), if other == replica { version.min(upto) } else { version })
            };
            observed.rows = observed.rows.counter().iter().map(left).collect();
        }
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
            (What::Asked(Request::Change(change)), Ok(reply @ (Reply::Counted | Reply::Reset(_)))) => {
                let counted = asked.counted.as_ref().ok_or("a change was acknowledged and never counted")?;
                is_answer(change, counted, reply)?;
                asked.acknowledged = Some(acknowledged(process, asked.node, counted, view)?);
                Ok(())
            }
            (What::Asked(Request::Change(_)), Err(_)) => Ok(()),
            (What::Asked(Request::Read(counter)), Ok(Reply::Value(value))) => {
                let counter = counter.clone();
                self.read(process, &counter, value, view)
            }
            (What::Asked(Request::Read(_)), Err(refusal)) => match refusal {
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
            (What::Asked(Request::Change(_)), Ok(Reply::Value(_) | Reply::Forgotten))
            | (What::Asked(Request::Read(_)), Ok(Reply::Counted | Reply::Reset(_) | Reply::Forgotten))
            | (What::Forget(_), Ok(Reply::Counted | Reply::Reset(_) | Reply::Value(_))) => {
                Err(format!("{ticket:?} is answered with {result:?}"))
            }
        }
    }

    /// How many changes of a kind were acknowledged.
    pub(crate) fn acknowledged(&self, is: fn(&Change) -> bool) -> usize {
        let acknowledged = self.asked.iter().filter(|asked| asked.acknowledged.is_some());
        acknowledged.filter(|asked| asked.change().is_some_and(is)).count()
    }

    /// The node that this ticket wants forgotten.
    pub(crate) fn forgets(&self, ticket: Ticket) -> Option<usize> {
        match self.asked.get(usize::try_from(ticket.0).ok()?)?.what {
            What::Forget(node) => Some(node),
            What::Asked(_) => None,
        }
    }

    /// For each change, the nodes whose records hold it.
    pub(crate) fn recorded(&self, store: &Records) -> Vec<Vec<usize>> {
        let holders = |counted: &Counted| {
            let records = store.all().filter(|(_, record)| counted.is_recorded(record));
            records.map(|(node, _)| node).collect()
        };
        self.asked.iter().map(|asked| asked.counted.as_ref().map(holders).unwrap_or_default()).collect()
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
            let Some(counted) = &asked.counted else { continue };
            let mut processes = view.processes.iter().filter(|process| process.is_there());
            if !view.store.all().any(|(_, record)| counted.is_recorded(record))
                && !processes.any(|process| counted.is_held(process))
            {
                asked.went_back = WentBack::Lost;
            }
        }
    }

    fn read(&mut self, process: usize, counter: &Name, value: i128, view: &View<'_>) -> Checked {
        let reader = &view.processes[process];
        let shown = &reader.counting.shown;
        let expected = view.past.value(counter, shown);
        if value != expected {
            return Err(format!("a read of {counter:?} brought {value}, and the rows have {expected}"));
        }
        if !shown.covers(&reader.last_read) {
            return Err("a read of one process went back".into());
        }
        let is_own = |asked: &&Asked| asked.process == process && asked.acknowledged.is_some();
        let mut own = self.asked.iter().filter(is_own).filter_map(|asked| asked.counted.as_ref());
        if own.any(|counted| !counted.is_in(shown)) {
            return Err("a read lacks a change that the same process has acknowledged".into());
        }
        let is_promised = view.plan.config.ack != AckPolicy::Memory && view.plan.has_calm_store();
        let before = &mut self.read[reader.node];
        if is_promised && reader.is_alone && !reader.was_paused && !shown.covers(before) {
            return Err("a read went back over a restart, and the store was in order".into());
        }
        before.merge(shown);
        Ok(())
    }
}

/// Whether a change that was counted so may be answered so.
fn is_answer(change: &Change, counted: &Counted, reply: Reply) -> Checked {
    match (change, reply) {
        (Change::Add(..) | Change::Batch(_) | Change::Report { .. }, Reply::Counted) => Ok(()),
        (Change::Reset(_), Reply::Reset(value)) if value == counted.value => Ok(()),
        _ => Err(format!("{change:?} is answered with {reply:?}, and was counted so: {counted:?}")),
    }
}

/// A change is acknowledged: as safe as the policy says?
fn acknowledged(
    process: usize,
    node: usize,
    counted: &Counted,
    view: &View<'_>,
) -> Result<Acknowledged, String> {
    let is_stored = view.store.was_stored(&counted.replica, counted.number);
    let holds =
        |(_, holder): &(usize, &Process)| holder.node != node && counted.is_in(&holder.counting.shown);
    let holders: Vec<usize> =
        view.processes.iter().enumerate().filter(holds).map(|(holder, _)| holder).collect();
    let is_safe = match view.plan.config.ack {
        AckPolicy::Store => is_stored,
        AckPolicy::Durable => is_stored || !view.plan.has_calm_store() && !holders.is_empty(),
        AckPolicy::Memory => counted.is_held(&view.processes[process]),
    };
    // A process that has counted nothing has nothing to keep.
    if !is_safe && counted.number > 0 {
        return Err("a change was acknowledged before it was as safe as the policy promises".into());
    }
    Ok(Acknowledged { at: view.now, is_stored, holders })
}

/// Whether the policy lets an acknowledged add be lost, or a record that went back: see GUARANTEES.md, promise 1.
pub(super) fn is_excused(asked: &Asked, view: &View<'_>) -> bool {
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

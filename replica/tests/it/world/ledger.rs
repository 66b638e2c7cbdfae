//! What clients asked and were told, and the promises that follow.

use std::collections::BTreeMap;
use std::time::Duration;

use replica::store::{Note, Record};
use replica::{Change, Name, NodeId, Refusal, ReplicaId, Reply, Request, Ticket};

use super::past::{Act, Past, Versions, acts};
use super::plan::Plan;
use super::process::Process;
use super::records::Records;

/// What was asked, of a process.
#[derive(Clone, Debug)]
pub(super) enum What {
    Asked(Request),
    /// An operator wants this node forgotten.
    Forget(usize),
    /// Rows of these versions are to be imported.
    Import(Versions),
    /// A replica of another cluster has counted this.
    Elsewhere(Change),
}

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) process: usize,
    pub(super) node: usize,
    pub(super) what: What,
    pub(super) answer: Option<Result<Reply, Refusal>>,
    pub(super) counted: Option<Counted>,
    pub(super) acknowledged: Option<Acknowledged>,
    pub(super) went_back: WentBack,
}

/// How a change was counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) replica: ReplicaId,
    /// The number of the change. If it changes nothing, that of the change before.
    pub(crate) number: u64,
    pub(crate) is_change: bool,
    pub(crate) is_batch: bool,
    /// For each of its acts the value after it, and for a reset what it subtracts.
    pub(crate) told: Vec<i128>,
    /// The rows that its values are of, if it tells them.
    pub(crate) seen: Option<Versions>,
    /// What it observes of each counter that it resets.
    pub(crate) observed: BTreeMap<Name, Observed>,
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
            What::Asked(Request::Change(change) | Request::ChangeAndTell { change, .. })
            | What::Elsewhere(change) => Some(change),
            What::Asked(Request::Read(_) | Request::Await(_)) | What::Forget(_) | What::Import(_) => None,
        }
    }

    pub(super) fn tells(&self) -> bool {
        matches!(&self.what, What::Asked(Request::ChangeAndTell { .. }))
    }

    pub(super) fn note(&self) -> Option<&Note> {
        match &self.what {
            What::Asked(Request::ChangeAndTell { note, .. }) => note.as_ref(),
            What::Asked(_) | What::Forget(_) | What::Import(_) | What::Elsewhere(_) => None,
        }
    }

    pub(super) fn imports(&self) -> Option<&Versions> {
        match &self.what {
            What::Import(versions) => Some(versions),
            What::Asked(_) | What::Forget(_) | What::Elsewhere(_) => None,
        }
    }
}

impl Counted {
    pub(super) fn is_in(&self, rows: &Versions) -> bool {
        rows.counter().get(&self.replica) >= self.number
    }

    /// Whether this is what a note says of it.
    pub(super) fn has_noted(&self, value: i128) -> bool {
        // Of a batch a note says nothing.
        value == if self.is_batch { 0 } else { self.told.first().copied().unwrap_or_default() }
    }

    pub(super) fn is_recorded(&self, record: &Record) -> bool {
        let row = record.rows.get(&self.replica).or_else(|| record.hints.get(&self.replica));
        row.map_or(0, replica::RowDelta::upto) >= self.number
    }

    pub(super) fn is_held(&self, process: &Process) -> bool {
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
pub(super) struct Acknowledged {
    pub(super) at: Duration,
    pub(super) is_stored: bool,
    /// Processes of other nodes that held it.
    pub(super) holders: Vec<usize>,
}

#[derive(Default)]
pub(crate) struct Ledger {
    pub(super) asked: Vec<Asked>,
    /// The rows that each node has shown in reads, by whichever process.
    pub(super) read: Vec<Versions>,
    /// The changes that a read after waiting must show.
    pub(super) wanted: BTreeMap<Ticket, Vec<usize>>,
    /// How many clients were told that it is so what they have waited for, and of how many peers others were told.
    pub(crate) reached: usize,
    pub(crate) held: usize,
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

    /// A process is to import rows of these versions.
    pub(crate) fn import(&mut self, process: usize, node: usize, versions: Versions) -> Ticket {
        self.note(process, node, What::Import(versions))
    }

    /// A replica of another cluster has counted something.
    pub(crate) fn count_elsewhere(&mut self, change: Change, counted: Counted) {
        self.note(usize::MAX, usize::MAX, What::Elsewhere(change));
        self.asked.last_mut().unwrap().counted = Some(counted);
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
            done.observed.get(counter).into_iter().for_each(|earlier| observed.merge(earlier));
            for (other, act) in asked.change().into_iter().flat_map(acts) {
                if let (true, Act::Report(source, total)) = (other == counter, act) {
                    observed.report(source, total);
                }
            }
        }
        observed
    }

    /// Nobody has what a replica counted above this number, for the store went back. What it counts now was not observed.
    pub(crate) fn cut(&mut self, replica: &ReplicaId, upto: u64) {
        for asked in &mut self.asked {
            asked.counted.take_if(|counted| counted.replica == *replica && counted.number > upto);
            let left = |(other, version): (&ReplicaId, u64)| {
                (other.clone(), if other == replica { version.min(upto) } else { version })
            };
            for observed in asked.counted.iter_mut().flat_map(|counted| counted.observed.values_mut()) {
                observed.rows = observed.rows.counter().iter().map(left).collect();
            }
        }
    }

    /// The notes of changes that processes of a node have counted.
    pub(crate) fn noted(&self, node: usize) -> impl Iterator<Item = (u64, &Counted)> {
        let asked = self.asked.iter().filter(move |asked| asked.node == node);
        asked.filter_map(|asked| Some((asked.note()?.until, asked.counted.as_ref()?)))
    }

    /// Whether this change has a note.
    pub(crate) fn has_note(&self, ticket: Ticket) -> bool {
        self.asked.get(usize::try_from(ticket.0).unwrap()).is_some_and(|asked| asked.note().is_some())
    }

    /// Whether the answer to this tells values.
    pub(crate) fn tells(&self, ticket: Ticket) -> bool {
        self.asked.get(usize::try_from(ticket.0).unwrap()).is_some_and(Asked::tells)
    }

    /// The counter of a change to one, if its answer tells the value.
    pub(crate) fn tells_of(&self, ticket: Ticket) -> Option<&Name> {
        match &self.asked.get(usize::try_from(ticket.0).ok()?)?.what {
            What::Asked(Request::ChangeAndTell { change, .. }) => match change {
                Change::Add(counter, _) | Change::Report { counter, .. } => Some(counter),
                Change::Batch(_) | Change::Reset(_) => None,
            },
            What::Asked(_) | What::Forget(_) | What::Import(_) | What::Elsewhere(_) => None,
        }
    }

    /// If this is an import: the node that it was asked of, and the versions of its rows.
    pub(crate) fn import_of(&self, ticket: Ticket) -> Option<(usize, &Versions)> {
        let asked = self.asked.get(usize::try_from(ticket.0).ok()?)?;
        Some((asked.node, asked.imports()?))
    }

    /// How many requests of a kind were acknowledged.
    pub(super) fn count_acknowledged(&self, is: impl Fn(&Asked) -> bool) -> usize {
        self.asked.iter().filter(|asked| asked.acknowledged.is_some() && is(asked)).count()
    }

    /// How many changes of a kind were acknowledged.
    pub(crate) fn acknowledged(&self, is: fn(&Change) -> bool) -> usize {
        self.count_acknowledged(|asked| asked.change().is_some_and(is))
    }

    /// The node that this ticket wants forgotten.
    pub(crate) fn forgets(&self, ticket: Ticket) -> Option<usize> {
        match self.asked.get(usize::try_from(ticket.0).ok()?)?.what {
            What::Forget(node) => Some(node),
            What::Asked(_) | What::Import(_) | What::Elsewhere(_) => None,
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
}

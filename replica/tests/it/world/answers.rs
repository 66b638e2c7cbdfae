//! What processes answer, and whether it is true.

use crdt::Merge;
use replica::{AckPolicy, Change, Name, Refusal, Reply, Request, Ticket};

use super::ledger::{Acknowledged, Asked, Checked, Counted, Ledger, View, WentBack, What, name};
use super::past::Versions;
use super::plan::Kind;
use super::process::Process;

impl Ledger {
    /// A process answers.
    pub(crate) fn answer(
        &mut self,
        process: usize,
        ticket: Ticket,
        result: &Result<Reply, Refusal>,
        view: &View<'_>,
    ) -> Checked {
        let index = usize::try_from(ticket.0).unwrap();
        let Some(asked) = self.asked.get_mut(index).filter(|asked| asked.process == process) else {
            return Err(format!("{ticket:?} is answered by a process that was not asked"));
        };
        if let Some(before) = asked.answer.replace(result.clone()) {
            return Err(format!("{ticket:?} is answered twice: {before:?}, then {result:?}"));
        }
        match (&asked.what, result) {
            (What::Asked(request @ (Request::Change(_) | Request::ChangeAndTell { .. })), Ok(reply)) => {
                let counted = asked.counted.as_ref().ok_or("a change was acknowledged and never counted")?;
                is_answer(request, counted, reply)?;
                asked.acknowledged = Some(acknowledged(process, asked.node, counted, view)?);
                let (node, seen) = (asked.node, counted.seen.clone());
                if let Some(seen) = seen {
                    self.has_shown(node, &seen, view);
                }
                Ok(())
            }
            (What::Asked(Request::Change(_) | Request::ChangeAndTell { .. }), Err(_)) => Ok(()),
            (What::Asked(Request::Read(counter)), Ok(Reply::Value(value))) => {
                let counter = counter.clone();
                self.read(process, &counter, *value, view)
            }
            (What::Asked(Request::Await(_)), _) => self.waited(process, ticket, result, view),
            (What::Asked(Request::Read(_)), Ok(reply)) => Err(format!("a read is answered with {reply:?}")),
            (What::Asked(Request::Read(_)), Err(refusal)) => is_refusal_of_a_read(*refusal),
            (What::Forget(node), Ok(Reply::Forgotten)) => {
                let seal = view.store.record(&name(*node)).and_then(|record| record.seal);
                if seal.is_none() && !view.plan.has(Kind::Backs) {
                    return Err(format!("{} is said to be forgotten, and has no seal", name(*node)));
                }
                Ok(())
            }
            (What::Import(_), Ok(Reply::Counted)) => {
                let counted = asked.counted.as_ref().ok_or("an import was acknowledged and has no number")?;
                asked.acknowledged = Some(acknowledged(process, asked.node, counted, view)?);
                Ok(())
            }
            (What::Import(_), Ok(reply)) => Err(format!("an import is answered with {reply:?}")),
            (What::Import(_), Err(refusal)) => is_refusal_of_an_import(*refusal),
            (What::Elsewhere(_), _) => Err(format!("{ticket:?} is answered, and was not asked here")),
            (What::Forget(_), Ok(reply)) => Err(format!("a forget is answered with {reply:?}")),
            (What::Forget(_), Err(refusal)) => is_refusal_of_a_forget(*refusal),
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
        let (node, shown) = (reader.node, shown.clone());
        self.goes_back(process, &shown, view)?;
        self.has_shown(node, &shown, view);
        Ok(())
    }

    /// A process tells a client of these versions: it must not lack what its node has told before.
    pub(crate) fn goes_back(&self, process: usize, told: &Versions, view: &View<'_>) -> Checked {
        let process = &view.processes[process];
        let is_promised = view.plan.config.ack != AckPolicy::Memory && view.plan.has_calm_store();
        let is_judged = is_promised && process.is_alone && !process.was_paused;
        if is_judged && !told.covers(&self.read[process.node]) {
            return Err("a read went back over a restart, and the store was in order".into());
        }
        Ok(())
    }

    /// A node has told a client of these versions.
    fn has_shown(&mut self, node: usize, told: &Versions, view: &View<'_>) {
        // What an import brings is shown at once, and can be gone until the import is answered.
        let may_go =
            |replica: &_, version| view.plan.has(Kind::Imports) && !view.store.was_stored(replica, version);
        let stays = told.counter().iter().filter(|(replica, version)| !may_go(*replica, *version));
        let stays = stays.map(|(replica, version)| (replica.clone(), version));
        self.read[node].merge(&stays.collect());
    }
}

fn is_refusal_of_a_read(refusal: Refusal) -> Checked {
    match refusal {
        Refusal::NotRecovered
        | Refusal::EndedBeforeRecovered
        | Refusal::TooManyReads
        | Refusal::Forgotten => Ok(()),
        other => Err(format!("a read was refused as an add is: {other}")),
    }
}

fn is_refusal_of_an_import(refusal: Refusal) -> Checked {
    match refusal {
        Refusal::NotRecovered
        | Refusal::StoreSilent
        | Refusal::ShuttingDown
        | Refusal::NotKnownDurable
        | Refusal::EndedBeforeDurable => Ok(()),
        other => Err(format!("an import was refused so: {other}")),
    }
}

fn is_refusal_of_a_forget(refusal: Refusal) -> Checked {
    match refusal {
        Refusal::NotForgotten
        | Refusal::NoSuchNode
        | Refusal::TooManyForgets
        | Refusal::Forgotten
        | Refusal::ShuttingDown => Ok(()),
        other => Err(format!("a forget was refused so: {other}")),
    }
}

/// Whether a change that was counted so may be answered so.
fn is_answer(request: &Request, counted: &Counted, reply: &Reply) -> Checked {
    let (change, tells) = match request {
        Request::Change(change) => (change, false),
        Request::ChangeAndTell { change, .. } => (change, true),
        Request::Read(_) | Request::Await(_) => return Err("a read is counted".into()),
    };
    let is_true = match (change, reply) {
        (Change::Reset(_), Reply::Reset(value)) => counted.told == [*value],
        (Change::Add(..) | Change::Report { .. }, Reply::Value(value)) => tells && counted.told == [*value],
        (Change::Batch(_), Reply::Values(values)) => tells && counted.told[..] == values[..],
        (Change::Add(..) | Change::Batch(_) | Change::Report { .. }, Reply::Counted) => !tells,
        _ => false,
    };
    if is_true {
        return Ok(());
    }
    Err(format!("{request:?} is answered with {reply:?}, and was counted so: {counted:?}"))
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

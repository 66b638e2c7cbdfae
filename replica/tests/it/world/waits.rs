//! Clients that wait until a node shows, or its peers have, so much: is it so once they are told?

use std::collections::BTreeSet;

use rand::RngExt;
use replica::{Input, Refusal, Reply, Request, Ticket, Until};

use super::World;
use super::answers::is_excused;
use super::ledger::{Asked, Checked, Ledger, View, What, name};
use super::plan::{Waits, Wanted};

impl World {
    /// A client waits.
    pub(super) fn wait(&mut self, Waits { node, wanted, within }: Waits) -> Checked {
        let Some(process) = self.one_of(node) else { return Ok(()) };
        let acknowledged = self.ledger.asked.iter().enumerate();
        let acknowledged = acknowledged.filter(|(_, asked)| asked.acknowledged.is_some()).map(|(at, _)| at);
        let mut wanted_changes: Vec<usize> = acknowledged.collect();
        let until = match wanted {
            Wanted::Own => {
                // Those that were asked for last.
                let last = wanted_changes.len().saturating_sub(self.rng.random_range(1..4));
                wanted_changes.drain(..last);
                let counted = wanted_changes.iter().filter_map(|at| self.ledger.asked[*at].counted.as_ref());
                Until::Covers(counted.map(|counted| (counted.replica.clone(), counted.number)).collect())
            }
            Wanted::All => Until::AllTold,
            Wanted::Held(peers) => Until::Held { peers, number: self.processes[process].replica.safe() },
        };
        let request = Request::Await(until);
        let ticket = self.ledger.ask(process, node, request.clone());
        self.ledger.wanted.insert(ticket, wanted_changes);
        self.tell(process, Input::Client { ticket, answer_by: self.now + within, request })
    }
}

impl Ledger {
    /// A client that has waited is answered.
    pub(super) fn waited(
        &mut self,
        process: usize,
        ticket: Ticket,
        result: &Result<Reply, Refusal>,
        view: &View<'_>,
    ) -> Checked {
        let asked = &self.asked[usize::try_from(ticket.0).unwrap()];
        let What::Asked(Request::Await(until)) = &asked.what else { return Ok(()) };
        match (until, result) {
            (Until::Covers(_) | Until::AllTold | Until::AtLeast(..), Ok(Reply::Reached)) => {
                self.reached += 1;
                let wanted = self.wanted.remove(&ticket).unwrap_or_default();
                let all = *until == Until::AllTold;
                shows(process, wanted.into_iter().map(|at| &self.asked[at]), all, view)
            }
            (Until::Covers(_) | Until::AllTold | Until::AtLeast(..), Ok(Reply::NotReached(_)))
            | (_, Err(Refusal::EndedBeforeReached | Refusal::Forgotten | Refusal::TooManyReads)) => Ok(()),
            (Until::Held { number, .. }, Ok(Reply::Held(told))) => {
                self.held += told;
                let replica = &view.processes[process].counting.under;
                let others = view.processes.iter().filter(|other| other.node != asked.node);
                let has = others.filter(|other| other.counting.has(replica, *number)).map(|other| other.node);
                let has = has.collect::<BTreeSet<_>>().len();
                if has < *told {
                    return Err(format!("{told} peers are said to have what {has} have: {until:?}"));
                }
                Ok(())
            }
            (_, result) => Err(format!("{until:?} is answered with {result:?}")),
        }
    }
}

/// Whether a process shows these changes, or may lack them.
fn shows<'a>(
    process: usize,
    mut wanted: impl Iterator<Item = &'a Asked>,
    all: bool,
    view: &View<'_>,
) -> Checked {
    let reader = &view.processes[process];
    let lacks = |asked: &&Asked| {
        let counted = asked.counted.as_ref();
        counted.is_some_and(|counted| !counted.is_in(&reader.counting.shown))
    };
    // Of two processes of a node that run at once one is asked, and no node that the reader does not know: it is not on its list, or
    // was forgotten, and the reader has not heard yet that it has returned.
    let was_forgotten = |node| view.store.record(&node).is_some_and(|record| record.seal.is_some());
    let is_asked = |asked: &&Asked| {
        let node = name(asked.node);
        view.processes[asked.process].is_alone && reader.roster.contains(&node) && !was_forgotten(node)
    };
    let lost = wanted.find(|asked| lacks(asked) && !(all && (!is_asked(asked) || is_excused(asked, view))));
    match lost {
        Some(asked) => Err(format!("a read that has waited for it lacks {asked:?}")),
        None => Ok(()),
    }
}

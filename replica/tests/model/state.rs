//! A state of the cluster.

use std::collections::BTreeSet;

use replica::Reply;
use replica::store::Outcome;

use crate::adds::adds_of;
use crate::cluster::Action;
use crate::ledger::Ledger;
use crate::message::{Ask, Id, Message};
use crate::printed::Printed;
use crate::process::{FIRST_READ, Process, Step};
use crate::rules::{Broken, Fate, Rule};
use crate::setup::{Faults, Setup, StoreIs};
use crate::store::Store;

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// Those that run, by node and incarnation.
    pub(crate) processes: Vec<Printed<Process>>,
    /// In order. The same message twice is there once.
    pub(crate) on_the_way: Vec<Printed<Message>>,
    pub(crate) store: Printed<Store>,
    /// What clients know of each add.
    pub(crate) adds: Vec<Fate>,
    /// How many processes of each node have begun.
    begun: Vec<u8>,
    /// The nodes whose last process was told to end, so that another may begin.
    ended: BTreeSet<u8>,
    /// What may still go wrong.
    pub(crate) left: Faults,
    /// The adds that reads on each node have shown.
    pub(crate) shown: Vec<u64>,
    /// Acknowledged adds that can't be kept, for nothing held them any more.
    pub(crate) excused: u64,
    /// An operator was told that the node is forgotten.
    pub(crate) was_forgotten: bool,
    /// What was counted, in a world with many counters.
    pub(crate) ledger: Printed<Ledger>,
    /// The adds that resets on each node have told their clients to have subtracted.
    subtracted: Vec<u64>,
    pub(crate) broken: Broken,
}

impl State {
    /// All nodes begin.
    pub(crate) fn new(setup: &Setup) -> Self {
        let mut state = Self {
            processes: Vec::new(),
            on_the_way: Vec::new(),
            store: Store::new(setup),
            adds: vec![Fate::Ahead; setup.adds.len()],
            begun: vec![0; setup.nodes.0.into()],
            ended: BTreeSet::new(),
            left: setup.faults,
            shown: vec![0; setup.nodes.0.into()],
            excused: 0,
            was_forgotten: false,
            ledger: Printed::new(Ledger::default()),
            subtracted: vec![0; setup.nodes.0.into()],
            broken: Broken::new(),
        };
        (0..setup.nodes.1).for_each(|node| state.begin(node, setup));
        state
    }

    /// The next process of a node begins.
    pub(crate) fn begin(&mut self, node: u8, setup: &Setup) {
        let incarnation = &mut self.begun[usize::from(node)];
        let step = Process::begin(Id { node, incarnation: *incarnation }, setup);
        *incarnation += 1;
        self.ended.remove(&node);
        self.processes.extend(step.process.clone());
        self.processes.sort_by_key(|process| process.id);
        self.take(node, &step, setup);
    }

    /// Clients and the network take what a process has said.
    pub(crate) fn take(&mut self, node: u8, step: &Step, setup: &Setup) {
        for message in &step.sent {
            self.send(message.clone(), setup);
        }
        self.note_counted(step);
        for (ticket, result) in &step.answers {
            if let Ok(Reply::Reset(value)) = result {
                self.subtract(node, *value);
            }
            match result {
                Ok(Reply::Value(value)) => self.show(node, *value, setup),
                Ok(Reply::Forgotten) => self.was_forgotten = true,
                result if *ticket != FIRST_READ => {
                    if let Some(fate) = usize::try_from(ticket.0).ok().and_then(|add| self.adds.get_mut(add))
                    {
                        *fate = Fate::of(result);
                    }
                }
                Ok(
                    Reply::Counted
                    | Reply::Reset(_)
                    | Reply::Values(_)
                    | Reply::Reached
                    | Reply::NotReached(_)
                    | Reply::Held(_),
                )
                | Err(_) => {}
            }
        }
        self.broken.extend(&step.broken);
    }

    fn note_counted(&mut self, step: &Step) {
        if step.counted.is_empty() {
            return;
        }
        let mut ledger = Ledger::clone(&self.ledger);
        step.counted.iter().cloned().for_each(|counted| ledger.count(counted));
        self.ledger = Printed::new(ledger);
    }

    /// A client of this node is told that a reset has subtracted so much.
    fn subtract(&mut self, node: u8, value: i128) {
        let before = &mut self.subtracted[usize::from(node)];
        let adds = adds_of(value);
        let is_new = *before & adds == 0;
        *before |= adds;
        if !is_new {
            self.broken.insert(Rule::SubtractedOnce);
        }
    }

    /// A message sets out, if it can ever arrive.
    fn send(&mut self, message: Message, setup: &Setup) {
        let message = match (message, setup.store) {
            (Message::Frame { to, .. }, _) if to >= setup.nodes.1 => return,
            (Message::Frame { from, to, .. }, _)
                if [from, to].iter().any(|node| setup.silent.contains(node)) =>
            {
                return;
            }
            (Message::Ask(_), StoreIs::Silent) => return,
            (Message::Ask(ask), StoreIs::Up | StoreIs::Lagging) => {
                Message::Ask(Ask { since: self.store.now(), ..ask })
            }
            (Message::Ask(Ask { by, token: Some(token), .. }), StoreIs::Unwilling) => {
                Message::Told { to: by, token, outcome: Outcome::NotDone }
            }
            (message, _) => message,
        };
        self.put(Printed::new(message));
    }

    /// A message is on its way.
    pub(crate) fn put(&mut self, message: Printed<Message>) {
        if let Err(at) = self.on_the_way.binary_search(&message) {
            self.on_the_way.insert(at, message);
        }
    }

    pub(crate) fn take_off(&mut self, message: &Printed<Message>) {
        self.on_the_way.retain(|other| other != message);
    }

    /// A process is gone. What it alone held can't be kept.
    pub(crate) fn bury(&mut self, id: Id, setup: &Setup) {
        self.processes.retain(|process| process.id != id);
        self.excuse(setup);
        self.store = Printed::new(self.store.without(id));
    }

    /// The add that this node is asked for next, if any.
    pub(crate) fn next_add(&self, node: u8, setup: &Setup) -> Option<usize> {
        let mut here = (0..self.adds.len()).filter(|add| setup.adds[*add] == node);
        here.find(|add| self.adds[*add] == Fate::Ahead)
    }

    /// A process of a node is told to end: the next one may begin.
    pub(crate) fn end(&mut self, node: u8) {
        self.ended.insert(node);
    }

    /// Whether the next process of a node may begin because the last was told to end. If records go back, it waits until that
    /// one is gone.
    pub(crate) fn may_restart(&self, node: u8, setup: &Setup) -> bool {
        let waits = setup.faults.backs > 0;
        let mut processes = self.processes.iter().filter(|process| process.id.node == node);
        self.ended.contains(&node) && processes.all(|process| process.is_ending && !waits)
    }

    /// Whether the next process of a node may begin because none runs, though none was told to end.
    pub(crate) fn may_return(&self, node: u8) -> bool {
        let runs = self.processes.iter().any(|process| process.id.node == node);
        self.left.returns > 0 && !runs && !self.ended.contains(&node)
    }

    /// Whether another process of a node may begin.
    pub(crate) fn may_begin(&self, node: u8, setup: &Setup) -> bool {
        let Faults { crashes, ends, doubles, returns, .. } = self.left;
        crashes + ends + doubles + returns > 0 || self.may_restart(node, setup)
    }

    /// The processes that may hear of the outcome of a request.
    pub(crate) fn hearers(&self, asker: Id, setup: &Setup) -> impl Iterator<Item = &Printed<Process>> {
        let may_stray = setup.stray_outcomes;
        self.processes
            .iter()
            .filter(move |process| process.id == asker || may_stray && process.id.node == asker.node)
    }

    /// The messages that may arrive, each where it may.
    pub(crate) fn arrivals(&self, setup: &Setup) -> Vec<Action> {
        let mut actions = Vec::new();
        for message in &self.on_the_way {
            match &**message {
                Message::Frame { to, .. } => {
                    for process in self.processes.iter().filter(|process| process.id.node == *to) {
                        actions.push(Action::Arrives(message.clone(), process.id, false));
                        if self.left.duplicates > 0 {
                            actions.push(Action::Arrives(message.clone(), process.id, true));
                        }
                    }
                }
                Message::Told { to, .. } => {
                    let arrives =
                        |process: &Printed<Process>| Action::Arrives(message.clone(), process.id, false);
                    actions.extend(self.hearers(*to, setup).map(arrives));
                }
                Message::Ask(_) => {}
            }
        }
        actions
    }
}

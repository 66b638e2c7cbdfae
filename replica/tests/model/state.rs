//! A state of the cluster.

use replica::Reply;
use replica::store::Outcome;

use crate::cluster::Action;
use crate::message::{Ask, Id, Message};
use crate::printed::Printed;
use crate::process::{FIRST_READ, Process, Step};
use crate::rules::{Broken, Fate};
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
    /// What may still go wrong.
    pub(crate) left: Faults,
    /// The adds that reads on each node have shown.
    pub(crate) shown: Vec<u64>,
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
            left: setup.faults,
            shown: vec![0; setup.nodes.0.into()],
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
        self.processes.extend(step.process.clone());
        self.processes.sort_by_key(|process| process.id);
        self.take(node, &step, setup);
    }

    /// Clients and the network take what a process has said.
    pub(crate) fn take(&mut self, node: u8, step: &Step, setup: &Setup) {
        for message in &step.sent {
            self.send(message.clone(), setup);
        }
        for (ticket, result) in &step.answers {
            match result {
                Ok(Reply::Value(value)) => self.show(node, *value, setup),
                result if *ticket != FIRST_READ => {
                    if let Some(fate) = usize::try_from(ticket.0).ok().and_then(|add| self.adds.get_mut(add))
                    {
                        *fate = Fate::of(*result);
                    }
                }
                Ok(Reply::Added | Reply::Forgotten) | Err(_) => {}
            }
        }
        self.broken.extend(&step.broken);
    }

    /// A message sets out, if it can ever arrive.
    fn send(&mut self, message: Message, setup: &Setup) {
        let message = match (message, setup.store) {
            (Message::Frame { to, .. }, _) if to >= setup.nodes.1 => return,
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

    /// A process is gone.
    pub(crate) fn bury(&mut self, id: Id) {
        self.processes.retain(|process| process.id != id);
        self.store = Printed::new(self.store.without(id));
    }

    /// The add that this node is asked for next, if any.
    pub(crate) fn next_add(&self, node: u8, setup: &Setup) -> Option<usize> {
        let mut here = (0..self.adds.len()).filter(|add| setup.adds[*add] == node);
        here.find(|add| self.adds[*add] == Fate::Ahead)
    }

    /// Whether the next process of a node may begin because the last was told to end.
    pub(crate) fn may_restart(&self, node: u8) -> bool {
        self.begun[usize::from(node)] > 0
            && self.processes.iter().all(|process| process.id.node != node || process.is_ending)
    }

    /// Whether another process of a node may begin.
    pub(crate) fn may_begin(&self, node: u8) -> bool {
        let Faults { crashes, ends, doubles, .. } = self.left;
        crashes + ends + doubles > 0 || self.may_restart(node)
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

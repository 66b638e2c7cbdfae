//! A state of the cluster.

use std::sync::Arc;

use crate::cluster::Action;
use crate::message::{Address, Answer, Message};
use crate::process::{FIRST_READ, Outcome, Process};
use crate::rules::{Broken, Fate, Rule};
use crate::setup::{Faults, Setup};
use crate::store::Store;

/// The whole cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The running processes, by node and incarnation.
    pub(crate) processes: Vec<Arc<Process>>,
    /// Messages on their way, in order. The same message twice is there once.
    pub(crate) in_flight: Vec<Arc<Message>>,
    pub(crate) store: Arc<Store>,
    /// What the client knows of each add.
    pub(crate) adds: Vec<Fate>,
    /// How many incarnations each node has had.
    incarnations: Vec<u8>,
    /// The faults that may still happen.
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
            in_flight: Vec::new(),
            store: Arc::new(Store::new(setup.nodes.0)),
            adds: vec![Fate::Ahead; setup.adds.len()],
            incarnations: vec![0; setup.nodes.0.into()],
            left: setup.faults,
            shown: vec![0; setup.nodes.0.into()],
            broken: Broken::default(),
        };
        (0..setup.nodes.1).for_each(|node| state.begin(node, setup));
        state
    }

    /// The messages that may arrive, each at every place where it may.
    pub(crate) fn arrivals(&self) -> Vec<Action> {
        let copies = if self.left.duplicates > 0 { &[false, true][..] } else { &[false] };
        let mut actions = Vec::new();
        for message in &self.in_flight {
            match &message.to {
                Address::Node(node) => {
                    for process in self.processes.iter().filter(|process| process.node == *node) {
                        let arrival = |copy: &_| Action::Arrives(Arc::clone(message), process.id(), *copy);
                        actions.extend(copies.iter().map(arrival));
                    }
                }
                Address::Store(node, _) => {
                    for at in self.store.visible(*node) {
                        actions
                            .extend(copies.iter().map(|copy| Action::Asks(Arc::clone(message), at, *copy)));
                    }
                }
            }
        }
        actions
    }

    /// Begins the next incarnation of a node.
    pub(crate) fn begin(&mut self, node: u8, setup: &Setup) {
        let incarnations = &mut self.incarnations[usize::from(node)];
        let outcome = Process::start(node, *incarnations, setup);
        *incarnations += 1;
        self.processes.extend(outcome.process.clone());
        self.processes.sort_by_key(|process| (process.node, process.incarnation));
        self.hear(node, &outcome, setup);
    }

    /// The add that this node is asked for next, if any.
    pub(crate) fn next_add(&self, node: u8, setup: &Setup) -> Option<usize> {
        let mut here = (0..self.adds.len()).filter(|add| setup.adds[*add] == node);
        here.find(|add| self.adds[*add] == Fate::Ahead)
    }

    /// Whether another incarnation of a node may begin because the last was told to end.
    pub(crate) fn may_restart(&self, node: u8) -> bool {
        self.incarnations[usize::from(node)] > 0
            && self.processes.iter().all(|process| process.node != node || process.is_ending)
    }

    pub(crate) fn take_off(&mut self, message: &Arc<Message>, copy: bool) {
        if copy {
            self.left.duplicates -= 1;
        } else {
            self.in_flight.retain(|other| other != message);
        }
    }

    pub(crate) fn send(&mut self, message: &Arc<Message>) {
        if let Err(at) = self.in_flight.binary_search(message) {
            self.in_flight.insert(at, Arc::clone(message));
        }
    }

    /// Hands a process's messages to the clients and the network.
    pub(crate) fn hear(&mut self, node: u8, outcome: &Outcome, setup: &Setup) {
        for message in &outcome.sent {
            let arrives = match message.to {
                Address::Node(peer) => peer < setup.nodes.1,
                Address::Store(..) => setup.store,
            };
            if arrives {
                self.send(message);
            }
        }
        for (request, answer) in &outcome.answers {
            if *request == FIRST_READ {
                self.show(node, *answer, setup);
            } else {
                self.learn(usize::try_from(*request).unwrap(), *answer);
            }
        }
        if outcome.panicked {
            self.broken.insert(Rule::NoPanic);
        }
    }

    /// Notes the answer that the client of an add got.
    fn learn(&mut self, add: usize, answer: Answer) {
        if self.adds[add] != Fate::Open {
            self.broken.insert(Rule::AnsweredOnce);
        }
        self.adds[add] = match answer {
            Answer::Done => Fate::Acknowledged,
            Answer::Refused => Fate::Refused,
            Answer::Indefinite | Answer::Value(_) => Fate::Unknown,
        };
    }
}

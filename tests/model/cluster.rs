//! The cluster: which actions are possible in each of its states, and which state follows each of them.

use std::fmt;
use std::sync::Arc;

use stateright::{Model, Property};

use crate::message::{Address, Message, fingerprint, name};
use crate::process::{Input, Outcome, Process};
use crate::rules::{Fate, Rule};
use crate::setup::{Faults, Setup};
use crate::state::State;
use crate::steps::Steps;
use crate::store::Handled;

/// The model: a setup, and the steps that are remembered.
pub(crate) struct Cluster {
    pub(crate) setup: Setup,
    pub(crate) steps: Steps<Arc<Outcome>>,
    answers: Steps<Option<Arc<Handled>>>,
    ignored: Steps<bool>,
}

/// Names a process: its node and its incarnation, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(u8, u8);

/// An action that may happen in a state.
#[derive(Clone, PartialEq)]
pub(crate) enum Action {
    /// One process gets an input that is no message.
    Happens(Id, Input),
    /// The message arrives at the process. The flag says whether another copy stays on its way.
    Arrives(Arc<Message>, Id, bool),
    /// The message arrives at the store, which tries it on the state of that index.
    Asks(Arc<Message>, u8, bool),
    /// The process is killed, and the node's next incarnation begins.
    Crash(Id),
    /// The node's next incarnation begins after one that was told to end. That one may still run.
    Restart(u8),
    /// The node's next incarnation begins while this one runs on.
    Double(u8),
}

impl Cluster {
    pub(crate) fn new(setup: Setup) -> Self {
        Self { setup, steps: Steps::new(), answers: Steps::new(), ignored: Steps::new() }
    }

    pub(crate) fn step(&self, process: &Process, input: &Input) -> Arc<Outcome> {
        let take = || Arc::new(process.step(input, &self.setup));
        self.steps.get(process.fingerprint, fingerprint(input), take)
    }

    fn initial(&self) -> State {
        let setup = &self.setup;
        let state = State::new(setup);
        if setup.warm { self.all_arrived(state) } else { state }
    }

    /// The state that follows if all messages that can arrive do, in some order.
    fn all_arrived(&self, mut state: State) -> State {
        while let Some(next) = state.arrivals().into_iter().find_map(|action| self.next(&state, action)) {
            state = next;
        }
        state.in_flight.clear();
        state
    }

    /// The inputs that each process may get, other than messages.
    fn inputs(&self, state: &State, actions: &mut Vec<Action>) {
        for process in &state.processes {
            let mut push = |input| actions.push(Action::Happens(process.id(), input));
            if let Some(add) = state.next_add(process.node, &self.setup) {
                push(Input::Add(add));
            }
            if self.setup.batches {
                push(Input::Wake);
            }
            if process.ticks < self.setup.ticks {
                push(Input::Tick);
            }
            if state.left.deaf > 0 {
                push(Input::Deaf);
            }
            if state.left.ends > 0 && !process.is_ending {
                push(Input::Terminate);
                push(Input::NoMore);
            }
        }
    }

    fn next(&self, state: &State, action: Action) -> Option<State> {
        let mut next = match action {
            Action::Happens(id, input) => {
                let mut next = self.input(state, id, &input)?;
                match input {
                    Input::Terminate | Input::NoMore => next.left.ends -= 1,
                    Input::Deaf => next.left.deaf -= 1,
                    _ => {}
                }
                next
            }
            Action::Arrives(message, id, copy) => {
                let input = Input::Arrives(Arc::clone(&message));
                let mut next = self.input(state, id, &input)?;
                next.take_off(&message, copy);
                next
            }
            Action::Asks(message, at, copy) => self.ask_store(state, &message, at, copy)?,
            Action::Crash(id) => {
                let mut next = state.clone();
                next.left.crashes -= 1;
                next.processes.retain(|process| process.id() != id);
                next.begin(id.0, &self.setup);
                next
            }
            Action::Restart(node) => {
                let mut next = state.clone();
                next.begin(node, &self.setup);
                next
            }
            Action::Double(node) => {
                let mut next = state.clone();
                next.left.doubles -= 1;
                next.begin(node, &self.setup);
                next
            }
        };
        self.forget(&mut next);
        next.judge(self);
        Some(next)
    }

    /// Takes off the network what can no longer matter: reads of the store, and its answers, if the process that asked has
    /// had an answer or is gone. It does so only once no other incarnation of the node can begin: a later incarnation
    /// might mistake such an answer for its own, and that is one of the dangers.
    fn forget(&self, state: &mut State) {
        let State { processes, in_flight, left, .. } = state;
        let is_last = |node: u8| {
            *left == Faults { duplicates: left.duplicates, deaf: left.deaf, ..Faults::default() }
                && processes.iter().any(|process| process.node == node && !process.is_ending)
        };
        let ignores = |process: &Process, id: i64| {
            let take = || process.ignores(id, &self.setup);
            self.ignored.get(process.fingerprint, fingerprint(&id), take)
        };
        in_flight.retain(|message| {
            let Some((node, id, true)) = message.asked() else { return true };
            let mut all = processes.iter().filter(|process| process.node == node);
            !(is_last(node) && all.all(|process| ignores(process, id)))
        });
    }

    /// A process gets an input. `None` if that changes nothing: such a message may as well not arrive.
    fn input(&self, state: &State, id: Id, input: &Input) -> Option<State> {
        let at = state.processes.iter().position(|process| process.id() == id)?;
        let process = &state.processes[at];
        let outcome = self.step(process, input);
        if outcome.process.as_ref() == Some(process) && outcome.sent.is_empty() && outcome.answers.is_empty()
        {
            return None;
        }
        let mut next = state.clone();
        if let Input::Add(add) = input {
            next.adds[*add] = Fate::Open;
        }
        match &outcome.process {
            Some(process) => next.processes[at] = Arc::clone(process),
            None => drop(next.processes.remove(at)),
        }
        next.hear(id.0, &outcome, &self.setup);
        Some(next)
    }

    /// The store answers a request. `None` if it gives the same answer from an older state than `at`.
    fn ask_store(&self, state: &State, message: &Arc<Message>, at: u8, copy: bool) -> Option<State> {
        let Address::Store(node, request) = &message.to else { return None };
        let take = || state.store.handle(*node, request, at).map(Arc::new);
        let handled = self.answers.get(state.store.fingerprint, message.fingerprint ^ u64::from(at), take)?;
        let mut next = state.clone();
        next.take_off(message, copy);
        next.store = Arc::clone(&handled.store);
        next.send(&handled.answer);
        if handled.shrank {
            next.broken.insert(Rule::RecordGrows);
        }
        Some(next)
    }
}

impl Process {
    pub(crate) fn id(&self) -> Id {
        Id(self.node, self.incarnation)
    }
}

impl Model for Cluster {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.initial()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if !state.broken.is_empty() {
            return;
        }
        self.inputs(state, actions);
        actions.extend(state.arrivals());
        if state.left.crashes > 0 {
            actions.extend(state.processes.iter().map(|process| Action::Crash(process.id())));
        }
        let nodes = 0..self.setup.nodes.1;
        actions.extend(nodes.clone().filter(|node| state.may_restart(*node)).map(Action::Restart));
        if state.left.doubles > 0 {
            actions.extend(nodes.map(Action::Double));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.next(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        Rule::properties()
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", name(self.0), self.1)
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let copy = |copy: &bool| if *copy { " (a copy)" } else { "" };
        match self {
            Self::Happens(id, input) => write!(f, "{id:?}: {input:?}"),
            Self::Arrives(message, id, kept) => write!(f, "{id:?} hears{} {message:?}", copy(kept)),
            Self::Asks(message, at, kept) => {
                write!(f, "the store, on state {at}, hears{} {message:?}", copy(kept))
            }
            Self::Crash(id) => write!(f, "{id:?} crashes"),
            Self::Restart(node) => write!(f, "{} starts again", name(*node)),
            Self::Double(node) => write!(f, "{} starts once more", name(*node)),
        }
    }
}

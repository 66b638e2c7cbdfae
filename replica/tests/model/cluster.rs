//! The cluster: what may happen in each of its states, and what comes of it.

use std::fmt;
use std::sync::Arc;

use stateright::{Model, Property};

use replica::store::{Outcome, StoreRequest, Token};

use crate::memo::Memo;
use crate::message::{Ask, Id, Message, name};
use crate::printed::{Printed, fingerprint};
use crate::process::{Event, Process, Step};
use crate::rules::{self, Broken, Fate};
use crate::saboteur::Bug;
use crate::setup::Setup;
use crate::state::State;
use crate::store::Done;

/// The model: a setup, and the steps that are known.
pub(crate) struct Cluster {
    pub(crate) setup: Setup,
    pub(crate) steps: Memo<Arc<Step>>,
    done: Memo<Arc<Vec<Done>>>,
    ignored: Memo<bool>,
    /// The rules that rows break, by who holds them and what was counted.
    pub(crate) audits: Memo<Broken>,
}

/// Something that may happen.
#[derive(Clone, PartialEq)]
pub(crate) enum Action {
    /// To one process alone.
    Happens(Id, Event),
    /// The message arrives at the process; another copy stays on its way, or not.
    Arrives(Printed<Message>, Id, bool),
    /// The store does what it is asked to, in one of the ways that it may.
    Does(Printed<Message>, usize),
    /// The process is told that the outcome is unknown. A commit may be done later.
    IsUnknown(Printed<Message>),
    /// The store does not do what it is asked to.
    Refuses(Printed<Message>),
    /// An open shows the record as it was at this revision.
    OpensOld(Printed<Message>, u64),
    /// The process is gone and the node's next process begins.
    Crash(Id),
    /// The node's next process begins after one that was told to end, or while that is about it.
    Restart(u8),
    /// The node's next process begins while this one runs on.
    Double(u8),
    /// The node's next process begins where none runs, and none was told to end.
    Return(u8),
    /// A record goes back to this revision.
    GoesBack(u64),
}

impl Cluster {
    pub(crate) fn new(setup: Setup) -> Self {
        Self { setup, steps: Memo::new(), done: Memo::new(), ignored: Memo::new(), audits: Memo::new() }
    }

    pub(crate) fn step(&self, process: &Printed<Process>, event: &Event) -> Arc<Step> {
        let key = (process.fingerprint(), fingerprint(event));
        self.steps.get(key, || Arc::new(process.step(event, &self.setup)))
    }

    fn done(&self, state: &State, message: &Printed<Message>, ask: &Ask) -> Arc<Vec<Done>> {
        let key = (state.store.fingerprint(), message.fingerprint());
        self.done.get(key, || Arc::new(state.store.handle(ask, self.setup.bug)))
    }

    /// The events that each process may get from outside the network.
    fn events(&self, state: &State, actions: &mut Vec<Action>) {
        for process in &state.processes {
            let is_calm = self.setup.calm.contains(&process.id.node);
            let mut push = |event| actions.push(Action::Happens(process.id, event));
            if let Some(add) = state.next_add(process.id.node, &self.setup) {
                push(Event::Add(add));
            }
            if self.setup.batches {
                push(Event::Due);
            }
            if process.ticks < self.setup.ticks && !is_calm {
                push(Event::Tick);
            }
            if state.left.stops > 0 {
                push(Event::Stop);
            }
            if state.left.ends > 0 && !process.is_ending && !is_calm {
                push(Event::Shutdown);
                push(Event::Closed);
            }
            let forgotten = self.setup.forgotten;
            if state.left.forgets > 0 && process.id.node != forgotten && !process.is_forgetting() {
                push(Event::Forget(forgotten));
            }
        }
    }

    /// What may come of the requests on their way to the store.
    pub(crate) fn requests(&self, state: &State, actions: &mut Vec<Action>) {
        for message in &state.on_the_way {
            let Message::Ask(ask) = &**message else { continue };
            let ways = self.done(state, message, ask).len();
            actions.extend((0..ways).map(|way| Action::Does(message.clone(), way)));
            if ask.token.is_some() && state.left.unknowns > 0 {
                actions.push(Action::IsUnknown(message.clone()));
            }
            if ask.token.is_some() && state.left.refusals > 0 {
                actions.push(Action::Refuses(message.clone()));
            }
            if ask.request == StoreRequest::Open && state.left.old_opens > 0 {
                let earlier = state.store.earlier(ask.by.node);
                actions.extend(earlier.map(|revision| Action::OpensOld(message.clone(), revision)));
            }
        }
    }

    pub(crate) fn next(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Happens(id, event) => {
                self.happens(&mut next, id, &event)?;
                match event {
                    Event::Shutdown | Event::Closed => {
                        next.left.ends -= 1;
                        next.end(id.node);
                    }
                    Event::Stop => next.left.stops -= 1,
                    Event::Forget(_) => next.left.forgets -= 1,
                    Event::Add(_) | Event::Probe | Event::Arrives(_) | Event::Due | Event::Tick => {}
                }
            }
            Action::Arrives(message, id, stays) => {
                if stays {
                    next.left.duplicates -= 1;
                } else {
                    next.take_off(&message);
                }
                self.happens(&mut next, id, &Event::Arrives(message))?;
            }
            Action::Does(message, way) => self.does(&mut next, &message, way)?,
            Action::IsUnknown(message) => {
                next.left.unknowns -= 1;
                tells(&mut next, &message, Outcome::Unknown)?;
            }
            Action::Refuses(message) => {
                next.left.refusals -= 1;
                tells(&mut next, &message, Outcome::NotDone)?;
            }
            Action::OpensOld(message, revision) => {
                let Message::Ask(Ask { by, .. }) = &*message else { return None };
                next.left.old_opens -= 1;
                let is_last = next.left.old_opens == 0;
                let (outcome, store) = state.store.open_old((by.node, revision), is_last);
                next.store = store;
                tells(&mut next, &message, outcome)?;
            }
            Action::Crash(id) => {
                next.left.crashes -= 1;
                next.bury(id, &self.setup);
                next.begin(id.node, &self.setup);
            }
            Action::Restart(node) => next.begin(node, &self.setup),
            Action::Double(node) => {
                next.left.doubles -= 1;
                next.begin(node, &self.setup);
            }
            Action::Return(node) => {
                next.left.returns -= 1;
                next.begin(node, &self.setup);
            }
            Action::GoesBack(revision) => {
                next.left.backs -= 1;
                next.store = state.store.go_back((self.setup.restored, revision), next.left.backs == 0);
                next.excuse(&self.setup);
            }
        }
        self.forget(&mut next);
        next.judge(self);
        Some(next)
    }

    /// Something happens to a process. `None` if nothing comes of it: what changes nothing may as well not happen.
    pub(crate) fn happens(&self, next: &mut State, id: Id, event: &Event) -> Option<()> {
        let at = next.processes.iter().position(|process| process.id == id)?;
        let step = self.step(&next.processes[at], event);
        if step.process.as_ref() == Some(&next.processes[at])
            && step.sent.is_empty()
            && step.answers.is_empty()
        {
            return None;
        }
        if let Event::Add(add) = event {
            next.adds[*add] = Fate::Open;
        }
        if let Some(process) = &step.process {
            next.processes[at] = process.clone();
        }
        next.take(id.node, &step, &self.setup);
        if step.process.is_none() {
            next.bury(id, &self.setup);
        }
        Some(())
    }

    /// The store does what it is asked to. `None` if that changes nothing.
    fn does(&self, next: &mut State, message: &Printed<Message>, way: usize) -> Option<()> {
        let Message::Ask(ask) = &**message else { return None };
        let all = self.done(next, message, ask);
        let done = all.get(way)?;
        next.take_off(message);
        next.store = done.store.clone();
        next.broken.extend(&done.broken);
        if let Some(told) = &done.told {
            next.put(told.clone());
        }
        Some(())
    }

    /// Takes off the network what can change nothing any more: outcomes and requests that no process waits for, but for
    /// commits that can still be done.
    fn forget(&self, state: &mut State) {
        for message in state.on_the_way.clone() {
            let left_behind = match &*message {
                Message::Frame { .. } => continue,
                Message::Told { to, token, .. } | Message::Ask(Ask { by: to, token: Some(token), .. })
                    if !self.is_ignored(state, *to, *token) =>
                {
                    continue;
                }
                Message::Told { .. } => None,
                Message::Ask(ask) => ask.left_behind().filter(|ask| self.may_be_done(state, ask)),
            };
            state.take_off(&message);
            if let Some(ask) = left_behind {
                state.put(Printed::new(Message::Ask(ask)));
            }
        }
    }

    /// No process makes anything of the outcome of a request, nor will one that may yet begin. (A token is used once.)
    fn is_ignored(&self, state: &State, asker: Id, token: Token) -> bool {
        if self.setup.bug == Some(Bug::IdsReused) {
            return false;
        }
        let ignores = |process: &Printed<Process>| {
            self.ignored.get((process.fingerprint(), token.0), || process.ignores(token, &self.setup))
        };
        state.hearers(asker, &self.setup).all(ignores)
            && !(self.setup.stray_outcomes && state.may_begin(asker.node, &self.setup))
    }

    /// A commit whose revision has passed will never be done, unless the record goes back.
    fn may_be_done(&self, state: &State, ask: &Ask) -> bool {
        self.setup.bug == Some(Bug::NoCondition) || state.left.backs > 0 || state.store.would_do(ask)
    }
}

/// The process is told that its request is not done, or perhaps.
pub(crate) fn tells(next: &mut State, message: &Printed<Message>, outcome: Outcome) -> Option<()> {
    let Message::Ask(ask) = &**message else { return None };
    let may_be_done = outcome == Outcome::Unknown;
    next.take_off(message);
    next.put(Printed::new(Message::Told { to: ask.by, token: ask.token?, outcome }));
    if let Some(ask) = ask.left_behind().filter(|_| may_be_done) {
        next.put(Printed::new(Message::Ask(ask)));
    }
    Some(())
}

impl Model for Cluster {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.after(State::new(&self.setup))]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if !state.broken.is_empty() {
            return;
        }
        self.events(state, actions);
        actions.extend(state.arrivals(&self.setup));
        self.requests(state, actions);
        let restarts = (0..self.setup.nodes.1).filter(|node| state.may_restart(*node, &self.setup));
        actions.extend(restarts.map(Action::Restart));
        let nodes = (0..self.setup.nodes.1).filter(|node| !self.setup.calm.contains(node));
        if state.left.crashes > 0 {
            let ids = state.processes.iter().map(|process| process.id);
            actions.extend(ids.filter(|id| !self.setup.calm.contains(&id.node)).map(Action::Crash));
        }
        actions.extend(nodes.clone().filter(|node| state.may_return(*node)).map(Action::Return));
        if state.left.backs > 0 {
            actions.extend(state.store.earlier(self.setup.restored).map(Action::GoesBack));
        }
        if state.left.doubles > 0 {
            actions.extend(nodes.map(Action::Double));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.next(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        rules::properties()
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Happens(id, event) => write!(f, "{id:?}: {event:?}"),
            Self::Arrives(message, id, true) => write!(f, "{id:?} hears a copy of {message:?}"),
            Self::Arrives(message, id, false) => write!(f, "{id:?} hears {message:?}"),
            Self::Does(message, way) => write!(f, "the store does, in way {way}, {message:?}"),
            Self::IsUnknown(message) => write!(f, "the outcome is unknown: {message:?}"),
            Self::Refuses(message) => write!(f, "the store does not do {message:?}"),
            Self::OpensOld(message, revision) => write!(f, "as at revision {revision}: {message:?}"),
            Self::Crash(id) => write!(f, "{id:?} crashes"),
            Self::Restart(node) => write!(f, "{:?} starts again", name(*node)),
            Self::Double(node) => write!(f, "{:?} starts once more", name(*node)),
            Self::Return(node) => write!(f, "{:?} returns", name(*node)),
            Self::GoesBack(revision) => write!(f, "a record goes back to revision {revision}"),
        }
    }
}

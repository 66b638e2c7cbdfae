//! What has happened before a search begins: so a search can begin where its dangers are.

use replica::store::Outcome;

use crate::cluster::{Action, Cluster};
use crate::message::{Id, Message};
use crate::process::Event;
use crate::state::State;

/// One thing that has happened, and that is no fault of the setup's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// Everything that could arrive has arrived, in some order.
    Settles,
    /// The store has done all that it was asked to, and everybody knows. No frame has arrived yet.
    Stores,
    /// All that was on its way is lost.
    Loses,
    /// As `Settles`, but the store has not done yet what this node's first process has asked last.
    SettlesBut(u8),
    /// This node has heard all that is on its way to it. Everything else is still on its way.
    Hears(u8),
    /// An operator has asked this node to forget another one.
    Forgets(u8),
    /// A client has asked this node for its next add.
    Adds(u8),
    /// A process of this node was told to end.
    Ends(u8),
    /// All processes of this node have died, and none begins.
    Dies(u8),
    /// The next process of this node begins.
    Begins(u8),
    /// Time has passed for the processes of this node.
    Ticks(u8),
    /// The store has not done what this node asked.
    Refuses(u8),
}

impl Cluster {
    /// What comes of a state by the setup's past.
    pub(crate) fn after(&self, state: State) -> State {
        let mut state = self.setup.past.iter().fold(state, |state, past| self.past(state, *past));
        state.left = self.setup.faults;
        state
    }

    fn past(&self, mut state: State, past: Past) -> State {
        match past {
            Past::Settles => state = self.settled(state, |_| true),
            Past::Loses => state.on_the_way.clear(),
            Past::SettlesBut(node) => {
                let late = Id { node, incarnation: 0 };
                state =
                    self.settled(state, |message| !matches!(message, Message::Ask(ask) if ask.by == late));
            }
            Past::Hears(node) => {
                for action in state.arrivals(&self.setup) {
                    if matches!(&action, Action::Arrives(_, id, false) if id.node == node) {
                        state = self.next(&state, action).unwrap_or(state);
                    }
                }
            }
            Past::Forgets(node) => {
                let forgotten = self.setup.forgotten;
                self.happened(&mut state, node, &Event::Forget(forgotten));
            }
            Past::Stores => state = self.settled(state, |message| !matches!(message, Message::Frame { .. })),
            Past::Adds(node) => {
                let add = state.next_add(node, &self.setup).expect("an add of this node is ahead");
                self.happened(&mut state, node, &Event::Add(add));
            }
            Past::Ends(node) => {
                self.happened(&mut state, node, &Event::Shutdown);
                state.end(node);
            }
            Past::Dies(node) => {
                let ids: Vec<_> = state.processes.iter().map(|process| process.id).collect();
                ids.into_iter().filter(|id| id.node == node).for_each(|id| state.bury(id, &self.setup));
            }
            Past::Begins(node) => state.begin(node, &self.setup),
            Past::Ticks(node) => self.happened(&mut state, node, &Event::Tick),
            Past::Refuses(node) => {
                for message in state.on_the_way.clone() {
                    if matches!(&*message, Message::Ask(ask) if ask.by.node == node) {
                        crate::cluster::tells(&mut state, &message, Outcome::NotDone)
                            .expect("it is waited for");
                    }
                }
            }
        }
        state
    }

    /// Something has happened to the first process of a node.
    fn happened(&self, state: &mut State, node: u8, event: &Event) {
        let process = state.processes.iter().find(|process| process.id.node == node).expect("it runs");
        let id = process.id;
        self.happens(state, id, event).expect("something comes of it");
    }

    /// Every message of this kind that can arrive has arrived. What can arrive nowhere is lost.
    fn settled(&self, mut state: State, is_such: impl Fn(&Message) -> bool) -> State {
        loop {
            let mut actions = state.arrivals(&self.setup);
            self.requests(&state, &mut actions);
            actions.retain(|action| match action {
                Action::Arrives(message, _, false) | Action::Does(message, _) => is_such(message),
                _ => false,
            });
            match actions.into_iter().find_map(|action| self.next(&state, action)) {
                Some(next) => state = next,
                None => break,
            }
        }
        state.on_the_way.retain(|message| !is_such(message));
        state
    }
}

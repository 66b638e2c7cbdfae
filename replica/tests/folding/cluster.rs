//! What may happen in each state of the cluster, and what comes of it.

use stateright::{Model, Property};

use crate::counter::{Counter, Wants};
use crate::frame::{Late, Reply};
use crate::peer::Peer;
use crate::rows::adds;
use crate::setup::{Bug, Setup};
use crate::state::State;
use crate::store::Record;

pub(crate) const EVERY_RULE: &str = "no rule is broken";
pub(crate) const FOLDED: &str = "something was folded, and everybody has heard it";

/// The model.
pub(crate) struct Cluster(pub(crate) Setup);

/// Something that may happen. Processes are named by their place in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The folding node's next process begins.
    Starts,
    /// The folding node's record is restored from a backup.
    IsRestored,
    /// A process of the folding node.
    Counter(usize, Event),
    /// A process of a peer.
    Peer(usize, Event),
    /// The store does a commit, and tells the process or not.
    Does(usize, Tells),
    /// A process tells a peer what it shows, and is answered.
    Frame {
        from: usize,
        to: usize,
        reply: Tells,
    },
    /// A process tells a peer; the frame is late.
    FrameIsLate {
        from: usize,
        to: u8,
    },
    /// A peer tells another process what it holds.
    Relays {
        from: usize,
        to: To,
    },
    RelayIsLate {
        from: usize,
        to: u8,
    },
    Arrives(usize, To),
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    Now,
    Late,
    Never,
}

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    Counter(usize),
    Peer(usize),
}

/// Something that happens to one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Crashes,
    /// A process begins while this one of its node runs on.
    HasDouble,
    /// It is told to end.
    Ends,
    Counts,
    /// It chooses a replica of its own.
    ChoosesNew,
    /// It opens the node's record.
    Opens,
    /// It reads all records.
    Sweeps,
    Commits(Wants),
    /// It is told that its commit's outcome is unknown. The commit may be done later.
    GivesUp,
    /// It shows what is not stored, for the store is silent.
    ShowsAll,
    Folds,
    /// The planted bug: it seals before that is stored.
    SealsAtOnce,
    /// It learns who is forgotten.
    LearnsWhoIsGone,
    /// It is sealed, and stops or counts its rest anew.
    FindsSeal,
    /// It stores what it holds of other nodes.
    StoresHints,
    /// Another node forgets it.
    IsForgotten,
}

impl Cluster {
    fn events(state: &State, actions: &mut Vec<Action>) {
        use Event::{
            ChoosesNew, Commits, Counts, Crashes, Ends, FindsSeal, Folds, GivesUp, HasDouble, IsForgotten,
            LearnsWhoIsGone, Opens, SealsAtOnce, ShowsAll, StoresHints, Sweeps,
        };
        let events = [Crashes, Ends, Counts, ChoosesNew, Opens, ShowsAll, Folds, SealsAtOnce];
        let commits = [Wants::Counts, Wants::Seal, Wants::Free, Wants::Taken].map(Commits);
        let events = events.into_iter().chain(commits).chain([LearnsWhoIsGone, FindsSeal, GivesUp]);
        for at in 0..state.counters.len() {
            actions.extend(events.clone().map(|event| Action::Counter(at, event)));
        }
        for at in 0..state.peers.len() {
            let events = [Crashes, HasDouble, Sweeps, StoresHints, IsForgotten];
            actions.extend(events.map(|event| Action::Peer(at, event)));
        }
    }

    fn messages(&self, state: &State, actions: &mut Vec<Action>) {
        let nodes = 1..=self.0.peers;
        let counters = (0..state.counters.len()).map(To::Counter);
        let everybody: Vec<_> = counters.chain((0..state.peers.len()).map(To::Peer)).collect();
        for from in 0..state.counters.len() {
            for to in 0..state.peers.len() {
                actions.extend([Tells::Now, Tells::Late, Tells::Never].map(|reply| Action::Frame {
                    from,
                    to,
                    reply,
                }));
            }
            actions.extend(nodes.clone().map(|to| Action::FrameIsLate { from, to }));
        }
        for from in 0..state.peers.len() {
            actions.extend(everybody.iter().map(|to| Action::Relays { from, to: *to }));
            actions.extend((0..=self.0.peers).map(|to| Action::RelayIsLate { from, to }));
        }
        for late in 0..state.late.len() {
            actions.extend(everybody.iter().map(|to| Action::Arrives(late, *to)));
        }
    }

    fn next(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Starts => self.starts(&mut next)?,
            Action::IsRestored => self.is_restored(&mut next)?,
            Action::Counter(at, event) => self.counter(&mut next, at, event)?,
            Action::Peer(at, event) => self.peer(&mut next, at, event)?,
            Action::Does(at, tells) => self.does(&mut next, at, tells)?,
            Action::Frame { from, to, reply } => {
                let frame = next.counters[from].frame(&self.0);
                if state.counters[from].replica == 0 {
                    return None;
                }
                let said = next.peers[to].hear(&frame, &self.0)?;
                self.replies(&mut next, said, reply)?;
            }
            Action::FrameIsLate { from, to } => {
                let frame = next.counters[from].frame(&self.0);
                is_late(&mut next, Late::Frame { to, frame })?;
            }
            Action::Relays { from, to } => {
                let rows = self.relayed(&next.peers[from]);
                self.merges(&mut next, to, &rows);
            }
            Action::RelayIsLate { from, to } => {
                let rows = self.relayed(&next.peers[from]);
                is_late(&mut next, Late::Relayed { to, rows })?;
            }
            Action::Arrives(late, to) => self.arrives(&mut next, late, to)?,
        }
        if next == *state {
            return None;
        }
        next.broken = next.judge(state, &self.0);
        Some(next)
    }

    fn relayed(&self, peer: &Peer) -> crate::rows::Rows {
        if self.0.bug == Some(Bug::FloorApart) { peer.rows.without_floors() } else { peer.rows }
    }

    fn merges(&self, state: &mut State, to: To, rows: &crate::rows::Rows) {
        match to {
            To::Counter(at) => state.counters[at].merge_relayed(rows, &self.0),
            To::Peer(at) => state.peers[at].merge(rows, 0, &self.0),
        }
    }

    fn arrives(&self, state: &mut State, late: usize, to: To) -> Option<()> {
        match (state.late[late].clone(), to) {
            (Late::Frame { to: node, frame }, To::Peer(at)) if state.peers[at].node == node => {
                let said = state.peers[at].hear(&frame, &self.0)?;
                self.replies(state, said, Tells::Now)
            }
            (Late::Reply(reply), To::Counter(at)) if state.counters[at].process == reply.to => {
                self.replies(state, reply, Tells::Now)
            }
            (Late::Relayed { to: node, rows }, To::Peer(at)) if state.peers[at].node == node => {
                self.merges(state, to, &rows);
                Some(())
            }
            (Late::Relayed { to: 0, rows }, To::Counter(_)) => {
                self.merges(state, to, &rows);
                Some(())
            }
            _ => None,
        }
    }

    /// A peer's answer comes to the process that it is for.
    fn replies(&self, state: &mut State, reply: Reply, tells: Tells) -> Option<()> {
        match tells {
            Tells::Now => {
                let Some(counter) = state.counters.iter_mut().find(|it| it.process == reply.to) else {
                    return Some(());
                };
                let held = counter.hear(&reply, &self.0);
                if self.0.silent {
                    state.acknowledged_by((reply.node, reply.process), held);
                }
                Some(())
            }
            Tells::Late => is_late(state, Late::Reply(reply)),
            Tells::Never => spend(&mut state.left.lost),
        }
    }

    fn starts(&self, state: &mut State) -> Option<()> {
        spend(&mut state.left.starts)?;
        let runs_on = state.counters.iter().any(|it| !it.is_ending);
        let next = state.next_number()?;
        state.ledger.last = next;
        if runs_on && !self.0.zombies {
            return None;
        }
        // The third process's number is below the second's.
        let swapped = self.0.bug == Some(Bug::NumberBelowSeal);
        let number = if swapped && (2..4).contains(&next) { 5 - next } else { next };
        let chooses = self.0.left.ends > 0;
        let by_record = self.0.bug == Some(Bug::NumberByRecordAlone);
        let replica = if by_record { state.record.rows.last() + 1 } else { number };
        state.counters.push(Counter::new(number, if chooses { 0 } else { replica }));
        state.counters.sort();
        Some(())
    }

    /// What no process and no other record has now is lost, and nobody promises more.
    fn is_restored(&self, state: &mut State) -> Option<()> {
        if !state.counters.is_empty() && self.0.bug != Some(Bug::RestoredUnderZombie) {
            return None;
        }
        spend(&mut state.left.restores)?;
        let first = State::new(&self.0).record;
        state.record = Record { revision: state.record.revision + 1, ..first };
        state.give_up_lost(&self.0);
        Some(())
    }

    fn does(&self, state: &mut State, at: usize, tells: Tells) -> Option<()> {
        let commit = state.commits.remove(at);
        let is_done = state.record.apply(&commit);
        if is_done && commit.seal > 0 && self.0.sealed_is_dead {
            state.supersedes(commit.seal);
        }
        let record = is_done.then_some(state.record);
        let latest = state.hints.iter().map(|it| it.process).chain([0, 0]);
        let latest = [0, 1].map(|node| latest.clone().nth(node).unwrap_or(0));
        let by = state.counters.iter().position(|it| it.process == commit.by && it.awaits);
        match (tells, by) {
            (Tells::Never, None) => is_done.then_some(()),
            (Tells::Late, _) | (Tells::Now, None) => None,
            (Tells::Never, Some(by)) => {
                spend(&mut state.left.unknowns)?;
                state.counters[by].not_told(&self.0);
                Some(())
            }
            (Tells::Now, Some(by)) => {
                let counter = &mut state.counters[by];
                counter.told(&commit, record);
                if commit.seal > 0 && is_done {
                    counter.latest = latest;
                }
                if is_done {
                    state.ledger.acknowledged |= adds(commit.own.1.count);
                }
                if commit.frees && is_done {
                    state.counters.remove(by);
                }
                Some(())
            }
        }
    }
}

pub(crate) fn spend(left: &mut u8) -> Option<()> {
    *left = left.checked_sub(1)?;
    Some(())
}

fn is_late(state: &mut State, late: Late) -> Option<()> {
    spend(match late {
        Late::Frame { .. } => &mut state.left.late_frames,
        Late::Reply(_) => &mut state.left.late_replies,
        Late::Relayed { .. } => &mut state.left.late_relays,
    })?;
    state.late.push(late);
    state.late.sort();
    Some(())
}

impl Model for Cluster {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(&self.0)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken.is_some() {
            return;
        }
        actions.extend([Action::Starts, Action::IsRestored]);
        Self::events(state, actions);
        self.messages(state, actions);
        for at in 0..state.commits.len() {
            actions.extend([Tells::Now, Tells::Never].map(|tells| Action::Does(at, tells)));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.next(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let is_whole = |_: &Self, state: &State| state.broken.is_none();
        let has_folded = |_: &Self, state: &State| {
            let floor = state.record.rows.floor();
            floor > 0 && state.peers.iter().all(|peer| peer.rows.floor() == floor)
        };
        vec![Property::always(EVERY_RULE, is_whole), Property::sometimes(FOLDED, has_folded)]
    }
}

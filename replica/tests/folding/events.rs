//! What happens to one process, and what comes of it.

use crate::cluster::{Cluster, Event, spend};
use crate::counter::{Counter, Wants};
use crate::peer::Peer;
use crate::rows::Rows;
use crate::setup::Bug;
use crate::state::State;

impl Cluster {
    pub(crate) fn counter(&self, state: &mut State, at: usize, event: Event) -> Option<()> {
        let setup = &self.0;
        let (record, next) = (state.record, state.next_number());
        let counter = &mut state.counters[at];
        let when = |condition: bool| condition.then_some(());
        match event {
            Event::Crashes => {
                spend(&mut state.left.crashes)?;
                let counter = state.counters.remove(at);
                if state.ledger.superseded >> counter.process & 1 == 0 {
                    state.dies(&counter.holds());
                }
                Some(())
            }
            Event::Ends => {
                when(!counter.is_ending && counter.replica > 0)?;
                counter.is_ending = true;
                spend(&mut state.left.ends)
            }
            Event::Counts => {
                when(counter.replica > 0 && !counter.is_ending && !counter.is_sealed)?;
                spend(&mut state.left.adds)?;
                state.count(at, setup);
                Some(())
            }
            Event::ChoosesNew => {
                when(counter.replica == 0 && !counter.awaits)?;
                let heard =
                    counter.known.map_or(0, |it| it.seal.max(it.rows.last())).max(counter.rows.last());
                // One more than any number that it has heard.
                counter.replica = if heard < counter.process { counter.process } else { next? };
                state.ledger.last = state.ledger.last.max(counter.replica);
                Some(())
            }
            Event::Opens => {
                when(counter.known.is_none_or(|it| counter.is_sealed && it != record) && !counter.awaits)?;
                counter.open(&record, setup);
                counter.has_swept = true;
                if counter.is_sealed && !setup.amended.carries {
                    state.counters.remove(at);
                    return Some(());
                }
                let stored = state.stored();
                state.counters[at].merge(&stored, setup);
                Some(())
            }
            Event::ShowsAll => {
                when(setup.silent)?;
                counter.show(counter.counted);
                Some(())
            }
            Event::Folds => {
                when(counter.may_fold(setup))?;
                when(counter.fold(setup))
            }
            Event::SealsAtOnce => self.seals_at_once(state, at),
            Event::Commits(wants) => self.commits(state, at, wants),
            Event::GivesUp => self.gives_up(state, at),
            Event::LearnsWhoIsGone => {
                counter.gone |= state.ledger.forgotten;
                Some(())
            }
            Event::FindsSeal => self.finds_seal(state, at),
            Event::Sweeps | Event::HasDouble | Event::StoresHints | Event::IsForgotten => None,
        }
    }

    /// The planted bug.
    fn seals_at_once(&self, state: &mut State, at: usize) -> Option<()> {
        if self.0.bug != Some(Bug::AnnouncedFirst) || !self.may_seal(&state.counters[at]) {
            return None;
        }
        spend(&mut state.left.seals)?;
        let counter = &mut state.counters[at];
        counter.seal = counter.replica;
        Some(())
    }

    fn may_seal(&self, counter: &Counter) -> bool {
        let number = counter.seal_number(&self.0);
        let has_rows = counter.rows.below(number).value() > 0;
        counter.has_swept && counter.seal == 0 && counter.replica > 0 && !counter.is_sealed && has_rows
    }

    fn commits(&self, state: &mut State, at: usize, wants: Wants) -> Option<()> {
        let counter = &state.counters[at];
        let known = counter.known?;
        let may = match wants {
            Wants::Counts => true,
            Wants::Seal => self.may_seal(counter),
            Wants::Free => {
                // A process that knows of a larger number leaves no replica free.
                let last = counter.rows.last().max(known.rows.last()).max(known.seal);
                counter.is_ending && (last <= counter.replica || self.0.bug == Some(Bug::LeavesFree))
            }
            Wants::Taken => counter.replica == 0 && known.free > 0 && self.may_inherit(state, at),
        };
        let commit = counter.commit(wants, &self.0).filter(|_| may)?;
        if wants == Wants::Seal {
            spend(&mut state.left.seals)?;
        }
        state.counters[at].awaits = true;
        state.commits.push(commit);
        state.commits.sort();
        Some(())
    }

    /// The commit is nobody's from now on.
    fn gives_up(&self, state: &mut State, at: usize) -> Option<()> {
        let counter = &mut state.counters[at];
        let commit = state.commits.iter_mut().find(|it| it.by == counter.process)?;
        spend(&mut state.left.unknowns)?;
        commit.by = 0;
        counter.not_told(&self.0);
        state.commits.sort();
        Some(())
    }

    /// Every node was asked how much it holds, nobody has more than the record, and no larger number is known.
    fn may_inherit(&self, state: &State, at: usize) -> bool {
        let counter = &state.counters[at];
        let Some(known) = counter.known else { return false };
        let last = counter.rows.last().max(known.rows.last()).max(known.seal);
        let is_last = last <= known.free || self.0.bug == Some(Bug::InheritsBelow);
        let is_most = |peer: &Peer| {
            peer.has_recovered && peer.rows.get(known.free).count <= known.rows.get(known.free).count
        };
        is_last && state.peers.iter().all(is_most)
    }

    fn finds_seal(&self, state: &mut State, at: usize) -> Option<()> {
        let record = state.record;
        let counter = &state.counters[at];
        if !counter.is_sealed {
            return None;
        }
        if record.rows.floor() <= counter.replica || counter.known != Some(record) {
            return None;
        }
        let number = state.next_number()?;
        state.ledger.last = number;
        state.counters[at].carry(&record, number, self.0.silent);
        Some(())
    }

    pub(crate) fn peer(&self, state: &mut State, at: usize, event: Event) -> Option<()> {
        let stored = state.stored();
        let peer = &state.peers[at];
        let node = usize::from(peer.node - 1);
        match event {
            Event::Crashes => {
                spend(&mut state.left.peer_crashes)?;
                let (rows, is_last) = (peer.rows, peer.process == state.ledger.doubles[node]);
                if !is_last && self.0.sealed_is_dead {
                    state.peers.remove(at);
                    return Some(());
                }
                if is_last {
                    state.ledger.doubles[node] += 1;
                    state.peers[at] = Peer::new(state.peers[at].node, state.ledger.doubles[node]);
                } else {
                    state.peers.remove(at);
                }
                state.dies(&rows);
                Some(())
            }
            Event::HasDouble => {
                spend(&mut state.left.peer_doubles)?;
                state.ledger.doubles[node] += 1;
                state.peers.push(Peer::new(peer.node, state.ledger.doubles[node]));
                if self.0.sealed_is_dead {
                    state.dies(&state.peers[at].rows.clone());
                }
                Some(())
            }
            Event::Sweeps => {
                if peer.has_recovered {
                    return None;
                }
                let peer = &mut state.peers[at];
                (peer.has_recovered, peer.seal) = (true, state.record.seal);
                if self.0.amended.settles {
                    peer.confirmed = peer.seal;
                    peer.rows = peer.rows.from(peer.seal);
                }
                peer.merge(&stored, peer.seal, &self.0);
                // Its first commit comes before it reads the records.
                let record = &mut state.hints[node];
                record.process = record.process.max(peer.process);
                Some(())
            }
            Event::StoresHints => {
                let without = self.0.bug == Some(Bug::HintWithoutFloor);
                // Only the latest process of a node can write its record.
                if !self.0.silent || !peer.has_recovered || peer.process < state.hints[node].process {
                    return None;
                }
                let hints = if without { peer.rows.without_floors() } else { peer.rows };
                state.hints[node].hints = hints;
                Some(())
            }
            Event::IsForgotten => self.is_forgotten(state, at),
            Event::Ends
            | Event::Counts
            | Event::ChoosesNew
            | Event::Opens
            | Event::Commits(_)
            | Event::GivesUp
            | Event::ShowsAll
            | Event::Folds
            | Event::SealsAtOnce
            | Event::LearnsWhoIsGone
            | Event::FindsSeal => None,
        }
    }

    /// Another peer takes over the hints, and then seals the record.
    fn is_forgotten(&self, state: &mut State, at: usize) -> Option<()> {
        spend(&mut state.left.forgets)?;
        let peer = state.peers.remove(at);
        let node = usize::from(peer.node - 1);
        let by = state.peers.iter_mut().find(|it| it.node != peer.node && it.has_recovered)?;
        if self.0.bug != Some(Bug::HintsForgotten) {
            by.merge(&state.hints[node].hints, 0, &self.0);
            state.hints[usize::from(by.node - 1)].hints = by.rows;
        }
        state.hints[node].hints = Rows::default();
        state.ledger.forgotten |= 1 << node;
        state.dies(&peer.rows);
        Some(())
    }
}

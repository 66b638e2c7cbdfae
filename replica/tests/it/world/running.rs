//! How the processes of a world run: what they read, and what they want done.

use std::time::Duration;

use rand::RngExt;
use replica::{Effect, Input, Refusal, Reply, Ticket};

use super::counting::Cause;
use super::ledger::Checked;
use super::plan::ms;
use super::process::{NOT_DOWN_AFTER, Phase};
use super::storage::{Asked, within};
use super::{Event, Sabotage, World};

impl World {
    /// Something comes in for a process.
    pub(super) fn tell(&mut self, process: usize, input: Input) -> Checked {
        self.processes[process].is_ending |= matches!(input, Input::Shutdown | Input::Closed);
        self.processes[process].inbox.push_back((self.now, input));
        match self.processes[process].phase {
            Phase::Runs => self.go_on(process),
            Phase::Paused(_) | Phase::Gone => Ok(()),
        }
    }

    /// A process reads all that there is, and does what is due.
    pub(super) fn go_on(&mut self, process: usize) -> Checked {
        while let Some((_, input)) = self.processes[process].inbox.pop_front() {
            self.give(process, input)?;
        }
        self.tick(process, self.now)?;
        let now = self.now;
        let trouble = self.storage.last_trouble(now);
        let it = &mut self.processes[process];
        if !it.is_there() {
            return Ok(());
        }
        if it.open.first().is_some_and(|(answer_by, _)| *answer_by <= now) {
            return Err("a client's time is up, and it has no answer".into());
        }
        let since = it.runs_since.max(trouble);
        if now >= since + NOT_DOWN_AFTER && it.replica.is_store_down() {
            return Err("a process calls the store down that has been in order for long".into());
        }
        if let Some(at) = it.replica.poll_timeout() {
            // One part of a replica may give another something to do. But not again and again.
            it.at_once = if at <= now { it.at_once + 1 } else { 0 };
            if it.at_once > 2 {
                return Err("a replica wants to be ticked at once, after each tick".into());
            }
            it.wake += 1;
            let event = Event::Wake(process, it.wake);
            self.schedule(at, event);
        }
        Ok(())
    }

    pub(super) fn tick(&mut self, process: usize, heard: Duration) -> Checked {
        if self.processes[process].is_there() { self.give(process, Input::Tick { heard }) } else { Ok(()) }
    }

    /// A paused process runs again: at first it has no time to read, then it has read a part. It may be stopped again.
    pub(super) fn resume(&mut self, process: usize) -> Checked {
        let Phase::Paused(since) = self.processes[process].phase else { return Ok(()) };
        if self.rng.random_bool(0.5) {
            self.tick(process, since)?;
            if !self.is_healed && self.rng.random_bool(0.3) {
                let again = self.now + ms(self.rng.random_range(50..500));
                self.schedule(again, Event::Resume(process));
                return Ok(());
            }
        }
        if self.processes[process].is_there() {
            (self.processes[process].phase, self.processes[process].runs_since) = (Phase::Runs, self.now);
            self.storage.rouse(self.now);
        }
        let part = self.rng.random_range(0..=self.processes[process].inbox.len());
        for _ in 0..part {
            if let Some((_, input)) = self.processes[process].inbox.pop_front() {
                self.give(process, input)?;
            }
        }
        let unread = self.processes[process].inbox.front().map_or(self.now, |(at, _)| *at);
        self.tick(process, unread)?;
        self.go_on(process)
    }

    pub(super) fn give(&mut self, process: usize, input: Input) -> Checked {
        if !self.processes[process].is_there() {
            return Ok(());
        }
        if let Input::Client { ticket, answer_by, .. } | Input::Import { ticket, answer_by, .. } = input {
            self.processes[process].open.insert((answer_by, ticket));
        }
        for input in self.sabotage.inputs(input, &self.processes[process], &mut self.rng) {
            let cause = Cause::of(&input);
            let effects = self.processes[process].give(self.now, input);
            self.note_counted(process, cause, &effects)?;
            self.check_told(process, &effects)?;
            self.check_shown(process)?;
            for effect in effects {
                let by = (&self.processes[process], &self.past, &self.ledger);
                for effect in self.sabotage.effects(effect, by, &mut self.rng) {
                    self.act(process, effect)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn act(&mut self, process: usize, effect: Effect) -> Checked {
        let node = self.processes[process].node;
        if self.is_loud {
            println!("         {} says {effect:?}", self.processes[process].replica.id());
        }
        match effect {
            Effect::Reply { ticket, result } => {
                let is_early = result == Ok(Reply::Counted) && self.is_told_early(ticket);
                if is_early { Ok(()) } else { self.answered(process, ticket, &result) }
            }
            Effect::Send { peer, frame } => match self.forges_answer(&peer, &frame) {
                Some(frame) => {
                    self.schedule(self.now, Event::Told(process, Input::Peer { from: peer, frame }));
                    Ok(())
                }
                None => self.send(process, &peer, &frame),
            },
            Effect::Store { token, request } => {
                if !self.may_read_in_quiet(&request) {
                    self.check_quiet("the store is asked")?;
                }
                let at = self.now + within(self.plan.store_delay, &mut self.rng);
                self.schedule(
                    at,
                    Event::Store(Asked { process, node, token, what: request, is_late: false }),
                );
                Ok(())
            }
            Effect::Done => {
                if !self.processes[process].open.is_empty() {
                    return Err("a process ends, and a client has no answer".into());
                }
                self.end(process);
                Ok(())
            }
        }
    }

    /// Whether a client was told of an acknowledgement before it came, for that is the bug.
    fn is_told_early(&self, ticket: Ticket) -> bool {
        match self.sabotage {
            Sabotage::AcknowledgesAtOnce => true,
            Sabotage::AcknowledgesImportAtOnce => self.ledger.import_of(ticket).is_some(),
            _ => false,
        }
    }

    pub(super) fn answered(
        &mut self,
        process: usize,
        ticket: Ticket,
        result: &Result<Reply, Refusal>,
    ) -> Checked {
        self.processes[process].open.retain(|(_, open)| *open != ticket);
        let (ledger, view) = self.ledger_and_view();
        ledger.answer(process, ticket, result, &view)?;
        if let (Some((node, versions)), Ok(Reply::Counted)) = (self.ledger.import_of(ticket), result) {
            self.is_import_stored(node, versions)?;
        }
        if let Some(node) = self.ledger.forgets(ticket) {
            self.note_forget(node, result);
        }
        self.processes[process].last_read = match result {
            Ok(Reply::Value(_)) => self.processes[process].counting.shown.clone(),
            Ok(
                Reply::Counted
                | Reply::Reset(_)
                | Reply::Values(_)
                | Reply::Forgotten
                | Reply::Reached
                | Reply::NotReached(_)
                | Reply::Held(_),
            )
            | Err(_) => return Ok(()),
        };
        Ok(())
    }
}

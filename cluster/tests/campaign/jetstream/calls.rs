//! The calls of clients: what becomes of each, and what a reader is sent.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use cluster::Names;
use cluster::store::{Appended, Condition, Interrupted, Stored};
use rand::RngExt;

use super::copy::{Change, matches};
use super::tally::Met;
use super::{Answered, CallId, Event, JetStream, NEXT_WITHIN};
use crate::world::plan::ms;

/// A call of a client, from when it is made until its answer is fetched.
pub(super) struct Call {
    pub(super) task: u64,
    process: usize,
    /// `None`: it only reads, or waits.
    pub(super) change: Option<Change>,
    condition: Condition,
    /// Whether no answer will come to the client.
    loses_answer: bool,
    answered: Option<Answered>,
}

/// A read that is under way.
pub(super) struct Reading {
    process: usize,
    server: usize,
    filters: Vec<String>,
    /// The last message that it was sent.
    cursor: u64,
    pub(super) place: u64,
    inbox: VecDeque<Stored>,
    /// Whether it waits for the server to have more.
    is_idle: bool,
    /// Whether a message to it was lost.
    lacks: bool,
}

impl Call {
    /// The subject whose last message must have this sequence number.
    pub(super) fn expected(&self) -> Option<(Rc<str>, u64)> {
        match &self.condition {
            Condition::After(last) => Some((self.change.as_ref()?.subject.clone(), *last)),
            Condition::AfterOn(subject, last) => Some((subject.as_str().into(), *last)),
            Condition::None => None,
        }
    }
}

impl JetStream {
    fn call(&mut self, change: Option<Change>, condition: Condition) -> CallId {
        self.events += 1;
        let (task, process) = self.running;
        let call = Call { task, process, change, condition, loses_answer: false, answered: None };
        self.calls.insert(self.events, call);
        self.events
    }

    /// A client appends.
    pub(super) fn ask(&mut self, change: Change, condition: Condition) -> CallId {
        let id = self.call(Some(change), condition);
        if self.is_healed || self.outage.is_some() || !self.rng.random_bool(self.lapses) {
            self.after(self.hop, Event::Arrive(id));
            return id;
        }
        let wait = self.hang();
        self.trouble = self.trouble.max(self.now + wait + 3 * self.hop);
        match self.rng.random_range(0..7) {
            0 => {
                self.tally.note(Met::TimeoutAndNeverDone);
                self.lose(id);
            }
            1 => {
                self.call_mut(id).loses_answer = true;
                self.after(self.hop, Event::Arrive(id));
                self.schedule(self.now + wait, Event::TimeOut(id));
            }
            2 => {
                // It waits in the client for a connection, longer than whoever waits for it.
                self.schedule(self.now + wait, Event::TimeOut(id));
                let late = self.now + wait + ms(self.rng.random_range(0..1000));
                self.schedule(late, Event::Arrive(id));
            }
            3 => {
                self.tally.note(Met::Busy);
                self.answer_append(id, Appended::Busy);
            }
            4 => {
                self.tally.note(Met::NoResponders);
                self.answer_append(id, Appended::NotDone);
            }
            5 => self.after(wait, Event::Arrive(id)),
            _ => {
                self.after(self.hop, Event::Arrive(id));
                self.after(self.hop, Event::LeaderDies);
            }
        }
        id
    }

    fn call_mut(&mut self, id: CallId) -> &mut Call {
        self.calls.get_mut(&id).expect("a call stays until its answer is fetched")
    }

    /// How long something may hang that is out of order.
    pub(super) fn hang(&mut self) -> Duration {
        ms(self.rng.random_range(1..2500)).min(self.heal_at.saturating_sub(self.now)).max(ms(1))
    }

    /// No answer will come, or a late one.
    pub(super) fn lose(&mut self, id: CallId) {
        let wait = self.hang();
        self.trouble = self.trouble.max(self.now + wait);
        self.schedule(self.now + wait, Event::TimeOut(id));
    }

    /// An answer is on its way, unless it is lost.
    pub(super) fn reply(&mut self, id: CallId, answered: Answered) {
        if self.calls.get(&id).is_some_and(|call| call.answered.is_none() && !call.loses_answer) {
            self.after(self.hop, Event::Answer(id, answered));
        }
    }

    /// An append ended so.
    pub(super) fn answer_append(&mut self, id: CallId, appended: Appended) {
        self.reply(id, Answered::Append(appended));
    }

    pub(super) fn answer(&mut self, id: CallId, answered: Answered) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.answered.is_none()) else { return };
        call.answered = Some(answered);
        self.woken.insert(call.process);
    }

    pub(super) fn time_out(&mut self, id: CallId) {
        if self.calls.get(&id).is_none_or(|call| call.answered.is_some()) {
            return;
        }
        if self.reads.contains_key(&id) {
            self.tally.note(Met::ReadInterrupted);
            self.answer(id, Answered::Read(Interrupted));
        } else {
            self.answer(id, Answered::Append(Appended::Unknown));
        }
    }

    /// The answer of a call, once it has come. The call stays: it may be done later.
    pub(super) fn fetch(&self, id: CallId) -> Option<Answered> {
        self.calls.get(&id)?.answered
    }

    /// A client waits.
    pub(super) fn pause(&mut self, time: Duration) -> CallId {
        let id = self.call(None, Condition::None);
        self.schedule(self.now + time, Event::Answer(id, Answered::Paused));
        id
    }

    /// A client reads. Any server that is up may serve it.
    pub(super) fn read(&mut self, filters: Vec<String>) -> CallId {
        let id = self.call(None, Condition::None);
        let up: Vec<usize> = (0..self.servers.len()).filter(|at| self.servers[*at].is_up).collect();
        let server = if up.is_empty() { 0 } else { up[self.rng.random_range(0..up.len())] };
        if self.servers[server].applied < self.committed.len() {
            self.tally.note(Met::ReadOfServerBehind);
        }
        let process = self.running.1;
        let (inbox, cursor, place, is_idle, lacks) = (VecDeque::new(), 0, 0, false, false);
        self.reads.insert(id, Reading { process, server, filters, cursor, place, inbox, is_idle, lacks });
        let is_lost = !self.is_healed && self.rng.random_bool(self.lapses / 4.0);
        if up.is_empty() || is_lost {
            self.lose(id);
        } else {
            self.after(self.hop, Event::Deliver(id));
        }
        id
    }

    /// Which message a reader was sent last, if it still reads.
    pub(super) fn place_of(&self, id: CallId) -> Option<u64> {
        Some(self.reads.get(&id)?.place)
    }

    /// The server sends what it has, a few messages at a time.
    pub(super) fn deliver(&mut self, id: CallId) {
        let Some(reading) = self.reads.get_mut(&id) else { return };
        let server = &self.servers[reading.server];
        if !server.is_up {
            return;
        }
        for _ in 0..self.rng.random_range(1..8) {
            let next = server.copy.next(reading.cursor, &reading.filters);
            let Some((sequence, Change { subject, payload })) = next else {
                reading.is_idle = true;
                let place = reading.place;
                return self.schedule(self.now + NEXT_WITHIN, Event::GiveUp(id, place));
            };
            reading.cursor = sequence;
            reading.place += 1;
            if !self.is_healed && self.rng.random_bool(self.lapses / 4.0) {
                self.tally.note(Met::MessageOfReaderLost);
                self.trouble = self.trouble.max(self.now + NEXT_WITHIN);
                reading.lacks = true;
                continue;
            }
            let (subject, payload, place) = (subject.to_string(), payload.to_vec(), reading.place);
            reading.inbox.push_back(Stored { subject, sequence, place, payload });
            self.woken.insert(reading.process);
        }
        self.after(self.hop / 4, Event::Deliver(id));
    }

    /// A server has something new.
    pub(super) fn wake_readers(&mut self, server: usize) {
        let mut idle = Vec::new();
        for (id, reading) in &mut self.reads {
            if reading.server == server && std::mem::take(&mut reading.is_idle) {
                idle.push(*id);
            }
        }
        for id in idle {
            self.after(self.hop / 4, Event::Deliver(id));
        }
    }

    /// Takes what has come for a reader.
    pub(super) fn take_message(&mut self, id: CallId) -> Option<Stored> {
        self.reads.get_mut(&id)?.inbox.pop_front()
    }

    /// Nobody waits for this call any more, and it changes nothing.
    pub(super) fn end(&mut self, id: CallId) {
        self.calls.remove(&id);
        self.reads.remove(&id);
    }

    /// A server is down: whoever reads from it gets nothing more.
    pub(super) fn lose_readers(&mut self, server: usize) {
        self.lose_reads(|reading| reading.server == server);
    }

    /// Whoever lacks a message gets no more.
    pub(super) fn lose_torn_reads(&mut self) {
        self.lose_reads(|reading| reading.lacks);
    }

    fn lose_reads(&mut self, is: impl Fn(&Reading) -> bool) {
        let lost = self.reads.iter().filter(|(_, reading)| is(reading));
        lost.map(|(id, _)| *id).collect::<Vec<_>>().into_iter().for_each(|id| self.lose(id));
    }

    /// An append is done: notes what its client knows of that.
    pub(super) fn note_done(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let is_late = matches!(call.answered, Some(Answered::Append(Appended::Unknown)));
        self.tally.note(match (is_late, call.loses_answer) {
            (true, _) => Met::TimeoutAndDoneLater,
            (false, true) => Met::DoneAndAnswerLost,
            (false, false) => Met::Done,
        });
    }

    /// A server is about to replace this message. Notes who would have read it.
    pub(super) fn note_replaced(&mut self, server: usize, subject: &str) {
        let replaced = self.servers[server].copy.last_on(subject);
        if replaced == 0 || Names::logged(subject).is_none() {
            return;
        }
        let misses = |reading: &&Reading| {
            let reads = reading.filters.iter().any(|filter| matches(filter, subject));
            reading.server == server && reading.cursor < replaced && reads
        };
        let missing = self.reads.values().filter(misses).count();
        (0..missing).for_each(|_| self.tally.note(Met::ReplacedBeforeRead));
    }
}

//! The stream, and what may become of each call of a client.
//!
//! A call that writes takes place at one moment between its start and its answer, if at all: JetStream lets no append in whose condition
//! another one is about to change. A read is served by a server that may be behind by any number of changes.

mod calls;
mod doing;
mod prints;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use cluster::store::{Appended, Condition, Interrupted, Stored};

use crate::copy::{Change, Copy, matches};
use crate::steps::Step;

pub(crate) use calls::Client;
pub(crate) use prints::hash;

/// Names a call: the process that has made it, and how many calls that had made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallId {
    pub(crate) process: usize,
    number: u64,
}

/// A write that is asked for.
struct Write {
    change: Change,
    /// The subject whose last message must have this sequence number.
    expected: Option<(Rc<str>, u64)>,
    /// The request to the store that needs it. `None`: a snapshot does.
    request: Option<usize>,
}

/// What a call asks for.
enum Asked {
    Write(Write),
    Read(Vec<String>),
    /// The next message of the reader that this call has begun.
    Next(CallId),
    /// To go on: after a pause, or with the next request.
    Turn,
}

/// What a client hears.
#[derive(Clone)]
pub(crate) enum Answer {
    Append(Appended),
    Read(Result<(), Interrupted>),
    Next(Result<Stored, Interrupted>),
    Turn,
}

/// How far a call is.
enum Call {
    Asked(Asked),
    /// It is done, and the client has not heard of that.
    Done(Appended),
    Heard(Answer),
}

/// A reader. Its server has come so far as is needed to explain what it has sent: it may be further, and what that changes shows in what
/// it sends next.
struct Reading {
    filters: Vec<String>,
    position: usize,
    /// The last message that was sent, and how many were.
    cursor: u64,
    place: u64,
}

/// A change that a majority has.
pub(crate) struct Committed {
    pub(crate) change: Change,
    /// The request to the store that has made it.
    pub(crate) request: Option<usize>,
    /// The fingerprint of all changes up to this one.
    pub(crate) print: u64,
}

/// The servers, and the calls that are under way.
pub(crate) struct Stream {
    committed: Vec<Committed>,
    /// The stream after so many changes.
    copies: Vec<Copy>,
    calls: BTreeMap<CallId, Call>,
    readings: BTreeMap<CallId, Reading>,
    /// Writes whose client waits no longer. Each may be done later, or never.
    adrift: BTreeMap<CallId, Write>,
    prints: prints::Prints,
    /// The request that is being served.
    pub(crate) running: Option<usize>,
    volatile: Volatile,
    /// The messages that were replaced: after how many changes, and on which subject.
    replaced: Vec<(usize, Rc<str>)>,
    met: BTreeSet<&'static str>,
}

/// The subjects whose messages get replaced, as far as is known. With what is sent of others nothing can interfere. `None`: nothing is
/// known, so that no step goes before others.
pub(crate) type Volatile = Option<Rc<BTreeSet<Rc<str>>>>;

impl Stream {
    pub(crate) fn new(volatile: Volatile) -> Self {
        Self {
            committed: Vec::new(),
            copies: vec![Copy::default()],
            calls: BTreeMap::new(),
            readings: BTreeMap::new(),
            adrift: BTreeMap::new(),
            prints: prints::Prints::default(),
            running: None,
            volatile,
            replaced: Vec::new(),
            met: BTreeSet::new(),
        }
    }

    /// The subjects whose messages were replaced though that was not known.
    pub(crate) fn surprises(&self) -> BTreeSet<Rc<str>> {
        let replaced = self.replaced.iter().map(|(_, subject)| subject);
        replaced.filter(|subject| self.is_lasting(subject)).cloned().collect()
    }

    /// Whether no message on this subject is known to get replaced.
    fn is_lasting(&self, subject: &str) -> bool {
        self.volatile.as_ref().is_some_and(|volatile| !volatile.contains(subject))
    }

    /// The changes from this one on, each with the stream after it.
    pub(crate) fn committed_since(&self, first: usize) -> impl Iterator<Item = (&Committed, &Copy)> {
        self.committed.iter().zip(&self.copies[1..]).skip(first)
    }

    /// The stream as a server has it that has everything.
    fn newest(&self) -> &Copy {
        self.copies.last().expect("there is one from the beginning on")
    }

    /// Whether nobody waits for anything.
    pub(crate) fn is_quiet(&self) -> bool {
        self.calls.is_empty()
    }

    /// What may happen next, the usual first.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let at_once = self.calls.iter().find_map(|(id, call)| self.at_once(*id, call));
        if let (Some(steps), Some(_)) = (at_once, &self.volatile) {
            return steps;
        }
        let (mut usual, mut others) = (Vec::new(), Vec::new());
        let mut starved = Vec::new();
        for (id, call) in &self.calls {
            match call {
                Call::Asked(Asked::Write(write)) => {
                    usual.push(Step::Do(*id));
                    others.extend(
                        [Step::DoAndLose, Step::DoInSilence, Step::GiveUp, Step::Refuse]
                            .map(|step| step(*id)),
                    );
                    others.extend(write.expected.is_some().then_some(Step::Busy(*id)));
                }
                Call::Asked(Asked::Read(filters)) => {
                    usual.push(Step::Begin(*id));
                    others.extend(self.behind(*id, filters).chain([Step::Interrupt(*id)]));
                }
                Call::Asked(Asked::Next(reader)) => {
                    let may_be = self.next_messages(*reader);
                    usual.extend(may_be.iter().map(|(position, _)| Step::Send(*id, *position)));
                    others.extend(may_be.first().map(|(position, _)| Step::LoseMessage(*id, *position)));
                    others.push(Step::Interrupt(*id));
                    starved.extend(may_be.is_empty().then_some(Step::Starve(*id)));
                }
                Call::Asked(Asked::Turn) => usual.push(Step::GoOn(*id)),
                Call::Done(_) => usual.push(Step::Hear(*id)),
                Call::Heard(_) => {}
            }
        }
        if usual.is_empty() {
            usual = starved;
        }
        usual.extend(self.adrift.keys().map(|id| Step::DoLate(*id)));
        usual.extend(others);
        usual
    }

    /// What may become of a call with which nothing else can interfere: nothing is missed if it goes on before all others. A reader that
    /// begins early may still have a server that is further by then. A message that nobody replaces is sent early or late.
    fn at_once(&self, id: CallId, call: &Call) -> Option<Vec<Step>> {
        match call {
            Call::Asked(Asked::Read(filters)) => {
                let (begins, behind) = (Step::Begin(id), self.behind(id, filters));
                Some([begins].into_iter().chain(behind).chain([Step::Interrupt(id)]).collect())
            }
            Call::Asked(Asked::Next(reader)) => match &self.next_messages(*reader)[..] {
                [(position, stored)] if self.is_lasting(&stored.subject) => Some(vec![
                    Step::Send(id, *position),
                    Step::LoseMessage(id, *position),
                    Step::Interrupt(id),
                ]),
                _ => None,
            },
            Call::Asked(Asked::Write(_) | Asked::Turn) | Call::Done(_) | Call::Heard(_) => None,
        }
    }

    /// The ways in which a server may be behind that differ for a reader of these subjects: it lacks the last so many replacements.
    fn behind(&self, id: CallId, filters: &[String]) -> impl Iterator<Item = Step> {
        let is_read = |subject: &str| filters.iter().any(|filter| matches(filter, subject));
        let replaced = self.replaced.iter().rev().filter(move |(_, subject)| is_read(subject));
        (1..).zip(replaced).map(move |(lacks, (position, _))| Step::BeginBehind(id, *position, lacks))
    }

    /// The messages that the server of a reader may send next, each with the least position that it may then be at.
    fn next_messages(&self, reader: CallId) -> Vec<(usize, Stored)> {
        let mut found: Vec<(usize, Stored)> = Vec::new();
        let Some(Reading { filters, position, cursor, place }) = self.readings.get(&reader) else {
            return found;
        };
        for (at, copy) in self.copies.iter().enumerate().skip(*position) {
            let Some((sequence, Change { subject, payload })) = copy.next(*cursor, filters) else { continue };
            if found.last().is_none_or(|(_, before)| before.sequence != sequence) {
                let (subject, payload) = (subject.to_string(), payload.to_vec());
                found.push((at, Stored { subject, sequence, place: place + 1, payload }));
            }
        }
        found
    }
}

/// The condition of an append to this subject.
fn expected(subject: &Rc<str>, condition: Condition) -> Option<(Rc<str>, u64)> {
    match condition {
        Condition::After(last) => Some((subject.clone(), last)),
        Condition::AfterOn(other, last) => Some((other.into(), last)),
        Condition::None => None,
    }
}

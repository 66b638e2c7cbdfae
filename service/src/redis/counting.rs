//! Commands that count and read.

use std::collections::BTreeMap;
use std::str;

use embedded::{Change, Name, Session, Step};

use super::refusals::{NOT_AN_INTEGER, Problem, WOULD_OVERFLOW};
use super::replies::Replies;
use super::requests::Command;
use super::table::Counts;
use crate::access::{Client, Scope};

/// Commands that count and read, one after the other, while no other client counts.
///
/// Each reply is written at once, with the values as they are once the change is counted, and waits for the answer of the group.
/// In a batch (MULTI) all changes become one, which counts as a whole or not at all.
#[derive(Debug)]
pub(super) struct Counting<'s, 'e> {
    session: &'s mut Session<'e>,
    /// What the present command, or batch, changes.
    steps: Vec<(Name, Step)>,
    /// The values after these steps, if there may be several. (A single step needs no look back.)
    after: BTreeMap<Name, Option<i128>>,
    /// Whether the present command, or batch, has told a value, or would have changed one.
    has_told: bool,
    is_batch: bool,
}

const NOT_UTF_8: Problem = Problem::err("the key is not UTF-8: a counter's name is UTF-8 text");
const NO_PERMISSION: Problem =
    Problem::new("NOPERM", "this token has no permissions to access one of the keys used as arguments");
const IS_HELD: Problem = Problem::new("TRYAGAIN", "the database does not answer: not counted");

impl<'s, 'e> Counting<'s, 'e> {
    pub(super) fn new(session: &'s mut Session<'e>) -> Self {
        Self { session, steps: Vec::new(), after: BTreeMap::new(), has_told: false, is_batch: false }
    }

    /// Handles a command, alone or as a part of a batch.
    pub(super) fn command(&mut self, kind: Counts, request: Request<'_>, replies: &mut Replies) {
        let from = replies.len();
        self.handle(kind, request, replies);
        if !self.is_batch {
            self.submit(from, replies);
        }
    }

    /// Whether commands are handled as a batch.
    pub(super) fn is_batch(&self) -> bool {
        self.is_batch
    }

    /// How many other nodes are known to have the changes up to this number.
    pub(super) fn held(&self, number: u64) -> usize {
        self.session.held(number)
    }

    /// Begins a batch: what is handled until its [end](Self::end_batch) is one change.
    pub(super) fn begin_batch(&mut self) {
        self.is_batch = true;
    }

    /// Ends a batch, the replies of which are written from there on.
    pub(super) fn end_batch(&mut self, from: usize, replies: &mut Replies) {
        self.submit(from, replies);
        self.is_batch = false;
    }

    /// Handles a command. Its change is not submitted yet.
    fn handle(&mut self, kind: Counts, request: Request<'_>, replies: &mut Replies) {
        let from = replies.len();
        let result = match kind {
            Counts::Incr => self.add(request, Ok(1), replies),
            Counts::Decr => self.add(request, Ok(-1), replies),
            Counts::IncrBy => self.add(request, integer(request.command.get(2)), replies),
            Counts::DecrBy => {
                let by = integer(request.command.get(2));
                let delta =
                    by.and_then(|by| by.checked_neg().ok_or(Problem::err("decrement would overflow")));
                self.add(request, delta, replies)
            }
            Counts::Get | Counts::MGet => self.get(kind, request, replies),
            Counts::Exists => self.exists(request, replies),
            Counts::Type => self.tell_type(request, replies),
            Counts::Del => self.delete(request, replies),
            Counts::GetDel => self.get_and_delete(request, replies),
        };
        if let Err(problem) = result {
            replies.truncate(from);
            replies.problem(&problem);
        }
    }

    fn add(
        &mut self,
        request: Request<'_>,
        delta: Result<i64, Problem>,
        replies: &mut Replies,
    ) -> Result<(), Problem> {
        let delta = delta?;
        let name = request.name(1, Scope::Add)?;
        self.check_open()?;
        let value = self.latest(&name).unwrap_or_default();
        let sum =
            i64::try_from(value).ok().and_then(|value| value.checked_add(delta)).ok_or(WOULD_OVERFLOW)?;
        replies.integer(sum);
        self.push(name, Step::Add(delta), Some(sum.into()));
        Ok(())
    }

    fn get(&mut self, kind: Counts, request: Request<'_>, replies: &mut Replies) -> Result<(), Problem> {
        if kind == Counts::MGet {
            replies.array(request.command.len() - 1);
        }
        for number in 1..request.command.len() {
            let value = self.look(&request.name(number, Scope::Read)?);
            replies.value(value);
        }
        Ok(())
    }

    fn exists(&mut self, request: Request<'_>, replies: &mut Replies) -> Result<(), Problem> {
        let mut count = 0;
        for number in 1..request.command.len() {
            count += usize::from(self.look(&request.name(number, Scope::Read)?).is_some());
        }
        replies.count(count);
        Ok(())
    }

    fn tell_type(&mut self, request: Request<'_>, replies: &mut Replies) -> Result<(), Problem> {
        let value = self.look(&request.name(1, Scope::Read)?);
        replies.simple(if value.is_some() { "string" } else { "none" });
        Ok(())
    }

    fn delete(&mut self, request: Request<'_>, replies: &mut Replies) -> Result<(), Problem> {
        self.check_open()?;
        let names = (1..request.command.len()).map(|number| request.name(number, Scope::Add));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let is_one = names.len() == 1;
        let mut count = 0;
        for name in names {
            if self.latest(&name).is_some() {
                count += 1;
                if !is_one {
                    self.after.insert(name.clone(), None);
                }
                self.push(name, Step::Reset, None);
            }
        }
        self.has_told = true;
        replies.count(count);
        Ok(())
    }

    fn get_and_delete(&mut self, request: Request<'_>, replies: &mut Replies) -> Result<(), Problem> {
        let name = request.name(1, Scope::Add)?;
        self.check_open()?;
        let value = self.latest(&name);
        replies.value(value);
        self.has_told = true;
        if value.is_some() {
            self.push(name, Step::Reset, None);
        }
        Ok(())
    }

    /// The value of a counter with all that is counted before, to change it.
    fn latest(&self, name: &Name) -> Option<i128> {
        match self.after.get(name) {
            Some(value) => *value,
            None => self.session.peek(name),
        }
    }

    /// The value of a counter, to show it.
    fn look(&mut self, name: &Name) -> Option<i128> {
        self.has_told = true;
        if self.is_batch { self.latest(name) } else { self.session.get(name) }
    }

    fn push(&mut self, name: Name, step: Step, value: Option<i128>) {
        if self.is_batch {
            // A step that changes nothing makes no counter.
            let is_nothing = step == Step::Add(0);
            let value = if is_nothing { self.latest(&name) } else { value };
            self.after.insert(name.clone(), value);
        }
        self.steps.push((name, step));
    }

    /// Submits what the command, or the batch, changes. Its replies from there on wait for that.
    fn submit(&mut self, from: usize, replies: &mut Replies) {
        self.after.clear();
        let has_told = std::mem::take(&mut self.has_told);
        if self.steps.len() > 1 {
            self.session.count(Change::Batch(std::mem::take(&mut self.steps)));
        } else if let Some((name, step)) = self.steps.pop() {
            self.session.count(match step {
                Step::Add(delta) => Change::Add(name, delta),
                Step::Reset => Change::Reset(name),
            });
        } else if !has_told {
            return;
        } else if self.is_batch {
            self.session.barrier();
        } else {
            self.session.read_barrier();
        }
        replies.await_answer(from);
    }

    /// Refuses changes while they would be held: their values are not known then.
    fn check_open(&self) -> Result<(), Problem> {
        if self.session.holds_changes() { Err(IS_HELD) } else { Ok(()) }
    }
}

/// A command, and who says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) command: Command<'a>,
    pub(super) client: Client<'a>,
}

impl Request<'_> {
    /// The name of a counter, if the client may do this to it.
    fn name(self, number: usize, scope: Scope) -> Result<Name, Problem> {
        let name = str::from_utf8(self.command.get(number)).map_err(|_| NOT_UTF_8)?;
        if self.client.may(scope, name) { Ok(name.into()) } else { Err(NO_PERMISSION) }
    }
}

/// A number as Redis takes it: digits, perhaps behind a minus, and nothing else.
pub(super) fn integer(text: &[u8]) -> Result<i64, Problem> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_plain = match digits {
        [b'0'] => text.len() == 1,
        [first, ..] => (b'1'..=b'9').contains(first),
        [] => false,
    };
    let number = str::from_utf8(text).ok().filter(|_| is_plain).and_then(|text| text.parse().ok());
    number.ok_or(NOT_AN_INTEGER)
}

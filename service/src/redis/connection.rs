//! A connection: who the client is, and what it has said so far.

use embedded::{Answer, Group};

use super::batch::Batch;
use super::counting::{Counting, Request};
use super::refusals::{self, Problem};
use super::replies::Replies;
use super::requests::{BadRequest, Command, Requests};
use super::table::{self, Connects, Kind, Lists, Spec};
use super::{describe, handshake, lists, unsupported};
use crate::access::Client;
use crate::app::App;

/// A connection: who the client is, and what it has said so far.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    pub(super) app: &'a App,
    pub(super) id: u64,
    /// `None`: it must say who it is first.
    pub(super) client: Option<Client<'a>>,
    /// What the client says of itself: its name, that of its library, and the version of that.
    pub(super) names: [String; 3],
    /// The commands since MULTI.
    batch: Option<Batch>,
    /// The number of the last change that was acknowledged, as far as the client has changed anything.
    pub(super) changed: u64,
    is_closing: bool,
}

/// How far the requests are handled.
#[derive(Debug)]
pub(super) struct Handled {
    /// The answers for which the replies wait.
    pub(super) answers: Group,
    /// The next request.
    pub(super) next: usize,
    /// The next request is this, which is handled apart.
    pub(super) apart: Option<Lists>,
}

const NO_AUTH: Problem = Problem::new("NOAUTH", "Authentication required.");
const SPOILT: Problem = Problem::new("EXECABORT", "Transaction discarded because of previous errors.");

impl<'a> Connection<'a> {
    pub(super) fn new(app: &'a App, id: u64) -> Self {
        let client = app.access.client(None);
        let names = <[String; 3]>::default();
        Self { app, id, client, names, batch: None, changed: 0, is_closing: false }
    }

    /// Whether the client has said who it is, if it must.
    pub(super) fn is_known(&self) -> bool {
        self.client.is_some()
    }

    /// Whether to close it once the replies are sent.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Ends it, for its bytes are no commands.
    pub(super) fn fail(&mut self, bad: BadRequest, replies: &mut Replies) {
        self.is_closing = true;
        let text = match bad {
            BadRequest::Protocol(text) => text.to_owned(),
            BadRequest::NoBulk(byte) => format!("expected '$', got '{}'", char::from(byte).escape_default()),
            BadRequest::Http => return,
        };
        replies.problem(&Problem::told(format!("Protocol error: {text}")));
    }

    /// Notes how far the changes of this client go that were acknowledged.
    pub(super) fn note(&mut self, answers: &[Answer]) {
        let numbers = answers.iter().flatten().map(|done| done.number);
        self.changed = numbers.fold(self.changed, u64::max);
    }

    /// Handles requests from this one on, up to one that is handled apart.
    pub(super) fn handle(&mut self, requests: &Requests, from: usize, replies: &mut Replies) -> Handled {
        let (mut next, mut apart) = (from, None);
        let answers = self.app.counters.submit(|session| {
            let mut counting = Counting::new(session);
            while next < requests.len() && !self.is_closing {
                apart = self.command(requests.command(next), &mut counting, replies);
                if apart.is_some() {
                    break;
                }
                next += 1;
            }
        });
        if next == from && apart.is_none() {
            // The engine was not there to handle anything.
            replies.problem(&refusals::refused(embedded::Refused::Failed));
            self.is_closing = true;
        }
        Handled { answers, next, apart }
    }

    /// Handles a command, unless it must be handled apart.
    fn command(
        &mut self,
        command: Command<'_>,
        counting: &mut Counting<'_, '_>,
        replies: &mut Replies,
    ) -> Option<Lists> {
        match self.check(command) {
            Ok(spec) if self.batch.is_some() && !spec.kind.is_never_queued() => {
                let queued = self.batch.as_mut().is_none_or(|batch| batch.push(spec, command));
                if queued {
                    replies.simple("QUEUED");
                } else {
                    replies.problem(&Problem::err("the batch is too long: send it in parts"));
                }
                None
            }
            Ok(spec) => self.run(spec, command, counting, replies),
            Err(problem) => {
                if let Some(batch) = &mut self.batch {
                    batch.spoil();
                }
                replies.problem(&problem);
                None
            }
        }
    }

    /// The command, if the client may say it so.
    fn check(&self, command: Command<'_>) -> Result<&'static Spec, Problem> {
        let spec = table::find(command.get(0)).ok_or_else(|| unsupported::problem(command))?;
        if !spec.accepts(command.len()) {
            return Err(wrong_number(spec.name));
        }
        if !self.is_known() && !spec.kind.is_for_unknown() {
            return Err(NO_AUTH);
        }
        if self.batch.is_some() && matches!(spec.kind, Kind::Lists(_)) {
            let name = spec.name;
            return Err(Problem::told(format!(
                "'{name}' can't be a part of MULTI: ask before it, or after EXEC"
            )));
        }
        Ok(spec)
    }

    fn run(
        &mut self,
        spec: &'static Spec,
        command: Command<'_>,
        counting: &mut Counting<'_, '_>,
        replies: &mut Replies,
    ) -> Option<Lists> {
        match spec.kind {
            Kind::Counts(kind) => {
                if let Some(client) = self.client {
                    counting.command(kind, Request { command, client }, replies);
                }
            }
            Kind::Connects(Connects::Exec) => self.execute(counting, replies),
            Kind::Connects(Connects::Wait) if !counting.is_batch() => return Some(Lists::Wait),
            Kind::Connects(Connects::Wait) => match lists::wait_for(command) {
                // In a batch nobody waits.
                Ok(_) => replies.count(counting.held(self.changed)),
                Err(problem) => replies.problem(&problem),
            },
            Kind::Connects(kind) => {
                let from = replies.len();
                if let Err(problem) = self.connect(kind, command, replies) {
                    replies.truncate(from);
                    replies.problem(&problem);
                }
            }
            Kind::Lists(list) => return Some(list),
        }
        None
    }

    /// Does the commands of a batch, all or none.
    fn execute(&mut self, counting: &mut Counting<'_, '_>, replies: &mut Replies) {
        let batch = match self.batch.take() {
            Some(batch) if batch.is_spoilt() => return replies.problem(&SPOILT),
            Some(batch) => batch,
            None => return replies.problem(&Problem::err("EXEC without MULTI")),
        };
        let from = replies.len();
        replies.array(batch.len());
        counting.begin_batch();
        for (spec, command) in batch.commands() {
            let _none_is_apart = self.run(spec, command, counting, replies);
        }
        counting.end_batch(from, replies);
    }

    fn connect(
        &mut self,
        kind: Connects,
        command: Command<'_>,
        replies: &mut Replies,
    ) -> Result<(), Problem> {
        match kind {
            Connects::Auth => handshake::auth(self, command, replies),
            Connects::Hello => handshake::hello(self, command, replies),
            Connects::Client => handshake::client(self, command, replies),
            Connects::Command => describe::command(command, replies),
            Connects::Config => describe::config(&self.app.config, command, replies),
            Connects::Ping => match command.len() {
                1 => {
                    replies.simple("PONG");
                    Ok(())
                }
                2 => {
                    replies.bulk(command.get(1));
                    Ok(())
                }
                _ => Err(wrong_number("ping")),
            },
            Connects::Echo => {
                replies.bulk(command.get(1));
                Ok(())
            }
            Connects::Select => describe::select(command, replies),
            Connects::Multi if self.batch.is_some() => Err(Problem::err("MULTI calls can not be nested")),
            Connects::Multi => {
                self.batch = Some(Batch::default());
                replies.ok();
                Ok(())
            }
            Connects::Discard if self.batch.is_none() => Err(Problem::err("DISCARD without MULTI")),
            Connects::Discard => {
                self.batch = None;
                replies.ok();
                Ok(())
            }
            Connects::Watch if self.batch.is_some() => Err(Problem::err("WATCH inside MULTI is not allowed")),
            Connects::Watch => Err(unsupported::WATCH),
            Connects::Unwatch => {
                replies.ok();
                Ok(())
            }
            Connects::Quit => {
                self.is_closing = true;
                replies.ok();
                Ok(())
            }
            Connects::Reset => {
                *self = Self::new(self.app, self.id);
                replies.is_resp3 = false;
                replies.simple("RESET");
                Ok(())
            }
            // These are done where the counters are at hand.
            Connects::Exec | Connects::Wait => Ok(()),
        }
    }
}

pub(super) fn wrong_number(name: &str) -> Problem {
    Problem::told(format!("wrong number of arguments for '{name}' command"))
}

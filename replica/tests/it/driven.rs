//! One replica, driven by hand on virtual time: its store's outcomes are told one by one.

use std::collections::VecDeque;
use std::time::Duration;

use replica::store::{Outcome, Record, Revision, StoreRequest, Token};
use replica::{AckPolicy, Config, Effect, Input, NodeId, Refusal, Replica, Reply, Request, Ticket};

/// How long clients wait.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(4);

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A replica of `n0` among `n0` and `n1`, its clock, and what it wants.
pub(crate) struct Driven {
    pub(crate) replica: Replica,
    pub(crate) now: Duration,
    /// How far the input has been heard; as far as the clock, if `None`.
    pub(crate) heard: Option<Duration>,
    pub(crate) replies: VecDeque<(Ticket, Result<Reply, Refusal>)>,
    pub(crate) requests: VecDeque<(Token, StoreRequest)>,
}

impl Driven {
    pub(crate) fn new(ack: AckPolicy) -> Self {
        let replica = Replica::new(&Config { ack, ..Config::default() }, "n0".into(), 1);
        let (replies, requests) = (VecDeque::new(), VecDeque::new());
        let mut driven = Self { replica, now: Duration::ZERO, heard: None, replies, requests };
        driven.give(Input::Roster(["n0", "n1"].map(NodeId::from).into()));
        driven.tick();
        driven
    }

    pub(crate) fn give(&mut self, input: Input) {
        self.replica.handle(self.now, input);
        while let Some(effect) = self.replica.poll_effect() {
            match effect {
                Effect::Reply { ticket, result } => self.replies.push_back((ticket, result)),
                Effect::Store { token, request } => self.requests.push_back((token, request)),
                Effect::Send { .. } | Effect::Done => {}
            }
        }
    }

    pub(crate) fn tick(&mut self) {
        self.give(Input::Tick { heard: self.heard.unwrap_or(self.now) });
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.replica.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.tick();
        }
        self.now = until;
        self.tick();
    }

    pub(crate) fn ask(&mut self, ticket: u64, request: Request) {
        let answer_by = self.now + ANSWER_WITHIN;
        self.give(Input::Client { ticket: Ticket(ticket), answer_by, request });
        self.tick();
    }

    /// The oldest request to the store ends so. Returns the request.
    pub(crate) fn ends(&mut self, outcome: Outcome) -> StoreRequest {
        let (token, request) = self.requests.pop_front().expect("the replica asks the store");
        self.give(Input::Store { token, outcome });
        self.tick();
        request
    }

    /// The store lists the roster: the oldest request asks for that.
    pub(crate) fn lists_the_roster(&mut self) {
        let names = ["n0", "n1"].map(NodeId::from).into();
        assert_eq!(self.ends(Outcome::Nodes(names)), StoreRequest::Nodes);
    }

    pub(crate) fn reply(&mut self) -> Option<(u64, Result<Reply, Refusal>)> {
        self.replies.pop_front().map(|(ticket, result)| (ticket.0, result))
    }
}

pub(crate) fn opened(record: Option<Record>) -> Outcome {
    Outcome::Opened { record, revision: Revision(7) }
}

pub(crate) fn committed() -> Outcome {
    Outcome::Committed { revision: Revision(8) }
}

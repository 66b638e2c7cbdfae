//! One replica, driven by hand on virtual time: its store's outcomes are told one by one, or by a reference store.

use std::collections::VecDeque;
use std::time::Duration;

use replica::store::memory::Memory;
use replica::store::{Changes, Outcome, Record, Revision, StoreRequest, Token};
use replica::{
    AckPolicy, Claim, Config, Effect, Frame, Input, Inquiry, NodeId, Numbering, Refusal, Replica, ReplicaId,
    Reply, Request, RowDelta, Tally, Ticket,
};

/// How long clients wait.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(4);

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A replica of `n0`, its clock, and what it wants.
pub(crate) struct Driven {
    pub(crate) replica: Replica,
    pub(crate) now: Duration,
    /// How far the input has been heard; as far as the clock, if `None`.
    pub(crate) heard: Option<Duration>,
    pub(crate) replies: VecDeque<(Ticket, Result<Reply, Refusal>)>,
    pub(crate) requests: VecDeque<(Token, StoreRequest)>,
    /// The frames that it has sent.
    pub(crate) sent: Vec<(NodeId, Frame)>,
    pub(crate) is_done: bool,
}

impl Driven {
    /// One among `n0` and `n1`.
    pub(crate) fn new(ack: AckPolicy) -> Self {
        Self::among(ack, &["n0", "n1"])
    }

    pub(crate) fn among(ack: AckPolicy, roster: &[&str]) -> Self {
        // So what is told to it needs no numbers: see `row`.
        Self::of(&Config { ack, numbering: Numbering::BySum, ..Config::default() }, roster)
    }

    /// One that has many counters.
    pub(crate) fn named(ack: AckPolicy, roster: &[&str]) -> Self {
        Self::of(&Config { ack, ..Config::default() }, roster)
    }

    pub(crate) fn of(config: &Config, roster: &[&str]) -> Self {
        let mut driven = Self {
            replica: Replica::new(config, "n0".into(), 1),
            now: Duration::ZERO,
            heard: None,
            replies: VecDeque::new(),
            requests: VecDeque::new(),
            sent: Vec::new(),
            is_done: false,
        };
        driven.list(roster);
        driven
    }

    /// The nodes of the cluster are these.
    pub(crate) fn list(&mut self, roster: &[&str]) {
        self.give(Input::Roster(roster.iter().map(|name| NodeId::from(*name)).collect()));
        self.tick();
    }

    pub(crate) fn give(&mut self, input: Input) {
        self.replica.handle(self.now, input);
        while let Some(effect) = self.replica.poll_effect() {
            match effect {
                Effect::Reply { ticket, result } => self.replies.push_back((ticket, result)),
                Effect::Store { token, request } => self.requests.push_back((token, request)),
                Effect::Send { peer, frame } => self.sent.push((peer, frame)),
                Effect::Done => self.is_done = true,
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

    /// The store does what it is asked for, until nothing more is asked. Returns all requests.
    pub(crate) fn serve(&mut self, store: &mut Memory) -> Vec<StoreRequest> {
        let mut served = Vec::new();
        while let Some((_, request)) = self.requests.front() {
            let outcome = store.request(&"n0".into(), request);
            served.push(self.ends(outcome));
        }
        served
    }

    /// A frame of the first process of a peer.
    pub(crate) fn hear(&mut self, from: &str, frame: Frame) {
        self.give(Input::Peer { from: from.into(), frame });
        self.tick();
    }

    pub(crate) fn sent(&mut self) -> Vec<(NodeId, Frame)> {
        std::mem::take(&mut self.sent)
    }

    /// The last question to this peer.
    pub(crate) fn question(&self, to: &str) -> Option<&Frame> {
        let asks = |(peer, frame): &&(NodeId, Frame)| {
            peer.as_str() == to && matches!(frame.inquiry, Some(Inquiry::Asks(..)))
        };
        self.sent.iter().rfind(asks).map(|(_, frame)| frame)
    }

    /// A peer says how much it holds of the replica that it was last asked about.
    pub(crate) fn hear_holds(&mut self, from: &str, up: u64) {
        let question = self.question(from).cloned().expect("the peer is asked");
        let Some(Inquiry::Asks(replica, _)) = question.inquiry else { panic!("it asks") };
        let inquiry = Some(Inquiry::Holds(Tally { up, down: 0 }.row(replica)));
        self.hear(from, Frame { answers: question.id, inquiry, ..frame_of(1, Vec::new()) });
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

/// A frame of that incarnation, with these rows.
pub(crate) fn frame_of(incarnation: u32, rows: Vec<RowDelta>) -> Frame {
    let claim = Claim { rows, ..Claim::default() };
    Frame::new(format!("{incarnation:08x}").parse().unwrap(), claim)
}

pub(crate) fn replica(id: &str) -> ReplicaId {
    id.parse().unwrap()
}

/// A row in a world with one counter.
pub(crate) fn row(id: &str, up: u64) -> RowDelta {
    Tally { up, down: 0 }.row(replica(id))
}

/// The value of all rows of a frame.
pub(crate) fn value(frame: &Frame) -> i128 {
    frame.claim.rows.iter().map(|row| i128::from(Tally::stated(row).up)).sum()
}

/// The count of a replica in a record.
pub(crate) fn tally(record: &Record, replica: &ReplicaId) -> Tally {
    record.rows.get(replica).map(Tally::stated).unwrap_or_default()
}

/// A record with these rows.
pub(crate) fn record(rows: &[(&str, u64)]) -> Record {
    let rows = rows.iter().map(|(id, up)| (replica(id), row(id, *up))).collect();
    Record { rows, ..Record::default() }
}

/// Makes a record, or changes it, as a process of that node does.
pub(crate) fn put(store: &mut Memory, node: &str, record: Record) {
    let Record { rows, hints, owner, .. } = record;
    let Outcome::Opened { revision, .. } = store.request(&node.into(), &StoreRequest::Open) else {
        panic!("it opens");
    };
    let (rows, hints) = (rows.into_values().collect(), hints.into_values().collect());
    let changes = Changes { rows, hints, ..Changes::default() };
    let commit = StoreRequest::Commit { expect: revision, changes, owner };
    assert!(matches!(store.request(&node.into(), &commit), Outcome::Committed { .. }));
}

//! Several replicas with one store, and frames that are delivered by hand.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use replica::store::memory::Memory;
use replica::{
    AckPolicy, Change, Config, Effect, Frame, Input, Inquiry, NodeId, Refusal, Replica, Reply, Request,
    Ticket, Until,
};

use crate::driven::ms;

/// Nodes `n0` and so on, with one store. Frames are delivered by hand.
pub(crate) struct Nodes {
    pub(crate) replicas: Vec<Replica>,
    pub(crate) now: Duration,
    pub(crate) store: Memory,
    pub(crate) sent: VecDeque<(usize, usize, Frame)>,
    pub(crate) replies: BTreeMap<u64, Result<Reply, Refusal>>,
}

pub(crate) fn name(node: usize) -> NodeId {
    NodeId::from(format!("n{node}").as_str())
}

impl Nodes {
    /// So many nodes that know each other.
    pub(crate) fn new(count: usize, config: &Config) -> Self {
        let nodes = (0..count).map(|node| Replica::new(config, name(node), node as u64)).collect();
        let (now, store) = (Duration::ZERO, Memory::default());
        let mut nodes = Self { replicas: nodes, now, store, sent: VecDeque::new(), replies: BTreeMap::new() };
        for node in 0..count {
            nodes.give(node, Input::Roster((0..count).map(name).collect()));
        }
        nodes.settle();
        nodes
    }

    pub(crate) fn of(count: usize) -> Self {
        Self::new(count, &Config { ack: AckPolicy::Memory, ..Config::default() })
    }

    pub(crate) fn give(&mut self, node: usize, input: Input) {
        let mut inputs = VecDeque::from([input, Input::Tick { heard: self.now }]);
        while let Some(input) = inputs.pop_front() {
            self.replicas[node].handle(self.now, input);
            while let Some(effect) = self.replicas[node].poll_effect() {
                match effect {
                    Effect::Reply { ticket, result } => {
                        assert_eq!(self.replies.insert(ticket.0, result), None, "one answer");
                    }
                    Effect::Store { token, request } => {
                        let outcome = self.store.request(&name(node), &request);
                        inputs.extend([Input::Store { token, outcome }, Input::Tick { heard: self.now }]);
                    }
                    Effect::Send { peer, frame } => {
                        let to = (0..self.replicas.len()).find(|to| name(*to) == peer).unwrap();
                        self.sent.push_back((node, to, frame));
                    }
                    Effect::Done => {}
                }
            }
        }
    }

    pub(crate) fn ask(&mut self, node: usize, ticket: u64, request: Request) {
        let answer_by = self.now + ms(1000);
        self.give(node, Input::Client { ticket: Ticket(ticket), answer_by, request });
    }

    pub(crate) fn wait(&mut self, node: usize, ticket: u64, until: Until) {
        self.ask(node, ticket, Request::Await(until));
    }

    /// Delivers the frames that go between nodes that `may` talk, and all that they bring about. The others stay.
    pub(crate) fn deliver(&mut self, may: impl Fn(usize, usize) -> bool) {
        let mut left = VecDeque::new();
        while let Some((from, to, frame)) = self.sent.pop_front() {
            if may(from, to) {
                self.give(to, Input::Peer { from: name(from), frame });
            } else {
                left.push_back((from, to, frame));
            }
        }
        self.sent = left;
    }

    /// Time passes. Frames are delivered between nodes that `may` talk.
    pub(crate) fn pass(&mut self, time: Duration, may: impl Fn(usize, usize) -> bool) {
        let until = self.now + time;
        loop {
            self.deliver(&may);
            let next = self.replicas.iter().filter_map(Replica::poll_timeout).min();
            let Some(at) = next.filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            for node in 0..self.replicas.len() {
                self.give(node, Input::Tick { heard: self.now });
            }
        }
        self.now = until;
    }

    /// All nodes agree, and nothing is on its way.
    pub(crate) fn settle(&mut self) {
        self.pass(ms(3000), |_, _| true);
        self.sent.clear();
    }

    /// Adds on a node. Returns what its client has seen then.
    pub(crate) fn add(&mut self, node: usize, delta: i64) -> Until {
        self.ask(node, u64::MAX, Request::Change(Change::Add("".into(), delta)));
        assert_eq!(self.replies.remove(&u64::MAX), Some(Ok(Reply::Counted)));
        let it = &self.replicas[node];
        Until::Covers([(it.id().clone(), it.safe())].into())
    }

    /// The answer, if it is there. It is taken.
    pub(crate) fn reply(&mut self, ticket: u64) -> Option<Reply> {
        self.replies.remove(&ticket).map(|result| result.unwrap_or_else(|refusal| panic!("{refusal}")))
    }

    /// The peers that a node has asked what they show, and whom it was not delivered to yet.
    pub(crate) fn asked(&self, node: usize) -> Vec<usize> {
        let asks = |(from, _, frame): &&(usize, usize, Frame)| {
            *from == node && matches!(frame.inquiry, Some(Inquiry::Surveys(_)))
        };
        self.sent.iter().filter(asks).map(|(_, to, _)| *to).collect()
    }
}

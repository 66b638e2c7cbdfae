//! The list of nodes grows and shrinks while a replica runs.

use std::time::Duration;

use replica::{AckPolicy, Claim, Config, Effect, Frame, Input, NodeId, Replica, Request, Ticket, Vector};

/// The replica of `n0`, and what it has told whom.
struct Node {
    replica: Replica,
    now: Duration,
    sent: Vec<(NodeId, Frame)>,
}

impl Node {
    fn new(roster: &[&str]) -> Self {
        let config = Config { ack: AckPolicy::Memory, ..Config::default() };
        let replica = Replica::new(&config, "n0".into(), 1);
        let mut node = Self { replica, now: Duration::ZERO, sent: Vec::new() };
        node.list(roster);
        node
    }

    fn list(&mut self, roster: &[&str]) {
        self.give(Input::Roster(roster.iter().map(|name| NodeId::from(*name)).collect()));
    }

    fn give(&mut self, input: Input) {
        for input in [input, Input::Tick { heard: self.now }] {
            self.replica.handle(self.now, input);
            while let Some(effect) = self.replica.poll_effect() {
                if let Effect::Send { peer, frame } = effect {
                    self.sent.push((peer, frame));
                }
            }
        }
    }

    fn add(&mut self, delta: i64) {
        let answer_by = self.now + Duration::from_secs(4);
        self.give(Input::Client { ticket: Ticket(1), answer_by, request: Request::Add(delta) });
    }

    /// Lets a second pass; returns whom it has told what.
    fn pass(&mut self) -> Vec<(NodeId, Frame)> {
        for _ in 0..50 {
            self.now += Duration::from_millis(20);
            self.give(Input::Tick { heard: self.now });
        }
        std::mem::take(&mut self.sent)
    }

    /// A peer says that it holds this, and confirms `answers`.
    fn hear(&mut self, from: &str, counts: Vector, answers: Option<&Frame>) {
        let claim = Claim { counts, ..Claim::default() };
        let (incarnation, answers) = ("00000002".parse().unwrap(), answers.and_then(|frame| frame.id));
        let frame = Frame { answers, ..Frame::new(incarnation, claim) };
        self.give(Input::Peer { from: from.into(), frame });
    }
}

fn row(replica: &str, up: u64) -> Vector {
    [(replica.parse().unwrap(), (up, 0))].into_iter().collect()
}

#[test]
fn a_node_that_is_listed_later_is_told_everything() {
    let mut node = Node::new(&["n0"]);
    node.add(5);
    assert!(node.pass().is_empty(), "there is nobody to tell");
    node.list(&["n0", "n1"]);
    let told = node.pass();
    assert!(
        told.iter().any(|(peer, frame)| peer.as_str() == "n1" && frame.claim.counts.value() == 5),
        "{told:?}"
    );
}

#[test]
fn a_node_that_is_listed_no_more_is_neither_told_nor_heard_and_what_it_counted_stays() {
    let mut node = Node::new(&["n0", "n1", "n2"]);
    let greetings = node.pass();
    let greeting = greetings.iter().find(|(peer, _)| peer.as_str() == "n1").expect("n1 is greeted");
    node.hear("n1", row("n1#00000002", 7), Some(&greeting.1));
    assert_eq!(node.replica.value(), 7);
    node.list(&["n0", "n2"]);
    node.sent.clear();
    node.hear("n1", row("n1#00000002", 9), None);
    assert_eq!(node.replica.value(), 7);
    node.add(5);
    let told = node.pass();
    assert!(!told.is_empty() && told.iter().all(|(peer, _)| peer.as_str() == "n2"), "{told:?}");
    assert!(told.iter().any(|(_, frame)| frame.claim.counts.value() == 12), "n2 is told of it: {told:?}");
}

#[test]
fn what_is_known_of_a_peer_that_stays_is_kept_and_of_one_that_returns_is_forgotten() {
    let mut node = Node::new(&["n0", "n1"]);
    node.add(5);
    // The greeting, sent before the add, and what the peer lacked then.
    for _ in 0..2 {
        let told = node.pass();
        let (_, last) = told.last().expect("n1 is told");
        node.hear("n1", Vector::new(), Some(last));
    }
    node.list(&["n0", "n1", "n2"]);
    assert!(node.pass().iter().all(|(peer, _)| peer.as_str() == "n2"), "n1 has confirmed it");
    node.list(&["n0", "n2"]);
    node.list(&["n0", "n1", "n2"]);
    assert!(node.pass().iter().any(|(peer, _)| peer.as_str() == "n1"), "n1 may be another now");
}

#[test]
fn the_list_may_leave_out_the_node_itself() {
    let mut node = Node::new(&["n1"]);
    node.add(5);
    assert!(node.pass().iter().all(|(peer, _)| peer.as_str() == "n1"));
    node.list(&[]);
    assert!(node.pass().is_empty());
    assert_eq!(node.replica.value(), 5);
}

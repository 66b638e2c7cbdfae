//! What a node knows of its peers.

use replica::store::memory::Memory;
use replica::{AckPolicy, Frame, Input, PeerStatus, Request};

use crate::driven::{Driven, frame_of, ms};

fn covers(node: &Driven, peer: &str) -> Option<u64> {
    let peers = node.replica.peers();
    let PeerStatus { covers, .. } = peers.into_iter().find(|status| status.node.as_str() == peer).unwrap();
    covers
}

/// A peer's process confirms the last frame that was sent to it.
fn confirms(node: &mut Driven, peer: &str, incarnation: u32) {
    let sent = node.sent.iter().rfind(|(to, frame)| to.as_str() == peer && frame.id.is_some());
    let answers = sent.and_then(|(_, frame)| frame.id);
    assert!(answers.is_some(), "{peer} is sent something");
    node.hear(peer, Frame { answers, ..frame_of(incarnation, Vec::new()) });
}

#[test]
fn what_a_peer_is_known_to_have_is_what_it_has_confirmed() {
    let mut node = Driven::among(AckPolicy::Durable, &["n0", "n1", "n2"]);
    node.serve(&mut Memory::default());
    assert_eq!((covers(&node, "n1"), covers(&node, "n2")), (None, None));
    // The store is silent from now on, so peers are told.
    node.ask(1, Request::add(3));
    node.pass(ms(2000));
    assert_eq!(covers(&node, "n1"), None, "what is sent may be lost");
    confirms(&mut node, "n1", 1);
    assert_eq!(covers(&node, "n1"), Some(0), "it has confirmed the greeting, which was sent before");
    node.pass(ms(500));
    confirms(&mut node, "n1", 1);
    assert_eq!((covers(&node, "n1"), covers(&node, "n2")), (Some(3), None));
    assert_eq!(node.replica.stored(), 0);

    // Another process of that peer has none of it.
    node.hear("n1", frame_of(2, Vec::new()));
    assert_eq!(covers(&node, "n1"), None);
}

#[test]
fn nodes_off_the_roster_are_no_peers() {
    let mut node = Driven::new(AckPolicy::Memory);
    let names = |node: &Driven| node.replica.peers().into_iter().map(|peer| peer.node).collect::<Vec<_>>();
    assert_eq!(names(&node), ["n1".into()]);
    node.give(Input::Roster(["n0", "n2"].map(Into::into).into()));
    assert_eq!(names(&node), ["n2".into()]);
}

/// Both hear what is sent to the node, and both answer. Without a bound each answer would bring another greeting.
#[test]
fn two_processes_of_one_peer_are_not_greeted_without_end() {
    let mut node = Driven::new(AckPolicy::Durable);
    node.serve(&mut Memory::default());
    // The store is silent from now on, so a peer is to confirm this soon.
    node.ask(1, Request::add(3));
    node.pass(ms(2000));
    let greetings = |node: &mut Driven| {
        let mut sent = node.sent();
        let asked = sent.len();
        while asked + sent.len() < 100 {
            for frame in std::mem::take(&mut sent).into_iter().filter_map(|(_, frame)| frame.id) {
                for incarnation in [1, 2] {
                    node.hear("n1", Frame { answers: Some(frame), ..frame_of(incarnation, Vec::new()) });
                }
            }
            sent = node.sent();
            if sent.is_empty() {
                return asked;
            }
        }
        panic!("greeting after greeting")
    };
    assert!(greetings(&mut node) > 0);
    for _ in 0..10 {
        node.pass(ms(2000));
        assert!(greetings(&mut node) > 0, "it is greeted again later");
    }
}

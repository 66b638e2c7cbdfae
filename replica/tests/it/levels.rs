//! Clients that wait until a node shows, or its peers have, so much.

use replica::{AckPolicy, Config, Frame, Input, Inquiry, MAX_WAITS, Refusal, Reply, Request, Until};

use crate::driven::{Driven, committed, frame_of, ms, opened, replica};
use crate::nodes::{Nodes, name};

fn not_reached(missing: &[usize]) -> Reply {
    Reply::NotReached(missing.iter().map(|node| name(*node)).collect())
}

#[test]
fn a_client_reads_on_another_node_what_it_has_counted() {
    let mut nodes = Nodes::of(3);
    let seen = nodes.add(0, 5);
    nodes.sent.clear();
    nodes.wait(1, 1, seen.clone());
    assert_eq!((nodes.reply(1), nodes.replicas[1].value()), (None, 0));
    assert_eq!(nodes.asked(1), [0], "the node that counted it is asked, and no other");
    // No time passes: it waits for no round.
    nodes.deliver(|_, _| true);
    assert_eq!((nodes.reply(1), nodes.replicas[1].value()), (Some(Reply::Reached), 5));
    nodes.wait(0, 2, seen.clone());
    assert_eq!(nodes.reply(2), Some(Reply::Reached), "here it is shown at once");

    // What the node that counted it can't tell, another one can.
    nodes.wait(2, 3, seen);
    nodes.pass(ms(900), |from, to| from != 0 && to != 0);
    assert_eq!((nodes.reply(3), nodes.replicas[2].value()), (Some(Reply::Reached), 5));
}

#[test]
fn a_version_that_nobody_has_is_waited_for_until_the_client_gives_up() {
    let mut nodes = Nodes::of(2);
    let versions = [("n0#00000001", 7), ("n1#00000001", 7), ("n9#00000001", 7)];
    let versions = versions.map(|(id, number)| (replica(id), number));
    nodes.wait(0, 1, Until::Covers(versions.into()));
    nodes.pass(ms(999), |_, _| true);
    assert_eq!(nodes.reply(1), None);
    nodes.pass(ms(1), |_, _| true);
    assert_eq!(nodes.reply(1), Some(not_reached(&[0, 1, 9])));
}

#[test]
fn a_read_of_all_has_what_any_node_has_acknowledged_before() {
    let mut nodes = Nodes::of(3);
    nodes.add(0, 5);
    nodes.add(2, 7);
    nodes.sent.clear();
    nodes.wait(1, 1, Until::AllTold);
    assert_eq!(nodes.asked(1), [0, 2]);
    nodes.deliver(|from, to| from != 2 && to != 2);
    assert_eq!((nodes.reply(1), nodes.replicas[1].value()), (None, 5), "one has told");
    nodes.deliver(|_, _| true);
    assert_eq!((nodes.reply(1), nodes.replicas[1].value()), (Some(Reply::Reached), 12));

    // What was told before the request does not count.
    nodes.add(0, 1);
    nodes.sent.clear();
    nodes.wait(1, 2, Until::AllTold);
    nodes.deliver(|from, to| from != 0 && to != 0);
    assert_eq!((nodes.reply(2), nodes.replicas[1].value()), (None, 12));
    nodes.deliver(|_, _| true);
    assert_eq!((nodes.reply(2), nodes.replicas[1].value()), (Some(Reply::Reached), 13));
}

#[test]
fn an_answer_to_a_question_from_before_a_request_does_not_serve_it() {
    let mut nodes = Nodes::of(2);
    nodes.wait(1, 1, Until::AllTold);
    // The answer is under way.
    let (_, _, question) = nodes.sent.pop_front().unwrap();
    nodes.give(0, Input::Peer { from: name(1), frame: question });
    let answer = nodes.sent.pop_front().unwrap();
    nodes.add(0, 5);
    nodes.sent.clear();
    nodes.wait(1, 2, Until::AllTold);
    nodes.sent.push_back(answer);
    let mut answers = 0;
    while let Some((from, to, frame)) = nodes.sent.pop_front() {
        answers += usize::from(matches!(frame.inquiry, Some(Inquiry::Shows(_))));
        nodes.give(to, Input::Peer { from: name(from), frame });
        if answers == 1 {
            assert_eq!(nodes.replies.get(&2), None, "the first serves only who came before");
        }
    }
    assert_eq!((answers, nodes.reply(1)), (2, Some(Reply::Reached)));
    assert_eq!((nodes.reply(2), nodes.replicas[1].value()), (Some(Reply::Reached), 5));
}

#[test]
fn a_read_of_all_names_the_nodes_that_do_not_answer() {
    let mut nodes = Nodes::of(3);
    nodes.wait(1, 1, Until::AllTold);
    nodes.pass(ms(1000), |from, to| from != 2 && to != 2);
    assert_eq!(nodes.reply(1), Some(not_reached(&[2])));
    // Once it is there again, it is asked again.
    nodes.wait(1, 2, Until::AllTold);
    nodes.pass(ms(999), |_, _| true);
    assert_eq!(nodes.reply(2), Some(Reply::Reached));
}

#[test]
fn questions_that_get_lost_are_sent_again_and_stop_with_those_who_wait() {
    let mut nodes = Nodes::of(2);
    nodes.wait(0, 1, Until::AllTold);
    nodes.pass(ms(1000), |_, _| false);
    let asked = nodes.asked(0).len();
    assert!((3..9).contains(&asked), "asked {asked} times");
    assert_eq!(nodes.reply(1), Some(not_reached(&[1])));
    nodes.sent.clear();
    nodes.pass(ms(10_000), |_, _| false);
    assert!(nodes.asked(0).is_empty(), "nobody waits");
}

#[test]
fn a_node_that_joins_meanwhile_is_asked_too() {
    let mut nodes = Nodes::of(3);
    let list = |nodes: &mut Nodes, of: &[usize]| {
        nodes.give(0, Input::Roster(of.iter().map(|node| name(*node)).collect()));
    };
    nodes.add(2, 5);
    nodes.sent.clear();
    list(&mut nodes, &[0, 1]);
    nodes.wait(0, 1, Until::AllTold);
    list(&mut nodes, &[0, 1, 2]);
    nodes.deliver(|from, to| from != 2 && to != 2);
    assert_eq!(nodes.reply(1), None);
    nodes.pass(ms(900), |_, _| true);
    assert_eq!((nodes.reply(1), nodes.replicas[0].value()), (Some(Reply::Reached), 5));
}

#[test]
fn a_peer_that_was_silent_for_long_is_asked_soon_once_somebody_waits() {
    let mut nodes = Nodes::of(2);
    nodes.wait(0, 1, Until::AllTold);
    nodes.pass(ms(990), |_, _| false);
    nodes.sent.clear();
    nodes.wait(0, 2, Until::AllTold);
    nodes.pass(ms(200), |_, _| true);
    assert_eq!(nodes.reply(2), Some(Reply::Reached));
}

#[test]
fn a_process_that_has_not_recovered_tells_nothing() {
    let mut node = Driven::new(AckPolicy::Durable);
    let question = Inquiry::Surveys(replica("n1#00000007"));
    let frame = || Frame {
        id: Some(replica::FrameId(77)),
        inquiry: Some(question.clone()),
        ..frame_of(7, Vec::new())
    };
    node.hear("n1", frame());
    let shows = |node: &mut Driven| {
        let sent = node.sent();
        sent.into_iter().find_map(|(_, frame)| match frame.inquiry {
            Some(Inquiry::Shows(versions)) => Some((frame.answers, versions)),
            _ => None,
        })
    };
    assert_eq!(shows(&mut node), None);
    node.ends(opened(None));
    assert_eq!(shows(&mut node), None, "it has not written its record yet");
    node.ends(committed());
    let answered = (Some(replica::FrameId(77)), [(replica("n1#00000007"), 0)].into());
    assert_eq!(shows(&mut node), Some(answered), "it answers once it has");
    // A question about another node's replica is none.
    node.hear("n1", Frame { inquiry: Some(Inquiry::Surveys(replica("n2#00000007"))), ..frame() });
    assert_eq!(shows(&mut node), None);
}

#[test]
fn a_node_that_has_not_recovered_has_not_all() {
    let mut node = Driven::named(AckPolicy::Durable, &["n0"]);
    node.ask(1, Request::Await(Until::AllTold));
    assert_eq!(node.reply(), None);
    assert_eq!(node.replica.complete_as_of(), None);
    node.ends(opened(None));
    assert_eq!(node.reply(), None);
    node.ends(committed());
    assert_eq!(node.reply(), Some((1, Ok(Reply::Reached))));
    assert_eq!(node.replica.complete_as_of(), Some(node.now));
}

#[test]
fn what_peers_have_is_told_once_enough_have_it() {
    let mut nodes = Nodes::of(3);
    let number = {
        nodes.add(0, 5);
        nodes.replicas[0].safe()
    };
    nodes.sent.clear();
    nodes.wait(0, 1, Until::Held { peers: 2, number });
    assert_eq!(nodes.reply(1), None);
    nodes.deliver(|from, to| from != 2 && to != 2);
    assert_eq!(nodes.reply(1), None, "one has it");
    nodes.deliver(|_, _| true);
    assert_eq!(nodes.reply(1), Some(Reply::Held(2)), "no round is waited for");

    // A peer that has only what came before does not count.
    nodes.add(0, 1);
    nodes.sent.clear();
    nodes.wait(0, 2, Until::Held { peers: 2, number: number + 1 });
    nodes.pass(ms(1000), |from, to| from != 2 && to != 2);
    assert_eq!(nodes.reply(2), Some(Reply::Held(1)), "so many have it when the time is up");
    nodes.wait(0, 3, Until::Held { peers: 2, number });
    assert_eq!(nodes.reply(3), Some(Reply::Held(2)), "that they have long");
}

#[test]
fn in_a_large_cluster_peers_that_are_no_links_are_asked_what_they_have() {
    let mut nodes = Nodes::of(9);
    nodes.add(0, 5);
    let number = nodes.replicas[0].safe();
    nodes.wait(0, 1, Until::Held { peers: 8, number });
    nodes.pass(ms(999), |_, _| true);
    assert_eq!(nodes.reply(1), Some(Reply::Held(8)));
}

#[test]
fn a_value_is_waited_for() {
    let mut nodes = Nodes::of(2);
    nodes.wait(1, 1, Until::AtLeast("".into(), 5));
    nodes.add(0, 4);
    nodes.pass(ms(500), |_, _| true);
    assert_eq!((nodes.reply(1), nodes.replicas[1].value()), (None, 4));
    nodes.add(1, 1);
    assert_eq!(nodes.reply(1), Some(Reply::Reached), "the own add counts too");
    nodes.wait(1, 2, Until::AtLeast("".into(), 6));
    nodes.pass(ms(1000), |_, _| true);
    assert_eq!(nodes.reply(2), Some(not_reached(&[])));
}

#[test]
fn alone_there_is_nobody_to_wait_for() {
    let mut nodes = Nodes::of(1);
    nodes.wait(0, 1, Until::AllTold);
    nodes.wait(0, 2, Until::Held { peers: 2, number: 0 });
    assert_eq!((nodes.reply(1), nodes.reply(2)), (Some(Reply::Reached), Some(Reply::Held(0))));
    assert_eq!(nodes.replicas[0].complete_as_of(), Some(nodes.now));
}

#[test]
fn a_node_can_keep_what_it_knows_of_its_peers_fresh() {
    let config = Config { ack: AckPolicy::Memory, survey_interval: Some(ms(1000)), ..Config::default() };
    let mut nodes = Nodes::new(3, &config);
    let age = |nodes: &Nodes| nodes.replicas[0].complete_as_of().map(|at| nodes.now.saturating_sub(at));
    for _ in 0..10 {
        nodes.pass(ms(777), |_, _| true);
        assert!(age(&nodes).is_some_and(|age| age <= ms(1000)), "{:?}", age(&nodes));
    }
    let before = nodes.now;
    nodes.pass(ms(5000), |from, to| from != 2 && to != 2);
    let told: Vec<_> = nodes.replicas[0].peers().into_iter().map(|peer| peer.told.unwrap()).collect();
    assert!(told[0] > before && told[1] <= before, "{told:?}");
    assert!(age(&nodes).is_some_and(|age| age >= ms(5000)), "it is as old as what the silent one told last");
    assert_eq!(Nodes::of(2).replicas[0].complete_as_of(), None, "nobody has told anything");
}

#[test]
fn not_more_than_so_many_may_wait() {
    let mut nodes = Nodes::of(2);
    for ticket in 0..MAX_WAITS as u64 {
        nodes.wait(0, ticket, Until::AtLeast("".into(), 1));
    }
    nodes.wait(0, 9999, Until::AllTold);
    assert_eq!(nodes.replies, [(9999, Err(Refusal::TooManyReads))].into());
    nodes.add(0, 1);
    assert_eq!(nodes.replies.len(), 1 + MAX_WAITS);
}

#[test]
fn whoever_waits_is_refused_at_the_end() {
    let mut nodes = Nodes::of(2);
    nodes.wait(0, 1, Until::AllTold);
    nodes.give(0, Input::Closed);
    assert_eq!(nodes.replies.get(&1), Some(&Err(Refusal::EndedBeforeReached)));
    nodes.wait(0, 2, Until::AllTold);
    assert_eq!(nodes.replies.get(&2), Some(&Err(Refusal::EndedBeforeReached)));
}

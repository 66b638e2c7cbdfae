//! Who counts as alive, and what is noticed.

use std::time::Duration;

use super::{Addressee, Peers, SILENT_AFTER};
use crate::members::{Member, Standing};
use crate::wire::hello::{Hello, Occasion};

const A_WHILE: Duration = Duration::from_secs(100);

fn peers() -> Peers {
    Peers::new("n1".into(), 1)
}

/// Process `process` says hello under a name, at an age of 7 s.
fn hello(peers: &mut Peers, name: &str, (process, occasion): (u64, Occasion), now: Duration) -> bool {
    peers.greet(&name.into(), Hello::of_this_release(occasion, process, Duration::from_secs(7)), now)
}

fn member(peers: &Peers, name: &str, now: Duration) -> Member {
    let view = peers.view(now);
    view.members.into_iter().find(|member| member.node.as_str() == name).unwrap()
}

#[test]
fn a_node_is_silent_once_it_was_not_heard_for_a_while() {
    let mut peers = peers();
    hello(&mut peers, "n2", (2, Occasion::Now), A_WHILE);
    let soon = A_WHILE + SILENT_AFTER;
    assert_eq!(member(&peers, "n2", soon).standing, Standing::Alive);
    assert_eq!(member(&peers, "n2", soon).heard, Some(SILENT_AFTER));
    let addressee = Addressee { process: 2, age: Duration::from_secs(7) + SILENT_AFTER };
    assert_eq!(peers.addressee(&"n2".into(), soon), Some(addressee));
    let late = soon + Duration::from_millis(1);
    assert_eq!(member(&peers, "n2", late).standing, Standing::Silent);
    assert_eq!(peers.addressee(&"n2".into(), late), None);
}

#[test]
fn a_node_of_which_only_a_record_is_known_is_silent() {
    let mut peers = peers();
    peers.list(&["n1".into(), "n2".into()]);
    assert_eq!(member(&peers, "n2", Duration::ZERO).standing, Standing::Silent);
    assert_eq!(member(&peers, "n2", Duration::ZERO).heard, None);
    assert_eq!(peers.view(Duration::ZERO).members.len(), 1, "this node is none of the others");
}

#[test]
fn a_node_that_ends_cleanly_has_left_until_its_next_process_speaks() {
    let mut peers = peers();
    hello(&mut peers, "n2", (2, Occasion::Now), A_WHILE);
    hello(&mut peers, "n2", (2, Occasion::End), A_WHILE);
    assert_eq!(member(&peers, "n2", A_WHILE).standing, Standing::Left);
    assert_eq!(peers.addressee(&"n2".into(), A_WHILE), None);
    assert!(hello(&mut peers, "n2", (3, Occasion::Begin), A_WHILE), "it is answered");
    hello(&mut peers, "n2", (2, Occasion::End), A_WHILE);
    assert_eq!(member(&peers, "n2", A_WHILE).standing, Standing::Alive, "that was the process before");
    assert_eq!(peers.addressee(&"n2".into(), A_WHILE).map(|addressee| addressee.process), Some(3));
}

#[test]
fn a_forgotten_node_is_shown_and_not_listed() {
    let mut peers = peers();
    hello(&mut peers, "n2", (2, Occasion::Now), A_WHILE);
    assert_eq!(peers.changed_roster(), Some(["n1".into(), "n2".into()].into()));
    peers.note_seal(&"n2".into(), true);
    assert_eq!(peers.changed_roster(), Some(["n1".into()].into()));
    peers.list(&["n2".into()]);
    assert_eq!(peers.changed_roster(), None);
    assert_eq!(member(&peers, "n2", A_WHILE).standing, Standing::Forgotten);
    hello(&mut peers, "n2", (3, Occasion::Begin), A_WHILE);
    assert_eq!(peers.changed_roster(), Some(["n1".into(), "n2".into()].into()), "it may have returned");
    peers.note_seal(&"n2".into(), false);
    assert_eq!(member(&peers, "n2", A_WHILE).standing, Standing::Alive);
}

#[test]
fn another_process_under_the_name_of_this_node_is_noticed() {
    let mut peers = peers();
    assert!(!hello(&mut peers, "n1", (1, Occasion::Begin), A_WHILE), "that is this process");
    assert_eq!(peers.view(A_WHILE).namesake, None);
    assert!(hello(&mut peers, "n1", (2, Occasion::Begin), A_WHILE), "it must learn of this one");
    let soon = A_WHILE + SILENT_AFTER;
    assert_eq!(peers.view(soon).namesake, Some(SILENT_AFTER));
    assert_eq!(peers.view(soon + Duration::from_millis(1)).namesake, None, "it has died");
    hello(&mut peers, "n1", (2, Occasion::Now), soon);
    assert_eq!(peers.view(soon).namesake, Some(Duration::ZERO));
    hello(&mut peers, "n1", (2, Occasion::End), soon);
    assert_eq!(peers.view(soon).namesake, None, "it has ended");
    assert!(peers.view(soon).members.is_empty());
}

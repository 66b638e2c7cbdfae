//! Counters whose store and messages are outside.

use std::time::Duration;

use embedded::{Change, Counters, Errand, Options, Outside, Refused};
use replica::store::memory::Memory;

fn join(name: &str) -> (Counters, Outside) {
    let options = Options { node: Some(name.into()), ..Options::default() };
    options.join(Duration::from_secs(1)).unwrap()
}

/// Does errands until the counters are closed. Each node sends to the other.
async fn drive(mut nodes: Vec<(&'static str, Outside)>) {
    let mut store = Memory::default();
    while let Some((name, outside)) = nodes.first() {
        let errand = tokio::time::timeout(Duration::from_millis(1), outside.next()).await;
        match errand {
            Ok(Some(Errand::Store { token, request })) => {
                let outcome = store.request(&(*name).into(), &request);
                outside.outcome(token, outcome, Duration::ZERO);
            }
            Ok(Some(Errand::Send { peer, frame })) => {
                if let Some((_, other)) = nodes.iter().find(|(name, _)| *name == peer.as_str()) {
                    other.receive((*name).into(), frame);
                }
            }
            Ok(None) => drop(nodes.remove(0)),
            Err(_) => nodes.rotate_left(1),
        }
    }
}

#[tokio::test]
async fn two_nodes_count_together() {
    let nodes = ["n1", "n2"].map(|name| (name, join(name)));
    let counters = nodes.each_ref().map(|(_, (counters, _))| counters.clone());
    let outside: Vec<_> = nodes.into_iter().map(|(name, (_, outside))| (name, outside)).collect();
    for (_, outside) in &outside {
        outside.list(["n1", "n2"].map(Into::into).into());
        outside.know([]);
    }
    let driver = tokio::spawn(drive(outside));
    for counters in &counters {
        counters.add("views", 3).await.unwrap();
    }
    let is_agreed = || counters.iter().all(|counters| counters.value("views") == 6);
    tokio::time::timeout(Duration::from_secs(30), async {
        while !is_agreed() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    tokio::time::timeout(Duration::from_secs(30), async {
        while counters.iter().any(|counters| counters.peers()[0].lacks > 0) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    for (at, counters) in counters.iter().enumerate() {
        let [peer] = &counters.peers()[..] else { panic!("each has one peer") };
        assert_eq!((&*peer.node, peer.keeps), (["n2", "n1"][at], 0));
        assert!(peer.heard.is_some());
    }
    for counters in counters {
        tokio::task::spawn_blocking(move || counters.close()).await.unwrap().unwrap();
    }
    driver.await.unwrap();
}

#[tokio::test]
async fn a_key_is_refused_until_the_notes_are_known() {
    let (counters, outside) = join("n1");
    let add = || counters.submit(|session| session.change_once("k", Change::Add("views".into(), 3)));
    assert_eq!(add().await[0], Err(Refused::KeysUnread));
    outside.know([]);
    let driver = tokio::spawn(drive(vec![("n1", outside)]));
    assert!(add().await[0].is_ok());
    tokio::task::spawn_blocking(move || counters.close()).await.unwrap().unwrap();
    driver.await.unwrap();
}

#[tokio::test]
async fn whoever_waits_is_told_if_nobody_does_the_errands() {
    let (counters, outside) = join("n1");
    let adding = counters.add("views", 3);
    drop(outside);
    assert!(adding.await.is_err());
    assert!(counters.failure().is_some());
}

//! Reads beside a node that commits and makes snapshots all the time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_nats::jetstream;
use cluster::Names;
use cluster::nats::Store;
use replica::store::{Changes, Outcome, StoreRequest};
use replica::{NodeId, ReplicaId, Tally};
use tokio::runtime::Runtime;

use crate::server::NatsServer;
use crate::streams::opened;

const COMMITS: u64 = 150;

async fn store(server: &NatsServer, node: &str, copies: usize) -> Store {
    let names = Names::new("busy", node.into());
    let context = jetstream::new(async_nats::connect(&server.url).await.unwrap());
    let stream = opened(&context, &names, copies).await;
    Store::new(context, stream, names, 0).with_snapshots_every(1)
}

/// Counts, and makes snapshots all the time. That costs no commit a conflict.
async fn write(store: &Store, replica: &ReplicaId, stored: &AtomicU64) {
    let Outcome::Opened { mut revision, .. } = store.request(StoreRequest::Open).await.outcome else {
        panic!("the record can't be opened")
    };
    let is_over = AtomicBool::new(false);
    let commits = async {
        for up in 1..=COMMITS {
            let rows = vec![Tally { up, down: 0 }.row(replica.clone())];
            let changes = Changes { rows, ..Changes::default() };
            let commit = StoreRequest::Commit { expect: revision, changes, owner: None };
            match store.request(commit).await.outcome {
                Outcome::Committed { revision: next } => revision = next,
                other => panic!("{other}"),
            }
            stored.store(up, Ordering::SeqCst);
        }
        is_over.store(true, Ordering::SeqCst);
    };
    let snapshots = async {
        while !is_over.load(Ordering::SeqCst) {
            store.tidy().await;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(commits, snapshots);
}

/// Reads until all is counted. Each read must have what was stored before its fence, or bring nothing: a log may be replaced again and
/// again while it is read.
async fn read(store: &Store, replica: &ReplicaId, stored: &AtomicU64) {
    let mut found = 0;
    while found < COMMITS {
        let least = stored.load(Ordering::SeqCst);
        assert_eq!(store.request(StoreRequest::Fence).await.outcome, Outcome::Fenced);
        let node: NodeId = replica.node().into();
        match store.request(StoreRequest::Load { node: node.clone() }).await.outcome {
            Outcome::Loaded(record) => {
                found = record.map_or(0, |record| record.version(replica));
                assert!(found >= least, "{least} are stored, and {found} are read");
            }
            Outcome::NotDone => {}
            other => panic!("{other}"),
        }
        match store.request(StoreRequest::Nodes).await.outcome {
            Outcome::Nodes(nodes) => assert!(least == 0 || nodes.contains(&node), "{nodes:?}"),
            other => panic!("{other}"),
        }
    }
}

fn reads_beside(server: &NatsServer, copies: usize) {
    let replica: ReplicaId = "n0#00000001".parse().unwrap();
    Runtime::new().unwrap().block_on(async {
        let (writer, reader) = (store(server, "n0", copies).await, store(server, "n1", copies).await);
        let stored = AtomicU64::new(0);
        tokio::join!(write(&writer, &replica, &stored), read(&reader, &replica, &stored));
    });
}

#[test]
fn a_reader_misses_nothing_beside_a_node_that_makes_snapshots() {
    let Some(server) = NatsServer::start() else { return };
    reads_beside(&server, 1);
}

#[test]
fn a_reader_misses_nothing_on_three_servers() {
    let Some(servers) = NatsServer::start_cluster(3) else { return };
    reads_beside(&servers[0], 3);
}

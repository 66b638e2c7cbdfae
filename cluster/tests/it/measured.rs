//! How long commits take while a snapshot is written.
#![expect(clippy::disallowed_types, reason = "it measures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use cluster::Names;
use cluster::nats::Store;
use replica::store::{Changes, Outcome, Revision, StoreRequest};
use replica::{ReplicaId, Rows};
use tokio::runtime::Runtime;

use crate::server::NatsServer;
use crate::streams::opened;

const COUNTERS: usize = 300_000;

/// A store, the rows that it has, and its revision.
struct Writer {
    store: Arc<Store>,
    rows: Rows,
    replica: ReplicaId,
    revision: Revision,
}

impl Writer {
    async fn at(server: &NatsServer, copies: usize) -> Self {
        let names = Names::new("long", "n0".into());
        let context = jetstream::new(async_nats::connect(&server.url).await.unwrap());
        let stream = opened(&context, &names, copies).await;
        let store = Arc::new(Store::new(context, stream, names, 1 << 20).with_snapshots_every(1));
        let replica = "n0#00000001".parse().unwrap();
        Self { store, rows: Rows::default(), replica, revision: Revision(0) }
    }

    /// Counts one up on so many counters, and commits that. Returns how long the commit took.
    async fn commit(&mut self, counters: usize) -> Duration {
        let stored = self.rows.version(&self.replica);
        for number in 0..counters {
            self.rows.add(&self.replica, &format!("a-counter-{number}"), 1).unwrap();
        }
        let rows = self.rows.row_since(&self.replica, stored).into_iter().collect();
        let changes = Changes { rows, ..Changes::default() };
        let commit = StoreRequest::Commit { expect: self.revision, changes, owner: None };
        let begun = Instant::now();
        match self.store.request(commit).await.outcome {
            Outcome::Committed { revision } => self.revision = revision,
            other => panic!("{other}"),
        }
        begun.elapsed()
    }
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{what}: {} commits, {:?}, {:?}, {:?}", times.len(), at(50), at(99), at(100));
}

/// Prints how much longer a commit takes beside a snapshot of a long record: median, 99th percentile, maximum.
#[test]
#[ignore = "it measures"]
fn commits_beside_a_snapshot() {
    let (Some(server), Some(servers)) = (NatsServer::start(), NatsServer::start_cluster(3)) else { return };
    let runtime = Runtime::new().unwrap();
    runtime.block_on(measure(&server, 1));
    runtime.block_on(measure(&servers[0], 3));
}

async fn measure(server: &NatsServer, copies: usize) {
    let mut writer = Writer::at(server, copies).await;
    println!("{copies} copies: {COUNTERS} counters are committed in {:?}", writer.commit(COUNTERS).await);
    let mut times = Vec::new();
    for _ in 0..2_000 {
        times.push(writer.commit(1).await);
    }
    tell("before", times);
    let (store, is_over) = (writer.store.clone(), AtomicBool::new(false));
    let snapshot = async {
        let begun = Instant::now();
        store.tidy().await;
        is_over.store(true, Ordering::SeqCst);
        begun.elapsed()
    };
    let commits = async {
        let mut times = Vec::new();
        while !is_over.load(Ordering::SeqCst) {
            times.push(writer.commit(1).await);
        }
        times
    };
    let (took, times) = tokio::join!(snapshot, commits);
    tell(&format!("beside a snapshot of {took:?}"), times);
}

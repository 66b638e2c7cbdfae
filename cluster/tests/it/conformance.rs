//! The suite that every store must pass, against a real nats-server.

use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::jetstream;
use cluster::Names;
use cluster::nats::{Store, open_stream};
use replica::NodeId;
use replica::store::conformance::{Subject, check};
use replica::store::{Outcome, StoreRequest};
use tokio::runtime::Runtime;

use crate::server::NatsServer;

/// A cluster of its own on a server, and the runtime that its processes share.
struct OnServer<'a> {
    runtime: &'a Runtime,
    client: async_nats::Client,
    cluster: String,
    snapshots_every: usize,
    max_payload: usize,
}

static CLUSTERS: AtomicU64 = AtomicU64::new(0);

impl<'a> OnServer<'a> {
    fn new(runtime: &'a Runtime, server: &NatsServer, snapshots_every: usize, max_payload: usize) -> Self {
        let client = runtime.block_on(async_nats::connect(&server.url)).unwrap();
        let cluster = format!("c{}", CLUSTERS.fetch_add(1, Ordering::Relaxed));
        Self { runtime, client, cluster, snapshots_every, max_payload }
    }
}

impl Subject for OnServer<'_> {
    type Process = Store;

    fn start(&mut self, node: &NodeId) -> Store {
        let names = Names::new(&self.cluster, node.clone());
        let context = jetstream::new(self.client.clone());
        let stream = self.runtime.block_on(open_stream(&context, &names, 1)).unwrap();
        Store::new(context, stream, names, self.max_payload).with_snapshots_every(self.snapshots_every)
    }

    fn run(&mut self, process: &mut Store, request: StoreRequest) -> Outcome {
        self.runtime.block_on(async {
            let outcome = process.request(request).await.outcome;
            process.tidy().await;
            outcome
        })
    }

    fn plant_foreign(&mut self, node: &NodeId) -> bool {
        let names = Names::new(&self.cluster, node.clone());
        let context = jetstream::new(self.client.clone());
        self.runtime.block_on(async {
            open_stream(&context, &names, 1).await.unwrap();
            context.publish(names.log(node, 0), "not a record".into()).await.unwrap().await.unwrap();
        });
        true
    }
}

fn conforms(snapshots_every: usize, max_payload: usize) {
    let Some(server) = NatsServer::start() else { return };
    let runtime = Runtime::new().unwrap();
    let _in_runtime = runtime.enter();
    let outcome = check(|| OnServer::new(&runtime, &server, snapshots_every, max_payload));
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_stream_is_a_store() {
    conforms(usize::MAX, 1 << 20);
}

/// Each commit is in pieces, and the log is replaced by a snapshot after each.
#[test]
fn a_stream_is_a_store_with_pieces_and_snapshots() {
    conforms(1, 0);
}

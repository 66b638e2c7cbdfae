//! The suite that every store must pass, against a real nats-server.

use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::jetstream;
use cluster::Names;
use cluster::nats::Store;
use replica::NodeId;
use replica::store::conformance::{Subject, check};
use replica::store::{Outcome, StoreRequest};
use tokio::runtime::Runtime;

use crate::server::NatsServer;
use crate::streams::opened;

/// A cluster of its own on a server, and the runtime that its processes share.
struct OnServer<'a> {
    runtime: &'a Runtime,
    client: async_nats::Client,
    cluster: String,
    copies: usize,
    snapshots_every: usize,
    max_payload: usize,
}

static CLUSTERS: AtomicU64 = AtomicU64::new(0);

impl<'a> OnServer<'a> {
    fn new(
        runtime: &'a Runtime,
        server: &NatsServer,
        copies: usize,
        (snapshots_every, max_payload): (usize, usize),
    ) -> Self {
        let client = runtime.block_on(async_nats::connect(&server.url)).unwrap();
        let cluster = format!("c{}", CLUSTERS.fetch_add(1, Ordering::Relaxed));
        Self { runtime, client, cluster, copies, snapshots_every, max_payload }
    }
}

impl Subject for OnServer<'_> {
    type Process = Store;

    fn start(&mut self, node: &NodeId) -> Store {
        let names = Names::new(&self.cluster, node.clone());
        let context = jetstream::new(self.client.clone());
        let stream = self.runtime.block_on(opened(&context, &names, self.copies));
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
            opened(&context, &names, self.copies).await;
            context.publish(names.log(node, 0), "not a record".into()).await.unwrap().await.unwrap();
        });
        true
    }
}

/// How long the log gets before a snapshot, and how long messages may be: each commit is in parts, and a snapshot comes after it.
const IN_PARTS_WITH_SNAPSHOTS: (usize, usize) = (1, 0);

fn conforms(server: &NatsServer, copies: usize, sizes: (usize, usize)) {
    let runtime = Runtime::new().unwrap();
    let _in_runtime = runtime.enter();
    let outcome = check(|| OnServer::new(&runtime, server, copies, sizes));
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_stream_is_a_store() {
    let Some(server) = NatsServer::start() else { return };
    conforms(&server, 1, (usize::MAX, 1 << 20));
}

#[test]
fn a_stream_is_a_store_with_parts_and_snapshots() {
    let Some(server) = NatsServer::start() else { return };
    conforms(&server, 1, IN_PARTS_WITH_SNAPSHOTS);
}

#[test]
fn a_stream_on_three_servers_is_a_store() {
    let Some(servers) = NatsServer::start_cluster(3) else { return };
    conforms(&servers[0], 3, IN_PARTS_WITH_SNAPSHOTS);
}

//! The rights of a node are enough for its store, and not enough to touch the record of another node.

use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, HeaderMap};
use cluster::nats::{Store, open_stream};
use cluster::{Names, Rights};
use replica::store::{Changes, Outcome, Record, Revision, StoreRequest};
use replica::{ReplicaId, Tally};
use tokio::runtime::Runtime;

use crate::server::NatsServer;

const COMMITS: u64 = 20;

fn names(node: &str) -> Names {
    Names::new("shop", node.into())
}

/// A server that gives each of these nodes the rights that it needs.
fn server(nodes: &[&str]) -> Option<NatsServer> {
    let user = |node: &&str| {
        let Rights { publish, subscribe } = names(node).rights();
        format!(
            "{{ user: {node}, password: p, permissions: {{ publish: {{ allow: {publish:?} }}, subscribe: {{ allow: {subscribe:?} }} }} }}"
        )
    };
    let users: Vec<String> = nodes.iter().map(user).collect();
    NatsServer::start_with("s0", &format!("authorization {{ users: [{}] }}", users.join(", ")), &[])
}

async fn client(server: &NatsServer, node: &str) -> Client {
    let options = ConnectOptions::with_user_and_password(node.into(), "p".into());
    options.custom_inbox_prefix(names(node).answers()).connect(&server.url).await.unwrap()
}

/// The store of a node that makes a snapshot after each commit, in parts.
async fn store(context: &Context, node: &str) -> Store {
    let stream = open_stream(context, &names(node), 1).await.unwrap();
    Store::new(context.clone(), stream, names(node), 0).with_snapshots_every(1)
}

async fn commit(store: &Store, replica: &ReplicaId) {
    let mut expect = Revision(0);
    for up in 1..=COMMITS {
        let changes =
            Changes { rows: vec![Tally { up, down: 0 }.row(replica.clone())], ..Changes::default() };
        match store.request(StoreRequest::Commit { expect, changes, owner: None }).await.outcome {
            Outcome::Committed { revision } => expect = revision,
            other => panic!("{other}"),
        }
        store.tidy().await;
    }
}

/// The record of `n1`, as this store reads it.
async fn load(store: &Store) -> Option<Record> {
    assert_eq!(store.request(StoreRequest::Fence).await.outcome, Outcome::Fenced);
    match store.request(StoreRequest::Load { node: "n1".into() }).await.outcome {
        Outcome::Loaded(record) => record,
        other => panic!("{other}"),
    }
}

#[test]
fn no_node_can_remove_what_another_one_has_stored() {
    let Some(server) = server(&["n1", "n2"]) else { return };
    Runtime::new().unwrap().block_on(async {
        let replica: ReplicaId = "n1#00000001".parse().unwrap();
        let own = jetstream::new(client(&server, "n1").await);
        commit(&store(&own, "n1").await, &replica).await;
        let stream = own.get_stream("COUNTERD_shop").await.unwrap();
        let messages = stream.cached_info().state.messages;
        assert!(messages < 2 * COMMITS, "{messages} messages: their places are taken again");

        let client = client(&server, "n2").await;
        let context = jetstream::new(client.clone());
        let other = store(&context, "n2").await;
        let before = load(&other).await.unwrap();
        assert_eq!(before.version(&replica), COMMITS);
        // The server does not answer what a node has no right to.
        for request in ["STREAM.PURGE", "STREAM.DELETE", "STREAM.UPDATE", "STREAM.MSG.DELETE"] {
            client.publish(format!("$JS.API.{request}.COUNTERD_shop"), "{}".into()).await.unwrap();
        }
        client.publish(names("n2").log(&"n1".into(), 0), "over it".into()).await.unwrap();
        for what in ["all", "sub"] {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Rollup", what);
            let sent = context.publish_with_headers(names("n2").fence(), headers, "".into()).await.unwrap();
            assert!(sent.await.unwrap_err().to_string().contains("rollup not permitted"));
        }
        assert_eq!(load(&other).await, Some(before));
    });
}

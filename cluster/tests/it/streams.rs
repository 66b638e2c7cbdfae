//! A stream that could lose counts is refused with the reason, and left as it is.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, Stream};
use async_nats::jetstream::{self, Context};
use cluster::Names;
use cluster::nats::{NoStream, Store, open_stream};
use replica::store::{Changes, Outcome, Revision, StoreRequest};
use replica::{ReplicaId, Tally};
use tokio::runtime::Runtime;

use crate::server::NatsServer;

type Change = fn(&mut Config);

/// Each with a word of the reason.
const UNSAFE: [(&str, Change); 11] = [
    ("allow_direct", |config| config.allow_direct = true),
    ("no_ack", |config| config.no_ack = true),
    ("age", |config| config.max_age = Duration::from_hours(1)),
    ("number", |config| config.max_messages = 1_000),
    ("max_msgs_per_subject", |config| config.max_messages_per_subject = -1),
    ("full", |config| (config.max_bytes, config.discard) = (1 << 20, DiscardPolicy::Old)),
    ("max_msgs_per_subject", |config| config.discard_new_per_subject = true),
    ("limits", |config| config.retention = RetentionPolicy::WorkQueue),
    ("subjects", |config| config.subjects = vec!["elsewhere.>".into()]),
    ("rollups", |config| (config.allow_rollup, config.deny_purge) = (true, false)),
    ("schedules", allow_schedules),
];

/// They come with rollups, and without a limit on what is new.
fn allow_schedules(config: &mut Config) {
    config.allow_message_schedules = true;
    config.discard = DiscardPolicy::Old;
    config.deny_purge = false;
}

async fn context(server: &NatsServer) -> Context {
    jetstream::new(async_nats::connect(&server.url).await.unwrap())
}

/// The stream, once the servers answer.
pub(crate) async fn opened(context: &Context, names: &Names, copies: usize) -> Stream {
    for _ in 0..600 {
        match open_stream(context, names, copies).await {
            Ok(stream) => return stream,
            Err(NoStream::NotNow(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(NoStream::Never(problem)) => panic!("{problem}"),
        }
    }
    panic!("the servers do not answer")
}

#[test]
fn an_unsafe_stream_is_refused_with_the_reason() {
    let Some(server) = NatsServer::start() else { return };
    Runtime::new().unwrap().block_on(async {
        let context = context(&server).await;
        for (place, (word, change)) in UNSAFE.into_iter().enumerate() {
            let names = Names::new(&format!("c{place}"), "n1".into());
            let good = open_stream(&context, &names, 1).await.unwrap().cached_info().config.clone();
            // Another kind of stream can't be made of this one.
            context.delete_stream(names.stream()).await.unwrap();
            let mut config = good;
            change(&mut config);
            context.create_stream(config).await.unwrap();
            let refused = open_stream(&context, &names, 1).await.err();
            let Some(NoStream::Never(reason)) = refused else { panic!("{word}: {refused:?}") };
            assert!(reason.contains(word) && reason.contains(&names.stream()), "{reason}");
        }
    });
}

#[test]
fn a_stream_that_is_there_is_used() {
    let Some(server) = NatsServer::start() else { return };
    Runtime::new().unwrap().block_on(async {
        let context = context(&server).await;
        let names = Names::new("shop", "n1".into());
        let made = open_stream(&context, &names, 1).await.unwrap().cached_info().created;
        let found = open_stream(&context, &names, 1).await.unwrap().cached_info().created;
        assert_eq!(made, found);
    });
}

/// A server that is connected to other sites tells of a cluster, even if it is alone.
#[test]
fn a_server_alone_has_the_one_copy() {
    let Some(server) = NatsServer::start() else { return };
    Runtime::new().unwrap().block_on(async {
        let context = context(&server).await;
        let stream = open_stream(&context, &Names::new("shop", "n1".into()), 3).await.unwrap();
        assert_eq!(stream.cached_info().config.num_replicas, 1);
    });
}

/// The fence that it knows has a number that the new stream will not reach for a long time.
#[test]
fn a_fence_of_a_stream_that_is_lost_is_not_waited_for_twice() {
    let Some(mut server) = NatsServer::start() else { return };
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(async {
        let (context, names) = (context(&server).await, Names::new("shop", "n1".into()));
        let stream = open_stream(&context, &names, 1).await.unwrap();
        let store = Store::new(context, stream, names, 1 << 20);
        for _ in 0..100 {
            assert_eq!(store.request(StoreRequest::Fence).await.outcome, Outcome::Fenced);
        }
        store
    });
    server.kill();
    server.lose_data();
    server.restart();
    runtime.block_on(async {
        open_stream(&context(&server).await, &Names::new("shop", "n2".into()), 1).await.unwrap();
        let load = || store.request(StoreRequest::Load { node: "n2".into() });
        let mut tries = 0;
        while load().await.outcome != Outcome::Loaded(None) {
            tries += 1;
            assert!(tries < 5, "the record can't be read");
        }
    });
}

/// Commits one more change. The revision after it, if it was done.
async fn commit(store: &Store, expect: Revision, up: u64) -> Result<Revision, Outcome> {
    let replica: ReplicaId = "n1#00000001".parse().unwrap();
    let changes = Changes { rows: vec![Tally { up, down: 0 }.row(replica)], ..Changes::default() };
    match store.request(StoreRequest::Commit { expect, changes, owner: None }).await.outcome {
        Outcome::Committed { revision } => Ok(revision),
        other => Err(other),
    }
}

/// Waits until the store has the stream again.
async fn wait_for_stream(store: &Store) {
    for _ in 0..100 {
        if store.request(StoreRequest::Fence).await.outcome == Outcome::Fenced {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the stream does not come back")
}

/// The place of the next message is as it was, in the new stream and in the backup. But the message before is gone.
#[test]
fn a_commit_to_a_log_that_is_lost_or_went_back_is_a_conflict() {
    for is_lost in [true, false] {
        let Some(mut server) = NatsServer::start() else { return };
        let (runtime, names) = (Runtime::new().unwrap(), Names::new("shop", "n1".into()));
        let (store, first) = runtime.block_on(async {
            let context = context(&server).await;
            let stream = open_stream(&context, &names, 1).await.unwrap();
            let store = Store::new(context, stream, names.clone(), 1 << 20);
            let first = commit(&store, Revision(0), 1).await.unwrap();
            (store, first)
        });
        server.kill();
        server.back_up();
        server.restart();
        let last = runtime.block_on(async {
            opened(&context(&server).await, &names, 1).await;
            wait_for_stream(&store).await;
            commit(&store, first, 2).await.unwrap()
        });
        server.kill();
        if is_lost {
            server.lose_data();
        } else {
            server.restore();
        }
        server.restart();
        runtime.block_on(async {
            let context = context(&server).await;
            opened(&context, &names, 1).await;
            wait_for_stream(&store).await;
            // Others write on, so that the numbers are as large as before.
            for _ in 0..10 {
                context
                    .publish(Names::new("shop", "n2".into()).fence(), "".into())
                    .await
                    .unwrap()
                    .await
                    .unwrap();
            }
            assert_eq!(commit(&store, last, 3).await, Err(Outcome::Conflict));
            match store.request(StoreRequest::Open).await.outcome {
                Outcome::Opened { record, revision } => {
                    assert_eq!(record.is_none(), is_lost);
                    commit(&store, revision, 3).await.unwrap();
                }
                other => panic!("{other}"),
            }
        });
    }
}

//! Changes that one node makes at another, on a real nats-server.

use std::time::Duration;

use async_nats::{Client, Subscriber};
use cluster::Names;
use cluster::wire::ask::{Ask, Told};
use cluster::wire::hello::{Hello, Occasion};
use cluster::{Cluster, NotMade, Settings, Standing, join};
use embedded::{Change, Counters, Done, Options, Refused, Reply, Step, Version};
use futures_util::StreamExt;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::server::NatsServer;

/// No wait is longer.
const BOUND: Duration = Duration::from_mins(1);

async fn joined(server: &NatsServer, name: &str) -> (Counters, Cluster) {
    let settings =
        Settings { servers: vec![server.url.clone()], cluster: "shop".into(), ..Settings::default() };
    let options = Options { node: Some(name.into()), ..Options::default() };
    let (counters, cluster) = join(&settings, options).await.unwrap();
    wait_until(|| counters.status().is_ready).await;
    (counters, cluster)
}

async fn wait_until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(BOUND, waiting).await.unwrap();
}

async fn close(counters: Counters) {
    tokio::task::spawn_blocking(move || counters.close()).await.unwrap().unwrap();
}

fn add(delta: i64) -> Change {
    Change::Add("views".into(), delta)
}

/// A client of NATS that may do everything, and speaks as the node `n9`.
struct Stranger {
    client: Client,
    names: Names,
    answers: Subscriber,
}

impl Stranger {
    async fn at(server: &NatsServer) -> Self {
        let client = async_nats::connect(&server.url).await.unwrap();
        let answers = client.subscribe("counterd.shop.answer.n9.n1.*").await.unwrap();
        Self { client, names: Names::new("shop", "n9".into()), answers }
    }

    /// The process that runs as `n1`.
    async fn process(&self) -> u64 {
        let mut hellos = self.client.subscribe("counterd.shop.hello.n1").await.unwrap();
        let hello = tokio::time::timeout(BOUND, hellos.next()).await.unwrap().unwrap();
        Hello::from_bytes(&hello.payload).unwrap().process
    }

    async fn ask(&self, ask: &Ask) {
        self.client.publish(self.names.ask(&"n1".into()), ask.to_bytes().into()).await.unwrap();
    }

    /// The number of the request that is answered next, and the answer.
    async fn told(&mut self) -> (u64, Told) {
        let answer = tokio::time::timeout(BOUND, self.answers.next()).await.unwrap().unwrap();
        let (_, id) = answer.subject.rsplit_once('.').unwrap();
        let mut told = Told::from_bytes(&answer.payload).unwrap();
        if let Told::Done { seen, .. } = &mut told {
            assert!(!std::mem::take(seen).is_empty(), "the client has seen the change");
        }
        (u64::from_str_radix(id, 16).unwrap(), told)
    }
}

#[test]
fn a_request_is_for_one_process_and_has_an_end() {
    let Some(server) = NatsServer::start() else { return };
    Runtime::new().unwrap().block_on(async {
        let (counters, _cluster) = joined(&server, "n1").await;
        let mut stranger = Stranger::at(&server).await;
        let process = stranger.process().await;
        let ask = |id, key: &str| Ask { id, process, begin_by_ms: u64::MAX, key: key.into(), change: add(3) };
        let done = |is_replayed| {
            let done = Done { reply: Reply::Value(3), is_replayed, number: 0 };
            Told::Done { done, in_memory: false, seen: Version::default() }
        };
        stranger.ask(&Ask { process: process ^ 1, ..ask(1, "other process") }).await;
        stranger.ask(&ask(2, "k")).await;
        assert_eq!(stranger.told().await, (2, done(false)), "the first one is not answered");
        stranger.ask(&ask(3, "k")).await;
        assert_eq!(stranger.told().await, (3, done(true)));
        stranger.ask(&Ask { begin_by_ms: 0, ..ask(4, "late") }).await;
        assert_eq!(stranger.told().await, (4, Told::Late));
        stranger.ask(&Ask { change: add(4), ..ask(5, "k") }).await;
        assert_eq!(stranger.told().await, (5, Told::Refused(Refused::KeyReused)));
        assert_eq!(counters.value("views"), 3);
        close(counters).await;
    });
}

#[test]
fn a_change_is_made_at_another_node_while_it_is_there() {
    let Some(server) = NatsServer::start() else { return };
    Runtime::new().unwrap().block_on(async {
        let (counters, cluster) = joined(&server, "n1").await;
        assert_eq!(cluster.change_at("n2", "k", add(3)).await, Err(NotMade::Silent), "there is none");
        let (others, _other) = joined(&server, "n2").await;
        let stands = |standing| {
            let view = cluster.view();
            view.members.iter().any(|member| member.node.as_str() == "n2" && member.standing == standing)
        };
        wait_until(|| stands(Standing::Alive)).await;
        for is_replayed in [false, true] {
            let made = cluster.change_at("n2", "k", add(3)).await.unwrap();
            assert_eq!(made.done, Done { reply: Reply::Value(3), is_replayed, number: 0 });
        }
        let long = (0..2_000).map(|number| (format!("{number:01000}").as_str().into(), Step::Add(1)));
        let long = Change::Batch(long.collect());
        assert_eq!(cluster.change_at("n2", "long", long).await, Err(NotMade::TooLong));
        wait_until(|| counters.value("views") == 3).await;
        close(others).await;
        wait_until(|| stands(Standing::Left)).await;
        assert_eq!(cluster.change_at("n2", "k", add(3)).await, Err(NotMade::Silent));
        close(counters).await;
    });
}

/// As many requests as there may be, none of which is answered.
#[test]
fn requests_to_other_nodes_are_bounded() {
    const MOST: usize = 1_024;
    let Some(server) = NatsServer::start() else { return };
    Runtime::new().unwrap().block_on(async {
        let (counters, cluster) = joined(&server, "n1").await;
        let stranger = Stranger::at(&server).await;
        let mut asks = stranger.client.subscribe("counterd.shop.ask.n9.*").await.unwrap();
        stranger.client.flush().await.unwrap();
        let hello = Hello::of_this_release(Occasion::Now, 7, Duration::ZERO);
        stranger.client.publish("counterd.shop.hello.n9", hello.to_bytes().into()).await.unwrap();
        wait_until(|| cluster.view().members.iter().any(|member| member.standing == Standing::Alive)).await;
        let mut requests = JoinSet::new();
        for number in 0..MOST {
            let cluster = cluster.clone();
            requests.spawn(async move { cluster.change_at("n9", &format!("k{number}"), add(3)).await });
        }
        for _ in 0..MOST {
            tokio::time::timeout(BOUND, asks.next()).await.unwrap().unwrap();
        }
        let refused = cluster.change_at("n9", "one more", add(3)).await;
        assert_eq!(refused, Err(NotMade::TooMany));
        assert!(!NotMade::TooMany.may_count(), "nothing was sent");
        // Whoever gives up makes room.
        requests.shutdown().await;
        let one = tokio::spawn(async move { cluster.change_at("n9", "another", add(3)).await });
        tokio::time::timeout(BOUND, asks.next()).await.unwrap().unwrap();
        one.abort();
        close(counters).await;
    });
}

//! The task that drives the other half of a replica: its messages, and its requests to the store.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, Subscriber};
use embedded::{AckPolicy, Counters, Errand, Options, Outside};
use futures_util::StreamExt;
use replica::store::{Outcome, StoreRequest, Token};
use replica::{Frame, NodeId};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};
use tracing::{debug, warn};

use super::asking::MAX_ASKS;
use super::clock::Stopwatch;
use super::joining::Joining;
use super::store::Answer;
use super::watching::Watch;
use super::{Cluster, JoinError, Settings, Store, check_names};
use crate::Names;
use crate::wire;
use crate::wire::hello::{Hello, Occasion};

/// How often a node says hello.
const HELLO_EVERY: Duration = Duration::from_secs(2);

/// How long to wait for a subscription that has ended.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// How long a frame may wait for room in the client. After that it is lost.
const SEND_WITHIN: Duration = Duration::from_millis(100);

/// How long the last messages may take once the counters are closed.
const FLUSH_WITHIN: Duration = Duration::from_millis(500);

/// Joins a cluster: connects, makes or checks the stream, and begins to count under the name of `options.node`. Call it in a runtime of
/// tokio, which must run until the counters are closed.
///
/// The counters are as those of a directory. The [`Cluster`] knows the other nodes.
///
/// It returns once the node talks. [`Status::is_ready`](embedded::Status::is_ready) says when reads and changes are answered.
///
/// # Errors
///
/// [`JoinError`], in words that say what to do.
pub async fn join(settings: &Settings, options: Options) -> Result<(Counters, Cluster), JoinError> {
    let me = check_names(settings, options.node.as_deref())?;
    let names = Names::new(&settings.cluster, me).at(settings.site.clone());
    let joining = Joining::begin(settings, &names);
    let client = joining.connect().await?;
    // Before anything else, so that the servers have refused it by the time that they answer what comes after.
    let talks = |error: async_nats::SubscribeError| JoinError::Servers(error.to_string());
    let heard = Heard {
        inbox: client.subscribe(names.inbox()).await.map_err(talks)?,
        hellos: client.subscribe(names.hellos()).await.map_err(talks)?,
        asks: client.subscribe(names.asks()).await.map_err(talks)?,
    };
    let (store, watch) = joining.open(&client).await?;
    let in_memory = options.ack == AckPolicy::Memory;
    let (counters, outside) = options.join(settings.store_timeout)?;
    let outside = Arc::new(outside);
    let cluster = Cluster::new(names.clone(), client.clone());
    let world = World {
        cluster: cluster.clone(),
        names,
        client,
        _watching: watching(watch, outside.clone()),
        outside,
        store: Arc::new(store),
        requests: JoinSet::new(),
        asked: JoinSet::new(),
        in_memory,
        is_name_shared: false,
        next_long: rand::random(),
        lost: 0,
    };
    tokio::spawn(world.run(heard));
    Ok((counters, cluster))
}

/// What this node is told, each kind on a subject of its own.
struct Heard {
    inbox: Subscriber,
    hellos: Subscriber,
    asks: Subscriber,
}

/// All that the task has.
struct World {
    cluster: Cluster,
    names: Names,
    client: Client,
    outside: Arc<Outside>,
    store: Arc<Store>,
    /// Watches the stream, until this is dropped.
    _watching: JoinSet<()>,
    /// The requests to the store that are under way. The replica asks for few at once.
    requests: JoinSet<(Token, StoreRequest, Answer, Duration)>,
    /// The requests of other nodes that wait for their change.
    asked: JoinSet<(String, Vec<u8>)>,
    /// Whether changes are acknowledged that are in memory only.
    in_memory: bool,
    /// Whether another process was heard under the name of this node.
    is_name_shared: bool,
    /// Names the next frame that is longer than a message.
    next_long: u64,
    /// How many frames were not sent.
    lost: u64,
}

impl World {
    async fn run(mut self, mut heard: Heard) {
        self.say_hello(Occasion::Begin).await;
        let mut ticks = every(HELLO_EVERY);
        loop {
            self.list_peers();
            tokio::select! {
                errand = self.outside.next() => match errand {
                    Some(Errand::Store { token, request }) => self.ask_store(token, request),
                    Some(Errand::Send { peer, frame }) => self.send(&peer, &frame).await,
                    None => break,
                },
                Some(done) = self.requests.join_next() => match done {
                    Ok(done) => self.answered(done),
                    Err(error) => warn!(%error, "a request to the store was not finished: this is a fault of counterd"),
                },
                Some(answer) = self.asked.join_next() => match answer {
                    Ok((subject, answer)) => self.publish(subject, answer).await,
                    Err(error) => warn!(%error, "a change for another node was not finished: this is a fault of counterd"),
                },
                message = heard.inbox.next() => match message {
                    Some(message) => self.receive(&message),
                    None => sleep(RETRY_AFTER).await,
                },
                message = heard.hellos.next() => match message {
                    Some(message) => self.hear_hello(&message).await,
                    None => sleep(RETRY_AFTER).await,
                },
                message = heard.asks.next(), if self.asked.len() < MAX_ASKS => match message {
                    Some(message) => self.be_asked(&message),
                    None => sleep(RETRY_AFTER).await,
                },
                _ = ticks.tick() => {
                    self.look_for_namesake();
                    self.say_hello(Occasion::Now).await;
                },
            }
        }
        // The changes have their answers now, for the counters are closed.
        while let Some(answer) = self.asked.join_next().await {
            if let Ok((subject, answer)) = answer {
                self.publish(subject, answer).await;
            }
        }
        self.say_hello(Occasion::End).await;
        // What the replica has said last may be of use to its peers.
        let _is_in_time = timeout(FLUSH_WITHIN, self.client.flush()).await;
        self.cluster.end();
    }

    /// Tells the replica who is in the cluster, if that has changed.
    fn list_peers(&self) {
        let roster = self.cluster.peers().changed_roster();
        if let Some(roster) = roster {
            self.outside.list(roster);
        }
    }

    fn ask_store(&mut self, token: Token, request: StoreRequest) {
        let store = self.store.clone();
        self.requests.spawn(async move {
            let begun = Stopwatch::start();
            let answer = store.request(request.clone()).await;
            (token, request, answer, begun.elapsed())
        });
    }

    fn answered(&mut self, (token, request, answer, took): (Token, StoreRequest, Answer, Duration)) {
        let Answer { outcome, notes } = answer;
        match (&request, &outcome) {
            (_, Outcome::Nodes(nodes)) => self.cluster.peers().list(nodes),
            (StoreRequest::Load { node }, Outcome::Loaded(Some(record))) => {
                self.cluster.peers().note_seal(node, record.is_sealed());
            }
            (StoreRequest::Seal { node, .. }, Outcome::Sealed) => self.cluster.peers().note_seal(node, true),
            (_, Outcome::Committed { .. }) if self.store.is_worth_tidying() => {
                let store = self.store.clone();
                tokio::spawn(async move { store.tidy().await });
            }
            _ => {}
        }
        if let Some(notes) = notes {
            self.outside.know(notes);
        }
        // The replica may ask those that it is told of: tell whom it can reach first.
        self.list_peers();
        self.outside.outcome(token, outcome, took);
    }

    async fn send(&mut self, peer: &NodeId, frame: &Frame) {
        // Without a connection it waits in the client. A replica tells little to peers that do not answer, so that stays little.
        let most = self.client.server_info().max_payload;
        let id = self.next_long;
        self.next_long = id.wrapping_add(1);
        let messages = match wire::messages(frame, id, most) {
            Ok(messages) => messages,
            Err(error) => return warn!(%peer, %error, "a frame is not sent"),
        };
        for message in messages {
            self.publish(self.names.to(peer), message).await;
        }
    }

    async fn publish(&mut self, subject: String, message: Vec<u8>) {
        match timeout(SEND_WITHIN, self.client.publish(subject, message.into())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "a message is not sent"),
            Err(_) => {
                self.lost += 1;
                debug!(lost = self.lost, "a message is not sent: the connection is too slow");
            }
        }
    }

    fn receive(&self, message: &async_nats::Message) {
        let Some(from) = Names::sender(&message.subject) else { return };
        let age = self.cluster.age();
        let frame = self.cluster.peers().receive(&from, &message.payload, age);
        self.list_peers();
        if let Some(frame) = frame {
            self.outside.receive(from, frame);
        }
    }

    async fn hear_hello(&mut self, message: &async_nats::Message) {
        let hello = Hello::from_bytes(&message.payload);
        let (Some(from), Some(hello)) = (Names::sender(&message.subject), hello) else { return };
        let age = self.cluster.age();
        let wants_answer = self.cluster.peers().greet(&from, hello, age);
        self.look_for_namesake();
        if wants_answer {
            self.say_hello(Occasion::Now).await;
        }
    }

    async fn say_hello(&mut self, occasion: Occasion) {
        let hello = Hello::of_this_release(occasion, self.cluster.parts().process, self.cluster.age());
        let hello = hello.at(self.names.site().cloned());
        self.publish(self.names.hello(), hello.to_bytes()).await;
    }

    /// Tells the replica's other half whether keys are safe.
    fn look_for_namesake(&mut self) {
        let is_shared = self.cluster.peers().has_namesake(self.cluster.age());
        if std::mem::replace(&mut self.is_name_shared, is_shared) != is_shared {
            self.outside.share_name(is_shared);
        }
    }

    fn be_asked(&mut self, message: &async_nats::Message) {
        if let Some(asked) = self.cluster.begin_for(message, &self.outside) {
            let (in_memory, outside) = (self.in_memory, self.outside.clone());
            self.asked.spawn(async move { asked.answer(in_memory, &outside).await });
        }
    }
}

fn watching(watch: Watch, outside: Arc<Outside>) -> JoinSet<()> {
    let mut watching = JoinSet::new();
    watching.spawn(watch.run(outside));
    watching
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

//! The task that drives the other half of a replica: its messages, and its requests to the store.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, Subscriber};
use embedded::{Counters, Errand, Options, Outside};
use futures_util::StreamExt;
use replica::store::{Outcome, StoreRequest, Token};
use replica::{Frame, NodeId};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};
use tracing::{debug, warn};

use super::clock::Stopwatch;
use super::joining::Joining;
use super::peers::Peers;
use super::store::Answer;
use super::{JoinError, Names, Settings, Store, check_names};
use crate::wire;
use crate::wire::hello::Hello;

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
/// It returns once the node talks. [`Status::is_ready`](embedded::Status::is_ready) says when reads and changes are answered.
///
/// # Errors
///
/// [`JoinError`], in words that say what to do.
pub async fn join(settings: &Settings, options: Options) -> Result<Counters, JoinError> {
    let me = check_names(settings, options.node.as_deref())?;
    let names = Names::new(&settings.cluster, me).at(settings.site.clone());
    let joining = Joining::begin(settings, &names);
    let client = joining.connect().await?;
    // Before anything else, so that the servers have refused it by the time that they answer what comes after.
    let talks = |error: async_nats::SubscribeError| JoinError::Servers(error.to_string());
    let inbox = client.subscribe(names.inbox()).await.map_err(talks)?;
    let hellos = client.subscribe(names.hellos()).await.map_err(talks)?;
    let store = joining.open(&client).await?;
    let (counters, outside) = options.join(settings.store_timeout)?;
    let world = World {
        peers: Peers::new(names.me().clone()),
        names,
        client,
        outside: Arc::new(outside),
        store: Arc::new(store),
        requests: JoinSet::new(),
        next_long: rand::random(),
        lost: 0,
    };
    tokio::spawn(world.run(inbox, hellos));
    Ok(counters)
}

/// All that the task has.
struct World {
    peers: Peers,
    names: Names,
    client: Client,
    outside: Arc<Outside>,
    store: Arc<Store>,
    /// The requests to the store that are under way. The replica asks for few at once.
    requests: JoinSet<(Token, StoreRequest, Answer, Duration)>,
    /// Names the next frame that is longer than a message.
    next_long: u64,
    /// How many frames were not sent.
    lost: u64,
}

impl World {
    async fn run(mut self, mut inbox: Subscriber, mut hellos: Subscriber) {
        self.say_hello(true).await;
        let mut ticks = every(HELLO_EVERY);
        loop {
            if let Some(roster) = self.peers.changed_roster() {
                self.outside.list(roster);
            }
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
                message = inbox.next() => match message {
                    Some(message) => self.receive(&message),
                    None => sleep(RETRY_AFTER).await,
                },
                message = hellos.next() => match message {
                    Some(message) => self.hear_hello(&message).await,
                    None => sleep(RETRY_AFTER).await,
                },
                _ = ticks.tick() => self.say_hello(false).await,
            }
        }
        // What the replica has said last may be of use to its peers. Nobody waits for it.
        let _is_in_time = timeout(FLUSH_WITHIN, self.client.flush()).await;
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
            (_, Outcome::Nodes(nodes)) => self.peers.list(nodes),
            (StoreRequest::Load { node }, Outcome::Loaded(Some(record))) => {
                self.peers.note_seal(node, record.is_sealed());
            }
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
        if let Some(roster) = self.peers.changed_roster() {
            self.outside.list(roster);
        }
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

    fn receive(&mut self, message: &async_nats::Message) {
        let Some(from) = Names::sender(&message.subject) else { return };
        let frame = self.peers.receive(&from, &message.payload);
        if let Some(roster) = self.peers.changed_roster() {
            self.outside.list(roster);
        }
        if let Some(frame) = frame {
            self.outside.receive(from, frame);
        }
    }

    async fn hear_hello(&mut self, message: &async_nats::Message) {
        let hello = Hello::from_bytes(&message.payload);
        let (Some(from), Some(hello)) = (Names::sender(&message.subject), hello) else { return };
        if self.peers.greet(&from, hello) {
            self.say_hello(false).await;
        }
    }

    async fn say_hello(&mut self, asks: bool) {
        self.publish(self.names.hello(), Hello::of_this_release(asks).to_bytes()).await;
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

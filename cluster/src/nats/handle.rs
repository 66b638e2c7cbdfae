//! The handle on the cluster: who is in it, and requests to the other nodes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::Client;
use tokio::sync::{Semaphore, watch};

use super::asking::MAX_ASKS;
use super::clock::Stopwatch;
use super::peers::Peers;
use crate::Names;
use crate::members::View;

/// The cluster that a node is in: see [`join`](super::join). A clone is the same.
#[derive(Debug, Clone)]
pub struct Cluster(Arc<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub names: Names,
    pub client: Client,
    /// Names this process.
    pub process: u64,
    begun: Stopwatch,
    peers: Mutex<Peers>,
    /// One for each request to another node that may be under way.
    pub asks: Semaphore,
    /// Whether the last word was said.
    has_ended: watch::Sender<bool>,
}

impl Cluster {
    pub(super) fn new(names: Names, client: Client) -> Self {
        let process = rand::random();
        let peers = Mutex::new(Peers::new(names.me().clone(), process));
        let (begun, asks) = (Stopwatch::start(), Semaphore::new(MAX_ASKS));
        let has_ended = watch::Sender::new(false);
        Self(Arc::new(Parts { names, client, process, begun, peers, asks, has_ended }))
    }

    /// How long this process has been in the cluster.
    pub fn age(&self) -> Duration {
        self.0.begun.elapsed()
    }

    /// Who is in the cluster, as this node sees it now.
    pub fn view(&self) -> View {
        self.peers().view(self.age())
    }

    /// Waits until the other nodes were told that this one ends. That begins once the counters are closed, and takes a second at most.
    pub async fn ended(&self) {
        let mut has_ended = self.0.has_ended.subscribe();
        // It can't fail: the sender is kept here.
        let _has_ended = has_ended.wait_for(|has_ended| *has_ended).await;
    }

    pub(super) fn end(&self) {
        self.0.has_ended.send_replace(true);
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }

    /// No code that holds the lock can panic half way: a poisoned lock is as good as any.
    pub(super) fn peers(&self) -> MutexGuard<'_, Peers> {
        self.0.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

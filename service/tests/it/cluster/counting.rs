//! Clients that count while something goes wrong, and know between which bounds the counter must be.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use counterd::clock::Stopwatch;

use super::BOUND;
use crate::harness::{Counterd, wait_until};
use crate::redis::wire::{Wire, command};

/// One client for each node. Each adds one to `views`, again and again.
pub(crate) struct Tally {
    nodes: Vec<Arc<Client>>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Client {
    /// Where its node listens. It changes when the node starts again.
    address: Mutex<String>,
    is_over: AtomicBool,
    acknowledged: AtomicI64,
    /// How many adds may count, or may not.
    unclear: AtomicI64,
    refused: AtomicI64,
    /// How long it waits from the beginning of an add to that of the next.
    pace: Duration,
    times: Mutex<Times>,
}

/// How long clients have waited.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times {
    /// The longest time between two acknowledged adds.
    pub(crate) gap: Duration,
    /// How long each acknowledged add took, in microseconds.
    pub(crate) took: Vec<u64>,
}

/// What the clients of a cluster have seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) acknowledged: i64,
    pub(crate) unclear: i64,
    pub(crate) refused: i64,
    /// Of all clients: the longest gap of any, and all latencies.
    pub(crate) times: Times,
}

impl Seen {
    /// The least and the most that the counter may be.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        (self.acknowledged, self.acknowledged + self.unclear)
    }
}

impl Tally {
    /// Begins to count on all these nodes: `n1`, `n2` and so on.
    pub(crate) fn begin(nodes: &[&Counterd]) -> Self {
        Self::paced(nodes, Duration::ZERO)
    }

    /// As [`begin`](Self::begin), with an add of each client in each such time.
    pub(crate) fn paced(nodes: &[&Counterd], pace: Duration) -> Self {
        let client = |node: &&Counterd| {
            Arc::new(Client { address: Mutex::new(node.redis.clone()), pace, ..Client::default() })
        };
        let nodes: Vec<_> = nodes.iter().map(client).collect();
        let threads = nodes.iter().cloned().map(|client| thread::spawn(move || client.count())).collect();
        Self { nodes, threads }
    }

    /// A node has started again, and listens elsewhere.
    pub(crate) fn follow(&self, name: &str, node: &Counterd) {
        let place: usize = name[1..].parse().unwrap();
        self.nodes[place - 1].address.lock().unwrap().clone_from(&node.redis);
    }

    fn acknowledged(&self) -> i64 {
        self.nodes.iter().map(|client| client.acknowledged.load(Ordering::Relaxed)).sum()
    }

    /// Waits until so many more adds are acknowledged.
    pub(crate) fn wait_for(&self, more: i64) {
        let goal = self.acknowledged() + more;
        wait_until(BOUND, "adds are acknowledged", || self.acknowledged() >= goal);
    }

    /// Waits until a node has acknowledged so many more adds.
    pub(crate) fn wait_for_node(&self, name: &str, more: i64) {
        let client = &self.nodes[name[1..].parse::<usize>().unwrap() - 1];
        let goal = client.acknowledged.load(Ordering::Relaxed) + more;
        wait_until(BOUND, "the node acknowledges adds", || {
            client.acknowledged.load(Ordering::Relaxed) >= goal
        });
    }

    /// Ends. Returns the least and the most that the counter may be.
    pub(crate) fn end(self) -> (i64, i64) {
        self.finish().bounds()
    }

    /// Ends. Returns what the clients have seen.
    pub(crate) fn finish(mut self) -> Seen {
        self.stop();
        let sum = |of: fn(&Client) -> &AtomicI64| {
            self.nodes.iter().map(|client| of(client).load(Ordering::Relaxed)).sum()
        };
        let mut times = Times::default();
        for client in &self.nodes {
            let seen = client.times.lock().unwrap();
            times.gap = times.gap.max(seen.gap);
            times.took.extend(&seen.took);
        }
        let acknowledged = self.acknowledged();
        Seen {
            acknowledged,
            unclear: sum(|client| &client.unclear),
            refused: sum(|client| &client.refused),
            times,
        }
    }

    fn stop(&mut self) {
        self.nodes.iter().for_each(|client| client.is_over.store(true, Ordering::Relaxed));
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.nodes.iter().for_each(|client| client.is_over.store(true, Ordering::Relaxed));
    }
}

impl Client {
    fn count(&self) {
        let mut last = Stopwatch::start();
        while !self.is_over.load(Ordering::Relaxed) {
            let address = self.address.lock().unwrap().clone();
            let Some(mut wire) = Wire::try_to(&address) else {
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            while !self.is_over.load(Ordering::Relaxed) {
                if !self.add(&mut wire, &mut last) {
                    break;
                }
            }
        }
        self.times.lock().unwrap().pass(&mut last, None);
    }

    /// Adds one. Returns whether the connection still serves.
    fn add(&self, wire: &mut Wire, last: &mut Stopwatch) -> bool {
        let begun = Stopwatch::start();
        wire.send(&command(&["INCRBY", "views", "1"]));
        let reply = wire.reply();
        match &reply {
            Some(reply) if reply.starts_with(':') => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                self.times.lock().unwrap().pass(last, Some(begun.elapsed()));
            }
            Some(reply) if !reply.starts_with("-MAYBE") => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                // Not at once: it would be refused again.
                thread::sleep(Duration::from_millis(5));
            }
            Some(_) | None => {
                self.unclear.fetch_add(1, Ordering::Relaxed);
            }
        }
        thread::sleep(self.pace.saturating_sub(begun.elapsed()));
        reply.is_some()
    }
}

impl Times {
    /// Notes an acknowledged add that took so long, or the end.
    fn pass(&mut self, last: &mut Stopwatch, took: Option<Duration>) {
        let gap = std::mem::replace(last, Stopwatch::start()).elapsed();
        self.gap = self.gap.max(gap);
        self.took.extend(took.map(|took| u64::try_from(took.as_micros()).unwrap()));
    }
}

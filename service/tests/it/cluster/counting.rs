//! Clients that count while something goes wrong, and know between which bounds the counter must be.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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
}

impl Tally {
    /// Begins to count on all these nodes: `n1`, `n2` and so on.
    pub(crate) fn begin(nodes: &[&Counterd]) -> Self {
        let client = |node: &&Counterd| {
            Arc::new(Client { address: Mutex::new(node.redis.clone()), ..Client::default() })
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
    pub(crate) fn end(mut self) -> (i64, i64) {
        self.stop();
        let least = self.acknowledged();
        (least, least + self.nodes.iter().map(|client| client.unclear.load(Ordering::Relaxed)).sum::<i64>())
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
        while !self.is_over.load(Ordering::Relaxed) {
            let address = self.address.lock().unwrap().clone();
            let Some(mut wire) = Wire::try_to(&address) else {
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            while !self.is_over.load(Ordering::Relaxed) {
                wire.send(&command(&["INCRBY", "views", "1"]));
                match wire.reply() {
                    Some(reply) if reply.starts_with(':') => {
                        self.acknowledged.fetch_add(1, Ordering::Relaxed)
                    }
                    Some(reply) if !reply.starts_with("-MAYBE") => {
                        // It does not count.
                        thread::sleep(Duration::from_millis(5));
                        continue;
                    }
                    Some(_) => self.unclear.fetch_add(1, Ordering::Relaxed),
                    None => {
                        self.unclear.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                };
            }
        }
    }
}

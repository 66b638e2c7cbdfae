//! What is measured.
//!
//! A request costs a few additions to atomic numbers, and no lock. [`Metrics::text`] adds what the counters tell of themselves.
//! No metric has a label with the name of a counter: a million counters would be a million series.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use embedded::{Status, Times};
use tracing::warn;

use crate::config::Config;
use crate::disk;
use crate::peers::Seen;

mod scrape;

use scrape::Scrape;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is measured. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Measured>);

/// What all clones share.
#[derive(Debug, Default)]
struct Measured {
    requests: [SharedTimes; KINDS.len()],
    connections: [Arc<AtomicU64>; PROTOCOLS.len()],
    /// How many requests had this problem. A request that has one may wait for a lock.
    problems: Mutex<BTreeMap<&'static str, u64>>,
    recovery_nanos: AtomicU64,
}

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP.
    Http,
    /// The Redis protocol.
    Redis,
}

const PROTOCOLS: [(Protocol, &str); 2] = [(Protocol::Http, "http"), (Protocol::Redis, "redis")];

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Over HTTP, it changes one counter.
    Change,
    /// Over HTTP, it changes several counters.
    Batch,
    /// Over HTTP, it reads one counter.
    Read,
    /// Over HTTP, it lists or sums counters.
    List,
    /// Over HTTP, it does anything else.
    Other,
    /// Over the Redis protocol, it does anything.
    Redis,
}

/// Each kind, with its protocol and its name.
const KINDS: [(Kind, Protocol, &str); 6] = [
    (Kind::Change, Protocol::Http, "change"),
    (Kind::Batch, Protocol::Http, "batch"),
    (Kind::Read, Protocol::Http, "read"),
    (Kind::List, Protocol::Http, "list"),
    (Kind::Other, Protocol::Http, "other"),
    (Kind::Redis, Protocol::Redis, "command"),
];

/// A connection that is open. It is counted until it is dropped.
#[derive(Debug)]
pub struct Connection(Arc<AtomicU64>);

impl Metrics {
    /// A request over HTTP was answered after so long.
    pub fn http(&self, kind: Kind, elapsed: Duration) {
        self.note(kind, 1, elapsed);
    }

    /// So many commands over the Redis protocol were answered together after so long.
    pub fn redis(&self, commands: u64, elapsed: Duration) {
        self.note(Kind::Redis, commands, elapsed);
    }

    /// A request was answered with this problem, such as `too-large`.
    pub fn refused(&self, problem: &'static str) {
        let mut problems = self.0.problems.lock().unwrap_or_else(PoisonError::into_inner);
        *problems.entry(problem).or_default() += 1;
    }

    /// A connection was opened.
    pub fn connection(&self, protocol: Protocol) -> Connection {
        let open = self.connections(protocol);
        open.fetch_add(1, Ordering::Relaxed);
        Connection(open.clone())
    }

    /// How many connections are open.
    pub fn open(&self, protocol: Protocol) -> u64 {
        self.connections(protocol).load(Ordering::Relaxed)
    }

    /// How many requests of a kind were answered.
    pub fn handled(&self, kind: Kind) -> u64 {
        self.times(kind).map_or(0, |times| times.read().counts.iter().sum())
    }

    /// It took so long to open the counters.
    pub fn recovered(&self, elapsed: Duration) {
        self.0.recovery_nanos.store(Times::nanos(elapsed), Ordering::Relaxed);
    }

    /// All metrics, in the text format of `OpenMetrics` ([`CONTENT_TYPE`]). It asks the system how full the disk is, so it may block.
    pub fn text(&self, status: Status, seen: Seen, config: &Config) -> String {
        let free = || {
            let free = disk::free_bytes(&config.data).inspect_err(|error| {
                warn!(%error, data = %config.data.display(), "the system does not say how much room the disk has");
            });
            free.ok()
        };
        // In a cluster the disks are those of the NATS servers.
        let free = if config.nats.is_empty() { free() } else { None };
        scrape::text(Scrape { metrics: self.clone(), status, seen, config: config.clone(), free })
    }

    fn note(&self, kind: Kind, count: u64, elapsed: Duration) {
        if let Some(times) = self.times(kind) {
            times.note(count, elapsed);
        }
    }

    fn times(&self, kind: Kind) -> Option<&SharedTimes> {
        KINDS.iter().position(|(of, ..)| *of == kind).and_then(|place| self.0.requests.get(place))
    }

    fn connections(&self, protocol: Protocol) -> &Arc<AtomicU64> {
        let [http, redis] = &self.0.connections;
        match protocol {
            Protocol::Http => http,
            Protocol::Redis => redis,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// [`Times`] that all threads note in. A reader may see a time in the counts that is not in the sum yet.
#[derive(Debug, Default)]
struct SharedTimes {
    counts: [AtomicU64; Times::BOUNDS.len() + 1],
    nanos: AtomicU64,
}

impl SharedTimes {
    /// So many things took so long each.
    fn note(&self, count: u64, elapsed: Duration) {
        if let Some(bucket) = self.counts.get(Times::bucket(elapsed)) {
            bucket.fetch_add(count, Ordering::Relaxed);
        }
        self.nanos.fetch_add(Times::nanos(elapsed).saturating_mul(count), Ordering::Relaxed);
    }

    fn read(&self) -> Times {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        Times { counts, nanos: self.nanos.load(Ordering::Relaxed) }
    }
}

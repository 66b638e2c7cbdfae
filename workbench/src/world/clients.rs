//! Who the clients are, and what they wait for.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a client of the bench is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Awaits a node's `init_ok`.
    Init { node: usize },
    /// Awaits a node's `topology_ok`.
    Topology { node: usize },
    /// Works off the workload.
    Worker(usize),
    /// Reads now and then to see when the nodes agree.
    Probe { node: usize },
    /// Stands as the sender of malformed requests.
    Malformed,
}

/// The clients that are there. Numbers are never used twice.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    next: u64,
    present: BTreeMap<u64, Role>,
}

impl Clients {
    /// Joins a new client and returns its number.
    pub(crate) fn join(&mut self, role: Role) -> u64 {
        let number = self.next;
        self.next += 1;
        self.present.insert(number, role);
        number
    }

    pub(crate) fn leave(&mut self, number: u64) {
        self.present.remove(&number);
    }

    /// Passes over so many numbers: clients that come and go without a word.
    pub(crate) fn skip(&mut self, count: usize) {
        self.next += count as u64;
    }

    pub(crate) fn role(&self, number: u64) -> Option<Role> {
        self.present.get(&number).copied()
    }

    /// Whether there ever was such a client.
    pub(crate) fn existed(&self, number: u64) -> bool {
        number < self.next
    }
}

/// A thread of the workload: one request at a time, to one node.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) node: usize,
    pub(crate) process: u64,
    /// Its client, which leaves only when the next one comes.
    pub(crate) client: Option<u64>,
    /// Its last request ended badly: the next one takes a new client.
    pub(crate) is_crashed: bool,
    pub(crate) next_msg_id: u64,
    pub(crate) pending: Option<Pending>,
}

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) operation: usize,
    pub(crate) msg_id: u64,
    pub(crate) invoked: Duration,
}

impl Worker {
    pub(crate) fn new(index: usize, node_count: usize) -> Self {
        Self {
            node: index % node_count,
            process: index as u64,
            client: None,
            is_crashed: false,
            next_msg_id: 1,
            pending: None,
        }
    }
}

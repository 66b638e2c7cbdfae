//! The clients of the bench, and their roles.

use std::collections::BTreeMap;

use crate::workload::{INIT, Rpc};

/// The role of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    /// Awaits a node's `init_ok`.
    Init { node: usize },
    /// Awaits a node's answer to what the workload tells all nodes before it begins.
    Briefing { node: usize, rpc: &'static Rpc },
    /// Was one of these, and has its answer. In Maelstrom such a client is about to leave. A second answer mostly finds it there.
    Answered { rpc: &'static Rpc },
    /// Sends the requests of the workload.
    Worker(usize),
    /// Reads now and then, to see when the nodes converge.
    Probe { node: usize },
    /// Is the sender of malformed requests.
    Malformed,
}

/// The clients that exist. Numbers are never used twice.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    next: u64,
    present: BTreeMap<u64, Role>,
    /// The last operation of each client that has left after one.
    left_after: BTreeMap<u64, usize>,
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

    /// A client leaves because its last operation, of that number, ended badly.
    pub(crate) fn leave_after(&mut self, number: u64, operation: Option<usize>) {
        self.leave(number);
        self.left_after.extend(operation.map(|operation| (number, operation)));
    }

    /// The operation because of which a client has left.
    pub(crate) fn last_operation(&self, number: u64) -> Option<usize> {
        self.left_after.get(&number).copied()
    }

    /// A client has its answer, and has nothing more to ask.
    pub(crate) fn answered(&mut self, number: u64) {
        let Some(role) = self.present.get_mut(&number) else { return };
        match *role {
            Role::Init { .. } => *role = Role::Answered { rpc: &INIT },
            Role::Briefing { rpc, .. } => *role = Role::Answered { rpc },
            Role::Answered { .. } | Role::Worker(_) | Role::Probe { .. } | Role::Malformed => {}
        }
    }

    /// Skips so many numbers, for clients that come and go without sending anything.
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

//! Counts the messages that were sent and received.

use std::time::Duration;

use serde::Serialize;

use crate::endpoint::Endpoint;

/// The messages that were sent and received, counted as Maelstrom's net checker counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Journal {
    /// Every message.
    pub all: Traffic,
    /// Messages with a client at either end.
    pub clients: Traffic,
    /// Messages between servers: nodes and services.
    pub servers: Traffic,
    /// That part of `servers` with a service at either end.
    pub services: Traffic,
    /// The load of the servers in each second of the run, the first second first.
    pub per_second: Vec<Load>,
}

/// The messages that were sent in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Messages.
    pub messages: u64,
    /// Bytes of their lines.
    pub bytes: u64,
}

/// A count of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Messages sent, lost ones included. Copies made by the network are not counted again.
    pub sent: u64,
    /// Messages received, copies made by the network included.
    pub received: u64,
    /// Bytes of the lines sent, newlines included.
    pub bytes: u64,
}

impl Journal {
    pub(crate) fn sent(&mut self, now: Duration, src: Endpoint, dest: Endpoint, bytes: usize) {
        if !src.is_client() && !dest.is_client() {
            self.note_load(now, bytes);
        }
        self.each(src, dest, |traffic| {
            traffic.sent += 1;
            traffic.bytes += bytes as u64;
        });
    }

    pub(crate) fn received(&mut self, src: Endpoint, dest: Endpoint) {
        self.each(src, dest, |traffic| traffic.received += 1);
    }

    fn note_load(&mut self, now: Duration, bytes: usize) {
        // A run lasts a few days at most.
        let second = usize::try_from(now.as_secs()).unwrap_or(0);
        if self.per_second.len() <= second {
            self.per_second.resize(second + 1, Load::default());
        }
        if let Some(load) = self.per_second.get_mut(second) {
            load.messages += 1;
            load.bytes += bytes as u64;
        }
    }

    fn each(&mut self, src: Endpoint, dest: Endpoint, count: impl Fn(&mut Traffic)) {
        count(&mut self.all);
        if src.is_client() || dest.is_client() {
            count(&mut self.clients);
            return;
        }
        count(&mut self.servers);
        if src.node().is_none() || dest.node().is_none() {
            count(&mut self.services);
        }
    }
}

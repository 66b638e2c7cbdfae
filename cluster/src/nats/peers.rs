//! The peers of a node: who they are, when they were heard, which versions they read, and what they send.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use replica::{Frame, NodeId};
use tracing::{error, info, warn};

use crate::members::{Member, Standing, View};
use crate::wire::hello::{Hello, Occasion};
use crate::wire::pieces::Assembler;
use crate::wire::{self, Message};

/// How many peers a node keeps. Further ones are not listed.
const MAX_PEERS: usize = 1_024;

/// A node that was not heard for so long is silent. It says hello more than twice in this time.
const SILENT_AFTER: Duration = Duration::from_secs(5);

/// The peers, as this process knows them. It does no I/O. All times are ages of this process.
#[derive(Debug)]
pub(super) struct Peers {
    me: NodeId,
    process: u64,
    known: BTreeMap<NodeId, Peer>,
    /// The nodes whose record is sealed.
    forgotten: BTreeSet<NodeId>,
    /// Another process under the name of this node, and when it was heard.
    namesake: Option<(u64, Duration)>,
    has_changed: bool,
}

#[derive(Debug, Default)]
struct Peer {
    /// The hello that it said last, and when that was heard.
    hello: Option<(Hello, Duration)>,
    /// When anything of it was heard.
    heard: Option<Duration>,
    assembler: Assembler,
    /// Whether the log says that its messages can't be read.
    is_told: bool,
}

/// The process that a request to a node goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Addressee {
    pub process: u64,
    /// How long that process has run, at least.
    pub age: Duration,
}

impl Peers {
    pub(super) fn new(me: NodeId, process: u64) -> Self {
        let (known, forgotten) = (BTreeMap::new(), BTreeSet::new());
        Self { me, process, known, forgotten, namesake: None, has_changed: true }
    }

    /// The roster, if it is another one than last time.
    pub(super) fn changed_roster(&mut self) -> Option<BTreeSet<NodeId>> {
        std::mem::take(&mut self.has_changed)
            .then(|| self.known.keys().cloned().chain([self.me.clone()]).collect())
    }

    /// A node says hello. Returns whether it wants an answer.
    pub(super) fn greet(&mut self, from: &NodeId, hello: Hello, now: Duration) -> bool {
        if *from == self.me {
            return self.greet_namesake(&hello, now);
        }
        let here = Hello::of_this_release(Occasion::Now, self.process, now);
        let Some((peer, is_new)) = self.meet(from) else { return false };
        let before = peer.hello.as_ref().map(|(before, _)| before);
        let is_other_process = before.is_some_and(|before| before.process != hello.process);
        if hello.occasion == Occasion::End && is_other_process {
            // A later process of the node was heard already.
            return false;
        }
        if before.is_none_or(|before| before.versions != hello.versions) {
            let (oldest, newest) = (hello.versions.start(), hello.versions.end());
            if here.common(&hello).is_some() {
                let site = hello.site.as_deref();
                info!(peer = %from, site, oldest, newest, "a node of the cluster says hello");
            } else {
                warn!(peer = %from, oldest, newest, "a node speaks no version that this one knows: update the older one");
            }
        } else if is_other_process {
            info!(peer = %from, "a node has started again");
        } else if hello.occasion == Occasion::End {
            info!(peer = %from, "a node has ended");
        }
        let asks = hello.occasion == Occasion::Begin;
        peer.heard = Some(now);
        peer.hello = Some((hello, now));
        asks || is_new
    }

    /// A process under the name of this node says hello: this one, or one that must not be.
    fn greet_namesake(&mut self, hello: &Hello, now: Duration) -> bool {
        if hello.process == self.process {
            return false;
        }
        if hello.occasion == Occasion::End {
            self.namesake.take_if(|(process, _)| *process == hello.process);
            return false;
        }
        if self.namesake.is_none_or(|(process, heard)| process != hello.process || is_silent(heard, now)) {
            error!(
                node = %self.me,
                "another process runs under the name of this node: end one of them, for an idempotency key protects within one process only"
            );
        }
        self.namesake = Some((hello.process, now));
        hello.occasion == Occasion::Begin
    }

    /// Whether another process runs under the name of this node.
    pub(super) fn has_namesake(&self, now: Duration) -> bool {
        self.namesake.is_some_and(|(_, heard)| !is_silent(heard, now))
    }

    /// The store has records of these nodes.
    pub(super) fn list(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            if !self.forgotten.contains(node) {
                self.meet(node);
            }
        }
    }

    /// The record of a node says whether it was forgotten.
    pub(super) fn note_seal(&mut self, node: &NodeId, is_sealed: bool) {
        if !is_sealed {
            self.forgotten.remove(node);
        } else if self.forgotten.insert(node.clone()) {
            self.has_changed |= self.known.remove(node).is_some();
        }
    }

    /// A message has come. The frame, if it completes one.
    pub(super) fn receive(&mut self, from: &NodeId, payload: &[u8], now: Duration) -> Option<Frame> {
        // The server lets nobody else use the name. So whoever sends is there.
        let (peer, _) = self.meet(from)?;
        peer.heard = Some(now);
        let frame = match wire::read(payload) {
            Ok(Message::Frame(frame)) => Ok(Some(*frame)),
            Ok(Message::Piece(piece)) => {
                peer.assembler.take(piece).map(|whole| wire::frame::read(&whole)).transpose()
            }
            Err(error) => Err(error),
        };
        match frame {
            Ok(frame) => frame,
            Err(error) => {
                if !std::mem::replace(&mut peer.is_told, true) {
                    warn!(peer = %from, %error, "a message of a peer can't be read");
                }
                None
            }
        }
    }

    /// The process of a node that can be asked for something. `None`: none was heard of late.
    pub(super) fn addressee(&self, node: &NodeId, now: Duration) -> Option<Addressee> {
        let (hello, heard) = self.known.get(node)?.hello.as_ref()?;
        let is_there = hello.occasion != Occasion::End && !is_silent(*heard, now);
        let age = Duration::from_millis(hello.age_ms).saturating_add(now.saturating_sub(*heard));
        is_there.then_some(Addressee { process: hello.process, age })
    }

    /// The cluster, as it is now.
    pub(super) fn view(&self, now: Duration) -> View {
        let known =
            self.known.iter().map(|(node, peer)| peer.member(node, self.forgotten.contains(node), now));
        let gone = self.forgotten.iter().filter(|node| !self.known.contains_key(*node));
        let gone = gone.map(|node| Peer::default().member(node, true, now));
        let mut members: Vec<_> = known.chain(gone).collect();
        members.sort_by(|a, b| a.node.cmp(&b.node));
        let namesake = self.namesake.filter(|(_, heard)| !is_silent(*heard, now));
        View { members, namesake: namesake.map(|(_, heard)| now.saturating_sub(heard)) }
    }

    fn meet(&mut self, node: &NodeId) -> Option<(&mut Peer, bool)> {
        let is_new = !self.known.contains_key(node);
        if *node == self.me || is_new && self.known.len() >= MAX_PEERS {
            return None;
        }
        self.has_changed |= is_new;
        Some((self.known.entry(node.clone()).or_default(), is_new))
    }
}

impl Peer {
    fn member(&self, node: &NodeId, is_forgotten: bool, now: Duration) -> Member {
        let has_left = self.hello.as_ref().is_some_and(|(hello, _)| hello.occasion == Occasion::End);
        let standing = match (is_forgotten, has_left, self.heard) {
            (true, _, _) => Standing::Forgotten,
            (false, true, _) => Standing::Left,
            (false, false, Some(heard)) if !is_silent(heard, now) => Standing::Alive,
            (false, false, _) => Standing::Silent,
        };
        let age = self.hello.as_ref().map(|(hello, heard)| {
            Duration::from_millis(hello.age_ms).saturating_add(now.saturating_sub(*heard))
        });
        Member {
            node: node.clone(),
            standing,
            heard: self.heard.map(|heard| now.saturating_sub(heard)),
            versions: self.hello.as_ref().map(|(hello, _)| hello.versions.clone()),
            site: self.hello.as_ref().and_then(|(hello, _)| hello.site.clone()),
            age: age.filter(|_| standing == Standing::Alive),
        }
    }
}

fn is_silent(heard: Duration, now: Duration) -> bool {
    now.saturating_sub(heard) > SILENT_AFTER
}

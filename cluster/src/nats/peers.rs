//! The peers of a node: who they are, which versions they read, and what they send.

use std::collections::{BTreeMap, BTreeSet};

use replica::{Frame, NodeId};
use tracing::{info, warn};

use crate::wire::hello::Hello;
use crate::wire::pieces::Assembler;
use crate::wire::{self, Message};

/// How many peers a node keeps. Further ones are not listed.
const MAX_PEERS: usize = 1_024;

/// The peers, as this node knows them. It does no I/O.
#[derive(Debug)]
pub(super) struct Peers {
    me: NodeId,
    known: BTreeMap<NodeId, Peer>,
    /// The nodes whose record is sealed.
    forgotten: BTreeSet<NodeId>,
    has_changed: bool,
}

#[derive(Debug, Default)]
struct Peer {
    /// The hello that it said last.
    hello: Option<Hello>,
    assembler: Assembler,
    /// Whether the log says that its messages can't be read.
    is_told: bool,
}

impl Peers {
    pub(super) fn new(me: NodeId) -> Self {
        Self { me, known: BTreeMap::new(), forgotten: BTreeSet::new(), has_changed: true }
    }

    /// The roster, if it is another one than last time.
    pub(super) fn changed_roster(&mut self) -> Option<BTreeSet<NodeId>> {
        std::mem::take(&mut self.has_changed)
            .then(|| self.known.keys().cloned().chain([self.me.clone()]).collect())
    }

    /// A node says hello. Returns whether it wants an answer.
    pub(super) fn greet(&mut self, from: &NodeId, hello: Hello) -> bool {
        if *from == self.me {
            return false;
        }
        let here = Hello::of_this_release(false);
        let can_talk = here.common(&hello).is_some();
        let Some((peer, is_new)) = self.meet(from) else { return false };
        if peer.hello.as_ref().is_none_or(|before| before.versions != hello.versions) {
            let (oldest, newest) = (hello.versions.start(), hello.versions.end());
            if can_talk {
                info!(peer = %from, oldest, newest, "a node of the cluster says hello");
            } else {
                warn!(peer = %from, oldest, newest, "a node speaks no version that this one knows: update the older one");
            }
        }
        let asks = hello.asks;
        peer.hello = Some(hello);
        asks || is_new
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
    pub(super) fn receive(&mut self, from: &NodeId, payload: &[u8]) -> Option<Frame> {
        // The server lets nobody else use the name. So whoever sends is there.
        let (peer, _) = self.meet(from)?;
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

    fn meet(&mut self, node: &NodeId) -> Option<(&mut Peer, bool)> {
        let is_new = !self.known.contains_key(node);
        if *node == self.me || is_new && self.known.len() >= MAX_PEERS {
            return None;
        }
        self.has_changed |= is_new;
        Some((self.known.entry(node.clone()).or_default(), is_new))
    }
}

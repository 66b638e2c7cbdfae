//! Members: whom to talk to, and whose records to read.
//!
//! The roster says whom to talk to. It never says whose counts are in the value. A node that is on no roster any more may
//! have counts in its record that nobody has read: the store lists the names of all nodes, and their records are read now and
//! then until an operator has the node forgotten.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::NodeId;
use crate::store::Seal;

/// All nodes that this node knows of, but itself.
#[derive(Debug, Clone)]
pub(super) struct Members {
    me: NodeId,
    roster: Option<BTreeSet<NodeId>>,
    /// The names that the store lists, or that were on the roster once.
    listed: BTreeSet<NodeId>,
    /// The forgotten nodes, each with the number of its seal.
    forgotten: BTreeMap<NodeId, u64>,
    /// The forgotten nodes that were heard: perhaps they have returned.
    perhaps_returned: BTreeSet<NodeId>,
    /// The nodes that have a record, perhaps, and are neither on the roster nor forgotten.
    strangers: BTreeSet<NodeId>,
}

impl Members {
    pub(super) fn new(me: NodeId) -> Self {
        let (listed, strangers, perhaps_returned) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { me, roster: None, listed, forgotten: BTreeMap::new(), perhaps_returned, strangers }
    }

    pub(super) fn me(&self) -> &NodeId {
        &self.me
    }

    pub(super) fn has_roster(&self) -> bool {
        self.roster.is_some()
    }

    /// Sets the roster.
    pub(super) fn set_roster(&mut self, nodes: BTreeSet<NodeId>) {
        self.listed.extend(self.roster.replace(nodes).unwrap_or_default());
        self.find_strangers();
    }

    /// The store lists these nodes.
    pub(super) fn list(&mut self, names: BTreeSet<NodeId>) {
        self.listed.extend(names);
        self.find_strangers();
    }

    /// A record says whether its node is forgotten. True if that is news. `is_fresh`: it was read after this node knew that.
    pub(super) fn learn_seal(&mut self, node: &NodeId, seal: Option<Seal>, is_fresh: bool) -> bool {
        let is_fresh = self.perhaps_returned.remove(node) || is_fresh;
        if *node == self.me {
            return false;
        }
        let known = self.forgotten.get(node).copied();
        let is_forgotten = match seal {
            Some(seal) if known.is_none_or(|known| seal.number >= known) => !seal.is_lifted,
            // A record from before the seal: it was read too early, or the store went back.
            Some(_) | None => known.is_some() && !is_fresh,
        };
        if let Some(seal) = seal.filter(|_| is_forgotten) {
            let number = self.forgotten.entry(node.clone()).or_default();
            *number = seal.number.max(*number);
        } else if !is_forgotten {
            self.forgotten.remove(node);
        }
        let is_news = is_forgotten != known.is_some();
        if is_news {
            self.find_strangers();
        }
        is_news
    }

    fn find_strangers(&mut self) {
        let roster = self.roster.as_ref();
        let is_stranger = |name: &&NodeId| {
            **name != self.me
                && !self.forgotten.contains_key(*name)
                && !roster.is_some_and(|roster| roster.contains(*name))
        };
        self.strangers = self.listed.iter().filter(is_stranger).cloned().collect();
    }

    /// The nodes to talk to.
    pub(super) fn peers(&self) -> BTreeSet<NodeId> {
        let is_peer = |name: &&NodeId| **name != self.me && !self.forgotten.contains_key(*name);
        self.roster.iter().flatten().filter(is_peer).cloned().collect()
    }

    /// Whether there is such a node.
    pub(super) fn knows(&self, node: &NodeId) -> bool {
        self.listed.contains(node) || self.roster.as_ref().is_some_and(|roster| roster.contains(node))
    }

    /// The nodes that have a record, perhaps, and are neither on the roster nor forgotten.
    pub(super) fn strangers(&self) -> &BTreeSet<NodeId> {
        &self.strangers
    }

    /// The nodes that are not talked to and whose records are to be read now and then.
    pub(super) fn only_read(&self) -> impl Iterator<Item = &NodeId> {
        self.strangers.iter().chain(&self.perhaps_returned)
    }

    /// The node of that name, if it is forgotten.
    pub(super) fn forgotten(&self, node: &str) -> Option<&NodeId> {
        self.forgotten.get_key_value(node).map(|(node, _)| node)
    }

    pub(super) fn has_forgotten_any(&self) -> bool {
        !self.forgotten.is_empty()
    }

    /// A forgotten node was heard: its record is to be read.
    pub(super) fn may_have_returned(&mut self, node: &NodeId) {
        self.perhaps_returned.insert(node.clone());
    }
}

//! Contacts: peers that are no links, and that were heard of late.

use std::collections::{BTreeSet, VecDeque};

use super::peer::Peer;
use crate::identity::NodeId;

/// How many contacts a node remembers. A peer that it has forgotten counts as unknown: the next exchange with it costs one
/// frame more.
const MOST: usize = 8;

/// The contacts, the one heard last at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Contacts(VecDeque<(NodeId, Peer)>);

impl Contacts {
    pub(super) fn get(&self, name: &NodeId) -> Option<&Peer> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, peer)| peer)
    }

    pub(super) fn get_mut(&mut self, name: &NodeId) -> Option<&mut Peer> {
        self.0.iter_mut().find(|(other, _)| other == name).map(|(_, peer)| peer)
    }

    /// Takes a contact out: it becomes a link.
    pub(super) fn remove(&mut self, name: &NodeId) -> Option<Peer> {
        let at = self.0.iter().position(|(other, _)| other == name)?;
        self.0.remove(at).map(|(_, peer)| peer)
    }

    /// Puts a contact at the end, and drops the one that was heard the longest ago if there are too many.
    pub(super) fn put(&mut self, name: NodeId, peer: Peer) {
        self.0.push_back((name, peer));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Drops those that are not among `names`.
    pub(super) fn retain(&mut self, names: &BTreeSet<NodeId>) {
        self.0.retain(|(name, _)| names.contains(name));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.0.iter().map(|(_, peer)| peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_heard_the_longest_ago_is_dropped() {
        let mut contacts = Contacts::default();
        let name = |node: usize| NodeId::from(format!("n{node}").as_str());
        for node in 0..=MOST {
            if let Some(peer) = contacts.remove(&name(0)) {
                contacts.put(name(0), peer);
            }
            contacts.put(name(node), Peer::default());
        }
        let kept = |node| contacts.0.iter().any(|(other, _)| *other == name(node));
        assert!(contacts.iter().count() == MOST && kept(0) && !kept(1) && kept(MOST));
    }
}

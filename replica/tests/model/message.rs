//! What is on its way: frames between nodes, requests to the store, and their outcomes.

use std::fmt;

use replica::store::{Outcome, StoreRequest, Token};
use replica::{Frame, NodeId};

/// A process: its node, and which of that node's processes it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    pub(crate) node: u8,
    pub(crate) incarnation: u8,
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", name(self.node), self.incarnation)
    }
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// To any process that has this node's name when the frame arrives.
    Frame { from: u8, to: u8, frame: Frame },
    /// To the store.
    Ask(Ask),
    /// From the store, to the process that asked or, if the setup allows it, to any of its node's.
    Told { to: Id, token: Token, outcome: Outcome },
}

/// A request to the store.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) by: Id,
    /// `None`: nobody will make anything of the outcome. The process is dead, or was told that the outcome is unknown.
    pub(crate) token: Option<Token>,
    pub(crate) request: StoreRequest,
    /// The revision of each record when the process asked: after a fence it must not be shown less. Empty if the store
    /// shows the newest record anyway.
    pub(crate) since: Vec<u64>,
}

impl Ask {
    /// What is left of a request once nobody waits for its outcome: only a commit or a seal still matters.
    pub(crate) fn left_behind(&self) -> Option<Self> {
        let writes = matches!(self.request, StoreRequest::Commit { .. } | StoreRequest::Seal { .. });
        writes.then(|| Self { token: None, since: Vec::new(), ..self.clone() })
    }
}

pub(crate) fn name(node: u8) -> NodeId {
    NodeId::from(&*format!("n{node}"))
}

pub(crate) fn number(name: &NodeId) -> u8 {
    name.as_str().strip_prefix('n').and_then(|number| number.parse().ok()).expect("a node's name")
}

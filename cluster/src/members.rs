//! Who is in the cluster, as one node sees it.

use std::ops::RangeInclusive;
use std::time::Duration;

use replica::NodeId;

/// The cluster, as one node sees it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The other nodes, by name.
    pub members: Vec<Member>,
    /// How long ago another process was heard that runs under the name of this node. `None`: there is none, and there must be none.
    pub namesake: Option<Duration>,
}

/// Another node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub node: NodeId,
    /// How it is doing.
    pub standing: Standing,
    /// How long ago it was heard. `None`: not since this process began.
    pub heard: Option<Duration>,
    /// The versions of the format that it reads, if it has said hello.
    pub versions: Option<RangeInclusive<u8>>,
    /// Its site, if it has said hello and the cluster has sites.
    pub site: Option<String>,
    /// How long its process has run, if it has said hello and has not ended.
    pub age: Option<Duration>,
}

/// How another node is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was heard of late.
    Alive,
    /// It was not heard for some seconds, or not at all since this process began.
    Silent,
    /// Its process has ended cleanly.
    Left,
    /// An operator has ended it for good: its record is sealed.
    Forgotten,
}

impl Standing {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Silent => "silent",
            Self::Left => "left",
            Self::Forgotten => "forgotten",
        }
    }
}

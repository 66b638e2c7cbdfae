//! Why a request was not done.

use std::fmt;

/// Why a request was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The node shuts down. Nothing was counted.
    ShuttingDown,
    /// Too many adds wait already. Nothing was counted; the client may try again.
    TooManyAdds,
    /// Too many reads wait already.
    TooManyReads,
    /// A count of this replica would pass 64 bits. Nothing was counted.
    Overflow,
    /// The name of a counter or source is too long. Nothing was counted.
    NameTooLong,
    /// A batch has too many steps. Nothing was counted.
    BatchTooLong,
    /// There are too many counters. Nothing was counted; known counters can be counted on.
    TooManyCounters,
    /// The counter has too many sources. Nothing was counted; known sources can report on.
    TooManySources,
    /// This world has one counter, and it can only be added to. It keeps no notes, and takes no imports.
    OneCounterOnly,
    /// The store did not answer in time, and the policy demands it. Nothing was counted.
    StoreSilent,
    /// The add is counted here, but was not known to be durable in time. It may survive.
    NotKnownDurable,
    /// The same, as the node shuts down.
    EndedBeforeDurable,
    /// A read: the node has restarted, and does not know yet what it had shown before.
    NotRecovered,
    /// The same, as the node shuts down.
    EndedBeforeRecovered,
    /// A request to wait: the node shuts down.
    EndedBeforeReached,
    /// An import has more of this process's own replica than the process has counted. So the data was copied, or the store went
    /// back. Nothing was merged.
    Copied,
    /// An import does not have a row from its beginning. Nothing was merged.
    Incomplete,
    /// There are too many replicas. Nothing was merged.
    TooManyReplicas,
    /// This node was forgotten. Nothing was counted.
    Forgotten,
    /// A forget: it was not done in time, or the node shuts down. It may be done yet; to ask again does no harm.
    NotForgotten,
    /// A forget: there is no such node, neither on the roster nor in the store.
    NoSuchNode,
    /// A forget: a node can't forget itself. Ask another one.
    ForgetsItself,
    /// A forget: too many wait already.
    TooManyForgets,
}

impl Refusal {
    /// Whether the add that was refused may count all the same.
    ///
    /// ```
    /// use replica::Refusal;
    ///
    /// assert!(Refusal::NotKnownDurable.may_have_counted());
    /// assert!(!Refusal::StoreSilent.may_have_counted());
    /// ```
    pub const fn may_have_counted(self) -> bool {
        match self {
            Self::NotKnownDurable | Self::EndedBeforeDurable => true,
            Self::ShuttingDown
            | Self::TooManyAdds
            | Self::TooManyReads
            | Self::Overflow
            | Self::NameTooLong
            | Self::BatchTooLong
            | Self::TooManyCounters
            | Self::TooManySources
            | Self::OneCounterOnly
            | Self::StoreSilent
            | Self::NotRecovered
            | Self::EndedBeforeRecovered
            | Self::EndedBeforeReached
            | Self::Copied
            | Self::Incomplete
            | Self::TooManyReplicas
            | Self::Forgotten
            | Self::NotForgotten
            | Self::NoSuchNode
            | Self::ForgetsItself
            | Self::TooManyForgets => false,
        }
    }

    /// The same in words that a user understands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ShuttingDown => "shutting down: not counted",
            Self::TooManyAdds => "too many adds are waiting",
            Self::TooManyReads => "too many reads are waiting",
            Self::Overflow => "the count would overflow",
            Self::NameTooLong => "the name is too long: not counted",
            Self::BatchTooLong => "the batch has too many steps: not counted",
            Self::TooManyCounters => "there are too many counters: not counted",
            Self::TooManySources => "the counter has too many sources: not counted",
            Self::OneCounterOnly => "there is one counter, and it can only be added to: not counted",
            Self::StoreSilent => "the store does not answer: not counted",
            Self::NotKnownDurable => "counted, but not known to be durable",
            Self::EndedBeforeDurable => "shut down before it was known to be durable",
            Self::NotRecovered => "not recovered from a restart yet",
            Self::EndedBeforeRecovered => "shut down before it had recovered",
            Self::EndedBeforeReached => "shut down before it had all that was asked for",
            Self::Copied => {
                "it has more of this node's own counts than the node has counted: the data was copied, so start this node with an empty data directory and a new name, and import there"
            }
            Self::Incomplete => "a row does not begin at its beginning: not merged",
            Self::TooManyReplicas => "there are too many replicas: not merged",
            Self::Forgotten => "this node was forgotten: not counted",
            Self::NotForgotten => "it is not known whether the node is forgotten: ask again",
            Self::NoSuchNode => "there is no such node",
            Self::ForgetsItself => "a node can't forget itself: ask another one",
            Self::TooManyForgets => "too many forgets are waiting",
        }
    }
}

/// In words that a user understands.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Refusal {}

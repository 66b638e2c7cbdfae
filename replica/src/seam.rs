//! The seam between a replica and the world around it: inputs and effects.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::frame::Frame;
use crate::identity::NodeId;
use crate::store::{Outcome, StoreRequest, Token};

/// Names one request of a client. The world chooses it; the replica gives it back with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// One thing that happened, for the replica to handle.
#[expect(
    clippy::large_enum_variant,
    reason = "an input is moved once; most are frames, and a box would be one more allocation"
)]
#[derive(Debug, Clone)]
pub enum Input {
    /// These nodes are the cluster, this one among them or not. It must come before the first tick, and again whenever the
    /// list changes.
    Roster(BTreeSet<NodeId>),
    /// A client asks. The replica answers each ticket exactly once, no later than at the first tick after `answer_by`.
    Client {
        /// Comes back with the answer.
        ticket: Ticket,
        /// When the client gives up waiting.
        answer_by: Duration,
        /// The request.
        request: Request,
    },
    /// An operator ends a node for good. What it counted stays; its processes, if any run, stop once they find out. The
    /// node may return later: list it again, and start it. Answered like a client.
    Forget {
        /// Comes back with the answer.
        ticket: Ticket,
        /// When the operator gives up waiting.
        answer_by: Duration,
        /// The node.
        node: NodeId,
    },
    /// A frame of a peer. Frames may be lost, doubled, delayed and reordered.
    Peer {
        /// The peer.
        from: NodeId,
        /// The frame.
        frame: Frame,
    },
    /// The store answers the request of this token.
    Store {
        /// Names the request. An unknown token is ignored.
        token: Token,
        /// How the request ended.
        outcome: Outcome,
    },
    /// All inputs that were at hand have been handled: do what is due. Give it after each batch of inputs, and no later
    /// than [`poll_timeout`](crate::Replica::poll_timeout).
    Tick {
        /// Everything that was handed to this process before this time has been handled. It may lag behind the time of
        /// the tick: a process that was stopped has not yet read what came meanwhile. A store is silent, and a recovery
        /// over, by this time alone. If it lags, tick again once it has advanced, even if no input comes.
        heard: Duration,
    },
    /// Shut down cleanly: accept no more adds, commit the record, then give [`Effect::Done`].
    Shutdown,
    /// Nothing will ever come in again, outcomes included: answer everyone who waits, ask for a last commit, then say
    /// [`Effect::Done`].
    Closed,
}

/// A client's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Add this to the counter.
    Add(i64),
    /// Read the counter's value.
    Read,
}

/// One thing that the replica wants done.
#[expect(
    clippy::large_enum_variant,
    reason = "an effect is moved twice; a box would be one more allocation for each frame"
)]
#[derive(Debug, Clone)]
pub enum Effect {
    /// Answer this client.
    Reply {
        /// Names the client's request.
        ticket: Ticket,
        /// The answer.
        result: Result<Reply, Refusal>,
    },
    /// Send a frame to a peer. It may be lost.
    Send {
        /// The peer.
        peer: NodeId,
        /// The frame.
        frame: Frame,
    },
    /// Ask the store. Its answer is [`Input::Store`]. The replica never asks twice: the world repeats a request that may
    /// be lost, or ends it with [`Outcome::Unknown`]. It says nothing only as long as the store may yet answer.
    Store {
        /// Names the request in the answer.
        token: Token,
        /// The request.
        request: StoreRequest,
    },
    /// The replica has shut down and can be dropped.
    Done,
}

/// The answer to a request that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The add is counted, and as durable as the [policy](crate::AckPolicy) demands.
    Added,
    /// The counter's value.
    Value(i128),
    /// The node is forgotten: its record is sealed.
    Forgotten,
}

/// Why a request was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The node shuts down. Nothing was counted.
    ShuttingDown,
    /// Too many adds wait already. Nothing was counted; the client may try again.
    TooManyAdds,
    /// Too many reads wait already.
    TooManyReads,
    /// The count of this replica would pass 64 bits. Nothing was counted.
    Overflow,
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
            | Self::StoreSilent
            | Self::NotRecovered
            | Self::EndedBeforeRecovered
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
            Self::StoreSilent => "the store does not answer: not counted",
            Self::NotKnownDurable => "counted, but not known to be durable",
            Self::EndedBeforeDurable => "shut down before it was known to be durable",
            Self::NotRecovered => "not recovered from a restart yet",
            Self::EndedBeforeRecovered => "shut down before it had recovered",
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

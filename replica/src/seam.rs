//! The seam between a replica and the world around it: what goes in, and what comes out.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::frame::Frame;
use crate::identity::NodeId;
use crate::store::{Outcome, StoreRequest, Token};

/// Names one request of a client. The world chooses it; the replica gives it back with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What can happen to a replica.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a few counts are held in place: no allocation, one move")]
pub enum Input {
    /// These nodes are the cluster, this one among them or not. Comes first, and again whenever the list changes.
    Roster(BTreeSet<NodeId>),
    /// A client asks. The replica answers each ticket exactly once, no later than the first tick after `answer_by`.
    Client {
        /// Comes back with the answer.
        ticket: Ticket,
        /// When the client gives up waiting.
        answer_by: Duration,
        /// What it asks.
        request: Request,
    },
    /// A peer says something. Frames may be lost, doubled, delayed and reordered.
    Peer {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        frame: Frame,
    },
    /// The store answers the request of this token.
    Store {
        /// Which request. An unknown token is ignored.
        token: Token,
        /// How it ended.
        outcome: Outcome,
    },
    /// The inputs that were at hand have been handled: do what is due. To be given after each batch of inputs, and no
    /// later than [`poll_timeout`](crate::Replica::poll_timeout).
    Tick {
        /// Everything that was handed to this process before this time has been handled. It may lag behind the time of
        /// the tick: a process that was stopped has not yet read what came meanwhile. A store is silent, and a recovery
        /// over, by this time alone.
        heard: Duration,
    },
    /// Shut down cleanly: take no more adds, get the record into the store, then say [`Effect::Done`].
    Shutdown,
    /// Nothing will ever come in again: say the last, and [`Effect::Done`].
    Closed,
}

/// What a client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Add this to the counter.
    Add(i64),
    /// What is the counter's value?
    Read,
}

/// What a replica wants done.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Answer this client.
    Reply {
        /// Whose answer it is.
        ticket: Ticket,
        /// The answer.
        result: Result<Reply, Refusal>,
    },
    /// Send this to a peer. It may be lost.
    Send {
        /// To whom.
        peer: NodeId,
        /// What to say.
        frame: Frame,
    },
    /// Ask the store. It answers with [`Input::Store`], sooner or later, or never if it is gone for good.
    Store {
        /// Names the request in the answer.
        token: Token,
        /// What to ask.
        request: StoreRequest,
    },
    /// The replica has shut down and can be dropped.
    Done,
}

/// A request was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It is counted, and as durable as the [policy](crate::AckPolicy) demands.
    Added,
    /// The value.
    Value(i128),
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
    /// The node did not know again in time what it had shown before its restart.
    NotRecovered,
    /// The same, as the node shuts down.
    EndedBeforeRecovered,
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
            | Self::EndedBeforeRecovered => false,
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
            Self::NotRecovered => "has restarted, and not recovered in time",
            Self::EndedBeforeRecovered => "shut down before it had recovered",
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

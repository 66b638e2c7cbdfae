//! The seam between a replica and the world around it: inputs and effects.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::config::{MAX_BATCH, MAX_NAME};
use crate::frame::Frame;
use crate::identity::NodeId;
use crate::store::{Note, Outcome, StoreRequest, Token};
use crate::tally::{RowDelta, THE_COUNTER};

/// Names one request of a client. The world chooses it; the replica gives it back with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// One thing that happened, for the replica to handle.
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
    /// Merge rows that were exported, of this node or another, each from its beginning. Counts only grow by it. It is answered
    /// like a change, with [`Reply::Counted`]. While the store is down it is refused, for only the store can keep it.
    ///
    /// What it brings is shown at once. So if the process dies before it has answered, what was read can be gone.
    ///
    /// A row from before its record went back must not be imported while its replica counts on. Of the own replica that is
    /// refused ([`Refusal::Copied`]); of another node's this node can't tell.
    Import {
        /// Comes back with the answer.
        ticket: Ticket,
        /// When the client gives up waiting.
        answer_by: Duration,
        /// The rows.
        rows: Vec<RowDelta>,
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

/// The name of a counter, or of a source: any text of at most [`MAX_NAME`](crate::MAX_NAME) bytes.
pub type Name = Arc<str>;

/// A client's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Change counters.
    Change(Change),
    /// Change counters, and tell their values as they are after the change. Until the process has recovered it waits, as a read does.
    ///
    /// With a note, the note is stored in the same commit as the change; while the store is down the change is refused, uncounted.
    /// With [`Memory`](crate::AckPolicy::Memory) peers may hear of the change before that.
    ChangeAndTell {
        /// The change.
        change: Change,
        /// What the world keeps beside it.
        note: Option<Note>,
    },
    /// Read a counter's value. A counter that nobody has counted has the value 0.
    Read(Name),
}

/// What a client wants to be counted. It counts as a whole or not at all, and nobody ever sees a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Add to a counter.
    Add(Name, i64),
    /// Change several counters, or one several times: [`MAX_BATCH`](crate::MAX_BATCH) steps at most.
    Batch(Vec<(Name, Step)>),
    /// Subtract what this node sees of a counter, and what it has counted itself. Adds that it does not see yet survive. Two
    /// resets at once subtract once.
    Reset(Name),
    /// A source of its own has counted so much so far, all in all. The counter has the largest total that any node has heard of
    /// that source. So a report can be repeated, at any node, and counts once.
    Report {
        /// The counter.
        counter: Name,
        /// The source: whoever counts, by a name that no other has. A counter has [`MAX_SOURCES`](crate::MAX_SOURCES) at most.
        source: Name,
        /// Its total. A smaller one than before changes nothing.
        total: u64,
    },
}

/// A step of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Add to the counter.
    Add(i64),
    /// Reset the counter: as [`Change::Reset`], with what the steps before have counted.
    Reset,
}

/// The name of the only counter in a world with one.
static THE_NAME: LazyLock<Name> = LazyLock::new(|| THE_COUNTER.into());

impl Request {
    /// An add, in a world with one counter.
    pub fn add(delta: i64) -> Self {
        Self::Change(Change::Add(THE_NAME.clone(), delta))
    }

    /// A read, in a world with one counter.
    pub fn read() -> Self {
        Self::Read(THE_NAME.clone())
    }
}

impl Change {
    /// A batch of adds.
    ///
    /// ```
    /// use replica::{Change, Step};
    ///
    /// let batch = Change::adds([("views".into(), 3), ("likes".into(), 1)]);
    /// assert_eq!(batch, Change::Batch(vec![("views".into(), Step::Add(3)), ("likes".into(), Step::Add(1))]));
    /// ```
    pub fn adds(adds: impl IntoIterator<Item = (Name, i64)>) -> Self {
        Self::Batch(adds.into_iter().map(|(counter, delta)| (counter, Step::Add(delta))).collect())
    }

    /// Whether it is within the bounds that hold for every change.
    pub(crate) fn check_bounds(&self) -> Result<(), Refusal> {
        if matches!(self, Self::Batch(steps) if steps.len() > MAX_BATCH) {
            return Err(Refusal::BatchTooLong);
        }
        let is_too_long = self.names().any(|name| name.len() > MAX_NAME);
        if is_too_long { Err(Refusal::NameTooLong) } else { Ok(()) }
    }

    /// All names in it, of counters and sources.
    fn names(&self) -> impl Iterator<Item = &Name> {
        let (one, all): ([Option<&Name>; 2], &[(Name, Step)]) = match self {
            Self::Add(counter, _) | Self::Reset(counter) => ([Some(counter), None], &[]),
            Self::Report { counter, source, .. } => ([Some(counter), Some(source)], &[]),
            Self::Batch(steps) => ([None, None], steps),
        };
        one.into_iter().flatten().chain(all.iter().map(|(counter, _)| counter))
    }

    /// Whether it adds to this counter and does nothing else.
    pub(crate) fn only_adds_to(&self, only: &str) -> bool {
        match self {
            Self::Add(counter, _) => &**counter == only,
            Self::Batch(steps) => {
                steps.iter().all(|(counter, step)| &**counter == only && matches!(step, Step::Add(_)))
            }
            Self::Reset(_) | Self::Report { .. } => false,
        }
    }
}

/// One thing that the replica wants done.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The change is counted, and as durable as the [policy](crate::AckPolicy) demands.
    Counted,
    /// A reset is counted, and as durable. It subtracted this value.
    Reset(i128),
    /// The counter's value. After a change that tells: with that change and all that this process had counted before.
    Value(i128),
    /// Of a batch that tells, for each step: the counter's value after an add, and what a reset has subtracted.
    Values(Arc<[i128]>),
    /// The node is forgotten: its record is sealed.
    Forgotten,
}

impl Reply {
    /// The one value that it tells: a counter's, or what a reset has subtracted. 0 if it tells none, or those of a batch.
    ///
    /// ```
    /// use replica::Reply;
    ///
    /// assert_eq!((Reply::Reset(7).value(), Reply::Counted.value()), (7, 0));
    /// ```
    pub const fn value(&self) -> i128 {
        match self {
            Self::Value(value) | Self::Reset(value) => *value,
            Self::Counted | Self::Values(_) | Self::Forgotten => 0,
        }
    }
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

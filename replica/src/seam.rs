//! The seam between a replica and the world around it: inputs and effects.

mod refusal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::config::{MAX_BATCH, MAX_NAME};
use crate::frame::Frame;
use crate::identity::{NodeId, ReplicaId};
use crate::store::{Note, Outcome, StoreRequest, Token};
use crate::tally::{RowDelta, THE_COUNTER};
pub use refusal::Refusal;

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
    /// Wait until this node shows, or its peers have, so much: at most until the client gives up. A read afterwards has it.
    /// [`MAX_WAITS`](crate::MAX_WAITS) may wait at once.
    Await(Until),
}

/// What a client waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// This node shows these rows, each at this version or a later one. The nodes of those that it lacks are asked.
    Covers(BTreeMap<ReplicaId, u64>),
    /// This node shows so large a value of this counter. Nobody is asked. The value may be lower again when the answer is read, if
    /// somebody subtracts.
    AtLeast(Name, i128),
    /// All that was acknowledged by any node, before this request came, is shown here. Each peer is asked what it shows. One that does
    /// not answer, is missing: until it returns, or is forgotten.
    ///
    /// Of two processes of a peer that run at once one is asked.
    AllTold,
    /// So many peers are known to have the changes of this replica up to this number. The answer is how many do, also once the client
    /// gives up.
    Held {
        /// How many peers.
        peers: usize,
        /// The number.
        number: u64,
    },
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
    /// What was waited for is so.
    Reached,
    /// It was not so in time. These nodes have not told what is missing, as far as that is known.
    NotReached(Arc<[NodeId]>),
    /// So many peers are known to have the changes.
    Held(usize),
}

impl Reply {
    /// How many peers it says to have the changes. 0 if it says nothing of that.
    pub const fn held(&self) -> usize {
        match self {
            Self::Held(peers) => *peers,
            Self::Counted
            | Self::Reset(_)
            | Self::Value(_)
            | Self::Values(_)
            | Self::Forgotten
            | Self::Reached
            | Self::NotReached(_) => 0,
        }
    }

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
            Self::Counted
            | Self::Values(_)
            | Self::Forgotten
            | Self::Reached
            | Self::NotReached(_)
            | Self::Held(_) => 0,
        }
    }
}

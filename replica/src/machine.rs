//! The replica: a state machine that the world drives.

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tracing::debug;

use crate::config::Config;
use crate::context::{Clock, Context, Tokens};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::parts::Parts;
use crate::seam::{Effect, Input, Name};
use crate::tally::{Rows, THE_COUNTER, Tally};

/// What this process knows of a peer: see [`Replica::peers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// The peer.
    pub node: NodeId,
    /// The number of the last change of [this replica](Replica::id) that the peer is known to have, with all changes before. `None`:
    /// nothing is known. Its present process has not confirmed any frame, or this node does not gossip with it.
    pub covers: Option<u64>,
    /// All that the peer showed at this time is shown here. `None`: it has not told that since this process began.
    pub told: Option<Duration>,
}

/// A replica of the counter: a state machine without I/O, clock or messages.
///
/// 1. Give it an input with [`handle`](Self::handle).
/// 2. Do all of its effects. [`poll_effect`](Self::poll_effect) returns them one by one, until there is none left.
/// 3. Give it a tick in time: [`poll_timeout`](Self::poll_timeout) says when.
///
/// The [crate](crate) has an example.
///
/// It draws from its own generator `R`, so the same inputs at the same times give the same effects.
#[derive(Debug, Clone)]
pub struct Replica<R = SmallRng> {
    parts: Parts,
    clock: Clock,
    rng: R,
    tokens: Tokens,
    effects: VecDeque<Effect>,
}

impl Replica {
    /// A process of node `me` that has just started. Give every process a seed of its own, drawn from a good source:
    /// two processes of one node with the same seed would count under the same replica.
    pub fn new(config: &Config, me: NodeId, seed: u64) -> Self {
        Self::with_generator(config, me, SmallRng::seed_from_u64(seed))
    }
}

impl<R: Rng> Replica<R> {
    /// As [`new`](Replica::new), with a generator of any kind.
    pub fn with_generator(config: &Config, me: NodeId, mut rng: R) -> Self {
        let incarnation = Incarnation::random(&mut rng);
        debug!(node = %me, %incarnation, "a replica starts");
        Self {
            parts: Parts::new(config, me, incarnation, &mut rng),
            clock: Clock::default(),
            tokens: Tokens::random(&mut rng),
            rng,
            effects: VecDeque::new(),
        }
    }

    /// Handles one input at `now`, a time since any fixed moment.
    ///
    /// # Panics
    ///
    /// In debug builds, if the time goes back, if no roster was given before the first tick, or if the effects of the input
    /// before were not all polled. (Effects are to be done in order, before anything that may depend on them happens.)
    pub fn handle(&mut self, now: Duration, input: Input) {
        debug_assert!(now >= self.clock.now, "time goes back: from {:?} to {now:?}", self.clock.now);
        debug_assert!(self.effects.is_empty(), "effects must be polled before the next input");
        self.clock.now = self.clock.now.max(now);
        if let Input::Tick { heard } = input {
            debug_assert!(heard <= now, "nothing can be heard of a time that has not come");
            self.clock.heard = self.clock.heard.max(heard);
        }
        let Self { parts, clock, rng, tokens, effects } = self;
        let mut cx = Context { now: clock.now, heard: clock.heard, rng, effects, tokens };
        parts.handle(input, &mut cx);
    }

    /// The next effect. Do the effects in this order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to [tick](Input::Tick) next, if no input comes before. `None`: not before the next input. If `heard` lagged behind
    /// in the last tick, tick also once it has advanced.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.parts.next_tick(self.clock)
    }

    /// The replica that this process counts under: its own, or its predecessor's.
    pub fn id(&self) -> &ReplicaId {
        self.parts.own().replica()
    }

    /// Whether this process has chosen the replica that it counts under. Until then changes wait.
    pub fn has_chosen(&self) -> bool {
        self.parts.own().has_chosen()
    }

    /// This process.
    pub fn incarnation(&self) -> Incarnation {
        self.parts.own().incarnation()
    }

    /// The number of the last change that was counted under that replica, stored and shown or not.
    pub fn number(&self) -> u64 {
        self.parts.own().number()
    }

    /// All that was counted under that replica in a world with one counter, stored and shown or not.
    pub fn counted(&self) -> Tally {
        self.parts.counted()
    }

    /// All rows that this node holds and shows.
    pub fn state(&self) -> &Rows {
        self.parts.rows()
    }

    /// The value of the counter in a world with one counter, as this node shows it. See [`Rows::value`] for others.
    pub fn value(&self) -> i128 {
        self.state().value(THE_COUNTER)
    }

    /// The value of a counter with all that this process has counted, stored and shown or not. `None` if nobody has counted it
    /// since it was reset. Show it to nobody before that is as durable as the policy demands: an empty
    /// [batch](crate::Change::Batch) is answered then.
    pub fn counted_value(&self, counter: &Name) -> Option<i128> {
        self.parts.own().value(self.state(), counter)
    }

    /// The number of the last change that is certain to be stored. What is counted above it is [`number`](Self::number) less
    /// this.
    pub fn stored(&self) -> u64 {
        self.parts.stored()
    }

    /// What is known of each peer: of all nodes on the roster that are not forgotten, but this one. In the order of their names.
    pub fn peers(&self) -> Vec<PeerStatus> {
        self.parts.peers().collect()
    }

    /// All that any node had acknowledged by this time is shown here. `None`: not every peer has told what it shows since this process
    /// began, or there may be a node that can't be asked. Alone it is now.
    ///
    /// What a node had acknowledged that has died since, or that is cut off, is told by nobody: then it is the time before that.
    pub fn complete_as_of(&self) -> Option<Duration> {
        self.parts.complete_as_of().map(|at| at.min(self.clock.now))
    }

    /// The number of the last change of [this replica](Self::id) that is as durable as the policy demands. A change is acknowledged
    /// once its number is not above it.
    pub fn safe(&self) -> u64 {
        self.parts.safe()
    }

    /// Whether reads and changes are answered at once: the process has recovered what its predecessors had shown, and has chosen
    /// the replica under which it counts.
    pub fn is_ready(&self) -> bool {
        self.parts.is_ready()
    }

    /// Whether this process has read all records that there were at its start. Until then what it shows may be less than what its
    /// predecessors have shown.
    pub fn has_recovered(&self) -> bool {
        self.parts.has_recovered()
    }

    /// Whether the store has been silent for longer than its timeout, or refuses, or holds a foreign record.
    pub fn is_store_down(&self) -> bool {
        self.parts.is_store_down()
    }
}

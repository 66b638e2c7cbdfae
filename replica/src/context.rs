//! The context that every step needs: the time, the generator, and the effects.

use std::collections::VecDeque;
use std::time::Duration;

use rand::{Rng, RngExt};

use crate::seam::{Effect, Refusal, Reply, Ticket};
use crate::store::{StoreRequest, Token};

/// The time of a step, and up to which time all input has been handled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    pub now: Duration,
    /// All input from before this time has been handled. So a store that has not answered a request was silent at least
    /// until then. `now` would prove nothing: the process may have been stopped, with the answer unread.
    pub heard: Duration,
}

impl Clock {
    /// When to tick for a deadline that `heard` decides. `None` once that time has come: a later tick, whose `heard` has
    /// reached the deadline, decides it.
    pub(crate) fn awaits(self, deadline: Duration) -> Option<Duration> {
        (deadline > self.now).then_some(deadline)
    }
}

/// Gives each request to the store a token that no other has. They start at random: an outcome that was meant for an
/// earlier process must not be read as one for this process.
#[derive(Debug, Clone)]
pub(crate) struct Tokens(u64);

impl Tokens {
    pub(crate) fn random(rng: &mut dyn Rng) -> Self {
        Self(rng.random_range(0..1 << 63))
    }
}

/// One step of a replica: passed to every part, so that time, generator and output need no parameters of their own.
pub(crate) struct Context<'a> {
    pub now: Duration,
    /// See [`Clock::heard`].
    pub heard: Duration,
    pub rng: &'a mut dyn Rng,
    pub effects: &'a mut VecDeque<Effect>,
    pub tokens: &'a mut Tokens,
}

impl Context<'_> {
    /// Answers a client.
    pub(crate) fn reply(&mut self, ticket: Ticket, result: Result<Reply, Refusal>) {
        self.effects.push_back(Effect::Reply { ticket, result });
    }

    /// Asks the store, and returns the token of the request.
    pub(crate) fn ask_store(&mut self, request: StoreRequest) -> Token {
        self.tokens.0 += 1;
        let token = Token(self.tokens.0);
        self.effects.push_back(Effect::Store { token, request });
        token
    }

    /// A duration up to a quarter shorter or longer.
    pub(crate) fn jittered(&mut self, duration: Duration) -> Duration {
        duration.mul_f64(self.rng.random_range(0.75..1.25))
    }
}

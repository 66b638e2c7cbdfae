//! The ids of the messages that a node sends.

use rand::{Rng, RngExt};

use crate::message::MsgId;

/// Gives out the ids of this process's messages, each once. They start at a random number, so that a process does not
/// mistake a delayed answer to an earlier incarnation for its own.
#[derive(Debug, Clone)]
pub struct MsgIds(MsgId);

impl MsgIds {
    /// The ids of a process that starts.
    pub fn random(rng: &mut dyn Rng) -> Self {
        Self(rng.random_range(1 << 20..1 << 48))
    }

    /// An id that was not given out before.
    pub fn next_id(&mut self) -> MsgId {
        self.0 += 1;
        self.0
    }
}

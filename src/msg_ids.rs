//! The ids of our messages.

use rand::{Rng, RngExt};

use crate::message::MsgId;

/// Gives out the ids of this process's messages, each once. They start at random: a delayed answer meant for an
/// earlier life of this node must not be taken for one of ours.
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

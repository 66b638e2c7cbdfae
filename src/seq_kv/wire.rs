//! The messages to the store, and when they are sent again.

use std::collections::VecDeque;
use std::time::Duration;

use super::round_trips::RoundTrips;
use crate::message::{MsgId, Say};
use crate::msg_ids::MsgIds;

/// How many of its last transmissions a request remembers. A reply to an earlier one is ignored.
const MAX_TRANSMISSIONS: usize = 64;

/// What goes to the store.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    ids: MsgIds,
    pub round_trips: RoundTrips,
    pub messages: VecDeque<(MsgId, Say)>,
}

impl Wire {
    pub(super) fn new(ids: MsgIds, timeout: Duration) -> Self {
        Self { ids, round_trips: RoundTrips::new(timeout), messages: VecDeque::new() }
    }

    /// Sends a message once. Returns its id.
    pub(super) fn send(&mut self, say: Say) -> MsgId {
        let msg_id = self.ids.next_id();
        self.messages.push_back((msg_id, say));
        msg_id
    }

    /// Sends a message, to be sent again until it is answered.
    pub(super) fn repeat(&mut self, say: Say, now: Duration) -> Repeated {
        let mut repeated = Repeated { say, since: now, resend_at: now, transmissions: VecDeque::new() };
        repeated.tick(now, self);
        repeated
    }
}

/// A message that is sent again as it was, until the store answers it.
#[derive(Debug, Clone)]
pub(super) struct Repeated {
    say: Say,
    since: Duration,
    pub resend_at: Duration,
    /// Its last transmissions, each with its time.
    transmissions: VecDeque<(MsgId, Duration)>,
}

impl Repeated {
    /// Sends it once more, under a new id, if that is due.
    pub(super) fn tick(&mut self, now: Duration, wire: &mut Wire) {
        if now < self.resend_at {
            return;
        }
        self.resend_at = now + wire.round_trips.resend_after(now.saturating_sub(self.since));
        self.transmissions.truncate(MAX_TRANSMISSIONS - 1);
        self.transmissions.push_front((wire.send(self.say.clone()), now));
    }

    /// When it was sent under that id, if it was.
    pub(super) fn sent_at(&self, msg_id: MsgId) -> Option<Duration> {
        self.transmissions.iter().find(|(id, _)| *id == msg_id).map(|(_, at)| *at)
    }

    /// Another transmission may yet be done, or was.
    pub(super) fn was_resent(&self) -> bool {
        self.transmissions.len() > 1
    }
}

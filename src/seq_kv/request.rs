//! The one request about the own record that the store has yet to answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use replica::store::{Record, Token};
use serde_json::value::RawValue;

use crate::message::{MsgId, Say};

/// How many of its last transmissions a request remembers. A reply to an earlier one is ignored.
const MAX_TRANSMISSIONS: usize = 64;

/// A request about the own record.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub token: Token,
    say: Say,
    /// `None` for a read.
    pub write: Option<Write>,
    since: Duration,
    pub resend_at: Duration,
    /// Its last transmissions, each with its time.
    transmissions: VecDeque<(MsgId, Duration)>,
}

/// What the store holds once it has done a compare-and-set.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub text: Arc<RawValue>,
    pub record: Record,
}

impl Request {
    pub(super) fn new(token: Token, say: Say, write: Option<Write>, now: Duration) -> Self {
        Self { token, say, write, since: now, resend_at: now, transmissions: VecDeque::new() }
    }

    /// Sends it, for the first time or once more, under a new id.
    pub(super) fn transmit(&mut self, now: Duration, pause: Duration, msg_id: MsgId) -> (MsgId, Say) {
        self.resend_at = now + pause;
        self.transmissions.truncate(MAX_TRANSMISSIONS - 1);
        self.transmissions.push_front((msg_id, now));
        (msg_id, self.say.clone())
    }

    pub(super) fn open_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
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

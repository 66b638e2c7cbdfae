//! Requests to wait until this node shows, or its peers have, so much.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clients::Pending;
use crate::config::MAX_WAITS;
use crate::context::Context;
use crate::identity::ReplicaId;
use crate::seam::{Name, Refusal, Reply, Ticket};

/// What a request waits for.
#[derive(Debug, Clone)]
pub(crate) enum Wait {
    /// The rows at these versions, without those that were seen to be there.
    Covers(BTreeMap<ReplicaId, u64>),
    AtLeast(Name, i128),
    /// All peers have told what they show, each asked after the question with this number.
    AllTold(u64),
    /// So many peers have the changes up to this number.
    Held {
        peers: usize,
        number: u64,
    },
}

/// The requests that wait, by the time when their clients give up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waits {
    waiting: BTreeMap<(Duration, Ticket), Wait>,
    /// Something has happened since they were looked at.
    is_news: bool,
}

impl Waits {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITS
    }

    pub(crate) fn push(&mut self, wait: Wait, Pending { ticket, answer_by }: Pending) {
        self.waiting.insert((answer_by, ticket), wait);
        self.is_news = true;
    }

    /// Something has happened: perhaps there is now what they wait for.
    pub(crate) fn note_news(&mut self) {
        self.is_news = !self.waiting.is_empty();
    }

    /// The highest number that several peers are waited for to have.
    pub(crate) fn held(&self) -> Option<u64> {
        let held = self.waiting.values().filter_map(|wait| match wait {
            Wait::Held { number, .. } => Some(*number),
            Wait::Covers(_) | Wait::AtLeast(..) | Wait::AllTold(_) => None,
        });
        held.max()
    }

    /// Answers those that `reached` has an answer for, and those whose time is up: `late` says what these are told.
    pub(crate) fn answer(
        &mut self,
        mut reached: impl FnMut(&mut Wait) -> Option<Reply>,
        late: impl Fn(&Wait) -> Reply,
        cx: &mut Context<'_>,
    ) {
        if std::mem::take(&mut self.is_news) {
            self.waiting.retain(|(_, ticket), wait| match reached(wait) {
                Some(reply) => {
                    cx.reply(*ticket, Ok(reply));
                    false
                }
                None => true,
            });
        }
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= cx.now) {
            let ((_, ticket), wait) = first.remove_entry();
            cx.reply(ticket, Ok(late(&wait)));
        }
    }

    /// Refuses all.
    pub(crate) fn refuse(&mut self, refusal: Refusal, cx: &mut Context<'_>) {
        for (_, ticket) in std::mem::take(&mut self.waiting).into_keys() {
            cx.reply(ticket, Err(refusal));
        }
    }

    /// When the time of the next client is up.
    pub(crate) fn next_expiry(&self) -> Option<Duration> {
        self.waiting.first_key_value().map(|((answer_by, _), _)| *answer_by)
    }
}

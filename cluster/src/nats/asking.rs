//! Changes that are made at another node, for that one knows their idempotency keys.
//!
//! A request goes to one process: the one that was heard under the node's name. It says until which age that process may begin. So a
//! request that was held up on its way is refused, and no clocks of two machines are compared.

use std::fmt;
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::connection::State;
use async_nats::{Message, Request};
use embedded::{Change, Done, Group, Outside, Refused, Version};
use replica::NodeId;
use tracing::{debug, warn};

use super::Cluster;
use crate::Names;
use crate::wire::ask::{Ask, Told};

/// How many requests to other nodes may be under way at once, and how many of others.
pub(super) const MAX_ASKS: usize = 1_024;

/// How long after it was sent another node may begin with a request.
const BEGIN_WITHIN: Duration = Duration::from_secs(1);

/// How long to wait for the answer. Once it has begun, a node refuses a change of its own after 5 s.
const ANSWER_WITHIN: Duration = Duration::from_millis(6_500);

/// A change was made at another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// As that node answers its own clients.
    pub done: Done,
    /// Whether it acknowledges changes that are in its memory only.
    pub in_memory: bool,
    /// What a client has seen that is told of it.
    pub seen: Version,
}

/// Why a change was not made at another node, or is not known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMade {
    /// That node is not there, or this one is cut off. Nothing was sent.
    Silent,
    /// Too many requests to other nodes are under way. Nothing was sent.
    TooMany,
    /// The change is longer than a message may be. Nothing was sent.
    TooLong,
    /// That node has refused it.
    Refused(Refused),
    /// That node has refused it for a reason that this release does not know.
    RefusedOtherwise {
        /// Whether it may count all the same.
        may_count: bool,
    },
    /// It came there too late, and was not made.
    Late,
    /// There is no answer. It may count.
    NoAnswer,
}

impl NotMade {
    /// Whether the change may count all the same. A retry with the same key at the same node tells.
    pub fn may_count(self) -> bool {
        match self {
            Self::Silent | Self::TooMany | Self::TooLong | Self::Late => false,
            Self::Refused(refused) => refused.counted() == embedded::Counted::Maybe,
            Self::RefusedOtherwise { may_count } => may_count,
            Self::NoAnswer => true,
        }
    }
}

/// In words that a user understands.
impl fmt::Display for NotMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "it is silent, or this node is cut off: not counted",
            Self::TooMany => "too many requests wait for other nodes: not counted",
            Self::TooLong => "the change is too long to be passed on: not counted. Send it to that node",
            Self::Refused(refused) => return refused.fmt(f),
            Self::RefusedOtherwise { may_count: false } => {
                "it refuses, for a reason that only its release knows: not counted"
            }
            Self::RefusedOtherwise { may_count: true } => {
                "it is not known whether it counts, for a reason that only its release knows"
            }
            Self::Late => "the request came there too late: not counted",
            Self::NoAnswer => "it was asked, and has not answered: it is not known whether the change counts",
        })
    }
}

impl std::error::Error for NotMade {}

impl Cluster {
    /// Makes a change at another node, once for its `key`: as [`Session::change_once`](embedded::Session::change_once) does there.
    ///
    /// It takes two messages. A node that is not there is found out at once, or within 5 s if nobody can say so.
    ///
    /// # Errors
    ///
    /// [`NotMade`], which says whether the change may count.
    pub async fn change_at(&self, node: &str, key: &str, change: Change) -> Result<Elsewhere, NotMade> {
        let (parts, node) = (self.parts(), NodeId::from(node));
        let _turn = parts.asks.try_acquire().map_err(|_| NotMade::TooMany)?;
        let addressee = self.peers().addressee(&node, self.age()).ok_or(NotMade::Silent)?;
        if parts.client.connection_state() != State::Connected {
            return Err(NotMade::Silent);
        }
        let begin_by = addressee.age.saturating_add(BEGIN_WITHIN);
        let ask = Ask {
            id: rand::random(),
            process: addressee.process,
            begin_by_ms: millis(begin_by),
            key: key.into(),
            change,
        };
        let request = Request::new()
            .payload(ask.to_bytes().into())
            .inbox(parts.names.answer_of(&node, ask.id))
            .timeout(Some(ANSWER_WITHIN));
        let answer = parts.client.send_request(parts.names.ask(&node), request).await;
        let answer = answer.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => NotMade::Silent,
            RequestErrorKind::MaxPayloadExceeded => NotMade::TooLong,
            RequestErrorKind::TimedOut | RequestErrorKind::InvalidSubject | RequestErrorKind::Other => {
                debug!(%node, %error, "another node has not answered");
                NotMade::NoAnswer
            }
        })?;
        match Told::from_bytes(&answer.payload) {
            Ok(Told::Done { done, in_memory, seen }) => Ok(Elsewhere { done, in_memory, seen }),
            Ok(Told::Refused(refused)) => Err(NotMade::Refused(refused)),
            Ok(Told::RefusedOtherwise { may_count }) => Err(NotMade::RefusedOtherwise { may_count }),
            Ok(Told::Late) => Err(NotMade::Late),
            Err(error) => {
                warn!(%node, %error, "the answer of another node can't be read");
                Err(NotMade::NoAnswer)
            }
        }
    }

    /// Another node asks for a change. The change is begun before this returns. `None`: nothing is to be answered, for another process
    /// is asked, or nobody that this release understands has sent it.
    pub(super) fn begin_for(&self, message: &Message, outside: &Outside) -> Option<Asked> {
        let from = Names::sender(&message.subject)?;
        let ask = Ask::from_bytes(&message.payload);
        let ask = ask.inspect_err(|error| debug!(%from, %error, "a request can't be read")).ok()?;
        if ask.process != self.parts().process {
            return None;
        }
        let is_late = millis(self.age()) > ask.begin_by_ms;
        let group = (!is_late).then(|| outside.change_once(&ask.key, ask.change));
        Some(Asked { subject: self.parts().names.answer_to(&from, ask.id), group })
    }
}

/// A request of another node.
pub(super) struct Asked {
    /// Where the answer goes. It is made from the sender's name: a subject that the sender chooses might be one of the store.
    subject: String,
    /// The change. `None`: the request came too late.
    group: Option<Group>,
}

impl Asked {
    /// Waits for the change, and gives the subject and the answer.
    pub(super) async fn answer(self, in_memory: bool, outside: &Outside) -> (String, Vec<u8>) {
        let told = match self.group {
            None => Told::Late,
            Some(group) => match Group::only(group.await) {
                Ok(done) => Told::Done { seen: outside.written(&done), done, in_memory },
                Err(refused) => Told::Refused(refused),
            },
        };
        (self.subject, told.to_bytes())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

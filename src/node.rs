//! A Maelstrom node, from before its `init` to its end: messages in, messages out, without I/O or clock.
//!
//! Before `init` it only answers. From then on a member (`node/member.rs`) wires the [replica](replica::Replica) to the
//! [store](crate::seq_kv), to its peers and to its clients.

mod member;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use rand::Rng;
use replica::{NodeId, ReplicaId, Rows, THE_COUNTER, Tally};
use tracing::{debug, info, warn};

use crate::clients::Client;
use crate::codec::cut;
use crate::config::{Config, MAX_NAME, MAX_NODES, REPLY_WITHIN};
use crate::message::{Body, ErrorCode, Message, MsgId, Outgoing, Request, Say};
use crate::seq_kv::STORE;
use crate::stall_detector::StallDetector;
use member::Member;

/// What can happen to a node.
#[derive(Debug)]
pub enum Event<'a> {
    /// A message came in.
    Message(Message<'a>),
    /// A request came in that makes no sense, or that this node does not serve.
    Refuse {
        /// The client that asked.
        src: Cow<'a, str>,
        /// The request's id.
        msg_id: MsgId,
        /// The code of the refusal.
        code: ErrorCode,
        /// The reason, for humans.
        text: String,
    },
    /// The batch is over, or it is time.
    Wake,
    /// Shut down cleanly: accept no more adds, commit the record, then be [done](Node::is_done).
    Terminate,
    /// The input has ended. Send what there is to send, and be [done](Node::is_done).
    InputClosed,
}

/// Where a node's messages go.
pub type Outlet<'a> = dyn FnMut(Outgoing<'_>) + 'a;

/// A node, from before its `init` to its end.
#[derive(Debug, Clone)]
pub struct Node<R> {
    config: Config,
    /// Set by the first event or look. Moved into the member once there is one.
    stalls: Option<StallDetector>,
    /// Moved into the member once there is one.
    rng: Option<R>,
    member: Option<Box<Member<R>>>,
    is_done: bool,
}

impl<R: Rng> Node<R> {
    /// A node that waits for its `init`.
    pub fn new(config: Config, rng: R) -> Self {
        Self { config, stalls: None, rng: Some(rng), member: None, is_done: false }
    }

    /// The node's name, once it has one.
    pub fn name(&self) -> Option<&NodeId> {
        self.member.as_ref().map(|member| member.name())
    }

    /// The replica that this process counts under, once the node has a name: a new one, or its predecessor's.
    pub fn replica(&self) -> Option<&ReplicaId> {
        self.member.as_ref().map(|member| member.machine().id())
    }

    /// The count of that replica, with the adds that are not stored or shown yet.
    pub fn counted(&self) -> Option<Tally> {
        self.member.as_ref().map(|member| member.machine().counted())
    }

    /// Whether the node has shut down and can be dropped.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// What the node holds, once it is initialised.
    pub fn state(&self) -> Option<&Rows> {
        self.member.as_ref().map(|member| member.machine().state())
    }

    /// The counter's value as this node sees it.
    pub fn value(&self) -> i128 {
        self.state().map_or(0, |rows| rows.value(THE_COUNTER))
    }

    /// When [`Event::Wake`] is due, if nothing else happens before. `None` if nothing has happened yet, or the node is
    /// done.
    pub fn next_wake(&self) -> Option<Duration> {
        if self.is_done {
            return None;
        }
        match &self.member {
            Some(member) => Some(member.next_wake()),
            None => self.stalls.as_ref().map(StallDetector::next_look),
        }
    }

    /// Reports a look at the input and the number of bytes that were read: 0 if the input was empty. Read `at` off the
    /// clock before the look. Handle all lines of earlier looks first.
    ///
    /// From these looks alone the node knows how long a request may have waited, and that others are silent. If no look
    /// finds the input empty for a while, the node answers nobody.
    pub fn looked(&mut self, at: Duration, bytes: usize) {
        match &mut self.member {
            Some(member) => member.looked(at, bytes),
            None => self.stalls.get_or_insert_with(|| StallDetector::new(at)).looked(at, bytes),
        }
    }

    /// Handles one event at time `now`, which never goes back. Calls `say` with each message, in the order of sending.
    pub fn handle(&mut self, now: Duration, event: Event<'_>, say: &mut Outlet<'_>) {
        match &mut self.member {
            Some(member) => self.is_done |= member.handle(now, event, say),
            None => self.before_init(now, event, say),
        }
    }

    fn before_init(&mut self, now: Duration, event: Event<'_>, say: &mut Outlet<'_>) {
        let stalls = self.stalls.get_or_insert_with(|| StallDetector::new(now));
        stalls.event(now);
        let answer_by = stalls.earliest() + REPLY_WITHIN;
        let (src, msg_id, answer) = match event {
            Event::Message(Message {
                src,
                body: Body::Request(msg_id, Request::Init { node_id, node_ids }),
            }) => {
                let answer = match self.init(now, &node_id, &node_ids) {
                    Ok(()) => Say::InitOk,
                    Err(text) => {
                        warn!(%text, "init is refused");
                        Say::Error(ErrorCode::MalformedRequest, text.into())
                    }
                };
                (src, msg_id, answer)
            }
            Event::Message(Message {
                src,
                body: Body::Request(msg_id, Request::Add { .. } | Request::Read),
            }) => (src, msg_id, Say::Error(ErrorCode::TemporarilyUnavailable, "not initialised".into())),
            Event::Refuse { src, msg_id, code, text } => (src, Some(msg_id), Say::Error(code, text.into())),
            Event::Message(Message { src, body: Body::Frame(_) }) => {
                return debug!(%src, "gossip before init: it will come again");
            }
            Event::Message(Message { src, body: Body::Reply(..) }) => {
                return debug!(%src, "an answer before init: to an earlier process");
            }
            Event::Wake => return,
            Event::Terminate | Event::InputClosed => {
                self.is_done = true;
                return;
            }
        };
        if matches!(answer, Say::InitOk) {
            // The client that starts a node waits for this answer without a timeout.
            return say(Outgoing::answer(&src, msg_id, answer));
        }
        if now <= answer_by {
            Client { name: &src, msg_id, answer_by }.answer(answer, now, say);
        }
    }

    fn init(&mut self, now: Duration, id: &str, ids: &[String]) -> Result<(), String> {
        let roster: BTreeSet<NodeId> = ids.iter().map(|id| NodeId::from(id.as_str())).collect();
        if roster.len() > MAX_NODES {
            return Err(format!("node_ids names {} nodes, and {MAX_NODES} is the most", roster.len()));
        }
        roster.iter().try_for_each(|id| check_node_name(id.as_str()))?;
        if !roster.contains(id) {
            return Err(format!("the node_id \"{}\" is not among the node_ids", cut(id)));
        }
        let stalls = self.stalls.take().unwrap_or_else(|| StallDetector::new(now));
        let Some(rng) = self.rng.take() else { return Err("the node was initialised before".into()) };
        let nodes = roster.len();
        let member = Member::new((id.into(), roster), &self.config, stalls, (now, rng));
        info!(node = id, replica = %member.machine().id(), nodes, "initialised");
        self.member = Some(Box::new(member));
        Ok(())
    }
}

/// Says why a node can't have this name. Names are written into JSON and into the store's keys as they are, so they must
/// hold nothing that has a meaning there.
pub(crate) fn check_node_name(name: &str) -> Result<(), String> {
    let is_bad = |c: char| c.is_control() || matches!(c, '"' | '\\' | '/');
    let why = if name.is_empty() {
        "it is empty".to_owned()
    } else if name.len() > MAX_NAME {
        format!("it has {} bytes, and {MAX_NAME} is the most", name.len())
    } else if name == STORE {
        "that is the store".to_owned()
    } else if name.contains(is_bad) {
        "it holds a quote, a slash, a backslash or a control character".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("no node can be called \"{}\": {why}", cut(name).escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_spoil_json_or_the_stores_keys_are_refused() {
        for name in ["n0", "ü", "a b", &"n".repeat(MAX_NAME)] {
            assert_eq!(check_node_name(name), Ok(()), "{name:?}");
        }
        for (name, said) in [
            ("", r#"called "": it is empty"#),
            ("seq-kv", r#"called "seq-kv": that is the store"#),
            ("n\"", r#"called "n\"": it holds a quote"#),
            ("n\\", r#"called "n\\": it holds"#),
            ("n0/barrier", "it holds a quote, a slash"),
            ("n\n", r#"called "n\n": it holds"#),
            (&"n".repeat(MAX_NAME + 1), "it has 65 bytes, and 64 is the most"),
        ] {
            let refused = check_node_name(name).unwrap_err();
            assert!(refused.contains(said), "{name:?}: {refused}");
        }
    }
}

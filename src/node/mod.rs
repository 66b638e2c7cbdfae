//! The node as a pure state machine: an event and the time go in, messages come out.
//!
//! It reads no clock, holds no generator and does no I/O. After each batch of events [`Event::Wake`] must be
//! handled, with the time of the batch, and again no later than [`Node::next_wake`]: all that a node does
//! unasked (gossip, the slot, answers that waited) it does then.

mod gossip;
mod member;
mod msg_ids;
mod own;
mod punctuality;
mod slot;
mod state;
mod sweep;
mod waiting;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use rand::Rng;
use tracing::{debug, info, warn};

use crate::config::{Config, MAX_NAME, MAX_NODES, REPLY_WITHIN};
use crate::message::{Body, ErrorCode, Message, MsgId, Name, Outgoing, Request, Say};
use crate::replica::Replica;
use crate::vector::{Tally, Vector};
use member::Member;
use punctuality::Punctuality;

/// The store's name in Maelstrom's network.
const STORE: &str = "seq-kv";

/// What can happen to a node.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "counts of few replicas are held in place: no allocation, one move"
)]
pub enum Event<'a> {
    /// A message came in.
    Message(Message<'a>),
    /// A request came in that makes no sense, or that this node does not serve.
    Refuse {
        /// Who asked.
        src: Cow<'a, str>,
        /// The request's id.
        msg_id: MsgId,
        /// How it is refused.
        code: ErrorCode,
        /// Why.
        text: String,
    },
    /// The batch is over, or it is time.
    Wake,
    /// Shut down cleanly: take no more adds, get the slot into the store, then be [done](Node::is_done).
    Terminate,
    /// Nothing will ever come in again: send what there is to send, and be [done](Node::is_done).
    InputClosed,
}

/// A node, from before its `init` to its end.
#[derive(Debug, Clone)]
pub struct Node {
    config: Config,
    /// From the first event until there is a member, which then has its own.
    punctuality: Option<Punctuality>,
    member: Option<Box<Member>>,
    done: bool,
}

impl Node {
    /// A node that waits for its `init`.
    pub fn new(config: Config) -> Self {
        Self { config, punctuality: None, member: None, done: false }
    }

    /// The node's name, once it has one.
    pub fn name(&self) -> Option<&Name> {
        self.member.as_ref().map(|member| member.name())
    }

    /// What this process counts under, once it has a name: a replica of its own, or its predecessor's.
    pub fn replica(&self) -> Option<&Replica> {
        self.member.as_ref().map(|member| member.own().replica())
    }

    /// All that was counted under that replica, stored and shown or not.
    pub fn counted(&self) -> Option<Tally> {
        self.member.as_ref().map(|member| member.own().counted())
    }

    /// The node has shut down and can be dropped.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// What the node holds, once it is initialised.
    pub fn state(&self) -> Option<&Vector> {
        self.member.as_ref().map(|member| member.state().counts())
    }

    /// The counter's value as this node sees it.
    pub fn value(&self) -> i128 {
        self.state().map_or(0, Vector::value)
    }

    /// When [`Event::Wake`] is due, if nothing else happens before. `None`: nothing has happened yet, or the node is
    /// done.
    pub fn next_wake(&self) -> Option<Duration> {
        if self.done {
            return None;
        }
        match &self.member {
            Some(member) => Some(member.next_wake()),
            None => self.punctuality.as_ref().map(Punctuality::next_look),
        }
    }

    /// Handles one event at time `now`, which never goes back. Messages to send are appended to `out`, in
    /// the order in which they are to be sent.
    pub fn handle(&mut self, now: Duration, event: Event<'_>, rng: &mut dyn Rng, out: &mut Vec<Outgoing>) {
        match &mut self.member {
            Some(member) => self.done |= member.handle(now, event, rng, out),
            None => self.before_init(now, event, rng, out),
        }
    }

    fn before_init(&mut self, now: Duration, event: Event<'_>, rng: &mut dyn Rng, out: &mut Vec<Outgoing>) {
        let punctuality = self.punctuality.get_or_insert_with(|| Punctuality::new(now));
        punctuality.look(now);
        let is_too_late = punctuality.earliest_arrival() + REPLY_WITHIN < now;
        let (src, msg_id, say) = match event {
            Event::Message(Message {
                src,
                body: Body::Request(msg_id, Request::Init { node_id, node_ids }),
            }) => {
                let say = match self.init(now, &node_id, &node_ids, rng) {
                    Ok(()) => Say::InitOk,
                    Err(text) => Say::Error(ErrorCode::MalformedRequest, text.into()),
                };
                (src, msg_id, say)
            }
            Event::Message(Message { src, body: Body::Gossip(..) }) => {
                debug!(%src, "gossip before init: it will come again");
                return;
            }
            Event::Message(Message {
                src,
                body: Body::Request(msg_id, Request::Add { .. } | Request::Read),
            }) => (src, msg_id, Say::Error(ErrorCode::TemporarilyUnavailable, "not initialised".into())),
            Event::Refuse { src, msg_id, code, text } => (src, Some(msg_id), Say::Error(code, text.into())),
            Event::Message(Message { src, body: Body::Reply(..) }) => {
                debug!(%src, "an answer before init: to an earlier life");
                return;
            }
            Event::Wake => return,
            Event::Terminate | Event::InputClosed => {
                self.done = true;
                return;
            }
        };
        if let Some(in_reply_to) = msg_id.filter(|_| !is_too_late || matches!(say, Say::InitOk)) {
            out.push(Outgoing { dest: src.into(), msg_id: None, in_reply_to: Some(in_reply_to), say });
        }
    }

    fn init(
        &mut self,
        now: Duration,
        id: &str,
        ids: &[String],
        rng: &mut dyn Rng,
    ) -> Result<(), &'static str> {
        let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        if ids.len() > MAX_NODES {
            return Err("more nodes than this node can do with");
        }
        if ids.iter().any(|id| !is_node_name(id)) {
            return Err("a name that no node can have");
        }
        if !ids.contains(id) {
            warn!(id, "init with a node_id that is not among the node_ids");
            return Err("node_id is not among node_ids");
        }
        let punctuality = self.punctuality.take().unwrap_or_else(|| Punctuality::new(now));
        let member = Member::new(id.into(), &ids, &self.config, punctuality, now, rng);
        info!(node = id, life = %member.own().life(), nodes = ids.len(), "initialised");
        self.member = Some(Box::new(member));
        Ok(())
    }
}

/// Whether a node can have this name: it is written in JSON as it is, and none of the store's keys or names is taken
/// for another.
fn is_node_name(name: &str) -> bool {
    let is_bad = |c: char| c.is_control() || matches!(c, '"' | '\\' | '/');
    (1..=MAX_NAME).contains(&name.len()) && name != STORE && !name.contains(is_bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_can_stand_in_json_and_among_keys_as_it_is() {
        for name in ["n0", "ü", "a b", &"n".repeat(MAX_NAME)] {
            assert!(is_node_name(name), "{name:?}");
        }
        for name in ["", "seq-kv", "n\"", "n\\", "n0/barrier", "n\n", &"n".repeat(MAX_NAME + 1)] {
            assert!(!is_node_name(name), "{name:?}");
        }
    }
}

//! The node as a pure state machine: an event and the time go in, messages come out.
//!
//! It reads no clock, holds no generator and does no I/O. After each batch of events [`Event::Wake`] must be
//! handled, with the time of the batch, and again no later than [`Node::next_wake`]: all that a node does
//! unasked (gossip, the slot, answers that waited) it does then. Each look at the input is reported to
//! [`Node::looked`], for a node judges by it how long a request has waited and who is silent.

mod arrivals;
mod gossip;
mod member;
mod msg_ids;
mod own;
mod slot;
mod state;
mod sweep;
mod waiting;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use rand::Rng;
use tracing::{debug, info, warn};

use crate::codec::cut;
use crate::config::{Config, MAX_NAME, MAX_NODES, REPLY_WITHIN};
use crate::message::{Body, ErrorCode, Message, MsgId, Name, Outgoing, Request, Say};
use crate::replica::Replica;
use crate::vector::{Tally, Vector};
use arrivals::Arrivals;
use member::Member;
use waiting::Client;

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
    arrivals: Option<Arrivals>,
    member: Option<Box<Member>>,
    done: bool,
}

impl Node {
    /// A node that waits for its `init`.
    pub fn new(config: Config) -> Self {
        Self { config, arrivals: None, member: None, done: false }
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
            None => self.arrivals.as_ref().map(Arrivals::next_look),
        }
    }

    /// The node's input was looked at, and so many bytes were read: none, if it was empty. `at` must have been read off
    /// the clock before that, and all lines that were read before must have been handled.
    ///
    /// From this alone the node knows how long a request may have waited for it, and that others are silent: without a
    /// look at an empty input from time to time it answers nobody.
    pub fn looked(&mut self, at: Duration, bytes: usize) {
        match &mut self.member {
            Some(member) => member.looked(at, bytes),
            None => self.arrivals.get_or_insert_with(|| Arrivals::new(at)).looked(at, bytes),
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
        let arrivals = self.arrivals.get_or_insert_with(|| Arrivals::new(now));
        arrivals.event(now);
        let answer_by = arrivals.earliest() + REPLY_WITHIN;
        let (src, msg_id, say) = match event {
            Event::Message(Message {
                src,
                body: Body::Request(msg_id, Request::Init { node_id, node_ids }),
            }) => {
                let say = match self.init(now, &node_id, &node_ids, rng) {
                    Ok(()) => Say::InitOk,
                    Err(text) => {
                        warn!(%text, "init is refused");
                        Say::Error(ErrorCode::MalformedRequest, text.into())
                    }
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
        if matches!(say, Say::InitOk) {
            // Whoever starts a node waits for this answer however long it takes.
            out.push(Outgoing { dest: src.into(), msg_id: None, in_reply_to: msg_id, say, by: None });
        } else if now <= answer_by {
            Client { name: src.into(), msg_id, answer_by }.answer(say, now, out);
        }
    }

    fn init(&mut self, now: Duration, id: &str, ids: &[String], rng: &mut dyn Rng) -> Result<(), String> {
        let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        if ids.len() > MAX_NODES {
            return Err(format!("node_ids names {} nodes, and {MAX_NODES} is the most", ids.len()));
        }
        ids.iter().try_for_each(|id| check_node_name(id))?;
        if !ids.contains(id) {
            return Err(format!("the node_id \"{}\" is not among the node_ids", cut(id)));
        }
        let arrivals = self.arrivals.take().unwrap_or_else(|| Arrivals::new(now));
        let member = Member::new(id.into(), &ids, &self.config, arrivals, now, rng);
        info!(node = id, life = %member.own().life(), nodes = ids.len(), "initialised");
        self.member = Some(Box::new(member));
        Ok(())
    }
}

/// Says why a node can't have this name: it is written in JSON as it is, and none of the store's keys or names is taken
/// for another.
fn check_node_name(name: &str) -> Result<(), String> {
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
    fn a_name_is_what_can_stand_in_json_and_among_keys_as_it_is() {
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

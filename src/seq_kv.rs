//! Maelstrom's `seq-kv` as the replica's [store](replica::store): one key a node, named like the node, with the whole
//! record as one JSON value.
//!
//! # Commit
//!
//! A commit is a compare-and-set of the whole text. One that is not answered is sent again as it was, under a new id,
//! after two usual round trips and at least 25 ms. If it was done unheard, the store then finds another value than it
//! names, and the replica opens the record again. Fences and loads are not sent again. They are given up after a while, and
//! the replica begins anew.
//!
//! # Fence
//!
//! The store is sequentially consistent: a read may be answered from an old state, unless this node has written something
//! new since. So a fence is a write of a value never written before, to a key of its own. A commit is one too, for no
//! commit writes a value that stood there before.
//!
//! # Seal
//!
//! A seal is a compare-and-set too, of another node's record, from the text of the record that was loaded. The service
//! compares JSON values, not texts, and a record has one way to be written. So to write the loaded record anew gives an
//! equal value.
//!
//! # Nodes
//!
//! The service can't list its keys. So the names of the nodes stand under a key of their own, and each process keeps that
//! list up to date: see `seq_kv/names.rs`.

mod names;
mod round_trips;
mod text;
mod wire;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use replica::store::{Changes, Outcome, Ownership, Record, Revision, StoreRequest, Token};
use replica::{Incarnation, NodeId, RowDelta};
use serde_json::value::RawValue;
use tracing::{debug, error, warn};

use crate::codec::cut;
use crate::message::{KEY_DOES_NOT_EXIST, MsgId, PRECONDITION_FAILED, Reply, Say};
use crate::msg_ids::MsgIds;
use crate::stall_detector::StallDetector;
use names::Names;
use wire::{Repeated, Wire};

/// The store's name in Maelstrom's network.
pub const STORE: &str = "seq-kv";

/// The store, as one process uses it.
///
/// Give it requests and the store's replies; then send its [messages](Self::poll_message) and give its
/// [outcomes](Self::poll_outcome) to the replica.
#[derive(Debug, Clone)]
pub struct SeqKv {
    node: NodeId,
    names: Names,
    /// Distinguishes the values of this process's fences from all others.
    incarnation: Incarnation,
    wire: Wire,
    /// What stands under the own key, as far as it is known.
    known: Option<Known>,
    revision: u64,
    /// The request about the own record that is open.
    open: Option<Request>,
    /// Whether this process has tried to commit.
    has_committed: bool,
    /// What the replica is not told before the roster is on the list of names.
    held_back: Option<(Token, Outcome)>,
    /// The other requests that are open. They are given up after a while.
    reads: BTreeMap<MsgId, Read>,
    fences: u64,
    outcomes: VecDeque<(Token, Outcome)>,
}

/// What stands under the own key.
#[derive(Debug, Clone)]
struct Known {
    /// Word for word; `None` if there is nothing.
    text: Option<Arc<RawValue>>,
    record: Record,
}

/// The request about the own record that the store has yet to answer.
#[derive(Debug, Clone)]
struct Request {
    token: Token,
    /// `None` for a read.
    write: Option<Write>,
    sent: Repeated,
}

/// What the store holds once it has done a compare-and-set.
#[derive(Debug, Clone)]
struct Write {
    text: Arc<RawValue>,
    record: Record,
}

/// A request that is open, and sent once.
#[derive(Debug, Clone)]
struct Read {
    token: Token,
    what: What,
    give_up_at: Duration,
}

/// What a message to the store is for.
#[derive(Debug, Clone)]
enum What {
    /// It is a fence.
    Fence,
    /// It reads this node's record.
    Load(NodeId),
    /// It seals this node's record.
    Seal(NodeId),
}

impl SeqKv {
    /// The store for a process of `node`, which is told of the nodes on the `roster`.
    pub fn new(
        (node, roster): (NodeId, BTreeSet<NodeId>),
        incarnation: Incarnation,
        timeout: Duration,
        ids: MsgIds,
    ) -> Self {
        Self {
            node,
            names: Names::new(roster),
            incarnation,
            wire: Wire::new(ids, timeout),
            known: None,
            revision: 0,
            open: None,
            has_committed: false,
            held_back: None,
            reads: BTreeMap::new(),
            fences: 0,
            outcomes: VecDeque::new(),
        }
    }

    /// How long the store takes to answer at the moment; zero while that is not known.
    pub fn round_trip(&self) -> Duration {
        self.wire.round_trips.usual()
    }

    /// The next message to the store, with its id.
    pub fn poll_message(&mut self) -> Option<(MsgId, Say)> {
        self.wire.messages.pop_front()
    }

    /// The next outcome for the replica.
    pub fn poll_outcome(&mut self) -> Option<(Token, Outcome)> {
        self.outcomes.pop_front()
    }

    /// Takes a request of the replica's.
    pub fn request(&mut self, token: Token, request: StoreRequest, now: Duration) {
        match request {
            StoreRequest::Open => {
                self.ask(token, Say::StoreRead(self.key()), None, now);
                self.names.list_roster(now, &mut self.wire);
            }
            StoreRequest::Commit { expect, changes, owner } => {
                if expect != Revision(self.revision) {
                    self.known = None;
                }
                self.has_committed = true;
                match self.known.as_ref().map(|known| compare_and_set(self.key(), known, &changes, owner)) {
                    Some(Ok((say, write))) => self.ask(token, say, Some(write), now),
                    Some(Err(error)) => {
                        error!(%error, "the record can't be written");
                        self.outcomes.push_back((token, Outcome::NotDone));
                    }
                    None => self.outcomes.push_back((token, Outcome::Conflict)),
                }
            }
            StoreRequest::Fence => {
                self.fences += 1;
                let say = Say::StoreWrite {
                    key: format!("{}/barrier", self.node).into(),
                    value: format!("{}#{}/{}", self.node, self.incarnation, self.fences),
                };
                self.read(token, What::Fence, say, now);
            }
            StoreRequest::Load { node } => {
                let say = Say::StoreRead(node.as_str().into());
                self.read(token, What::Load(node), say, now);
            }
            StoreRequest::Seal { node, from, rows } => match seal(&node, from.as_ref(), &rows) {
                Ok(say) => self.read(token, What::Seal(node), say, now),
                Err(error) => {
                    error!(%node, %error, "a sealed record can't be written");
                    self.outcomes.push_back((token, Outcome::NotDone));
                }
            },
            StoreRequest::Nodes => self.names.ask(token, now, &mut self.wire),
        }
    }

    fn key(&self) -> Arc<str> {
        self.node.as_str().into()
    }

    fn ask(&mut self, token: Token, say: Say, write: Option<Write>, now: Duration) {
        debug_assert!(self.open.is_none(), "one request about the record at a time");
        self.open = Some(Request { token, write, sent: self.wire.repeat(say, now) });
    }

    fn read(&mut self, token: Token, what: What, say: Say, now: Duration) {
        let give_up_at = now + self.wire.round_trips.patience();
        self.reads.insert(self.wire.send(say), Read { token, what, give_up_at });
    }

    /// Sends again what was not answered, and gives up reads. All that was handed in until `heard` has been handled:
    /// later silence proves nothing, for an answer may be waiting to be read.
    pub fn tick(&mut self, now: Duration, heard: Duration) {
        if let Some(open) = &mut self.open {
            open.sent.tick(now, &mut self.wire);
        }
        self.names.tick(now, &mut self.wire);
        for (_, read) in self.reads.extract_if(.., |_, read| heard >= read.give_up_at) {
            debug!("the store did not answer in time");
            self.outcomes.push_back((read.token, Outcome::Unknown));
        }
    }

    /// When to [tick](Self::tick) next, if no reply comes before.
    pub fn next_tick(&self, stalls: &StallDetector) -> Option<Duration> {
        let give_up = self.reads.values().map(|read| stalls.known_at(read.give_up_at));
        give_up.chain(self.open.as_ref().map(|open| open.sent.resend_at)).chain(self.names.next_tick()).min()
    }

    /// Takes the store's reply to the message `msg_id`.
    pub fn reply(&mut self, msg_id: MsgId, reply: &Reply<'_>, now: Duration, stalls: &StallDetector) {
        if let Some(read) = self.reads.remove(&msg_id) {
            let outcome = match &read.what {
                What::Fence => fenced(reply),
                What::Load(node) => loaded(node, reply),
                What::Seal(node) => sealed(node, reply),
            };
            return self.outcomes.push_back((read.token, outcome));
        }
        if let Some(job) = self.names.take(msg_id) {
            self.outcomes.extend(self.names.reply(job, reply, now, &mut self.wire));
            if self.names.are_listed() {
                self.outcomes.extend(self.held_back.take());
            }
            return;
        }
        let Some(sent_at) = self.open.as_ref().and_then(|open| open.sent.sent_at(msg_id)) else { return };
        let Some(open) = self.open.take() else { return };
        if stalls.ran_since(sent_at) {
            self.wire.round_trips.measured(now.saturating_sub(sent_at));
        }
        let token = open.token;
        let outcome = self.about_record(open, reply);
        if self.names.are_listed() || !self.has_committed {
            self.outcomes.push_back((token, outcome));
        } else {
            self.held_back = Some((token, outcome));
        }
    }

    /// How the request about the own record ended.
    fn about_record(&mut self, open: Request, reply: &Reply<'_>) -> Outcome {
        let was_resent = open.sent.was_resent();
        match (open.write, reply) {
            (Some(Write { text, record }), Reply::CasOk) => {
                Outcome::Committed { revision: self.learn(Some(text), record) }
            }
            (None, Reply::ReadOk { value }) => match text::parse(&self.node, value) {
                Ok(record) => {
                    let revision = self.learn(Some(Arc::from((*value).to_owned())), record.clone());
                    Outcome::Opened { record: Some(record), revision }
                }
                Err(problem) => {
                    let (key, value) = (&self.node, cut(value.get()));
                    error!(%key, %value, problem, "the record holds what this node did not write: left alone");
                    Outcome::Foreign
                }
            },
            (None, Reply::Error { code: KEY_DOES_NOT_EXIST, .. }) => {
                Outcome::Opened { record: None, revision: self.learn(None, Record::default()) }
            }
            (Some(_), Reply::Error { code: PRECONDITION_FAILED | KEY_DOES_NOT_EXIST, .. }) => {
                self.known = None;
                Outcome::Conflict
            }
            (_, refusal) => {
                warn!(answer = %cut(&refusal.to_string()), "the store does not do what it is asked to");
                self.known = None;
                if was_resent { Outcome::Unknown } else { refused(refusal) }
            }
        }
    }

    /// This stands under the own key.
    fn learn(&mut self, text: Option<Arc<RawValue>>, record: Record) -> Revision {
        self.revision += 1;
        self.known = Some(Known { text, record });
        Revision(self.revision)
    }
}

/// The message that makes the changes, if the value is still the known one.
fn compare_and_set(
    key: Arc<str>,
    known: &Known,
    changes: &Changes,
    owner: Option<Ownership>,
) -> serde_json::Result<(Say, Write)> {
    let mut record = known.record.clone();
    record.apply(changes, owner);
    let text = text::write(&record)?;
    Ok((Say::StoreCas { key, from: known.text.clone(), to: text.clone() }, Write { text, record }))
}

/// The message that seals a node's record, if it is still `from`.
fn seal(node: &NodeId, from: Option<&Record>, rows: &[RowDelta]) -> serde_json::Result<Say> {
    let mut after = from.cloned().unwrap_or_default();
    after.seal(rows);
    let from = from.map(text::write).transpose()?;
    Ok(Say::StoreCas { key: node.as_str().into(), from, to: text::write(&after)? })
}

fn fenced(reply: &Reply<'_>) -> Outcome {
    match reply {
        Reply::WriteOk => Outcome::Fenced,
        other => {
            debug!(answer = %cut(&other.to_string()), "the store refuses a barrier");
            refused(other)
        }
    }
}

fn loaded(node: &NodeId, reply: &Reply<'_>) -> Outcome {
    match reply {
        Reply::ReadOk { value } => match text::parse(node, value) {
            Ok(record) => Outcome::Loaded(Some(record)),
            Err(problem) => {
                warn!(%node, value = %cut(value.get()), problem, "a peer's record can't be read");
                Outcome::Loaded(None)
            }
        },
        Reply::Error { code: KEY_DOES_NOT_EXIST, .. } => Outcome::Loaded(None),
        other => {
            debug!(%node, answer = %cut(&other.to_string()), "the store does not tell a peer's record");
            refused(other)
        }
    }
}

fn sealed(node: &NodeId, reply: &Reply<'_>) -> Outcome {
    match reply {
        Reply::CasOk => Outcome::Sealed,
        Reply::Error { code: PRECONDITION_FAILED | KEY_DOES_NOT_EXIST, .. } => Outcome::Conflict,
        other => {
            debug!(%node, answer = %cut(&other.to_string()), "the store does not seal a record");
            refused(other)
        }
    }
}

/// Whether a reply that is not the one asked for leaves open what was done: by Maelstrom's table of error codes.
fn refused(reply: &Reply<'_>) -> Outcome {
    match reply {
        // Those that Maelstrom calls definite. All others may mean that the request was done, or may be yet.
        Reply::Error { code: 1 | 10 | 11 | 12 | 14 | 20 | 21 | 22 | 30, .. } => Outcome::NotDone,
        Reply::Error { .. } | Reply::ReadOk { .. } | Reply::CasOk | Reply::WriteOk => Outcome::Unknown,
    }
}

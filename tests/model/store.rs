//! Maelstrom's `seq-kv`, as far as nodes see it.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::message::{Message, fingerprint};

/// A request to the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) msg_id: i64,
    key: String,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    Read,
    Write(Value),
    CompareAndSet { from: Value, to: Value, create: bool },
}

impl Request {
    pub(crate) fn read(body: &Value) -> Self {
        let what = match body["type"].as_str() {
            Some("read") => What::Read,
            Some("write") => What::Write(body["value"].clone()),
            Some("cas") => What::CompareAndSet {
                from: body["from"].clone(),
                to: body["to"].clone(),
                create: body["create_if_not_exists"] == true,
            },
            _ => panic!("the store does not know {body}"),
        };
        let key = body["key"].as_str().expect("a key").to_owned();
        Self { msg_id: body["msg_id"].as_i64().expect("an id"), key, what }
    }

    pub(crate) fn is_read(&self) -> bool {
        self.what == What::Read
    }
}

/// The store, with those of its past states that a node may still be shown.
///
/// A request that changes nothing may be answered from any state that is not older than the state its client has last
/// seen. A request that changes something changes the newest state.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// Oldest first; never empty.
    states: Vec<Arc<Entries>>,
    /// Which state each node has last seen.
    seen: Vec<u8>,
    /// The sum of all counts in the newest records.
    pub(crate) total: u64,
    pub(crate) fingerprint: u64,
}

/// The result of a request.
pub(crate) struct Handled {
    pub(crate) store: Arc<Store>,
    pub(crate) answer: Arc<Message>,
    /// Whether a count has gone down: no record has so much any more.
    pub(crate) shrank: bool,
}

/// Values by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Entries(BTreeMap<String, Value>);

impl Store {
    pub(crate) fn new(nodes: u8) -> Self {
        Self { states: vec![Arc::default()], seen: vec![0; nodes.into()], total: 0, fingerprint: 0 }
    }

    fn newest(&self) -> &Entries {
        &self.states[self.states.len() - 1]
    }

    /// The states from which a node may be answered.
    pub(crate) fn visible(&self, node: u8) -> Range<u8> {
        let len = u8::try_from(self.states.len()).expect("few states");
        self.seen[usize::from(node)]..len
    }

    /// The result of the request if it is tried on the state `at`. `None` if an older state gives the same: a node that has
    /// seen less may be shown more.
    pub(crate) fn handle(&self, node: u8, request: &Request, at: u8) -> Option<Handled> {
        let tried = self.states[usize::from(at)].handle(request);
        let as_before = |before: u8| {
            let (changed, answer) = self.states[usize::from(before)].handle(request);
            changed.is_some() == tried.0.is_some() && (changed.is_some() || answer == tried.1)
        };
        if (self.visible(node).start..at).any(as_before) {
            return None;
        }
        let mut next = self.clone();
        if tried.0.is_none() {
            next.saw(node, at);
            return Some(next.answered(self, node, request, tried.1));
        }
        let (changed, answer) = self.newest().handle(request);
        next.states.push(changed.map_or_else(|| Arc::new(self.newest().clone()), Arc::new));
        next.saw(node, self.visible(node).end);
        Some(next.answered(self, node, request, answer))
    }

    /// Notes which state a node has seen, and forgets the states that no node will see again.
    fn saw(&mut self, node: u8, at: u8) {
        self.seen[usize::from(node)] = at;
        let unseen = self.seen.iter().copied().min().unwrap_or_default();
        self.states.drain(..usize::from(unseen));
        self.seen.iter_mut().for_each(|seen| *seen -= unseen);
    }

    fn answered(mut self, before: &Self, node: u8, request: &Request, answer: Value) -> Handled {
        self.total = self.newest().total();
        self.fingerprint = fingerprint(&(&self.states, &self.seen));
        let shrank = !self.newest().keep(before.newest());
        let answer = Message::from_store(node, request.msg_id, answer);
        Handled { store: Arc::new(self), answer, shrank }
    }
}

impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Store {}

impl Hash for Store {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.fingerprint.hash(hasher);
    }
}

impl Entries {
    /// The entries after the request (`None` if unchanged) and the answer.
    fn handle(&self, request: &Request) -> (Option<Self>, Value) {
        let current = self.0.get(&request.key);
        match (&request.what, current) {
            (What::Read, Some(value)) => (None, json!({"type": "read_ok", "value": value})),
            (What::Write(value), _) => (self.put(&request.key, value), json!({"type": "write_ok"})),
            (What::CompareAndSet { from, to, .. }, Some(value)) if value == from => {
                (self.put(&request.key, to), json!({"type": "cas_ok"}))
            }
            (What::CompareAndSet { to, create: true, .. }, None) => {
                (self.put(&request.key, to), json!({"type": "cas_ok"}))
            }
            (What::CompareAndSet { .. }, Some(_)) => (None, json!({"type": "error", "code": 22})),
            (What::Read | What::CompareAndSet { .. }, None) => (None, json!({"type": "error", "code": 20})),
        }
    }

    fn put(&self, key: &str, value: &Value) -> Option<Self> {
        let mut next = self.0.clone();
        let before = next.insert(key.to_owned(), value.clone());
        (before.as_ref() != Some(value)).then_some(Self(next))
    }

    /// The sum of all counts in records.
    fn total(&self) -> u64 {
        self.counts().values().sum()
    }

    /// Whether every count of `before` is here, no smaller. A count of 0 may be left out.
    fn keep(&self, before: &Self) -> bool {
        let here = self.counts();
        let keeps = |(replica, count)| here.get(replica).copied().unwrap_or_default() >= count;
        before.counts().into_iter().all(keeps)
    }

    /// The largest count of each replica in all records, as a row or as a hint. A value that is no record, such as a
    /// barrier, is no object.
    fn counts(&self) -> BTreeMap<&String, u64> {
        let records = self.0.values().filter_map(Value::as_object);
        let hints = records.clone().filter_map(|record| record.get("hints")?.as_object());
        let mut counts = BTreeMap::new();
        for (replica, row) in records.chain(hints).flat_map(Map::iter).filter(|(name, _)| name.contains('#'))
        {
            let count = row.as_u64().expect("a count");
            counts.entry(replica).and_modify(|known: &mut u64| *known = count.max(*known)).or_insert(count);
        }
        counts
    }
}

//! The node's own slot in the store: one key, one writer, compare-and-set only, one request at a time.
//!
//! The slot holds the part of the vector that belongs to this node, all its replicas, and hints of others' (see
//! [`value`] and [`state`](crate::node::state)). It starts by
//! reading what is there and goes on from the last value known. A request that is not answered is sent again as it
//! was, under a new id: a compare-and-set that was done unheard then finds another value than it names. That, and
//! any other error, leave the value unknown, and the key is read again. Counts are absolute, so a retry can't
//! count twice; and what a read brings is merged before anything is written, so the slot never goes down.
//!
//! What is found there at the start also decides under which replica this process counts: one that is free, once a
//! compare-and-set has made it this process's, or else one of its own.

mod health;
mod request;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tracing::{debug, error, warn};

use crate::codec::cut;
use crate::config::Config;
use crate::message::{Claim, KEY_DOES_NOT_EXIST, MsgId, Name, PRECONDITION_FAILED, Reply, Say};
use crate::node::arrivals::Arrivals;
use crate::node::msg_ids::MsgIds;
use crate::node::own::Own;
use crate::node::state::State;
use crate::replica::Replica;
use crate::vector::{Tally, has_room_for, raise_all, tallies};
use health::Health;
use request::{Request, Write};
pub(super) use value::SlotValue;
use value::Title;

/// The own slot, as the node knows it.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    key: Name,
    content: Content,
    /// There may be more to write than is there or on its way.
    dirty: bool,
    /// Nothing more will be counted: what is written says that the replica is free.
    closing: bool,
    open: Option<Request>,
    /// What the store is known to hold of this process's replica.
    stored: Tally,
    /// The most that the store was asked to hold of it.
    offered: Tally,
    /// How many values of this process's are known to have been written.
    writes: u64,
    has_earlier_lives: bool,
    store: Health,
    not_before: Duration,
    /// The least time between two requests: while nobody waits for the slot, writes keep a distance.
    spacing: Duration,
}

/// What is in the store under the slot's key.
#[derive(Debug, Clone)]
enum Content {
    /// Not known: to be read.
    Unknown,
    /// Nothing.
    Nothing,
    /// This, word for word, and what it says.
    Known(Arc<RawValue>, SlotValue),
    /// Something that this node did not write and must not overwrite.
    Foreign,
}

/// What an answer of the store has brought.
#[derive(Debug)]
pub(super) enum News {
    /// The slot is empty.
    Nothing,
    /// This is in the slot, to be merged.
    Found {
        claim: Claim,
        /// There is a replica among them that this process can have: it is asked for.
        has_free: bool,
    },
    /// This process has got the replica of its predecessor, which had counted so much.
    Inherited(Replica, Tally),
}

impl Slot {
    pub(super) fn new(key: Name, config: &Config, spacing: Duration) -> Self {
        Self {
            key,
            content: Content::Unknown,
            dirty: true,
            closing: false,
            open: None,
            stored: Tally::default(),
            offered: Tally::default(),
            writes: 0,
            has_earlier_lives: false,
            store: Health::new(config.store_timeout),
            not_before: Duration::ZERO,
            spacing,
        }
    }

    /// What is certain to be in the store of this process's replica.
    pub(super) fn stored(&self) -> Tally {
        self.stored
    }

    /// The store has been silent for longer than the timeout, or refuses, or holds what can't be replaced.
    pub(super) fn is_down(&self) -> bool {
        self.store.is_down()
    }

    /// How many values of this process's are in the store. Each was new there: reads of other keys sent after its
    /// confirmation see all that was stored before it.
    pub(super) fn writes(&self) -> u64 {
        self.writes
    }

    /// The slot was there when this process started: the node has lived before.
    pub(super) fn has_earlier_lives(&self) -> bool {
        self.has_earlier_lives
    }

    /// How long the store takes to answer at the moment; zero while that is not known.
    pub(super) fn round_trip(&self) -> Duration {
        self.store.round_trip()
    }

    /// How long an answer of the store may take at the moment.
    pub(super) fn patience(&self) -> Duration {
        self.store.patience()
    }

    /// What the slot holds of this node's replicas, as far as that is known.
    pub(super) fn entries(&self) -> Option<&BTreeMap<Replica, Tally>> {
        match &self.content {
            Content::Known(_, value) => Some(&value.entries),
            Content::Unknown | Content::Nothing | Content::Foreign => None,
        }
    }

    /// Everything that belongs into the slot is known to be there.
    pub(super) fn is_clean(&self) -> bool {
        !self.dirty && self.open.is_none()
    }

    /// To be called when an entry of this node's has grown, or may have.
    pub(super) fn touch(&mut self) {
        self.dirty = true;
    }

    /// Nothing more will be counted: gets all into the store without delay, and leaves the replica to the next process.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.dirty = true;
        self.spacing = Duration::ZERO;
        self.not_before = Duration::ZERO;
    }

    /// A store that has been silent for too long is down. All that was handed in until `heard` has been handled: later
    /// silence means nothing, for an answer may be waiting to be read.
    pub(super) fn notice_silence(&mut self, heard: Duration) {
        if self.open.as_ref().is_some_and(|open| heard >= open.since + self.store.timeout()) {
            self.store.silent();
        }
    }

    /// The request to send now, if one is due.
    pub(super) fn poll(
        &mut self,
        own: &Own,
        state: &State,
        now: Duration,
        ids: &mut MsgIds,
    ) -> Option<(MsgId, Say)> {
        let pause = self.store.resend_after();
        if let Some(open) = &mut self.open {
            return (now >= open.resend_at).then(|| open.transmit(now, pause, ids.next()));
        }
        if !self.dirty || now < self.not_before {
            return None;
        }
        let Some((say, write)) = self.next_request(own, state) else {
            self.dirty = false;
            return None;
        };
        self.dirty &= write.is_none();
        if let Some(write) = &write {
            self.offered = write.value.tally(own.replica());
        }
        self.not_before = now + self.spacing;
        Some(self.open.insert(Request::new(say, write, now)).transmit(now, pause, ids.next()))
    }

    /// What to ask the store for; `None` if all is there already, or nothing may be written any more.
    fn next_request(&self, own: &Own, state: &State) -> Option<(Say, Option<Write>)> {
        if self.closing && !own.is_settled() {
            return None;
        }
        match &self.content {
            Content::Unknown | Content::Foreign => Some((Say::StoreRead(self.key.clone()), None)),
            Content::Nothing => self.compare_and_set(None, self.wanted(own, state, None)),
            Content::Known(text, value) => {
                let wanted = self.wanted(own, state, Some(value));
                if self.writes > 0 && wanted == *value {
                    return None;
                }
                self.compare_and_set(Some(text.clone()), wanted)
            }
        }
    }

    /// What the slot should hold, given what it holds: all that is known of this node's replicas, and no less, and what
    /// of the others' is not stored. Hints go only when something else comes: so no value ever stands there twice.
    fn wanted(&self, own: &Own, state: &State, found: Option<&SlotValue>) -> SlotValue {
        let mut wanted = self.wanted_of_own(own, state, found);
        wanted.hints = state.hints(own.replica().node());
        if let Some(found) = found.filter(|found| found.says_the_same_of_own(&wanted)) {
            raise_all(&mut wanted.hints, &found.hints);
        }
        wanted
    }

    /// The same without hints. A replica of this process's own has an entry even at zero: that makes the value one that
    /// was never written before, and so its write a barrier.
    fn wanted_of_own(&self, own: &Own, state: &State, found: Option<&SlotValue>) -> SlotValue {
        let mut entries = found.map(|value| value.entries.clone()).unwrap_or_default();
        raise_all(&mut entries, &tallies(state.counts(), |replica| replica.node() == own.replica().node()));
        let free = found.and_then(|value| value.title.as_ref()).filter(|title| title.is_free);
        if let Some(free) = free.filter(|_| !own.is_settled()) {
            let taken = Title { life: own.life(), is_free: false, ..free.clone() };
            return SlotValue { entries, title: Some(taken), hints: BTreeMap::new() };
        }
        entries.entry(own.replica().clone()).or_default().raise(own.counted());
        let title = Title { replica: own.replica().clone(), life: own.life(), is_free: self.closing };
        let title = Some(title).filter(|_| self.closing || own.is_inherited());
        SlotValue { entries, title, hints: BTreeMap::new() }
    }

    fn compare_and_set(&self, from: Option<Arc<RawValue>>, value: SlotValue) -> Option<(Say, Option<Write>)> {
        match value.to_json() {
            Ok(text) => {
                let say = Say::StoreCas { key: self.key.clone(), from, to: text.clone() };
                Some((say, Some(Write { text, value })))
            }
            Err(error) => {
                error!(%error, "the slot can't be written");
                None
            }
        }
    }

    /// When [`notice_silence`](Self::notice_silence) and [`poll`](Self::poll) are due again, if no answer comes until
    /// then.
    pub(super) fn next_wake(&self, arrivals: &Arrivals) -> Option<Duration> {
        match &self.open {
            Some(open) if self.is_down() => Some(open.resend_at),
            Some(open) => Some(open.resend_at.min(arrivals.known_at(open.since + self.store.timeout()))),
            None => self.dirty.then_some(self.not_before),
        }
    }

    /// Takes the store's answer to the message `msg_id`, if the slot has asked.
    pub(super) fn answer(
        &mut self,
        msg_id: MsgId,
        reply: &Reply<'_>,
        own: &Own,
        state: &State,
        (now, arrivals): (Duration, &Arrivals),
    ) -> Option<News> {
        let sent_at = self.open.as_ref()?.sent_at(msg_id)?;
        let open = self.open.take()?;
        let news = match (open.write, reply) {
            (Some(write), Reply::CasOk) => self.written(write, own),
            (None, Reply::ReadOk { value }) => match self.credible(value, own, state) {
                Ok((found, claim)) => Some(self.found(value, found, claim, own)),
                Err(problem) => return self.leave_alone(value, &problem, now),
            },
            (None, Reply::Error { code: KEY_DOES_NOT_EXIST, .. }) => {
                self.content = Content::Nothing;
                Some(News::Nothing)
            }
            (Some(_), Reply::Error { code: PRECONDITION_FAILED | KEY_DOES_NOT_EXIST, .. }) => {
                debug!("the slot is not what it was");
                self.forget_content();
                None
            }
            (_, refusal) => {
                warn!(answer = %cut(&refusal.to_string()), "the store does not do what it is asked to");
                self.forget_content();
                self.give_pause(now);
                return None;
            }
        };
        self.store.answered(arrivals.ran_since(sent_at).then(|| now.saturating_sub(sent_at)));
        news
    }

    /// A compare-and-set was done.
    fn written(&mut self, Write { text, value }: Write, own: &Own) -> Option<News> {
        self.writes += 1;
        self.store.obeyed();
        let news = self.holds(&value, own);
        self.content = Content::Known(text, value);
        news
    }

    /// The slot was read.
    fn found(&mut self, text: &RawValue, value: SlotValue, claim: Claim, own: &Own) -> News {
        let is_ours = value.entries.contains_key(own.replica())
            || value.title.as_ref().is_some_and(|title| title.life == own.life());
        if is_ours {
            self.writes = self.writes.max(1);
        } else {
            self.has_earlier_lives = true;
        }
        let has_free = value.title.as_ref().is_some_and(|title| title.is_free);
        let news = self.holds(&value, own).unwrap_or(News::Found { claim, has_free });
        self.content = Content::Known(Arc::from(text.to_owned()), value);
        news
    }

    /// What the slot holds, and claims by that, if it can be what processes of this node have written, and there is
    /// room for it.
    fn credible(&self, value: &RawValue, own: &Own, state: &State) -> Result<(SlotValue, Claim), String> {
        let found = SlotValue::parse(&self.key, value)?;
        if !found.tally(own.replica()).is_within(self.offered) {
            return Err(format!("this process has written {} at most", self.offered));
        }
        let claim = found.claim();
        if !has_room_for(state.counts(), &claim.counts) {
            return Err("there are too many replicas".into());
        }
        Ok((found, claim))
    }

    /// Takes note of what the store holds of this process. `Some`: it has just come into a predecessor's replica.
    fn holds(&mut self, value: &SlotValue, own: &Own) -> Option<News> {
        match &value.title {
            Some(title) if !own.is_settled() && title.life == own.life() => {
                self.stored = value.tally(&title.replica);
                self.offered = self.stored;
                Some(News::Inherited(title.replica.clone(), self.stored))
            }
            _ => {
                self.stored.raise(value.tally(own.replica()));
                None
            }
        }
    }

    fn leave_alone(&mut self, value: &RawValue, problem: &str, now: Duration) -> Option<News> {
        let value = cut(value.get());
        error!(key = %self.key, %value, problem, "the slot holds what this node did not write: left alone");
        self.content = Content::Foreign;
        self.give_pause(now);
        None
    }

    fn forget_content(&mut self) {
        self.content = Content::Unknown;
        self.dirty = true;
    }

    fn give_pause(&mut self, now: Duration) {
        self.not_before = now + self.store.refused();
    }
}
